// SPDX-License-Identifier: MIT
#include "properties/edge_values.h"

#include <algorithm>
#include <cstring>

namespace mapspec {

namespace {

// Of a per-CPU map now and then one CPU's value is meant, the first that is not possible included,
// or that all shall have one.
uint64_t DrawCpuFlags(Entropy& entropy, const MapFacts& map) {
  if (map.cpus == 0 || !entropy.OneIn(20)) return 0;
  if (entropy.OneIn(3)) return BPF_F_ALL_CPUS;
  return BPF_F_CPU | entropy.Below(uint64_t{map.cpus} + 1) << 32;
}

}  // namespace

uint64_t SensibleUpdateFlags(Entropy& entropy, const MapFacts& map) {
  static constexpr uint64_t kPlain[8] = {BPF_ANY, BPF_ANY,   BPF_ANY,     BPF_ANY,
                                         BPF_ANY, BPF_EXIST, BPF_NOEXIST, BPF_EXIST};
  if (map.kind->kind->key_kind == KeyKind::kNone) return kPlain[entropy.Below(8)] & BPF_EXIST;
  uint64_t flags = kPlain[entropy.Below(8)];
  if (flags == BPF_EXIST && entropy.OneIn(3)) flags = BPF_NOEXIST;
  if (map.has_lock && entropy.OneIn(2)) flags |= BPF_F_LOCK;
  return flags | DrawCpuFlags(entropy, map);
}

uint64_t SensibleLookupFlags(Entropy& entropy, const MapFacts& map) {
  if (map.cpus != 0) return DrawCpuFlags(entropy, map);
  return map.has_lock && entropy.OneIn(2) ? BPF_F_LOCK : 0;
}

uint64_t AnyFlags(Entropy& entropy) {
  switch (entropy.Below(12)) {
    case 0:
    case 1:
    case 2:
    case 3:
      // BPF_NOEXIST, BPF_EXIST, BPF_F_LOCK in every combination.
      return 1 + entropy.Below(7);
    case 4:
      return entropy.Below(64);
    case 5:
    case 6:
    case 7:
      return uint64_t{1} << entropy.Below(64);
    case 8:
      return uint64_t{1} << entropy.Below(64) | uint64_t{1} << entropy.Below(64);
    case 9:
      // A processor number in the upper half, as per-CPU maps of new kernels take it.
      return entropy.Below(32) | entropy.Below(5001) << 32;
    case 10:
      return ~uint64_t{0} - entropy.Below(8);
    default:
      return entropy.Bits();
  }
}

uint32_t AnyFlags32(Entropy& entropy) {
  switch (entropy.Below(4)) {
    case 0:
    case 1:
      return 1u << entropy.Below(32);
    case 2:
      return 1u << entropy.Below(32) | 1u << entropy.Below(32);
    default:
      return static_cast<uint32_t>(entropy.Bits());
  }
}

uint32_t EdgeSize(Entropy& entropy) {
  static constexpr uint32_t kSizes[] = {4, 8, 1, 2, 3, 4, 5, 6, 7, 8, 9, 4, 8, 16, 64, 4};
  static constexpr uint32_t kLarge[] = {100, 63,  65,  24,  33,  48,   72,
                                        128, 256, 511, 512, 513, 1024, 4096};
  if (entropy.OneIn(24)) return entropy.Pick(kLarge);
  return entropy.Pick(kSizes);
}

uint32_t EdgeMaxEntries(Entropy& entropy) {
  const uint32_t draw = entropy.Below32(64);
  if (draw < 52) return 1 + (draw & 3);
  if (draw < 62) return 5 + entropy.Below32(60);
  static constexpr uint32_t kMany[] = {65, 127, 128, 129, 255, 256, 257, 1000};
  return entropy.Pick(kMany);
}

uint32_t EdgeCount(Entropy& entropy, const MapFacts& map) {
  const uint64_t element = std::max<uint64_t>(1, uint64_t{map.key_size} + map.buffer_size());
  // Mostly short; now and then as long as EdgeCount promises at most.
  const uint64_t buffer = entropy.OneIn(128) ? uint64_t{256} << 10 : uint64_t{2} << 10;
  const uint64_t most = std::max<uint64_t>(2, buffer / element);
  uint64_t count = 0;
  switch (entropy.Below(8)) {
    case 0:
    case 1:
      count = map.max_entries;
      break;
    case 2:
      count = uint64_t{map.max_entries} + 1;
      break;
    case 3:
      count = map.max_entries - (map.max_entries != 0 ? 1 : 0);
      break;
    case 4:
      count = 0;
      break;
    case 5:
      count = 1 + entropy.Below(64);
      break;
    default:
      count = 1 + entropy.Below(4);
      break;
  }
  return static_cast<uint32_t>(std::min(count, std::min<uint64_t>(most, 1024)));
}

uint32_t KeyPool(const MapFacts& map) {
  const uint64_t wanted = uint64_t{map.max_entries} + 2;
  const uint64_t possible = map.key_size >= 4 ? ~uint32_t{0} : (uint64_t{1} << (8 * map.key_size));
  return static_cast<uint32_t>(std::max<uint64_t>(1, std::min(wanted, possible)));
}

void WriteKey(const MapFacts& map, uint32_t index, uint8_t* key) {
  const size_t size = map.key_size;
  const size_t used = std::min<size_t>(size, 4);
  const bool inverted = map.key_style == KeyStyle::kInverted;
  const uint32_t number = inverted ? ~index : index;
  if (size > used) std::memset(key, inverted ? 0xff : 0, size);
  if (map.key_style == KeyStyle::kHigh && size > used) {
    // The last byte changes first.
    for (size_t i = 0; i < used; ++i) key[size - 1 - i] = static_cast<uint8_t>(number >> (8 * i));
  } else {
    std::memcpy(key, &number, used);
  }
}

void MakeKey(const MapFacts& map, uint32_t index, Bytes* bytes) {
  uint8_t local[Bytes::kInline];
  if (map.key_size <= sizeof(local)) {
    WriteKey(map, index, local);
    bytes->Assign(local, map.key_size);
  } else {
    *bytes = Bytes(map.key_size);
    WriteKey(map, index, bytes->data());
  }
}

uint32_t DrawKeyIndex(Entropy& entropy, const MapFacts& map) {
  const uint32_t draw = entropy.Below32(64);
  if (map.kind->kind->key_kind == KeyKind::kIndex) {
    if (draw < 54) return entropy.Below32(std::max<uint32_t>(1, map.max_entries));
    static constexpr uint32_t kFar[] = {0xffffffffu, 0x80000000u, 0x7fffffffu, 0xfffffffeu};
    if (draw < 60) return map.max_entries;
    return draw < 62 ? map.max_entries + 1 : entropy.Pick(kFar);
  }
  const uint32_t pool = KeyPool(map);
  // A map of a thousand elements is not visited evenly: hits on the same key are what tells.
  if (pool > 8 && draw < 32) return entropy.Below32(4);
  return draw < 63 ? entropy.Below32(pool) : static_cast<uint32_t>(entropy.Bits());
}

void MakeValue(Entropy& entropy, uint32_t size, Bytes* bytes) {
  uint64_t word = entropy.Bits();
  // Half of the values are small numbers: shorter to read in a report.
  if (word >> 63 == 0) word &= 0xff;
  if (size <= Bytes::kInline) {
    uint8_t local[Bytes::kInline];
    for (uint32_t at = 0; at < size; at += 8, word = word * 3 + 1) {
      std::memcpy(local + at, &word, std::min<size_t>(8, size - at));
    }
    bytes->Assign(local, size);
    return;
  }
  // Long ones: one byte all over, a word at either end.
  *bytes = Bytes(size, static_cast<uint8_t>(word >> 32));
  std::memcpy(bytes->data(), &word, 8);
  std::memcpy(bytes->data() + size - 8, &word, 8);
}

}  // namespace mapspec
