// SPDX-License-Identifier: MIT
//
// Keys of ARRAY and its variants: an index in four bytes. Pure functions.
// Source: kernel 6.18.
#ifndef BACKENDS_USERSPACE_ARRAY_INDEX_H_
#define BACKENDS_USERSPACE_ARRAY_INDEX_H_

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "backends/userspace/map.h"
#include "backends/userspace/mutant.h"

namespace usermaps {

inline uint32_t IndexAt(const void* key) {
  uint32_t index;
  std::memcpy(&index, key, sizeof index);
  return index;
}

// BPF_MAP_GET_NEXT_KEY: whether there is something at an index does not matter.
inline int NextIndex(const MapSpec& spec, const void* key, void* next_key) {
  const uint32_t last = spec.max_entries - 1;
  uint32_t next = TYPE_MUTANT(spec.type, kOfArrays, "get_next_key.null-key/gives-last") ? last : 0;
  if (key != nullptr) {
    const uint32_t index = IndexAt(key);
    if (index == last && !TYPE_MUTANT(spec.type, kOfArrays, "get_next_key.last-key/wraps-around")) {
      return -ENOENT;
    }
    if (index > last && TYPE_MUTANT(spec.type, kOfArrays, "get_next_key.out-of-range/enoent")) {
      return -ENOENT;
    }
    next = index < last ? index + 1 : 0;
    if (next < last && TYPE_MUTANT(spec.type, kOfArrays, "get_next_key.successor/skips-one")) {
      ++next;
    }
  }
  if (next_key != nullptr) std::memcpy(next_key, &next, sizeof next);
  return 0;
}

}  // namespace usermaps

#endif  // BACKENDS_USERSPACE_ARRAY_INDEX_H_
