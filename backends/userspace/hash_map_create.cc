// SPDX-License-Identifier: MIT
//
// What can be asked for: attributes of HASH and its variants, in the order in which Linux 6.18
// looks at them.
#include <algorithm>
#include <bit>
#include <cerrno>
#include <memory>
#include <utility>
#include <vector>

#include "backends/userspace/hash_map.h"
#include "backends/userspace/mutant.h"
#include "backends/userspace/possible_cpus.h"

namespace usermaps {
namespace {

constexpr uint32_t kCreateFlags =
    kAccessFlags | BPF_F_NUMA_NODE | BPF_F_NO_PREALLOC | BPF_F_ZERO_SEED;

// What the kernel stores beside key and value, and for each bucket: they bound what can be asked
// for.
constexpr uint64_t kKernelElementOverhead = 48;
constexpr uint64_t kKernelBucketSize = 16;

int CheckHash(const MapSpec& spec) {
  if (HoldsMaps(spec.type)) {
    if (MUTANT("hash_of_maps.create.attributes-first/inner-map-first")) {
      std::unique_ptr<const InnerTemplate> inner;
      if (const int err = InnerTemplate::Make(spec, &inner); err != 0) return err;
    }
    if (spec.value_size != 4) {
      if (!MUTANT("hash_of_maps.create.value-size/accepts-8") || spec.value_size != 8)
        return -EINVAL;
    }
  }
  const bool too_large =
      uint64_t{spec.key_size} + spec.value_size >= kKmallocMaxSize - kKernelElementOverhead;
  if (TYPE_MUTANT(spec.type, kOfHashes, "create.invalid-before-too-large/size-first") && too_large)
    return -E2BIG;
  const bool per_cpu = IsPerCpuHash(spec.type);
  const bool lru = IsLruHash(spec.type);
  uint32_t allowed = kCreateFlags;
  if (lru && !TYPE_MUTANT(spec.type, kOfLru, "create.own-lists/refused")) {
    allowed |= BPF_F_NO_COMMON_LRU;
  }
  if (TYPE_MUTANT(spec.type, kOfHashes, "create.flags/accepts-mmapable")) allowed |= BPF_F_MMAPABLE;
  if (TYPE_MUTANT(spec.type, kOfPlainHashes, "create.flags/accepts-no-common-lru"))
    allowed |= BPF_F_NO_COMMON_LRU;
  if (TYPE_MUTANT(spec.type, kOfPlainHashes, "create.no-prealloc/refused"))
    allowed &= ~uint32_t{BPF_F_NO_PREALLOC};
  if (TYPE_MUTANT(spec.type, kOfHashes, "create.zero-seed/refused"))
    allowed &= ~uint32_t{BPF_F_ZERO_SEED};
  if ((spec.flags & ~allowed) != 0) return -EINVAL;
  if (!ProgramAccessOk(spec.flags)) return -EINVAL;
  if (lru && (spec.flags & BPF_F_NO_PREALLOC) != 0 &&
      !TYPE_MUTANT(spec.type, kOfLru, "create.no-prealloc-refused/accepted")) {
    const bool wrong = TYPE_MUTANT(spec.type, kOfLru, "create.no-prealloc-refused/wrong-errno");
    return wrong ? -EINVAL : -kEnotsupp;
  }
  // Memory of CPUs is spread over their nodes.
  const bool own_lists = (spec.flags & BPF_F_NO_COMMON_LRU) != 0;
  const bool spread =
      (per_cpu &&
       !TYPE_MUTANT(spec.type, kOfPerCpuHash | kOfLruPerCpuHash, "create.numa-node/accepted")) ||
      (own_lists && !TYPE_MUTANT(spec.type, kOfLruHash, "create.own-lists-numa/accepted"));
  if (spread && spec.numa_node != kNoNumaNode) return -EINVAL;
  if (spec.max_entries == 0 || spec.key_size == 0 || spec.value_size == 0) {
    return TYPE_MUTANT(spec.type, kOfHashes, "create.zero-sizes/wrong-errno") ? -E2BIG : -EINVAL;
  }
  if (TYPE_MUTANT(spec.type, kOfHashes, "create.any-sizes/odd-sizes-refused") &&
      (spec.key_size % 2 != 0 || spec.value_size % 2 != 0))
    return -EINVAL;
  if (TYPE_MUTANT(spec.type, kOfHashes, "create.large-key/e2big-above-512") && spec.key_size > 512)
    return -E2BIG;
  if (too_large)
    return TYPE_MUTANT(spec.type, kOfHashes, "create.element-too-large/wrong-errno") ? -EINVAL
                                                                                     : -E2BIG;
  if (per_cpu && spec.value_size > kMaxPerCpuValueSize) {
    const bool wrong = TYPE_MUTANT(spec.type, kOfPerCpuHash | kOfLruPerCpuHash,
                                   "create.value-too-large/wrong-errno");
    return wrong ? -EINVAL : -E2BIG;
  }
  return 0;
}

int MakeHash(const MapSpec& asked, std::shared_ptr<Map>* out) {
  std::unique_ptr<const InnerTemplate> inner;
  if (HoldsMaps(asked.type)) {
    if (const int err = InnerTemplate::Make(asked, &inner); err != 0) return err;
  }
  MapSpec spec = asked;
  if (IsLruHash(spec.type))
    spec.flags &= ~uint32_t{BPF_F_NO_PREALLOC};  // Only a mutant lets it pass.
  if ((spec.flags & BPF_F_NO_COMMON_LRU) != 0 && spec.max_entries <= 1U << 31) {
    // Every CPU's list gets the same number.
    const uint32_t cpus = PossibleCpus::Instance().count();
    uint32_t more = cpus - 1;
    if (asked.max_entries >= cpus &&
        TYPE_MUTANT(spec.type, kOfLru, "create.own-lists-rounded/down"))
      more = 0;
    if (TYPE_MUTANT(spec.type, kOfLru, "create.own-lists-rounded/multiples-too")) more = cpus;
    spec.max_entries = (spec.max_entries + more) / cpus * cpus;
    if (asked.max_entries > cpus &&
        TYPE_MUTANT(spec.type, kOfLru, "create.own-lists-rounded/only-below-the-cpus")) {
      spec.max_entries = asked.max_entries;
    }
  }
  if (spec.max_entries > 1U << 31 ||
      std::bit_ceil(spec.max_entries) > UINT32_MAX / kKernelBucketSize) {
    return TYPE_MUTANT(spec.type, kOfHashes, "create.too-many-entries/wrong-errno") ? -ENOMEM
                                                                                    : -E2BIG;
  }
  auto map = std::make_shared<HashMap>(spec, std::move(inner));
  if (const int err = map->Init(); err != 0) return err;
  if (TYPE_MUTANT(spec.type, kOfValueHashes, "create.creates/not-empty")) {
    const std::vector<std::byte> zeros(std::max<uint64_t>(spec.key_size, map->buffer_size()));
    map->Update(zeros.data(), zeros.data(), BPF_ANY);
  }
  *out = std::move(map);
  return 0;
}

}  // namespace

constexpr MapType kHashMapType = {.type = BPF_MAP_TYPE_HASH,
                                  .may_hold_lock = true,
                                  .key_must_be_int32 = false,
                                  .check = &CheckHash,
                                  .make = &MakeHash};
constexpr MapType kPerCpuHashMapType = {.type = BPF_MAP_TYPE_PERCPU_HASH,
                                        .may_hold_lock = false,
                                        .key_must_be_int32 = false,
                                        .check = &CheckHash,
                                        .make = &MakeHash};
constexpr MapType kLruHashMapType = {.type = BPF_MAP_TYPE_LRU_HASH,
                                     .may_hold_lock = false,
                                     .key_must_be_int32 = false,
                                     .check = &CheckHash,
                                     .make = &MakeHash};
constexpr MapType kLruPerCpuHashMapType = {.type = BPF_MAP_TYPE_LRU_PERCPU_HASH,
                                           .may_hold_lock = false,
                                           .key_must_be_int32 = false,
                                           .check = &CheckHash,
                                           .make = &MakeHash};

constexpr MapType kHashOfMapsType = {.type = BPF_MAP_TYPE_HASH_OF_MAPS,
                                     .may_hold_lock = false,
                                     .key_must_be_int32 = false,
                                     .check = &CheckHash,
                                     .make = &MakeHash};

}  // namespace usermaps
