// SPDX-License-Identifier: MIT
#include "properties/map_creation.h"

#include <algorithm>

#include "properties/edge_values.h"

namespace mapspec {
namespace {

// What most maps stay below: creating one must not cost more than the operations on it.
constexpr uint64_t kOrdinaryBytes = uint64_t{128} << 10;
constexpr uint64_t kLargestBytes = uint64_t{64} << 20;

// KMALLOC_MAX_SIZE: the largest element of most types.
constexpr uint32_t kKmallocMax = 4u << 20;
// PCPU_MIN_UNIT_SIZE: the largest value of a per-CPU map.
constexpr uint32_t kPercpuMax = 32768;
// Few machines that this runs on have more.
constexpr uint64_t kAssumedCpus = 8;

const std::string& DrawName(Entropy& entropy) {
  static const std::string kNames[] = {
      "", "", "m", "map_1", "a.b", "fifteen_bytes__", "UPPER_lower.09", ".", "l\xe9ttre"};
  return entropy.Pick(kNames);
}

const std::string& DrawBadName(Entropy& entropy) {
  static const std::string kNames[] = {"with space",  "a-b",  "a/b",   "sixteen_bytes___",
                                       "caf\xc3\xa9", "\xd7", "a\x01", "percent%s"};
  return entropy.Pick(kNames);
}

// Sizes that no implementation can serve, for whoever checks the limits in the right order.
void MakeTooLarge(Entropy& entropy, MapCreate* create) {
  static constexpr uint32_t kBeyondInt[] = {0x80000000u, 0xffffffffu, 0xfffffff9u, 0xfffffff8u,
                                            0x80000001u};
  static constexpr uint32_t kBeyondKmalloc[] = {kKmallocMax + 1, kKmallocMax + 8, kKmallocMax * 2};
  const bool array = create->type == MapType::ARRAY;
  switch (entropy.Below(4)) {
    case 0:
      create->value_size = entropy.Pick(kBeyondInt);
      // An ARRAY may have values of up to 2 GiB: it takes many of them to be beyond every machine.
      if (array) create->max_entries = 0xffffffffu;
      break;
    case 1:
      create->key_size = entropy.Pick(kBeyondInt);
      break;
    case 2:
      // Preallocated or not: the table alone would be beyond the limit of 2^32 bytes.
      create->max_entries = entropy.Pick(kBeyondInt);
      if (array || create->type == MapType::PERCPU_ARRAY) create->value_size = 0x7ffffff8u;
      if (create->type == MapType::QUEUE || create->type == MapType::STACK) {
        create->value_size = kKmallocMax;
      }
      break;
    default:
      create->value_size = entropy.Pick(kBeyondKmalloc);
      if (IsPerCpu(create->type) && entropy.OneIn(2)) {
        create->value_size = kPercpuMax + 1 + entropy.Below32(64);
      }
      break;
  }
}

void CorruptOnce(Entropy& entropy, const GeneratorOptions& options, MapCreate* create) {
  static constexpr MapType kOddTypes[] = {MapType::UNSPEC, static_cast<MapType>(200),
                                          static_cast<MapType>(0xffffffffu),
                                          static_cast<MapType>(0x80000000u)};
  static constexpr uint32_t kKeySizes[] = {0, 1, 3, 4, 5, 8, 512, 513};
  static constexpr uint32_t kTypeIds[] = {0, 1, kBtfKeyTypeId, kBtfValueTypeId, 99, 0xffffffffu};
  static constexpr uint32_t kValueSizes[] = {1, 2, 3, 5, 8, 16, 512};
  switch (entropy.Below(17)) {
    case 0:
      create->key_size = 0;
      break;
    case 1:
      create->value_size = 0;
      break;
    case 2:
      create->max_entries = 0;
      break;
    case 3:
      create->key_size = entropy.Pick(kKeySizes);
      break;
    case 4:
    case 5:
      create->map_flags ^= 1u << entropy.Below(20);
      break;
    case 6:
      create->map_flags = AnyFlags32(entropy);
      break;
    case 7:
      create->map_flags |=
          entropy.OneIn(2) ? BPF_F_RDONLY | BPF_F_WRONLY : BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG;
      break;
    case 8:
      create->name = DrawBadName(entropy);
      break;
    case 9:
      create->map_extra = 1 + entropy.Below(16);
      break;
    case 10:
      create->map_flags |= BPF_F_NUMA_NODE;
      create->numa_node = entropy.OneIn(2) ? 0xffffffffu : 1 + entropy.Below32(5000);
      break;
    case 11:
      MakeTooLarge(entropy, create);
      break;
    case 12:
      create->type = entropy.Pick(kOddTypes);
      break;
    case 13:
      create->btf_key_type_id = entropy.Pick(kTypeIds);
      create->btf_value_type_id = entropy.Pick(kTypeIds);
      if (create->btf == kNoBtf && entropy.OneIn(2)) create->btf = kBadBtf;
      break;
    case 14:
      create->value_size = entropy.Pick(kValueSizes);
      break;
    case 15:
      if (Has(options.capabilities, Capability::kRawAttr)) {
        static constexpr uint32_t kAttrSizes[] = {20, 24, 28, 44, 64, 72, 512, 4096, 4097, 8192};
        create->attr_size = entropy.Pick(kAttrSizes);
      } else {
        create->max_entries = 0;
      }
      break;
    default:
      create->value_size = 0x80000000u | create->value_size;
      if (create->type == MapType::ARRAY) create->max_entries = 0xffffffffu;
      break;
  }
}

uint64_t RoundUp8(uint64_t size) { return (size + 7) & ~uint64_t{7}; }

}  // namespace

void DrawCreate(Entropy& entropy, const GeneratorOptions& options, const MapKind& kind,
                MapCreate* create) {
  create->type = kind.type;
  switch (kind.key_kind) {
    case KeyKind::kBytes:
      create->key_size = EdgeSize(entropy);
      break;
    case KeyKind::kIndex:
      create->key_size = 4;
      break;
    case KeyKind::kNone:
      create->key_size = 0;
      break;
  }
  create->value_size = EdgeSize(entropy);
  if (kind.of_maps || kind.of_sockets) create->value_size = 4;
  create->max_entries = EdgeMaxEntries(entropy);
  if (entropy.OneIn(2)) {
    create->map_flags = kind.create_flags[entropy.Below(kind.create_flags.size())];
    // Which of the flags come together matters as much as each of them.
    if (entropy.OneIn(8))
      create->map_flags |= kind.create_flags[entropy.Below(kind.create_flags.size())];
  }
  create->name = DrawName(entropy);
  if (entropy.OneIn(16)) create->numa_node = entropy.Below32(3);
  const bool large = options.large_maps && !entropy.OneIn(4);
  if (entropy.OneIn(large                         ? 4
                    : kind.type == MapType::ARRAY ? 256
                                                  : 512) &&
      !kind.of_maps && !kind.of_sockets) {
    static constexpr uint32_t kValues[] = {
        32768, 32769, 32776, 65536, 1u << 20, kKmallocMax - 64, kKmallocMax};
    create->value_size = entropy.Pick(kValues);
    if (IsPerCpu(kind.type)) create->value_size = kPercpuMax - entropy.Below32(9);
    // The only one whose elements may be longer.
    if (kind.type == MapType::ARRAY && entropy.OneIn(2)) create->value_size = kKmallocMax + 8;
    create->max_entries = 1;
  } else if (large || entropy.OneIn(1024)) {
    create->max_entries = 1001 + entropy.Below32(large ? 16384 : 65536);
    create->value_size = std::min<uint32_t>(create->value_size, 64);
    create->key_size = std::min<uint32_t>(create->key_size, 64);
  } else {
    while (EstimateBytes(*create) > kOrdinaryBytes && create->max_entries > 1)
      create->max_entries /= 2;
  }
  const uint64_t limit = std::min(options.max_map_bytes, kLargestBytes);
  while (EstimateBytes(*create) > limit && create->max_entries > 1) create->max_entries /= 2;
  while (EstimateBytes(*create) > limit && create->value_size > 1) create->value_size /= 2;
}

void CorruptCreate(Entropy& entropy, const GeneratorOptions& options, MapCreate* create) {
  CorruptOnce(entropy, options, create);
  // Two at once show which one wins.
  if (entropy.OneIn(2)) CorruptOnce(entropy, options, create);
  // Linux 6.18 accepts an ARRAY_OF_MAPS of more than 2^31 slots, and faults when it frees it.
  if (create->type == MapType::ARRAY_OF_MAPS) {
    create->max_entries = std::min<uint32_t>(create->max_entries, 1u << 16);
  }
  // A mixture may have become acceptable and large: whatever could be allocated somewhere is made
  // small.
  BoundCreate(std::min(options.max_map_bytes, kLargestBytes), create);
}

void BoundCreate(uint64_t limit, MapCreate* create) {
  const uint64_t bytes = EstimateBytes(*create);
  if (bytes <= limit || bytes == UINT64_MAX) return;
  create->max_entries = std::min<uint32_t>(create->max_entries, 2);
  create->key_size = std::min<uint32_t>(create->key_size, 64);
  create->value_size = std::min<uint32_t>(create->value_size, 64);
}

uint64_t EstimateBytes(const MapCreate& create) {
  constexpr uint64_t kBeyondAnyMachine = uint64_t{1} << 46;
  // Elements larger than this are refused by everything but an ARRAY, hence cost nothing.
  bool refused = create.key_size > 0x7fffffffu || create.value_size > 0x7fffffffu;
  const bool hash = create.type == MapType::HASH || create.type == MapType::HASH_OF_MAPS ||
                    create.type == MapType::PERCPU_HASH || create.type == MapType::LRU_HASH ||
                    create.type == MapType::LRU_PERCPU_HASH;
  const bool indexed = create.type == MapType::ARRAY || create.type == MapType::PERCPU_ARRAY;
  // More than one CPU's slot may be is refused, or finds no memory, at once.
  if (IsPerCpu(create.type)) refused |= create.value_size > kPercpuMax;
  if (hash) {
    refused |= uint64_t{create.key_size} + create.value_size > kKmallocMax - 48;
  } else if (indexed) {
    refused |= create.key_size != 4;
  } else {
    refused |= create.value_size > kKmallocMax;
  }
  // A hash table of more than 2^28 buckets of 16 bytes is more than 2^32 bytes: refused by
  // definition.
  const bool too_many = hash && create.max_entries > (1u << 28);
  if (refused || too_many) return UINT64_MAX;
  // Each CPU's slot is allocated on its own: small ones cost more than their bytes.
  const uint64_t values = IsPerCpu(create.type) ? (RoundUp8(create.value_size) + 64) * kAssumedCpus
                                                : RoundUp8(create.value_size);
  const uint64_t element = RoundUp8(create.key_size) + values + (hash ? 96 : 0);
  const unsigned __int128 total =
      (static_cast<unsigned __int128>(create.max_entries) + 1) * element;
  return total > kBeyondAnyMachine ? UINT64_MAX : static_cast<uint64_t>(total);
}

}  // namespace mapspec
