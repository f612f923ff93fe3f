// SPDX-License-Identifier: MIT
//
// BPF_MAP_TYPE_ARRAY_OF_MAPS: max_entries slots, each empty or holding a map.
//
// Thread-safety: bpf(2) reads and changes a slot under one of a fixed number of locks chosen by its
//   index. Programs read it without: it changes in one store.
// Source: map_of_maps.rst; kernel 6.18.
#ifndef BACKENDS_USERSPACE_ARRAY_OF_MAPS_H_
#define BACKENDS_USERSPACE_ARRAY_OF_MAPS_H_

#include "backends/userspace/map.h"

namespace usermaps {

extern const MapType kArrayOfMapsType;

}  // namespace usermaps

#endif  // BACKENDS_USERSPACE_ARRAY_OF_MAPS_H_
