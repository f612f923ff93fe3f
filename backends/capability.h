// SPDX-License-Identifier: MIT
//
// Capabilities: what a backend can do. Most are functions of libbpf's low-level API (a library that
// lacks the symbol lacks the capability) or helpers; a few are ways of calling that only some
// backends can express.
#ifndef BACKENDS_CAPABILITY_H_
#define BACKENDS_CAPABILITY_H_

#include <bitset>
#include <cstdint>
#include <string_view>

#include "oracle/operation.h"

namespace mapspec {

enum class Capability : uint8_t {
  // Functions, named after the symbol.
  kMapCreate,
  kMapLookupElem,
  kMapLookupElemFlags,
  kMapLookupAndDeleteElem,
  kMapLookupAndDeleteElemFlags,
  kMapUpdateElem,
  kMapDeleteElem,
  kMapGetNextKey,
  kMapLookupBatch,
  kMapLookupAndDeleteBatch,
  kMapUpdateBatch,
  kMapDeleteBatch,
  kMapFreeze,
  kObjGetInfoByFd,
  kMapGetFdById,
  kMapGetFdByIdOpts,  // open_flags
  kMapGetNextId,
  kObjPin,
  kObjGet,
  kObjGetOpts,  // file_flags
  kBtfLoad,
  kMmap,  // mmap(2) of the descriptor
  // Ways of calling.
  kBadPointers,   // Pointers to memory that is not mapped are answered, not crashed on.
  kUnprivileged,  // A call can be made without any capability.
  kRawAttr,       // Attributes that libbpf cannot pass: sizes of union bpf_attr, names without NUL.
  kBpffs,         // Pins live on a bpffs, and what is outside of it is refused.
  kFdOps,         // poll, read and write on a map's descriptor.
  kAfXdp,         // AF_XDP sockets, devices of the script's own, and frames.
  kHelperRedirectMap,
  kPinnedThread,  // A call can be made on a certain CPU.
  // Helpers that a program can be made to call.
  kHelperLookupElem,
  kHelperUpdateElem,
  kHelperDeleteElem,
  kHelperPushElem,
  kHelperPopElem,
  kHelperPeekElem,
  kHelperLookupPercpuElem,
  kHelperForEachElem,
  kHelperLookupInner,  // In a map that a lookup in a map of maps gave.
  kHelperSpinLock,
  kVerifier,  // Programs that misuse a map are refused at load.
  kCount,
};
using CapabilitySet = std::bitset<static_cast<size_t>(Capability::kCount)>;

inline bool Has(const CapabilitySet& set, Capability capability) {
  return set[static_cast<size_t>(capability)];
}
inline void Add(CapabilitySet* set, Capability capability) {
  set->set(static_cast<size_t>(capability));
}
// "bpf_map_lookup_batch", "bad-pointers".
std::string_view CapabilityName(Capability capability);
// What an operation needs.
CapabilitySet Required(const Operation& operation);
// The first capability that `needed` has and `present` lacks, kCount for none.
Capability FirstMissing(const CapabilitySet& needed, const CapabilitySet& present);
// What a profile `linux-X.Y` promises (every function); `documented` promises none.
CapabilitySet PromisedBy(std::string_view profile);

}  // namespace mapspec

#endif  // BACKENDS_CAPABILITY_H_
