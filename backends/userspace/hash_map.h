// SPDX-License-Identifier: MIT
//
// BPF_MAP_TYPE_HASH: up to max_entries keys of any size, preallocated or not.
//
// Structure: a fixed number of buckets (max_entries rounded up to a power of two), each a chain
// under its own lock. The
//   table never grows, so a walk meets untouched keys in the same order for the life of the map:
//   new keys go to the head of their chain, updates happen in place.
// Thread-safety: an operation on a key holds the lock of its bucket only. Capacity is a counter
// that is changed inside the
//   bucket lock: an update that fails with -E2BIG failed at a moment when max_entries keys were
//   present.
// Walks (get_next_key, batches) hold one bucket at a time and stop no writer.
// Source: Documentation/bpf/map_hash.rst; kernel 6.18.
#ifndef BACKENDS_USERSPACE_HASH_MAP_H_
#define BACKENDS_USERSPACE_HASH_MAP_H_

#include "backends/userspace/map.h"

namespace usermaps {

extern const MapType kHashMapType;

}  // namespace usermaps

#endif  // BACKENDS_USERSPACE_HASH_MAP_H_
