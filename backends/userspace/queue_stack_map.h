// SPDX-License-Identifier: MIT
//
// BPF_MAP_TYPE_QUEUE and BPF_MAP_TYPE_STACK: FIFO and LIFO of values without keys.
//
// Lookup is peek, Update is push, LookupAndDelete is pop.
// Thread-safety: one lock per map; every operation is a short critical section.
// Source: Documentation/bpf/map_queue_stack.rst; kernel 6.18.
#ifndef BACKENDS_USERSPACE_QUEUE_STACK_MAP_H_
#define BACKENDS_USERSPACE_QUEUE_STACK_MAP_H_

#include "backends/userspace/map.h"

namespace usermaps {

extern const MapType kQueueMapType;
extern const MapType kStackMapType;

}  // namespace usermaps

#endif  // BACKENDS_USERSPACE_QUEUE_STACK_MAP_H_
