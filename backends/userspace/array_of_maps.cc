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
#include "backends/userspace/map_in_map.h"
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
    const uint32_t index = Index(key);
    if (index >= spec().max_entries) return -ENOENT;
    std::lock_guard lock(LockOf(index));
    const Map* map = Slot(index).load();
    if (map == nullptr) return -ENOENT;
    if (value != nullptr) std::memcpy(value, &map->id, sizeof map->id);
    return 0;
  }

  int Update(const void* key, const void* value, uint64_t flags) override {
    if (flags != BPF_ANY) return -EINVAL;
    const uint32_t index = Index(key);
    if (index >= spec().max_entries) return -E2BIG;
    Map* map = nullptr;
    if (const int err = inner_->Take(value, &map); err != 0) return err;
    Fill(index, map);
    return 0;
  }

  int Delete(const void* key) override {
    const uint32_t index = Index(key);
    if (index >= spec().max_entries) return -E2BIG;
    return Fill(index, nullptr) ? 0 : -ENOENT;
  }

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
    if (index >= spec().max_entries) return nullptr;
    Map* map = Slot(index).load();
    return map == nullptr ? nullptr : map->program_map();
  }

  int LookupBatch(const Batch& batch) override { return GenericLookupBatch(batch); }
  int UpdateBatch(const Batch& batch) override { return GenericUpdateBatch(batch); }

  uint64_t Footprint() const override { return area_.size(); }

 private:
  static uint32_t Index(const void* key) {
    uint32_t index;
    std::memcpy(&index, key, sizeof index);
    return index;
  }
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
    before->LetGo();
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

int Check(const MapSpec& spec) {
  if (spec.max_entries == 0 || spec.value_size != 4 || spec.key_size != 4) return -EINVAL;
  constexpr uint32_t kAllowed = BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY;
  return (spec.flags & ~kAllowed) != 0 ? -EINVAL : 0;
}

int Make(const MapSpec& spec, std::shared_ptr<Map>* out) {
  std::unique_ptr<const InnerTemplate> inner;
  if (const int err = InnerTemplate::Make(spec.inner_map_fd, &inner); err != 0) return err;
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
                                      .check = &Check,
                                      .make = &Make};

}  // namespace usermaps
