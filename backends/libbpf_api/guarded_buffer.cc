// SPDX-License-Identifier: MIT
#include "backends/libbpf_api/guarded_buffer.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "oracle/bytes.h"

namespace mapspec {
namespace {

// PoisonByte repeats after 256 bytes, since it depends on the low byte of the index alone.
constexpr auto kGuardBytes = [] {
  std::array<uint8_t, GuardedBuffer::kGuard> guard{};
  for (size_t i = 0; i < guard.size(); ++i) guard[i] = static_cast<uint8_t>(0xD3 ^ (i * 0x2F));
  return guard;
}();

constexpr size_t kSmallest = 256;

}  // namespace

void GuardedBuffer::LayOut(size_t size) {
  if (memory_ == nullptr || size > capacity_) {
    capacity_ = std::max(size, kSmallest);
    memory_.reset(new uint8_t[capacity_ + 2 * kGuard]);
  }
  size_ = size;
  std::memcpy(memory_.get(), kGuardBytes.data(), kGuard);
  std::memcpy(memory_.get() + kGuard + size, kGuardBytes.data(), kGuard);
}

uint8_t* GuardedBuffer::Poisoned(size_t size) {
  LayOut(size);
  FillPoison(data(), size);
  return data();
}

uint8_t* GuardedBuffer::Filled(const void* content, size_t size) {
  LayOut(size);
  std::memcpy(data(), content, size);
  return data();
}

uint8_t* GuardedBuffer::Zeroed(size_t size) {
  LayOut(size);
  std::memset(data(), 0, size);
  return data();
}

bool GuardedBuffer::Intact() const {
  // Asked after every call: words in a loop of fixed length are cheaper than memcmp().
  static_assert(kGuard % sizeof(uint64_t) == 0);
  uint64_t differing = 0;
  for (size_t i = 0; i < kGuard; i += sizeof(uint64_t)) {
    uint64_t front, behind, wanted;
    std::memcpy(&front, memory_.get() + i, sizeof(front));
    std::memcpy(&behind, data() + size_ + i, sizeof(behind));
    std::memcpy(&wanted, kGuardBytes.data() + i, sizeof(wanted));
    differing |= (front ^ wanted) | (behind ^ wanted);
  }
  return differing == 0;
}

std::string GuardedBuffer::Damage() const {
  const std::string of = " the buffer of " + std::to_string(size_) + " bytes was changed";
  for (size_t i = 0; i < kGuard; ++i) {
    if (data()[size_ + i] != kGuardBytes[i]) return "byte " + std::to_string(i) + " behind" + of;
  }
  for (size_t i = kGuard; i-- > 0;) {
    if (memory_[i] != kGuardBytes[i]) {
      return "byte " + std::to_string(kGuard - i) + " in front of" + of;
    }
  }
  return {};
}

}  // namespace mapspec
