// SPDX-License-Identifier: MIT
#include "backends/userspace/map_in_map.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include "backends/userspace/commands.h"

namespace usermaps {
namespace {

// The descriptor's own permission is no property of the map.
uint32_t PermanentFlags(const MapSpec& spec) {
  return spec.flags & ~uint32_t{BPF_F_RDONLY | BPF_F_WRONLY};
}

// Programs are compiled against the size of an array; of other maps they never learn it.
bool SizeMatters(uint32_t type, uint32_t flags) {
  return type == BPF_MAP_TYPE_ARRAY && (flags & BPF_F_INNER_MAP) == 0;
}

}  // namespace

InnerTemplate::InnerTemplate(const MapSpec& spec)
    : type_(spec.type),
      key_size_(spec.key_size),
      value_size_(spec.value_size),
      max_entries_(spec.max_entries),
      flags_(PermanentFlags(spec)),
      lock_offsets_(spec.lock_offsets) {}

int InnerTemplate::Make(uint32_t fd, std::unique_ptr<const InnerTemplate>* out) {
  const MapRef map(static_cast<int>(fd));
  if (map.error() != 0) return map.error();
  if (HoldsMaps(map->spec().type)) return -EINVAL;  // one level only
  out->reset(new InnerTemplate(map->spec()));
  return 0;
}

bool InnerTemplate::Fits(const MapSpec& spec) const {
  return spec.type == type_ && spec.key_size == key_size_ && spec.value_size == value_size_ &&
         PermanentFlags(spec) == flags_ && spec.lock_offsets == lock_offsets_ &&
         (spec.max_entries == max_entries_ || !SizeMatters(type_, flags_));
}

int InnerTemplate::Take(const void* value, Map** out) const {
  int fd = -1;
  std::memcpy(&fd, value, sizeof fd);
  const MapRef map(fd);
  if (map.error() != 0) return map.error();
  if (!Fits(map->spec())) return -EINVAL;
  map->Hold(std::static_pointer_cast<Map>(map.handle().object));
  *out = &*map;
  return 0;
}

}  // namespace usermaps
