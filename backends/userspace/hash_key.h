// SPDX-License-Identifier: MIT
//
// The hash of a key: any length, seeded per map so that nobody can choose colliding keys in
// advance.
//
// Source: the multiply-and-fold construction common to fast non-cryptographic hashes (128-bit
//   product, halves xor-ed).
// Thread-safety: pure.
#ifndef BACKENDS_USERSPACE_HASH_KEY_H_
#define BACKENDS_USERSPACE_HASH_KEY_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace usermaps {

inline uint64_t FoldedProduct(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

inline uint32_t HashKey(const void* key, size_t size, uint64_t seed) {
  constexpr uint64_t kStir = 0x9e3779b97f4a7c15;   // 2^64 / golden ratio
  constexpr uint64_t kFinal = 0xd6e8feb86659fd93;  // an odd constant without structure
  const auto* bytes = static_cast<const std::byte*>(key);
  uint64_t state = seed ^ (size * kStir);
  for (; size >= 8; size -= 8, bytes += 8) {
    uint64_t word;
    std::memcpy(&word, bytes, 8);
    state = FoldedProduct(state ^ word ^ kFinal, kStir) + word;
  }
  uint64_t tail = 0;
  std::memcpy(&tail, bytes, size);
  state = FoldedProduct(state ^ tail ^ kFinal, kStir) + tail;
  return static_cast<uint32_t>(FoldedProduct(state ^ kStir, kFinal));
}

}  // namespace usermaps

#endif  // BACKENDS_USERSPACE_HASH_KEY_H_
