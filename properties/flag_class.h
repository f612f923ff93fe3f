// SPDX-License-Identifier: MIT
//
// The class of a call's flags: a dense number, whose names stand in cell_space.cc. Inline, since
// the fuzzer asks after every operation. A detail of coverage.cc. Pure functions.
#ifndef PROPERTIES_FLAG_CLASS_H_
#define PROPERTIES_FLAG_CLASS_H_

#include <cstdint>
#include <iterator>

#include "oracle/operation.h"
#include "oracle/uapi.h"
#include "properties/cell_space.h"

namespace mapspec {

inline constexpr uint16_t kUnprivileged = kFlagClasses - 1;
inline constexpr uint32_t kCreateFlags[] = {0,
                                            BPF_F_NO_PREALLOC,
                                            BPF_F_NUMA_NODE,
                                            BPF_F_RDONLY,
                                            BPF_F_WRONLY,
                                            BPF_F_ZERO_SEED,
                                            BPF_F_RDONLY_PROG,
                                            BPF_F_WRONLY_PROG,
                                            BPF_F_MMAPABLE,
                                            BPF_F_INNER_MAP};

inline uint16_t ElementClass(uint64_t flags) {
  if (flags < 8) return static_cast<uint16_t>(flags);
  if (flags >> 32 != 0) return 10;
  return (flags & ~uint64_t{BPF_F_CPU | BPF_F_ALL_CPUS | 7}) == 0 ? 8 : 9;
}

inline uint16_t AccessClass(uint32_t flags) {
  if (flags == 0) return 0;
  if (flags == BPF_F_RDONLY) return 1;
  if (flags == BPF_F_WRONLY) return 2;
  return flags == (BPF_F_RDONLY | BPF_F_WRONLY) ? 3 : 4;
}

inline uint16_t CreateClass(const MapCreate& op) {
  if (op.btf != kNoBtf) return 12;
  uint32_t known = 0;
  for (uint16_t i = 0; i < std::size(kCreateFlags); ++i) {
    if (op.map_flags == kCreateFlags[i]) return i;
    known |= kCreateFlags[i];
  }
  return (op.map_flags & ~known) == 0 ? 10 : 11;
}

inline constexpr uint16_t kHold = 12;  // Of kElementClasses.

// The action for a miss, and what is beyond it.
inline uint16_t RedirectClass(uint64_t flags) {
  return static_cast<uint16_t>(flags < 4 ? flags : 4);
}

inline uint16_t KeyClass(const InBuffer& key) { return static_cast<uint16_t>(key.pointer); }

struct ClassifyFlags {
  uint16_t operator()(const MapCreate& op) const { return CreateClass(op); }
  uint16_t operator()(const Lookup& op) const { return ElementClass(op.flags); }
  uint16_t operator()(const LookupAndDelete& op) const { return ElementClass(op.flags); }
  uint16_t operator()(const Update& op) const { return ElementClass(op.flags); }
  uint16_t operator()(const Delete& op) const { return KeyClass(op.key); }
  uint16_t operator()(const GetNextKey& op) const { return KeyClass(op.key); }
  uint16_t operator()(const LookupBatch& op) const {
    return op.flags != 0 ? 11 : ElementClass(op.elem_flags);
  }
  uint16_t operator()(const UpdateBatch& op) const {
    return op.flags != 0 ? 11 : ElementClass(op.elem_flags);
  }
  uint16_t operator()(const DeleteBatch& op) const {
    return op.flags != 0 ? 11 : ElementClass(op.elem_flags);
  }
  uint16_t operator()(const GetFdById& op) const { return AccessClass(op.open_flags); }
  uint16_t operator()(const Pin& op) const { return AccessClass(op.file_flags); }
  uint16_t operator()(const ObjGet& op) const { return AccessClass(op.file_flags); }
  uint16_t operator()(const HelperLookup& op) const {
    return static_cast<uint16_t>((op.store ? 1 : 0) + (op.lock ? 2 : 0));
  }
  uint16_t operator()(const HelperUpdate& op) const {
    return op.hold ? kHold : ElementClass(op.flags);
  }
  uint16_t operator()(const HelperDelete& op) const { return op.hold ? 1 : 0; }
  uint16_t operator()(const HelperPush& op) const { return ElementClass(op.flags); }
  uint16_t operator()(const HelperLookupPercpu& op) const {
    // More CPUs than any machine has; which of the others exist, the trace's header says.
    return op.of_cpu == 0 ? 0 : op.of_cpu < (1u << 16) ? 1 : 2;
  }
  uint16_t operator()(const HelperForEach& op) const {
    return op.flags != 0 ? 2 : op.limit != 0 ? 1 : 0;
  }
  uint16_t operator()(const SocketOpen& op) const { return static_cast<uint16_t>(op.kind); }
  uint16_t operator()(const SendFrames& op) const { return RedirectClass(op.flags); }
  uint16_t operator()(const HelperLookupInner& op) const { return op.store ? 1 : 0; }
  uint16_t operator()(const HelperRedirectMap& op) const { return RedirectClass(op.flags); }
  uint16_t operator()(const Mmap& op) const {
    if (op.offset != 0 && op.shared && op.prot_read) return op.prot_write ? 9 : 8;
    return static_cast<uint16_t>((op.prot_write ? 1 : 0) + (op.shared ? 0 : 2) +
                                 (op.prot_read ? 0 : 4));
  }
  template <typename T>
  uint16_t operator()(const T&) const {
    return 0;
  }
};

// The class of flags, by the operation: element flags by name and combination, map_flags, access
// flags, protection; for operations without flags, whether the key is NULL; of helpers also what
// the program does around the call. Calls without privileges are a class of their own.
template <typename T>
uint16_t FlagClass(Caller caller, const T& call) {
  return caller == Caller::kUnprivileged ? kUnprivileged : ClassifyFlags{}(call);
}

}  // namespace mapspec

#endif  // PROPERTIES_FLAG_CLASS_H_
