// SPDX-License-Identifier: MIT
#include "backends/userspace/element_pool.h"

#include <sched.h>

#include <cstdlib>

namespace usermaps {
namespace {

constexpr uint32_t kSpares = 4;

}  // namespace

int ElementPool::Init(uint32_t capacity, uint64_t element_size, bool preallocate) {
  // More than there can be indices for is more than there can be memory for, too.
  capacity_ = capacity < UINT32_MAX - kSpares ? capacity + kSpares : capacity;
  element_size_ = element_size;
  if (!preallocate) return 0;
  if (const int err = Area::Make(capacity_ * element_size, &area_); err != 0) return err;
  return Area::Make(uint64_t{capacity_} * sizeof(uint32_t), &links_);
}

std::byte* ElementPool::Allocate() {
  if (!preallocated()) return static_cast<std::byte*>(std::malloc(element_size_));
  // Free elements exist, or will in an instant (see the contract): another thread may move one from
  // the untouched part to the free list between the two looks, or hold a spare; hence the loop.
  for (;;) {
    uint64_t head = free_.load(std::memory_order_acquire);
    while (static_cast<uint32_t>(head) != 0) {
      const uint32_t index = static_cast<uint32_t>(head) - 1;
      const uint32_t next =
          std::atomic_ref<uint32_t>(LinkOf(index)).load(std::memory_order_relaxed);
      const uint64_t replacement = ((head >> 32) + 1) << 32 | next;
      if (free_.compare_exchange_weak(head, replacement, std::memory_order_acquire)) {
        return At(index);
      }
    }
    uint32_t index = untouched_.load(std::memory_order_relaxed);
    while (index < capacity_) {
      if (untouched_.compare_exchange_weak(index, index + 1, std::memory_order_relaxed)) {
        return At(index);
      }
    }
    sched_yield();
  }
}

void ElementPool::Retire(std::byte* element) {
  if (preallocated()) {
    Free(element);
  } else {
    limbo_.Add(element);
  }
}

void ElementPool::Free(std::byte* element) {
  if (!preallocated()) {
    std::free(element);
    return;
  }
  const uint32_t index = IndexOf(element);
  uint64_t head = free_.load(std::memory_order_relaxed);
  uint64_t replacement;
  do {
    std::atomic_ref<uint32_t>(LinkOf(index))
        .store(static_cast<uint32_t>(head), std::memory_order_relaxed);
    replacement = ((head >> 32) + 1) << 32 | (index + 1);
  } while (!free_.compare_exchange_weak(head, replacement, std::memory_order_acq_rel,
                                        std::memory_order_relaxed));
}

}  // namespace usermaps
