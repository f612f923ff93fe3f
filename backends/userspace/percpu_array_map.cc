// SPDX-License-Identifier: MIT
#include "backends/userspace/percpu_array_map.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>
#include <utility>

#include "backends/userspace/area.h"
#include "backends/userspace/cpu_slots.h"
#include "backends/userspace/spin_lock.h"

namespace usermaps {
namespace {

class PerCpuArrayMap final : public Map {
 public:
  PerCpuArrayMap(const MapSpec& spec, const CpuSlots& slots, Area area)
      : Map(spec, slots.size()), slots_(slots), area_(std::move(area)) {}

  int Lookup(const void* key, void* value, uint64_t /*flags*/) override {
    const uint32_t index = Index(key);
    if (index >= spec().max_entries) return -ENOENT;
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

  int Delete(const void* /*key*/) override { return -EINVAL; }

  int GetNextKey(const void* key, void* next_key) override {
    const uint32_t last = spec().max_entries - 1;
    uint32_t next = 0;
    if (key != nullptr) {
      const uint32_t index = Index(key);
      if (index == last) return -ENOENT;
      if (index < last) next = index + 1;
    }
    if (next_key != nullptr) std::memcpy(next_key, &next, sizeof next);
    return 0;
  }

  void* LookupInPlace(const void* key) override {
    const uint32_t index = Index(key);
    return index < spec().max_entries ? slots_.Own(Element(index)) : nullptr;
  }
  void* LookupInPlaceOfCpu(const void* key, uint32_t cpu) override {
    const uint32_t index = Index(key);
    return index < spec().max_entries ? slots_.OfCpu(Element(index), cpu) : nullptr;
  }

  long ForEach(Visitor visit, void* visitor_data) override {
    long visited = 0;
    for (uint32_t index = 0; index < spec().max_entries; ++index) {
      uint32_t key = index;  // The callback's own: what it does to it is no matter.
      ++visited;
      if (visit(visitor_data, &key, slots_.Own(Element(index))) != 0) break;
    }
    return visited;
  }

  int LookupBatch(const Batch& batch) override { return GenericLookupBatch(batch); }
  int UpdateBatch(const Batch& batch) override { return GenericUpdateBatch(batch); }

  uint64_t Footprint() const override { return area_.size(); }

 private:
  int Store(const void* key, const void* value, uint64_t flags, SlotChoice choice) {
    const uint64_t mode = flags & ~uint64_t{BPF_F_LOCK};
    const uint32_t index = Index(key);
    if (mode > BPF_EXIST) return -EINVAL;
    if (index >= spec().max_entries) return -E2BIG;
    if (mode == BPF_NOEXIST) return -EEXIST;
    // On the syscall path refused before; programs hear of the index and the mode first.
    if (LacksLock(flags)) return -EINVAL;
    std::lock_guard lock(LockOf(index));
    slots_.Write(Element(index), value, choice);
    return 0;
  }

  static uint32_t Index(const void* key) {
    uint32_t index;
    std::memcpy(&index, key, sizeof index);
    return index;
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

int Check(const MapSpec& spec) {
  if (spec.max_entries == 0 || spec.value_size == 0 || spec.key_size != 4) return -EINVAL;
  // No BPF_F_NUMA_NODE: the memory is spread over the CPUs' nodes.
  if ((spec.flags & ~kAccessFlags) != 0 || !ProgramAccessOk(spec.flags)) return -EINVAL;
  return spec.value_size > kMaxPerCpuValueSize ? -E2BIG : 0;
}

int Make(const MapSpec& spec, std::shared_ptr<Map>* out) {
  const CpuSlots slots(spec.value_size);
  Area area;
  if (const int err = Area::Make(slots.size() * spec.max_entries, &area); err != 0) return err;
  *out = std::make_shared<PerCpuArrayMap>(spec, slots, std::move(area));
  return 0;
}

}  // namespace

constexpr MapType kPerCpuArrayMapType = {.type = BPF_MAP_TYPE_PERCPU_ARRAY,
                                         .may_hold_lock = false,
                                         .key_must_be_int32 = true,
                                         .check = &Check,
                                         .make = &Make};

}  // namespace usermaps
