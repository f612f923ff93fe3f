// SPDX-License-Identifier: MIT
//
// BpfApi: an implementation of libbpf's low-level API as a table of function pointers, so that one
// session serves libbpf itself (the kernel), the userspace library and any library opened with
// dlopen(3). A null member is a function the implementation does not have, and thereby a missing
// capability. Signatures are those of <bpf/bpf.h>; nothing here links with libbpf. Plain data.
#ifndef BACKENDS_LIBBPF_API_BPF_API_H_
#define BACKENDS_LIBBPF_API_BPF_API_H_

#include <bpf/bpf.h>

#include "backends/capability.h"

namespace mapspec {

// X(the name without "bpf_", its capability): the one list from which the table, its capabilities
// and all ways to fill it are made.
#define MAPSPEC_BPF_API(X)                                          \
  X(map_create, kMapCreate)                                         \
  X(map_lookup_elem, kMapLookupElem)                                \
  X(map_lookup_elem_flags, kMapLookupElemFlags)                     \
  X(map_lookup_and_delete_elem, kMapLookupAndDeleteElem)            \
  X(map_lookup_and_delete_elem_flags, kMapLookupAndDeleteElemFlags) \
  X(map_update_elem, kMapUpdateElem)                                \
  X(map_delete_elem, kMapDeleteElem)                                \
  X(map_get_next_key, kMapGetNextKey)                               \
  X(map_lookup_batch, kMapLookupBatch)                              \
  X(map_lookup_and_delete_batch, kMapLookupAndDeleteBatch)          \
  X(map_update_batch, kMapUpdateBatch)                              \
  X(map_delete_batch, kMapDeleteBatch)                              \
  X(map_freeze, kMapFreeze)                                         \
  X(obj_get_info_by_fd, kObjGetInfoByFd)                            \
  X(map_get_fd_by_id, kMapGetFdById)                                \
  X(map_get_fd_by_id_opts, kMapGetFdByIdOpts)                       \
  X(map_get_next_id, kMapGetNextId)                                 \
  X(obj_pin, kObjPin)                                               \
  X(obj_get, kObjGet)                                               \
  X(obj_get_opts, kObjGetOpts)                                      \
  X(btf_load, kBtfLoad)

struct BpfApi {
#define MAPSPEC_MEMBER(name, capability) decltype(&::bpf_##name) name = nullptr;
  MAPSPEC_BPF_API(MAPSPEC_MEMBER)
#undef MAPSPEC_MEMBER
};

// The functions that the table has.
CapabilitySet CapabilitiesOf(const BpfApi& api);

}  // namespace mapspec

#endif  // BACKENDS_LIBBPF_API_BPF_API_H_
