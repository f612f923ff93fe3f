// SPDX-License-Identifier: MIT
//
// A lock of one 32-bit word, zero when free.
//
// Purpose: one lock per hash bucket, so it must be small and must be usable in memory that was only
//   mapped, never constructed: zero pages are unlocked locks.
// Ownership: the holder of the word. Not recursive.
// Thread-safety: that is the point. Waiters spin briefly and then yield, since the holder may have
//   been preempted.
#ifndef BACKENDS_USERSPACE_SPIN_LOCK_H_
#define BACKENDS_USERSPACE_SPIN_LOCK_H_

#include <sched.h>

#include <atomic>
#include <cstdint>

namespace usermaps {

// Takes the lock kept in `word`; also serves the bpf_spin_lock word inside a map value.
inline void LockWord(uint32_t& word) {
  std::atomic_ref<uint32_t> ref(word);
  constexpr int kSpinsBeforeYield = 100;
  for (;;) {
    if (ref.exchange(1, std::memory_order_acquire) == 0) return;
    for (int spins = 0; ref.load(std::memory_order_relaxed) != 0; ++spins) {
      if (spins >= kSpinsBeforeYield) {
        sched_yield();
      } else {
#if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();
#endif
      }
    }
  }
}

inline void UnlockWord(uint32_t& word) {
  std::atomic_ref<uint32_t>(word).store(0, std::memory_order_release);
}

// The word that stands for the bpf_spin_lock at `lock`. One at an odd place (BTF allows it inside
// nested structs) cannot be an atomic word: all of those share one.
inline uint32_t& LockWordAt(void* lock) {
  static uint32_t shared = 0;
  if (reinterpret_cast<uintptr_t>(lock) % alignof(uint32_t) != 0) return shared;
  return *static_cast<uint32_t*>(lock);
}

struct SpinLock {
  uint32_t word = 0;
  void lock() { LockWord(word); }
  void unlock() { UnlockWord(word); }
};

}  // namespace usermaps

#endif  // BACKENDS_USERSPACE_SPIN_LOCK_H_
