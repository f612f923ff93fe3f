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

// A ring: the oldest element is at oldest_, the newest count_ - 1 places later.
class QueueStackMap final : public Map {
 public:
  QueueStackMap(const MapSpec& spec, Area area)
      : Map(spec), lifo_(spec.type == BPF_MAP_TYPE_STACK), area_(std::move(area)) {}

  int Lookup(const void* /*key*/, void* value, uint64_t /*flags*/) override {
    std::lock_guard lock(lock_);
    if (MUTANT("queue.lookup.peek-does-not-remove/pops") && !lifo_) return Take(value, true);
    if (MUTANT("stack.lookup.peek-does-not-remove/pops") && lifo_) return Take(value, true);
    return Take(value, false);
  }

  int LookupAndDelete(const void* /*key*/, void* value, uint64_t /*flags*/) override {
    std::lock_guard lock(lock_);
    if (value == nullptr && MUTANT("queue.lookup_and_delete.null-value-loses-element/keeps-it"))
      return -EFAULT;
    return Take(value, true);
  }

  int Update(const void* /*key*/, const void* value, uint64_t flags) override {
    if (flags != BPF_ANY && flags != BPF_EXIST) {
      const bool let_pass = lifo_ ? MUTANT("stack.update.noexist-refused/accepts")
                                  : MUTANT("queue.update.noexist-refused/accepts");
      if (!let_pass || flags != BPF_NOEXIST) return -EINVAL;
    }
    std::lock_guard lock(lock_);
    uint32_t capacity = spec().max_entries;
    if (lifo_ ? MUTANT("stack.update.capacity/one-less")
              : MUTANT("queue.update.capacity/one-less")) {
      if (capacity > 1) --capacity;
    }
    if (count_ >= capacity) {
      if (flags != BPF_EXIST)
        return MUTANT("queue.update.full-e2big/wrong-errno") ? -ENOSPC : -E2BIG;
      if (MUTANT("queue.update.exist-when-full/drops-new") && !lifo_) return 0;
      if (MUTANT("stack.update.exist-when-full-loses-oldest/loses-newest") && lifo_) {
        --count_;
      } else {
        oldest_ = Place(1);
        --count_;
      }
    }
    std::memcpy(Element(Place(count_)), value, layout().size());
    ++count_;
    return 0;
  }

  int Delete(const void* /*key*/) override {
    return MUTANT("queue.delete.refused/pretends-success") ? 0 : -EINVAL;
  }
  int GetNextKey(const void* /*key*/, void* /*next_key*/) override {
    return MUTANT("queue.get_next_key.refused/enoent") ? -ENOENT : -EINVAL;
  }

  uint64_t Footprint() const override { return area_.size(); }

 private:
  // Where the element `age` places newer than the oldest one lives.
  uint32_t Place(uint32_t age) const {
    return static_cast<uint32_t>((uint64_t{oldest_} + age) % spec().max_entries);
  }
  std::byte* Element(uint32_t place) const {
    return area_.data() + uint64_t{place} * layout().size();
  }

  int Take(void* value, bool remove) {
    if (count_ == 0) {
      if (MUTANT("queue.lookup_and_delete.empty-enoent/returns-zeros")) {
        if (value != nullptr) std::memset(value, 0, layout().size());
        return 0;
      }
      return -ENOENT;
    }
    bool newest = lifo_;
    if (MUTANT("queue.lookup_and_delete.fifo-order/lifo")) newest = true;
    if (MUTANT("stack.lookup_and_delete.lifo-order/fifo")) newest = false;
    layout().CopyOut(value, Element(newest ? Place(count_ - 1) : oldest_), false);
    if (remove) {
      if (!newest) oldest_ = Place(1);
      --count_;
    }
    return 0;
  }

  const bool lifo_;
  const Area area_;
  SpinLock lock_;
  uint32_t oldest_ = 0;
  uint32_t count_ = 0;
};

int Check(const MapSpec& spec) {
  if (spec.max_entries == 0 || spec.value_size == 0) return -EINVAL;
  if (spec.key_size != 0 && !MUTANT("queue.create.key-size-0/accepts-4")) return -EINVAL;
  if ((spec.flags & ~kCreateFlags) != 0 && !MUTANT("queue.create.no-prealloc-refused/accepts"))
    return -EINVAL;
  if (!ProgramAccessOk(spec.flags)) return -EINVAL;
  if (spec.value_size > kKmallocMaxSize) return -E2BIG;
  return 0;
}

int Make(const MapSpec& spec, std::shared_ptr<Map>* out) {
  Area area;
  if (const int err = Area::Make(uint64_t{spec.max_entries} * spec.value_size, &area); err != 0)
    return err;
  *out = std::make_shared<QueueStackMap>(spec, std::move(area));
  return 0;
}

}  // namespace

constexpr MapType kQueueMapType = {.type = BPF_MAP_TYPE_QUEUE,
                                   .may_hold_lock = false,
                                   .key_must_be_int32 = false,
                                   .check = &Check,
                                   .make = &Make};
constexpr MapType kStackMapType = {.type = BPF_MAP_TYPE_STACK,
                                   .may_hold_lock = false,
                                   .key_must_be_int32 = false,
                                   .check = &Check,
                                   .make = &Make};

}  // namespace usermaps
