// SPDX-License-Identifier: MIT
//
// Who is inside an operation right now: epoch-based protection of what operations look at without
// taking a lock.
//
// Purpose: an operation reaches its map through a table that other threads change (close, reclaim)
//   and reads the map's frozen state. Whoever unpublishes something calls Synchronize() and then
//   knows that no operation that began before can still see the old state.
// Cost: entering is one sequentially consistent store to a line of the thread's own.
// Thread-safety: everything here may be called by any thread. Synchronize() must not be called
//   inside a Guard.
// fork: the child forgets the threads it did not inherit.
#ifndef BACKENDS_USERSPACE_EPOCH_H_
#define BACKENDS_USERSPACE_EPOCH_H_

#include <atomic>
#include <cstdint>

namespace usermaps {

class Epoch {
 public:
  struct alignas(64) ThreadRecord {
    std::atomic<uint64_t> entered{
        0};  // the epoch in which the running operation began; 0 outside operations
    std::atomic<bool> owned{true};  // false: its thread ended, another one may take it
    uint32_t depth = 0;
    ThreadRecord* next = nullptr;
  };

  class Guard {
   public:
    Guard() : record_(OwnRecord()) {
      if (record_->depth++ == 0) record_->entered.store(current_.load(std::memory_order_relaxed));
    }
    ~Guard() {
      if (--record_->depth == 0) record_->entered.store(0, std::memory_order_release);
    }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    ThreadRecord* record_;
  };

  // Returns when every Guard that existed at the call is gone.
  static void Synchronize();

 private:
  friend struct EpochThreadExit;

  static ThreadRecord* OwnRecord() {
    ThreadRecord* record = own_record_;
    return record != nullptr ? record : Register();
  }
  static ThreadRecord* Register();
  static void ForgetOtherThreads();

  static std::atomic<uint64_t> current_;
  static std::atomic<ThreadRecord*> records_;
  static thread_local constinit ThreadRecord* own_record_
      __attribute__((tls_model("initial-exec")));
};

}  // namespace usermaps

#endif  // BACKENDS_USERSPACE_EPOCH_H_
