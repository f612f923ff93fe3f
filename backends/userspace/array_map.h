// SPDX-License-Identifier: MIT
//
// BPF_MAP_TYPE_ARRAY: max_entries elements that always exist, keyed by a 32-bit index.
//
// Thread-safety: an element is copied under one of a fixed number of locks chosen by its index.
//   Stores through an mmap(2) of a BPF_F_MMAPABLE array take no lock.
// Source: Documentation/bpf/map_array.rst; kernel 6.18.
#ifndef BACKENDS_USERSPACE_ARRAY_MAP_H_
#define BACKENDS_USERSPACE_ARRAY_MAP_H_

#include "backends/userspace/map.h"

namespace usermaps {

extern const MapType kArrayMapType;

}  // namespace usermaps

#endif  // BACKENDS_USERSPACE_ARRAY_MAP_H_
