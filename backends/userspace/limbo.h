// SPDX-License-Identifier: MIT
//
// Heap blocks that nobody can find any more but a running program may still have a pointer to.
//
// How: blocks are collected; a collection is freed once every program run that was going on when it
//   was closed is over (Epoch::ProgramsHavePassed), which is asked when the next one is full. So up
//   to two collections wait at any time, more only while a program runs.
// Units: blocks of malloc(3), at least a pointer long; their first word is overwritten.
// Ownership: takes the blocks; frees all of them when it is destroyed.
// Thread-safety: Add may be called by any thread at any time.
#ifndef BACKENDS_USERSPACE_LIMBO_H_
#define BACKENDS_USERSPACE_LIMBO_H_

#include <cstddef>
#include <cstdint>

#include "backends/userspace/spin_lock.h"

namespace usermaps {

class Limbo {
 public:
  Limbo() = default;
  ~Limbo();
  Limbo(const Limbo&) = delete;
  Limbo& operator=(const Limbo&) = delete;

  void Add(std::byte* block);

 private:
  struct Block {
    Block* next;
  };
  static void FreeAll(Block* block);

  SpinLock lock_;  // guards the rest
  Block* open_ = nullptr;
  uint32_t open_count_ = 0;
  Block* closed_ = nullptr;
  uint64_t closed_in_ = 0;  // the epoch that began when it was closed
};

}  // namespace usermaps

#endif  // BACKENDS_USERSPACE_LIMBO_H_
