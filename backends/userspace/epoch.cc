// SPDX-License-Identifier: MIT
#include "backends/userspace/epoch.h"

#include <pthread.h>
#include <sched.h>

#include <mutex>

namespace usermaps {

std::atomic<uint64_t> Epoch::current_{1};
std::atomic<Epoch::ThreadRecord*> Epoch::records_{nullptr};
thread_local constinit Epoch::ThreadRecord* Epoch::own_record_ = nullptr;

// Gives the record back when the thread ends. Records themselves are never freed: Synchronize walks
// them without a lock.
struct EpochThreadExit {
  ~EpochThreadExit() {
    if (Epoch::own_record_ != nullptr)
      Epoch::own_record_->owned.store(false, std::memory_order_release);
    Epoch::own_record_ = nullptr;
  }
};

Epoch::ThreadRecord* Epoch::Register() {
  static std::once_flag fork_handler;
  std::call_once(fork_handler,
                 [] { pthread_atfork(nullptr, nullptr, &Epoch::ForgetOtherThreads); });
  ThreadRecord* record = nullptr;
  for (ThreadRecord* r = records_.load(); r != nullptr; r = r->next) {
    bool owned = false;
    if (!r->owned.load() && r->owned.compare_exchange_strong(owned, true)) {
      record = r;
      break;
    }
  }
  if (record == nullptr) {
    record = new ThreadRecord;
    record->next = records_.load();
    while (!records_.compare_exchange_weak(record->next, record)) {
    }
  }
  own_record_ = record;
  thread_local EpochThreadExit at_exit;
  (void)at_exit;
  return record;
}

void Epoch::Synchronize() {
  const uint64_t now = Advance();
  for (ThreadRecord* r = records_.load(); r != nullptr; r = r->next) {
    for (uint64_t entered = r->operation.entered.load(); entered != 0 && entered < now;
         entered = r->operation.entered.load()) {
      sched_yield();
    }
  }
}

bool Epoch::ProgramsHavePassed(uint64_t epoch) {
  for (ThreadRecord* r = records_.load(); r != nullptr; r = r->next) {
    const uint64_t entered = r->program.entered.load();
    if (entered != 0 && entered < epoch) return false;
  }
  return true;
}

void Epoch::ForgetOtherThreads() {
  for (ThreadRecord* r = records_.load(); r != nullptr; r = r->next) {
    if (r == own_record_) continue;
    for (Presence* presence : {&r->operation, &r->program}) {
      presence->entered.store(0);
      presence->depth = 0;
    }
    r->owned.store(false);
  }
}

}  // namespace usermaps
