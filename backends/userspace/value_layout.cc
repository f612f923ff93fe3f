// SPDX-License-Identifier: MIT
#include "backends/userspace/value_layout.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "backends/userspace/mutant.h"
#include "backends/userspace/spin_lock.h"

namespace usermaps {
namespace {

constexpr uint32_t kLockSize = 4;

}  // namespace

ValueLayout::ValueLayout(uint32_t size, std::vector<uint32_t> lock_offsets)
    : size_(size), lock_offsets_(std::move(lock_offsets)) {
  std::sort(lock_offsets_.begin(), lock_offsets_.end());
}

void ValueLayout::CopyAroundLocks(std::byte* to, const std::byte* from) const {
  uint32_t position = 0;
  for (const uint32_t lock : lock_offsets_) {
    std::memcpy(to + position, from + position, lock - position);
    position = lock + kLockSize;
  }
  uint32_t rest = size_ - position;
  if (MUTANT("generic.lock.word-hidden/hides-the-byte-behind-too") && rest != 0) {
    ++position;
    --rest;
  }
  std::memcpy(to + position, from + position, rest);
}

// The lock to take, if any.
uint32_t* ValueLayout::LockOf(std::byte* element, bool take_lock) const {
  if (!take_lock || lock_offsets_.empty()) return nullptr;
  return &LockWordAt(element + lock_offsets_.front());
}

void ValueLayout::CopyIn(std::byte* element, const void* value, bool take_lock) const {
  const auto* from = static_cast<const std::byte*>(value);
  if (lock_offsets_.empty()) {
    std::memcpy(element, from, size_);
    return;
  }
  uint32_t* lock = LockOf(element, take_lock);
  if (lock != nullptr) LockWord(*lock);
  CopyAroundLocks(element, from);
  if (lock != nullptr) UnlockWord(*lock);
}

void ValueLayout::CopyOut(void* value, std::byte* element, bool take_lock) const {
  if (value == nullptr) return;
  auto* to = static_cast<std::byte*>(value);
  if (lock_offsets_.empty()) {
    std::memcpy(to, element, size_);
    return;
  }
  uint32_t* lock = LockOf(element, take_lock);
  if (lock != nullptr) LockWord(*lock);
  CopyAroundLocks(to, element);
  if (lock != nullptr) UnlockWord(*lock);
  if (MUTANT("generic.lock.word-hidden/left-as-it-was") && take_lock) return;
  if (MUTANT("generic.lock.word-hidden-without-flag/left-as-it-was") && !take_lock) return;
  for (const uint32_t offset : lock_offsets_) std::memset(to + offset, 0, kLockSize);
}

void ValueLayout::Initialize(std::byte* element, const void* value) const {
  std::memcpy(element, value, size_);
  for (const uint32_t offset : lock_offsets_) std::memset(element + offset, 0, kLockSize);
}

}  // namespace usermaps
