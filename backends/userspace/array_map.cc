// SPDX-License-Identifier: MIT
#include "backends/userspace/array_map.h"

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <utility>

#include "backends/userspace/area.h"
#include "backends/userspace/array_index.h"
#include "backends/userspace/mutant.h"
#include "backends/userspace/spin_lock.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

namespace usermaps {
namespace {

constexpr uint32_t kCreateFlags = kAccessFlags | BPF_F_NUMA_NODE | BPF_F_MMAPABLE | BPF_F_INNER_MAP;

uint64_t Stride(uint32_t value_size) {
  return MUTANT("array.mmap.layout/not-padded") ? value_size : RoundUp8(value_size);
}

class ArrayMap final : public Map {
 public:
  ArrayMap(const MapSpec& spec, Area area)
      : Map(spec), stride_(Stride(spec.value_size)), area_(std::move(area)) {}

  int Lookup(const void* key, void* value, uint64_t flags) override {
    uint32_t index = IndexAt(key);
    if (index >= spec().max_entries) {
      return MUTANT("array.lookup.out-of-range/wrong-errno") ? -E2BIG : -ENOENT;
    }
    if (MUTANT("array.lookup.lock/refused") && (flags & BPF_F_LOCK) != 0) return -EINVAL;
    if (MUTANT("array.lookup.present/gives-first-element")) index = 0;
    std::lock_guard lock(LockOf(index));
    layout().CopyOut(value, Element(index), (flags & BPF_F_LOCK) != 0);
    return 0;
  }

  int Update(const void* key, const void* value, uint64_t flags) override {
    uint64_t mode = flags & ~uint64_t{BPF_F_LOCK};
    if (MUTANT("array.update.flags/high-bits-ignored")) mode &= 0xffffffff;
    if (MUTANT("array.update.flags/cpu-flags-accepted")) mode &= ~uint64_t{8 | 16};
    const uint32_t index = IndexAt(key);
    const bool out_of_range = index >= spec().max_entries;
    if (MUTANT("array.update.flags-first/index-first") && out_of_range) return -E2BIG;
    if (mode > BPF_EXIST) return -EINVAL;
    if (out_of_range) return MUTANT("array.update.out-of-range/wrong-errno") ? -ENOENT : -E2BIG;
    if (MUTANT("array.update.lock/refused") && (flags & BPF_F_LOCK) != 0) return -EINVAL;
    if (mode == BPF_NOEXIST) {
      const bool locked = (flags & BPF_F_LOCK) != 0;
      const bool let_pass = locked ? MUTANT("array.update.lock-noexist/replaces")
                                   : MUTANT("array.update.noexist/replaces");
      if (!let_pass) return MUTANT("array.update.noexist/wrong-errno") ? -EINVAL : -EEXIST;
    }
    // On the syscall path refused before; programs hear of the index and the mode first.
    if (LacksLock(flags)) return -EINVAL;
    if (MUTANT("array.update.replaces/drops-write")) return 0;
    if (MUTANT("array.update.replaces/exist-drops-write") && mode == BPF_EXIST) return 0;
    std::lock_guard lock(LockOf(index));
    layout().CopyIn(Element(index), value, (flags & BPF_F_LOCK) != 0);
    return 0;
  }

  int Delete(const void* key) override {
    if (MUTANT("array.delete.refused/clears-element") && IndexAt(key) < spec().max_entries) {
      std::lock_guard lock(LockOf(IndexAt(key)));
      std::memset(Element(IndexAt(key)), 0, layout().size());
      return 0;
    }
    return MUTANT("array.delete.refused/wrong-errno") ? -kEnotsupp : -EINVAL;
  }

  int LookupAndDelete(const void* key, void* value, uint64_t flags) override {
    if (MUTANT("array.lookup_and_delete.unsupported/looks-up")) return Lookup(key, value, flags);
    return MUTANT("array.lookup_and_delete.unsupported-errno/wrong-errno") ? -EINVAL : -kEnotsupp;
  }

  int GetNextKey(const void* key, void* next_key) override {
    return NextIndex(spec(), key, next_key);
  }

  void* LookupInPlace(const void* key) override {
    const uint32_t index = IndexAt(key);
    return index < spec().max_entries ? Element(index) : nullptr;
  }

  long ForEach(Visitor visit, void* visitor_data) override {
    long visited = 0;
    for (uint32_t index = 0; index < spec().max_entries; ++index) {
      uint32_t key = index;  // The callback's own: what it does to it is no matter.
      if (MUTANT("array.for_each.ascending/descending")) key = spec().max_entries - 1 - index;
      ++visited;
      if (visit(visitor_data, &key, Element(key)) != 0) break;
    }
    return visited;
  }

  int LookupBatch(const Batch& batch) override { return GenericLookupBatch(batch); }
  int UpdateBatch(const Batch& batch) override { return GenericUpdateBatch(batch); }

  const Area* MappableArea() const override { return area_.file() >= 0 ? &area_ : nullptr; }

  int SealMappings() override {
    if (area_.file() < 0) return 0;
    if (area_.Mappings().writable && !MUTANT("array.freeze.writable-mapping/freezes"))
      return -EBUSY;
    if (MUTANT("array.freeze.writable-mapping/readable-one-too") && area_.Mappings().any) {
      return -EBUSY;
    }
    // New writable mappings now fail with EPERM; the Area's own stays, since programs may still
    // write.
    if (!MUTANT("array.mmap.after-freeze/writable")) {
      fcntl(area_.file(), F_ADD_SEALS, F_SEAL_FUTURE_WRITE);
    }
    return 0;
  }

  uint64_t Footprint() const override { return area_.size(); }

  void SpoilFirstElement() { std::memset(Element(0), 0xff, layout().size()); }

 private:
  std::byte* Element(uint32_t index) const { return area_.data() + stride_ * index; }
  SpinLock& LockOf(uint32_t index) { return locks_[index % locks_.size()].lock; }

  struct alignas(64) PaddedLock {
    SpinLock lock;
  };
  const uint64_t stride_;
  const Area area_;
  std::array<PaddedLock, 64> locks_;
};

int CheckArray(const MapSpec& spec) {
  if (spec.max_entries == 0 || spec.value_size == 0) {
    return MUTANT("array.create.zero-sizes/wrong-errno") ? -E2BIG : -EINVAL;
  }
  if (spec.key_size != 4) {
    if (!MUTANT("array.create.key-size/accepts-8") || spec.key_size != 8) return -EINVAL;
  }
  uint32_t allowed = kCreateFlags;
  if (MUTANT("array.create.flags/accepts-no-prealloc")) allowed |= BPF_F_NO_PREALLOC;
  if (MUTANT("array.create.inner-map-flag/refused")) allowed &= ~uint32_t{BPF_F_INNER_MAP};
  if (MUTANT("array.create.mmapable/refused")) allowed &= ~uint32_t{BPF_F_MMAPABLE};
  if ((spec.flags & ~allowed) != 0) return -EINVAL;
  if (!ProgramAccessOk(spec.flags)) return -EINVAL;
  if (MUTANT("array.create.any-value-size/odd-sizes-refused") && spec.value_size % 2 != 0) {
    return -EINVAL;
  }
  if (MUTANT("array.create.large-values/refused") && spec.value_size > kKmallocMaxSize) {
    return -E2BIG;
  }
  if (spec.value_size > INT32_MAX) {
    return MUTANT("array.create.value-too-large/wrong-errno") ? -EINVAL : -E2BIG;
  }
  return 0;
}

int MakeArray(const MapSpec& spec, std::shared_ptr<Map>* out) {
  // A value with a lock cannot be mapped: user space must not see the lock word.
  const bool mappable = (spec.flags & BPF_F_MMAPABLE) != 0 && spec.lock_offsets.empty();
  const uint64_t size = RoundUp8(spec.value_size) * spec.max_entries;
  Area area;
  const int err = mappable ? Area::MakeShared(size, &area) : Area::Make(size, &area);
  if (err != 0) return err;
  auto map = std::make_shared<ArrayMap>(spec, std::move(area));
  if (MUTANT("array.create.zero-initialised/garbage")) map->SpoilFirstElement();
  *out = std::move(map);
  return 0;
}

}  // namespace

constexpr MapType kArrayMapType = {.type = BPF_MAP_TYPE_ARRAY,
                                   .may_hold_lock = true,
                                   .key_must_be_int32 = true,
                                   .check = &CheckArray,
                                   .make = &MakeArray};

}  // namespace usermaps
