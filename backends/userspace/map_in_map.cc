// SPDX-License-Identifier: MIT
#include "backends/userspace/map_in_map.h"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include "backends/userspace/commands.h"
#include "backends/userspace/mutant.h"

namespace usermaps {
namespace {

// The descriptor's own permission is no property of the map.
uint32_t PermanentFlags(const MapSpec& spec) {
  return spec.flags & ~uint32_t{BPF_F_RDONLY | BPF_F_WRONLY};
}

// For a mutant: the id of the last map that was replaced.
std::atomic<uint32_t> replaced_id{0};
// For another: the last map whose element was deleted.
std::atomic<Map*> deleted_map{nullptr};

}  // namespace

#define OUTER_MUTANT(suffix) TYPE_MUTANT(outer_type, kOfMaps, suffix)

InnerTemplate::InnerTemplate(uint32_t outer_type, const MapSpec& spec)
    : outer_type_(outer_type),
      type_(spec.type),
      key_size_(spec.key_size),
      value_size_(spec.value_size),
      max_entries_(spec.max_entries),
      flags_(PermanentFlags(spec)),
      lock_offsets_(spec.lock_offsets) {}

int InnerTemplate::Make(const MapSpec& outer, std::unique_ptr<const InnerTemplate>* out) {
  const uint32_t outer_type = outer.type;
  const MapRef map(static_cast<int>(outer.inner_map_fd));
  if (map.error() == -EBADF) {
    return OUTER_MUTANT("create.inner-bad-descriptor/wrong-errno") ? -EINVAL : -EBADF;
  }
  if (map.error() != 0) {
    return OUTER_MUTANT("create.inner-not-a-map/wrong-errno") ? -kEnotsupp : map.error();
  }
  const MapSpec& spec = map->spec();
  if (HoldsMaps(spec.type) && !OUTER_MUTANT("create.nested/accepted")) {  // one level only
    return OUTER_MUTANT("create.nested-errno/wrong-errno") ? -kEnotsupp : -EINVAL;
  }
  if (outer.max_entries > 1 && OUTER_MUTANT("create.creates/one-element-only")) return -EINVAL;
  if (spec.key_size == 0 && OUTER_MUTANT("create.inner-types/not-without-keys")) return -EINVAL;
  if (map->layout().has_lock() && OUTER_MUTANT("create.inner-lock/refused")) return -kEnotsupp;
  if ((spec.flags & BPF_F_INNER_MAP) != 0 && OUTER_MUTANT("create.inner-flag/refused")) {
    return -EINVAL;
  }
  if (map->frozen.load() && OUTER_MUTANT("create.inner-any-state/frozen-refused")) return -EPERM;
  if (!map.handle().access.write && OUTER_MUTANT("create.inner-any-state/read-only-refused")) {
    return -EPERM;
  }
  if (OUTER_MUTANT("create.template-may-go/kept")) {
    map->Hold(std::static_pointer_cast<Map>(map.handle().object));
  }
  out->reset(new InnerTemplate(outer_type, spec));
  return 0;
}

// Programs are compiled against the size of an array; of other maps they never learn it.
bool InnerTemplate::SizeMatters() const {
  const uint32_t outer_type = outer_type_;
  if (type_ == BPF_MAP_TYPE_PERCPU_ARRAY) {
    return OUTER_MUTANT("update.percpu-array-any-size/compared");
  }
  if (type_ != BPF_MAP_TYPE_ARRAY) return OUTER_MUTANT("update.size-free/compared");
  if ((flags_ & BPF_F_INNER_MAP) != 0) return OUTER_MUTANT("update.inner-flag-size-free/compared");
  return !OUTER_MUTANT("update.other-max-entries/accepted");
}

bool InnerTemplate::Fits(const MapSpec& spec) const {
  const uint32_t outer_type = outer_type_;
  const bool sizes = spec.key_size == key_size_ && spec.value_size == value_size_;
  return (spec.type == type_ || OUTER_MUTANT("update.other-type/accepted")) &&
         (sizes || OUTER_MUTANT("update.other-sizes/accepted")) &&
         (PermanentFlags(spec) == flags_ || OUTER_MUTANT("update.other-flags/accepted")) &&
         (spec.lock_offsets == lock_offsets_ || OUTER_MUTANT("update.other-lock/accepted")) &&
         (spec.max_entries == max_entries_ || !SizeMatters());
}

int InnerTemplate::Take(const void* value, Map** out) const {
  const uint32_t outer_type = outer_type_;
  int fd = -1;
  std::memcpy(&fd, value, sizeof fd);
  const MapRef map(fd);
  if (map.error() == -EBADF) {
    return OUTER_MUTANT("update.bad-descriptor/wrong-errno") ? -EINVAL : -EBADF;
  }
  if (map.error() != 0) {
    return OUTER_MUTANT("update.not-a-map/wrong-errno") ? -EBADF : map.error();
  }
  if (!Fits(map->spec())) {
    const bool other_type = map->spec().type != type_;
    return other_type && OUTER_MUTANT("update.other-type-errno/wrong-errno") ? -kEnotsupp : -EINVAL;
  }
  const Access& access = map.handle().access;
  if (!access.write && OUTER_MUTANT("update.descriptor-access/needs-writing")) return -EPERM;
  if (!access.read && OUTER_MUTANT("update.descriptor-access/needs-reading")) return -EPERM;
  if (map->frozen.load() && OUTER_MUTANT("update.frozen-inner/refused")) return -EPERM;
  if (OUTER_MUTANT("update.frozen-inner/thaws")) map->frozen.store(false);
  map->Hold(std::static_pointer_cast<Map>(map.handle().object));
  if (OUTER_MUTANT("lifetime.outer-holds/lets-go-at-once")) map->LetGo();
  *out = &*map;
  return 0;
}

uint32_t ShownId(uint32_t outer_type, const Map& map) {
  const uint32_t stale = replaced_id.load();
  if (stale != 0 && OUTER_MUTANT("update.any-replaces/shows-the-old-id")) return stale;
  return map.id + (OUTER_MUTANT("lookup.present/id-one-off") ? 1 : 0);
}

void* EmptyElement(uint32_t outer_type) {
  if (!OUTER_MUTANT("program.lookup-empty/gives-the-deleted")) return nullptr;
  Map* const map = deleted_map.load();
  return map == nullptr ? nullptr : map->program_map();
}

void LetGoOfInner(uint32_t outer_type, Map* before, const Map* after) {
  if (after != nullptr) replaced_id.store(before->id);
  if (after == nullptr && OUTER_MUTANT("program.lookup-empty/gives-the-deleted")) {
    return deleted_map.store(before);
  }
  if (after == nullptr && OUTER_MUTANT("lifetime.released/not-by-delete")) return;
  if (after != nullptr && OUTER_MUTANT("lifetime.released/not-by-update")) return;
  before->LetGo();
}

}  // namespace usermaps
