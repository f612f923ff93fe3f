// SPDX-License-Identifier: MIT
#include "backends/userspace/array_of_maps.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>
#include <utility>

#include "backends/userspace/area.h"
#include "backends/userspace/array_index.h"
#include "backends/userspace/map_in_map.h"
#include "backends/userspace/mutant.h"
#include "backends/userspace/spin_lock.h"

namespace usermaps {
namespace {

class ArrayOfMaps final : public Map {
 public:
  ArrayOfMaps(const MapSpec& spec, std::unique_ptr<const InnerTemplate> inner, Area area)
      : Map(spec), inner_(std::move(inner)), area_(std::move(area)) {}
  ~ArrayOfMaps() override {
    // Stops at the last one: the slots behind may be many, and their pages untouched.
    for (uint32_t index = 0; filled_.load() != 0; ++index) Fill(index, nullptr);
  }

  int Lookup(const void* key, void* value, uint64_t /*flags*/) override {
    const uint32_t index = IndexAt(key);
    if (index >= spec().max_entries) {
      return MUTANT("array_of_maps.lookup.out-of-range/wrong-errno") ? -E2BIG : -ENOENT;
    }
    if (frozen.load() && MUTANT("array_of_maps.freeze.inner-stays-writable/no-lookups"))
      return -EPERM;
    std::lock_guard lock(LockOf(index));
    const Map* map = Slot(index).load();
    uint32_t shown = 0;
    if (map != nullptr) {
      shown = ShownId(spec().type, *map);
    } else if (!MUTANT("array_of_maps.lookup.absent/gives-zero")) {
      return MUTANT("array_of_maps.lookup.absent/wrong-errno") ? -EINVAL : -ENOENT;
    }
    if (value != nullptr) std::memcpy(value, &shown, sizeof shown);
    return 0;
  }

  int Update(const void* key, const void* value, uint64_t flags) override {
    const uint32_t index = IndexAt(key);
    const bool out_of_range = index >= spec().max_entries;
    if (out_of_range && MUTANT("array_of_maps.update.flags-first/index-first")) return -E2BIG;
    Map* map = nullptr;
    if (MUTANT("array_of_maps.update.descriptor-first/before-the-index")) {
      if (const int err = inner_->Take(value, &map); err != 0) return err;
      map->LetGo();
    }
    if (MUTANT("array_of_maps.update.flags/noexist-accepted")) flags &= ~uint64_t{BPF_NOEXIST};
    if (MUTANT("array_of_maps.update.flags/high-bits-ignored")) flags &= 0xffffffff;
    if (flags != BPF_ANY) return -EINVAL;
    if (out_of_range) {
      return MUTANT("array_of_maps.update.out-of-range/wrong-errno") ? -ENOENT : -E2BIG;
    }
    if (const int err = inner_->Take(value, &map); err != 0) return err;
    const bool empty = Slot(index).load() == nullptr;
    if (empty ? MUTANT("array_of_maps.update.any-creates/adds-nothing")
              : MUTANT("array_of_maps.update.any-replaces/keeps-the-old")) {
      map->LetGo();
      return 0;
    }
    Fill(index, map);
    return 0;
  }

  int Delete(const void* key) override {
    const uint32_t index = IndexAt(key);
    if (index >= spec().max_entries) {
      return MUTANT("array_of_maps.delete.out-of-range/wrong-errno") ? -ENOENT : -E2BIG;
    }
    if (Slot(index).load() != nullptr && MUTANT("array_of_maps.delete.present/keeps-it")) return 0;
    if (Fill(index, nullptr) || MUTANT("array_of_maps.delete.absent/succeeds")) return 0;
    return MUTANT("array_of_maps.delete.absent/wrong-errno") ? -EINVAL : -ENOENT;
  }

  int LookupAndDelete(const void* key, void* value, uint64_t flags) override {
    if (!MUTANT("array_of_maps.lookup_and_delete.unsupported/takes")) return -kEnotsupp;
    const int err = Lookup(key, value, flags);
    return err != 0 ? err : Delete(key);
  }

  int GetNextKey(const void* key, void* next_key) override {
    uint32_t next = 0;
    int err = NextIndex(spec(), key, &next);
    while (err == 0 && Slot(next).load() == nullptr &&
           MUTANT("array_of_maps.get_next_key.empty-slots/passed-over")) {
      err = NextIndex(spec(), &next, &next);
    }
    if (err == 0 && next_key != nullptr) std::memcpy(next_key, &next, sizeof next);
    return err;
  }

  void* LookupInPlace(const void* key) override {
    const uint32_t index = IndexAt(key);
    if (index >= spec().max_entries) return nullptr;
    Map* map = Slot(index).load();
    return map == nullptr ? nullptr : map->program_map();
  }

  int LookupBatch(const Batch& batch) override { return GenericLookupBatch(batch); }
  int UpdateBatch(const Batch& batch) override { return GenericUpdateBatch(batch); }
  int DeleteBatch(const Batch& batch) override {
    return MUTANT("array_of_maps.delete_batch.unsupported/deletes") ? GenericDeleteBatch(batch)
                                                                    : -kEnotsupp;
  }

  uint64_t Footprint() const override { return area_.size(); }

 private:
  std::atomic_ref<Map*> Slot(uint32_t index) const {
    return std::atomic_ref<Map*>(reinterpret_cast<Map**>(area_.data())[index]);
  }
  SpinLock& LockOf(uint32_t index) { return locks_[index % locks_.size()].lock; }

  // Puts a map that is held, or nothing, into a slot. Whether there was one before.
  bool Fill(uint32_t index, Map* map) {
    Map* before = nullptr;
    {
      std::lock_guard lock(LockOf(index));
      before = Slot(index).exchange(map);
      if (map != nullptr) filled_.fetch_add(1);
      if (before != nullptr) filled_.fetch_sub(1);
    }
    if (before == nullptr) return false;
    LetGoOfInner(spec().type, before, map);
    return true;
  }

  struct alignas(64) PaddedMapSlotLock {
    SpinLock lock;
  };
  const std::unique_ptr<const InnerTemplate> inner_;
  const Area area_;
  std::atomic<uint32_t> filled_{0};
  std::array<PaddedMapSlotLock, 64> locks_;
};

int CheckArrayOfMaps(const MapSpec& spec) {
  if (MUTANT("array_of_maps.create.attributes-first/inner-map-first")) {
    std::unique_ptr<const InnerTemplate> inner;
    if (const int err = InnerTemplate::Make(spec, &inner); err != 0) return err;
  }
  if (spec.max_entries == 0) {
    return MUTANT("array_of_maps.create.zero-sizes/wrong-errno") ? -E2BIG : -EINVAL;
  }
  if (spec.key_size != 4) {
    if (!MUTANT("array_of_maps.create.key-size/accepts-8") || spec.key_size != 8) return -EINVAL;
  }
  if (spec.value_size != 4) {
    if (!MUTANT("array_of_maps.create.value-size/accepts-8") || spec.value_size != 8)
      return -EINVAL;
  }
  uint32_t allowed = BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY;
  if (MUTANT("array_of_maps.create.flags/accepts-rdonly-prog")) allowed |= BPF_F_RDONLY_PROG;
  if (MUTANT("array_of_maps.create.flags/no-numa-node")) allowed &= ~uint32_t{BPF_F_NUMA_NODE};
  return (spec.flags & ~allowed) != 0 ? -EINVAL : 0;
}

int MakeArrayOfMaps(const MapSpec& spec, std::shared_ptr<Map>* out) {
  std::unique_ptr<const InnerTemplate> inner;
  if (const int err = InnerTemplate::Make(spec, &inner); err != 0) return err;
  Area area;
  const uint64_t size = uint64_t{spec.max_entries} * sizeof(Map*);
  if (const int err = Area::Make(size, &area); err != 0) return err;
  *out = std::make_shared<ArrayOfMaps>(spec, std::move(inner), std::move(area));
  return 0;
}

}  // namespace

constexpr MapType kArrayOfMapsType = {.type = BPF_MAP_TYPE_ARRAY_OF_MAPS,
                                      .may_hold_lock = false,
                                      .key_must_be_int32 = false,
                                      .check = &CheckArrayOfMaps,
                                      .make = &MakeArrayOfMaps};

}  // namespace usermaps
