// SPDX-License-Identifier: MIT
#include "backends/userspace/array_map.h"

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <utility>

#include "backends/userspace/area.h"
#include "backends/userspace/mutant.h"
#include "backends/userspace/spin_lock.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

namespace usermaps {
namespace {

constexpr uint32_t kCreateFlags = kAccessFlags | BPF_F_NUMA_NODE | BPF_F_MMAPABLE | BPF_F_INNER_MAP;

class ArrayMap final : public Map {
 public:
  ArrayMap(const MapSpec& spec, Area area)
      : Map(spec), stride_(RoundUp8(spec.value_size)), area_(std::move(area)) {}

  int Lookup(const void* key, void* value, uint64_t flags) override {
    const uint32_t index = Index(key);
    if (index >= spec().max_entries) {
      return MUTANT("array.lookup.out-of-range/wrong-errno") ? -E2BIG : -ENOENT;
    }
    std::lock_guard lock(LockOf(index));
    layout().CopyOut(value, Element(index), (flags & BPF_F_LOCK) != 0);
    return 0;
  }

  int Update(const void* key, const void* value, uint64_t flags) override {
    const uint64_t mode = flags & ~uint64_t{BPF_F_LOCK};
    if (mode > BPF_EXIST && !MUTANT("array.update.unknown-flags/accepts")) return -EINVAL;
    const uint32_t index = Index(key);
    if (index >= spec().max_entries)
      return MUTANT("array.update.out-of-range/wrong-errno") ? -ENOENT : -E2BIG;
    if (mode == BPF_NOEXIST && !MUTANT("array.update.noexist-refused/accepts")) return -EEXIST;
    if (MUTANT("array.update.value-stored/drops-write")) return 0;
    std::lock_guard lock(LockOf(index));
    layout().CopyIn(Element(index), value, (flags & BPF_F_LOCK) != 0);
    return 0;
  }

  int Delete(const void* key) override {
    if (MUTANT("array.delete.refused/zeroes-element") && Index(key) < spec().max_entries) {
      std::lock_guard lock(LockOf(Index(key)));
      std::memset(Element(Index(key)), 0, layout().size());
      return 0;
    }
    return -EINVAL;
  }

  int GetNextKey(const void* key, void* next_key) override {
    uint32_t next = 0;
    if (key != nullptr) {
      const uint32_t index = Index(key);
      if (index == spec().max_entries - 1) {
        return MUTANT("array.get_next_key.last-enoent/wraps-around") ? StoreKey(next_key, 0)
                                                                     : -ENOENT;
      }
      if (index < spec().max_entries) next = index + 1;
      if (index >= spec().max_entries && MUTANT("array.get_next_key.out-of-range-restarts/enoent"))
        return -ENOENT;
    }
    return StoreKey(next_key, next);
  }

  int LookupBatch(const Batch& batch) override { return GenericLookupBatch(batch); }
  int UpdateBatch(const Batch& batch) override { return GenericUpdateBatch(batch); }

  int MappableFile() const override { return area_.file(); }

  int SealMappings() override {
    if (area_.file() < 0) return 0;
    if (area_.MappedWritableElsewhere() && !MUTANT("array.freeze.writable-mapping-ebusy/freezes"))
      return -EBUSY;
    // New writable mappings now fail with EPERM; the Area's own stays, since programs may still
    // write.
    if (!MUTANT("array.mmap.frozen-not-writable/allows"))
      fcntl(area_.file(), F_ADD_SEALS, F_SEAL_FUTURE_WRITE);
    return 0;
  }

  uint64_t Footprint() const override { return area_.size(); }

 private:
  static uint32_t Index(const void* key) {
    uint32_t index;
    std::memcpy(&index, key, sizeof index);
    return index;
  }
  static int StoreKey(void* next_key, uint32_t index) {
    if (next_key != nullptr) std::memcpy(next_key, &index, sizeof index);
    return 0;
  }
  std::byte* Element(uint32_t index) const { return area_.data() + stride_ * index; }
  SpinLock& LockOf(uint32_t index) { return locks_[index % locks_.size()].lock; }

  struct alignas(64) PaddedLock {
    SpinLock lock;
  };
  const uint64_t stride_;
  const Area area_;
  std::array<PaddedLock, 64> locks_;
};

int Check(const MapSpec& spec) {
  if (spec.max_entries == 0 || spec.value_size == 0) return -EINVAL;
  if (spec.key_size != 4 && !(MUTANT("array.create.key-size-4/accepts-8") && spec.key_size == 8))
    return -EINVAL;
  if ((spec.flags & ~kCreateFlags) != 0 && !MUTANT("array.create.unknown-flags/accepts"))
    return -EINVAL;
  if (!ProgramAccessOk(spec.flags)) return -EINVAL;
  if (spec.value_size > INT32_MAX) return -E2BIG;
  return 0;
}

int Make(const MapSpec& spec, std::shared_ptr<Map>* out) {
  // A value with a lock cannot be mapped: user space must not see the lock word.
  const bool mappable = (spec.flags & BPF_F_MMAPABLE) != 0 && spec.lock_offsets.empty();
  const uint64_t size = RoundUp8(spec.value_size) * spec.max_entries;
  Area area;
  if (const int err = mappable ? Area::MakeShared(size, &area) : Area::Make(size, &area); err != 0)
    return err;
  *out = std::make_shared<ArrayMap>(spec, std::move(area));
  return 0;
}

}  // namespace

constexpr MapType kArrayMapType = {.type = BPF_MAP_TYPE_ARRAY,
                                   .may_hold_lock = true,
                                   .key_must_be_int32 = true,
                                   .check = &Check,
                                   .make = &Make};

}  // namespace usermaps
