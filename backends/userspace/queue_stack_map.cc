// SPDX-License-Identifier: MIT
#include "backends/userspace/queue_stack_map.h"

#include <cerrno>
#include <cstring>
#include <mutex>
#include <utility>

#include "backends/userspace/area.h"
#include "backends/userspace/mutant.h"
#include "backends/userspace/spin_lock.h"

namespace usermaps {
namespace {

constexpr uint32_t kCreateFlags = kAccessFlags | BPF_F_NUMA_NODE;

bool IsStack(const MapSpec& spec) { return spec.type == BPF_MAP_TYPE_STACK; }

// A ring: the oldest element is at oldest_, the newest count_ - 1 places later.
class QueueStackMap final : public Map {
 public:
  QueueStackMap(const MapSpec& spec, Area area)
      : Map(spec), lifo_(IsStack(spec)), area_(std::move(area)) {}

  int Lookup(const void* /*key*/, void* value, uint64_t /*flags*/) override {
    std::lock_guard lock(lock_);
    if (count_ == 0) {
      if (FAMILY_MUTANT(lifo_, "peek.empty/succeeds")) return 0;
      return FAMILY_MUTANT(lifo_, "peek.empty-errno/wrong-errno") ? -EINVAL : -ENOENT;
    }
    if (FAMILY_MUTANT(lifo_, "peek.keeps/removes")) return Take(value, lifo_, true);
    const bool newest = FAMILY_MUTANT(lifo_, "peek.gives-head/other-end") ? !lifo_ : lifo_;
    return Take(value, newest, false);
  }

  int LookupAndDelete(const void* /*key*/, void* value, uint64_t /*flags*/) override {
    std::lock_guard lock(lock_);
    if (count_ == 0) {
      if (FAMILY_MUTANT(lifo_, "pop.empty/succeeds")) return 0;
      if (FAMILY_MUTANT(lifo_, "pop.empty-errno/clears-buffer") && value != nullptr) {
        std::memset(value, 0, layout().size());
      }
      return FAMILY_MUTANT(lifo_, "pop.empty-errno/wrong-errno") ? -EINVAL : -ENOENT;
    }
    const bool keeps = (value == nullptr && FAMILY_MUTANT(lifo_, "pop.bad-value-pointer/keeps")) ||
                       FAMILY_MUTANT(lifo_, "pop.takes-head/only-looks");
    const bool newest = FAMILY_MUTANT(lifo_, "pop.takes-head/other-end") ? !lifo_ : lifo_;
    return Take(value, newest, !keeps);
  }

  int Update(const void* /*key*/, const void* value, uint64_t flags) override {
    if (FAMILY_MUTANT(lifo_, "push.flags-errno/high-bits-ignored")) flags &= 0xffffffff;
    if (flags == BPF_NOEXIST && FAMILY_MUTANT(lifo_, "push.flags/accepts-noexist")) flags = BPF_ANY;
    std::lock_guard lock(lock_);
    const bool full = count_ >= Capacity();
    if (flags != BPF_ANY && flags != BPF_EXIST) {
      return full && FAMILY_MUTANT(lifo_, "push.flags-errno/full-first") ? -E2BIG : -EINVAL;
    }
    if (!full && flags == BPF_EXIST && count_ != 0) {
      if (FAMILY_MUTANT(lifo_, "push.exist-not-full/removes-oldest")) DropOldest();
    }
    if (full) {
      if (flags != BPF_EXIST || FAMILY_MUTANT(lifo_, "push.exist-when-full/refused")) {
        return FAMILY_MUTANT(lifo_, "push.full/wrong-errno") ? -ENOSPC : -E2BIG;
      }
      if (FAMILY_MUTANT(lifo_, "push.exist-when-full/loses-newest")) {
        --count_;
      } else {
        DropOldest();
      }
    }
    if (FAMILY_MUTANT(lifo_, "push.appends/adds-nothing")) return 0;
    std::memcpy(Element(Place(count_)), value, layout().size());
    ++count_;
    return 0;
  }

  int Delete(const void* /*key*/) override {
    if (FAMILY_MUTANT(lifo_, "delete.refused/empties")) {
      std::lock_guard lock(lock_);
      count_ = 0;
      return 0;
    }
    return FAMILY_MUTANT(lifo_, "delete.refused/wrong-errno") ? -kEnotsupp : -EINVAL;
  }

  int GetNextKey(const void* /*key*/, void* /*next_key*/) override {
    return FAMILY_MUTANT(lifo_, "get_next_key.refused/wrong-errno") ? -ENOENT : -EINVAL;
  }

  uint64_t Footprint() const override { return area_.size(); }

 private:
  uint32_t Capacity() const {
    const bool less = spec().max_entries > 1 && FAMILY_MUTANT(lifo_, "push.full/one-less-fits");
    return spec().max_entries - (less ? 1 : 0);
  }
  // Where the element `age` places newer than the oldest one lives.
  uint32_t Place(uint32_t age) const {
    return static_cast<uint32_t>((uint64_t{oldest_} + age) % spec().max_entries);
  }
  std::byte* Element(uint32_t place) const {
    return area_.data() + uint64_t{place} * layout().size();
  }
  void DropOldest() {
    oldest_ = Place(1);
    --count_;
  }
  // There is an element.
  int Take(void* value, bool newest, bool remove) {
    layout().CopyOut(value, Element(newest ? Place(count_ - 1) : oldest_), false);
    if (!remove) return 0;
    if (newest) {
      --count_;
    } else {
      DropOldest();
    }
    return 0;
  }

  const bool lifo_;
  const Area area_;
  SpinLock lock_;
  uint32_t oldest_ = 0;
  uint32_t count_ = 0;
};

int CheckQueueOrStack(const MapSpec& spec) {
  const bool lifo = IsStack(spec);
  if (spec.max_entries == 0 || spec.value_size == 0) {
    return FAMILY_MUTANT(lifo, "create.zero-sizes/wrong-errno") ? -E2BIG : -EINVAL;
  }
  if (spec.key_size != 0 && !FAMILY_MUTANT(lifo, "create.key-size/accepts-any")) return -EINVAL;
  uint32_t allowed = kCreateFlags;
  if (FAMILY_MUTANT(lifo, "create.no-prealloc/accepted")) allowed |= BPF_F_NO_PREALLOC;
  if (FAMILY_MUTANT(lifo, "create.flags/accepts-zero-seed")) allowed |= BPF_F_ZERO_SEED;
  if (FAMILY_MUTANT(lifo, "create.flags/refuses-rdonly-prog"))
    allowed &= ~uint32_t{BPF_F_RDONLY_PROG};
  if ((spec.flags & ~allowed) != 0) return -EINVAL;
  if (!ProgramAccessOk(spec.flags)) return -EINVAL;
  if (spec.value_size > kKmallocMaxSize) {
    return FAMILY_MUTANT(lifo, "create.value-too-large/wrong-errno") ? -EINVAL : -E2BIG;
  }
  return 0;
}

int MakeQueueOrStack(const MapSpec& spec, std::shared_ptr<Map>* out) {
  Area area;
  const uint64_t size = uint64_t{spec.max_entries} * spec.value_size;
  if (const int err = Area::Make(size, &area); err != 0) {
    return FAMILY_MUTANT(IsStack(spec), "create.too-many-bytes/wrong-errno") ? -E2BIG : err;
  }
  auto map = std::make_shared<QueueStackMap>(spec, std::move(area));
  if (FAMILY_MUTANT(IsStack(spec), "create.creates/not-empty")) {
    const std::vector<std::byte> zeros(spec.value_size);
    map->Update(nullptr, zeros.data(), BPF_ANY);
  }
  *out = std::move(map);
  return 0;
}

}  // namespace

constexpr MapType kQueueMapType = {.type = BPF_MAP_TYPE_QUEUE,
                                   .may_hold_lock = false,
                                   .key_must_be_int32 = false,
                                   .check = &CheckQueueOrStack,
                                   .make = &MakeQueueOrStack};
constexpr MapType kStackMapType = {.type = BPF_MAP_TYPE_STACK,
                                   .may_hold_lock = false,
                                   .key_must_be_int32 = false,
                                   .check = &CheckQueueOrStack,
                                   .make = &MakeQueueOrStack};

}  // namespace usermaps
