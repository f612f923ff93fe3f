// SPDX-License-Identifier: MIT
//
// What a map of maps remembers of the map that it was created with, against which every map that is
// put into it is held. It is a copy: that map may be gone since. Plain values; thread-safety that
// of those. Source: map_of_maps.rst, introduction; what exactly must be equal: observed.
#ifndef ORACLE_INNER_MAP_H_
#define ORACLE_INNER_MAP_H_

#include <cstdint>

#include "oracle/uapi.h"

namespace mapspec {

constexpr bool IsMapOfMaps(MapType type) {
  return type == MapType::ARRAY_OF_MAPS || type == MapType::HASH_OF_MAPS;
}

// Whether values are descriptors; elsewhere one is a number that no script knows.
constexpr bool TakesDescriptors(MapType type) {
  return IsMapOfMaps(type) || type == MapType::XSKMAP;
}

struct InnerMapShape {
  MapType type = MapType::UNSPEC;  // UNSPEC: nothing is known of the map.
  uint32_t key_size = 0;
  uint32_t value_size = 0;
  uint32_t max_entries = 0;
  uint32_t map_flags = 0;  // As given to BPF_MAP_CREATE.
  bool struct_value = false;  // As BTF has it.
  int32_t lock_offset = -1;

  bool known() const { return type != MapType::UNSPEC; }
  // Those that count: how the creator's own descriptor may be used does not.
  uint32_t flags() const { return map_flags & ~(BPF_F_RDONLY | BPF_F_WRONLY); }
  // Whether max_entries counts.
  bool fixed_size() const {
    return (type == MapType::ARRAY && (map_flags & BPF_F_INNER_MAP) == 0) ||
           type == MapType::XSKMAP;
  }
};

}  // namespace mapspec

#endif  // ORACLE_INNER_MAP_H_
