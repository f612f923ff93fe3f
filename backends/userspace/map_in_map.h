// SPDX-License-Identifier: MIT
//
// What ARRAY_OF_MAPS and HASH_OF_MAPS have in common: which maps they may hold.
//
// Purpose: an outer map remembers what its inner maps must be like from the map that it was created
//   with (which it does not keep), and turns the descriptors of updates into maps.
// Ownership: an element of an outer map is a Map* that it holds (Map::Hold) and lets go
//   (Map::LetGo). Programs read elements without holding anything: buried_maps.h.
// Errors: -EBADF a closed descriptor, -EINVAL one that is no map, or a map that does not fit.
// Thread-safety: immutable once made.
// Source: map_of_maps.rst; Linux 6.18.
#ifndef BACKENDS_USERSPACE_MAP_IN_MAP_H_
#define BACKENDS_USERSPACE_MAP_IN_MAP_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "backends/userspace/map.h"

namespace usermaps {

inline bool HoldsMaps(uint32_t type) {
  return type == BPF_MAP_TYPE_ARRAY_OF_MAPS || type == BPF_MAP_TYPE_HASH_OF_MAPS;
}

class InnerTemplate {
 public:
  // As the map that the outer one is to be created with is now.
  static int Make(const MapSpec& outer, std::unique_ptr<const InnerTemplate>* out);

  // The map whose descriptor is at `value`, held for the caller.
  int Take(const void* value, Map** out) const;

 private:
  InnerTemplate(uint32_t outer_type, const MapSpec& spec);
  bool SizeMatters() const;
  bool Fits(const MapSpec& spec) const;

  uint32_t outer_type_;
  uint32_t type_;
  uint32_t key_size_;
  uint32_t value_size_;
  uint32_t max_entries_;
  uint32_t flags_;
  std::vector<uint32_t> lock_offsets_;
};

// The id that a lookup by bpf(2) in a map of type `outer_type` gives.
uint32_t ShownId(uint32_t outer_type, const Map& map);
// What a program finds where there is no element: null, but for a mutant.
void* EmptyElement(uint32_t outer_type);
// When an element lets go of `before`, because of `after` or because it goes (null).
void LetGoOfInner(uint32_t outer_type, Map* before, const Map* after);

}  // namespace usermaps

#endif  // BACKENDS_USERSPACE_MAP_IN_MAP_H_
