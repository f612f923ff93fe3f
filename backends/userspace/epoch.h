// SPDX-License-Identifier: MIT
//
// Who is inside an operation right now: epoch-based protection of what operations look at without
// taking a lock.
//
// Purpose: an operation reaches its map through a table that other threads change (close, reclaim)
//   and reads the map's frozen state. Whoever unpublishes something calls Synchronize() and then
//   knows that no operation that began before can still see the old state. Runs of programs are
//   entered apart from operations, so that nobody ever waits for a program: memory that one may
//   still see goes to a Limbo (limbo.h), which asks ProgramsHavePassed now and then.
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
  // What a thread is inside of. Written by that thread only.
  struct Presence {
    std::atomic<uint64_t> entered{0};  // the epoch in which it began; 0: outside
    uint32_t depth = 0;

    void Enter() {
      if (depth++ == 0) entered.store(current_.load(std::memory_order_relaxed));
    }
    void Leave() {
      if (--depth == 0) entered.store(0, std::memory_order_release);
    }
  };
  struct alignas(64) ThreadRecord {
    Presence operation;
    Presence program;
    std::atomic<bool> owned{true};  // false: its thread ended, another one may take it
    ThreadRecord* next = nullptr;
  };

  class Guard {
   public:
    Guard() : record_(OwnRecord()) { record_->operation.Enter(); }
    ~Guard() { record_->operation.Leave(); }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    ThreadRecord* record_;
  };

  // Returns when every Guard that existed at the call is gone.
  static void Synchronize();

  // A run of a program on this thread; runs nest.
  static void EnterProgram() { OwnRecord()->program.Enter(); }
  static void LeaveProgram() { OwnRecord()->program.Leave(); }

  // Begins a new epoch and returns it. What was made unreachable before is out of every program's
  // sight as soon as ProgramsHavePassed(that epoch).
  static uint64_t Advance() { return current_.fetch_add(1) + 1; }
  static bool ProgramsHavePassed(uint64_t epoch);

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
