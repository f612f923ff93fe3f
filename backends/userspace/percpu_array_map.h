// SPDX-License-Identifier: MIT
//
// BPF_MAP_TYPE_PERCPU_ARRAY: an ARRAY with a slot for each CPU in every element (cpu_slots.h).
//
// Thread-safety: an element is copied under one of a fixed number of locks chosen by its index.
// Source: Documentation/bpf/map_array.rst; kernel 6.18.
#ifndef BACKENDS_USERSPACE_PERCPU_ARRAY_MAP_H_
#define BACKENDS_USERSPACE_PERCPU_ARRAY_MAP_H_

#include "backends/userspace/map.h"

namespace usermaps {

extern const MapType kPerCpuArrayMapType;

}  // namespace usermaps

#endif  // BACKENDS_USERSPACE_PERCPU_ARRAY_MAP_H_
