// SPDX-License-Identifier: MIT
#include "backends/userspace/percpu_array_map.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "backends/userspace/area.h"
#include "backends/userspace/array_index.h"
#include "backends/userspace/cpu_slots.h"
#include "backends/userspace/mutant.h"
#include "backends/userspace/spin_lock.h"

namespace usermaps {
namespace {

class PerCpuArrayMap final : public Map {
 public:
  PerCpuArrayMap(const MapSpec& spec, const CpuSlots& slots, Area area)
      : Map(spec, slots.size()), slots_(slots), area_(std::move(area)) {}

  int Lookup(const void* key, void* value, uint64_t /*flags*/) override {
    uint32_t index = IndexAt(key);
    if (index >= spec().max_entries) {
      return MUTANT("percpu_array.lookup.out-of-range/wrong-errno") ? -E2BIG : -ENOENT;
    }
    if (MUTANT("percpu_array.lookup.present/gives-first-element")) index = 0;
    std::lock_guard lock(LockOf(index));
    slots_.Read(value, Element(index));
    return 0;
  }

  int Update(const void* key, const void* value, uint64_t flags) override {
    return Store(key, value, flags, SlotChoice::Every());
  }
  int UpdateFromProgram(const void* key, const void* value, uint64_t flags) override {
    return Store(key, value, flags, SlotChoice::Own());
  }

  int Delete(const void* key) override {
    if (MUTANT("percpu_array.delete.refused/clears-element")) {
      const std::vector<std::byte> zeros(slots_.size());
      Store(key, zeros.data(), BPF_ANY, SlotChoice::Every());
      return 0;
    }
    return MUTANT("percpu_array.delete.refused/wrong-errno") ? -kEnotsupp : -EINVAL;
  }

  int LookupAndDelete(const void* key, void* value, uint64_t flags) override {
    if (MUTANT("percpu_array.lookup_and_delete.unsupported/looks-up"))
      return Lookup(key, value, flags);
    return MUTANT("percpu_array.lookup_and_delete.unsupported-errno/wrong-errno") ? -EINVAL
                                                                                  : -kEnotsupp;
  }

  int GetNextKey(const void* key, void* next_key) override {
    return NextIndex(spec(), key, next_key);
  }

  void* LookupInPlace(const void* key) override {
    const uint32_t index = IndexAt(key);
    return index < spec().max_entries ? slots_.Own(Element(index)) : nullptr;
  }
  void* LookupInPlaceOfCpu(const void* key, uint32_t cpu) override {
    const uint32_t index = IndexAt(key);
    if (index >= spec().max_entries &&
        MUTANT("percpu_array.lookup_percpu.out-of-range/gives-first-element")) {
      return slots_.OfCpu(Element(0), cpu);
    }
    return index < spec().max_entries ? slots_.OfCpu(Element(index), cpu) : nullptr;
  }

  long ForEach(Visitor visit, void* visitor_data) override {
    long visited = 0;
    for (uint32_t index = 0; index < spec().max_entries; ++index) {
      uint32_t key = index;  // The callback's own: what it does to it is no matter.
      if (MUTANT("percpu_array.for_each.ascending/descending")) {
        key = spec().max_entries - 1 - index;
      }
      ++visited;
      if (visit(visitor_data, &key, slots_.OwnOfWalk(Element(key))) != 0) break;
    }
    return visited;
  }

  int LookupBatch(const Batch& batch) override { return GenericLookupBatch(batch); }
  int UpdateBatch(const Batch& batch) override { return GenericUpdateBatch(batch); }

  uint64_t Footprint() const override { return area_.size(); }

 private:
  int Store(const void* key, const void* value, uint64_t flags, SlotChoice choice) {
    uint64_t mode = flags & ~uint64_t{BPF_F_LOCK};
    const bool by_program = choice.slot != SlotChoice::kEvery;
    if (MUTANT("percpu_array.update.flags/high-bits-ignored")) mode &= 0xffffffff;
    mode = WithoutCpuFlags(spec().type, mode, by_program);
    const uint32_t index = IndexAt(key);
    const bool out_of_range = index >= spec().max_entries;
    if (LacksLock(flags) && MUTANT("percpu_array.program.lock-flag-last/first")) return -EINVAL;
    if (MUTANT("percpu_array.update.flags-first/index-first") && out_of_range) return -E2BIG;
    if (mode > BPF_EXIST) return -EINVAL;
    if (out_of_range) {
      return MUTANT("percpu_array.update.out-of-range/wrong-errno") ? -ENOENT : -E2BIG;
    }
    if (mode == BPF_NOEXIST && !MUTANT("percpu_array.update.noexist/replaces")) {
      return MUTANT("percpu_array.update.noexist/wrong-errno") ? -EINVAL : -EEXIST;
    }
    // On the syscall path refused before; programs hear of the index and the mode first.
    if (LacksLock(flags)) return -EINVAL;
    if (MUTANT("percpu_array.update.replaces/drops-write")) return 0;
    if (MUTANT("percpu_array.update.replaces/exist-drops-write") && mode == BPF_EXIST) return 0;
    std::lock_guard lock(LockOf(index));
    slots_.Write(Element(index), value, choice);
    return 0;
  }

  std::byte* Element(uint32_t index) const { return area_.data() + slots_.size() * index; }
  SpinLock& LockOf(uint32_t index) { return locks_[index % locks_.size()].lock; }

  struct alignas(64) PaddedSlotLock {
    SpinLock lock;
  };
  const CpuSlots slots_;
  const Area area_;
  std::array<PaddedSlotLock, 64> locks_;
};

int CheckPercpuArray(const MapSpec& spec) {
  if (spec.max_entries == 0 || spec.value_size == 0) {
    return MUTANT("percpu_array.create.zero-sizes/wrong-errno") ? -E2BIG : -EINVAL;
  }
  if (spec.key_size != 4) {
    if (!MUTANT("percpu_array.create.key-size/accepts-8") || spec.key_size != 8) return -EINVAL;
  }
  uint32_t allowed = kAccessFlags | BPF_F_NUMA_NODE;
  if (MUTANT("percpu_array.create.flags/accepts-mmapable")) allowed |= BPF_F_MMAPABLE;
  if ((spec.flags & ~allowed) != 0 || !ProgramAccessOk(spec.flags)) return -EINVAL;
  // The memory is spread over the CPUs' nodes.
  if (spec.numa_node != kNoNumaNode && !MUTANT("percpu_array.create.numa-node/accepted")) {
    return -EINVAL;
  }
  if (MUTANT("percpu_array.create.any-value-size/odd-sizes-refused") && spec.value_size % 2 != 0) {
    return -EINVAL;
  }
  if (spec.value_size <= kMaxPerCpuValueSize) return 0;
  return MUTANT("percpu_array.create.value-too-large/wrong-errno") ? -EINVAL : -E2BIG;
}

int MakePercpuArray(const MapSpec& spec, std::shared_ptr<Map>* out) {
  const CpuSlots slots(spec);
  Area area;
  if (const int err = Area::Make(slots.size() * spec.max_entries, &area); err != 0) return err;
  if (MUTANT("percpu_array.create.zero-initialised/garbage")) {
    std::memset(area.data(), 0xff, slots.size());
  }
  *out = std::make_shared<PerCpuArrayMap>(spec, slots, std::move(area));
  return 0;
}

}  // namespace

constexpr MapType kPerCpuArrayMapType = {.type = BPF_MAP_TYPE_PERCPU_ARRAY,
                                         .may_hold_lock = false,
                                         .key_must_be_int32 = true,
                                         .check = &CheckPercpuArray,
                                         .make = &MakePercpuArray};

}  // namespace usermaps
