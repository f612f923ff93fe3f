// SPDX-License-Identifier: MIT
#include "backends/capability.h"

#include <array>
#include <bit>
#include <type_traits>

namespace mapspec {
namespace {

constexpr std::array<std::string_view, static_cast<size_t>(Capability::kCount)> kNames = {
    "bpf_map_create",
    "bpf_map_lookup_elem",
    "bpf_map_lookup_elem_flags",
    "bpf_map_lookup_and_delete_elem",
    "bpf_map_lookup_and_delete_elem_flags",
    "bpf_map_update_elem",
    "bpf_map_delete_elem",
    "bpf_map_get_next_key",
    "bpf_map_lookup_batch",
    "bpf_map_lookup_and_delete_batch",
    "bpf_map_update_batch",
    "bpf_map_delete_batch",
    "bpf_map_freeze",
    "bpf_obj_get_info_by_fd",
    "bpf_map_get_fd_by_id",
    "bpf_map_get_fd_by_id_opts",
    "bpf_map_get_next_id",
    "bpf_obj_pin",
    "bpf_obj_get",
    "bpf_obj_get_opts",
    "bpf_btf_load",
    "mmap",
    "bad-pointers",
    "unprivileged",
    "raw-attr",
    "bpffs",
    "fd-ops",
    "af-xdp",
    "bpf_redirect_map()",
    "cpu-pinning",
    "bpf_map_lookup_elem()",
    "bpf_map_update_elem()",
    "bpf_map_delete_elem()",
    "bpf_map_push_elem()",
    "bpf_map_pop_elem()",
    "bpf_map_peek_elem()",
    "bpf_map_lookup_percpu_elem()",
    "bpf_for_each_map_elem()",
    "bpf_map_lookup_elem() of an inner map",
    "bpf_spin_lock()",
    "verifier",
};
static_assert(!kNames.back().empty(), "every capability has a name");

constexpr uint64_t Bit(Capability capability) {
  return uint64_t{1} << static_cast<size_t>(capability);
}
constexpr uint64_t BadIf(bool bad) { return bad ? Bit(Capability::kBadPointers) : 0; }
constexpr uint64_t BadIf(Pointer pointer) { return BadIf(pointer == Pointer::kBad); }
uint64_t BadIf(const InBuffer& buffer) { return BadIf(buffer.pointer); }

bool IsOutside(std::string_view path) { return path.starts_with("outside/"); }
uint64_t PathNeeds(std::string_view path) { return IsOutside(path) ? Bit(Capability::kBpffs) : 0; }

struct Needs {
  uint64_t operator()(const MapCreate& op) const {
    const bool raw = op.attr_size != 0 || op.name.size() >= kObjNameLen ||
                     op.name.find('\0') != std::string::npos;
    return Bit(Capability::kMapCreate) | (raw ? Bit(Capability::kRawAttr) : 0);
  }
  uint64_t operator()(const Lookup& op) const {
    return Bit(op.flags == 0 ? Capability::kMapLookupElem : Capability::kMapLookupElemFlags) |
           BadIf(op.key) | BadIf(op.value);
  }
  uint64_t operator()(const LookupAndDelete& op) const {
    return Bit(op.flags == 0 ? Capability::kMapLookupAndDeleteElem
                             : Capability::kMapLookupAndDeleteElemFlags) |
           BadIf(op.key) | BadIf(op.value);
  }
  uint64_t operator()(const Update& op) const {
    return Bit(Capability::kMapUpdateElem) | BadIf(op.key) | BadIf(op.value);
  }
  uint64_t operator()(const Delete& op) const {
    return Bit(Capability::kMapDeleteElem) | BadIf(op.key);
  }
  uint64_t operator()(const GetNextKey& op) const {
    return Bit(Capability::kMapGetNextKey) | BadIf(op.key) | BadIf(op.next_key);
  }
  uint64_t operator()(const LookupBatch& op) const {
    return Bit(op.and_delete ? Capability::kMapLookupAndDeleteBatch : Capability::kMapLookupBatch) |
           BadIf(op.start == LookupBatch::Start::kBad) | BadIf(op.out_batch) | BadIf(op.keys) |
           BadIf(op.values);
  }
  uint64_t operator()(const UpdateBatch& op) const {
    return Bit(Capability::kMapUpdateBatch) | BadIf(op.keys) | BadIf(op.values);
  }
  uint64_t operator()(const DeleteBatch& op) const {
    return Bit(Capability::kMapDeleteBatch) | BadIf(op.keys);
  }
  uint64_t operator()(const Freeze&) const { return Bit(Capability::kMapFreeze); }
  uint64_t operator()(const GetInfo& op) const {
    return Bit(Capability::kObjGetInfoByFd) | BadIf(op.info);
  }
  uint64_t operator()(const GetFdById& op) const {
    return Bit(op.open_flags == 0 ? Capability::kMapGetFdById : Capability::kMapGetFdByIdOpts);
  }
  uint64_t operator()(const GetNextId&) const { return Bit(Capability::kMapGetNextId); }
  uint64_t operator()(const Pin& op) const {
    // libbpf has no function for flags of BPF_OBJ_PIN before 1.2.
    return Bit(Capability::kObjPin) | (op.file_flags != 0 ? Bit(Capability::kRawAttr) : 0) |
           PathNeeds(op.path);
  }
  uint64_t operator()(const ObjGet& op) const {
    return Bit(op.file_flags == 0 ? Capability::kObjGet : Capability::kObjGetOpts) |
           PathNeeds(op.path);
  }
  uint64_t operator()(const Unlink& op) const {
    return Bit(Capability::kObjPin) | PathNeeds(op.path);
  }
  uint64_t operator()(const Close&) const { return 0; }
  uint64_t operator()(const Mmap&) const { return Bit(Capability::kMmap); }
  uint64_t operator()(const MemRead&) const { return Bit(Capability::kMmap); }
  uint64_t operator()(const MemWrite&) const { return Bit(Capability::kMmap); }
  uint64_t operator()(const Munmap&) const { return Bit(Capability::kMmap); }
  uint64_t operator()(const Poll&) const { return Bit(Capability::kFdOps); }
  uint64_t operator()(const FdRead&) const { return Bit(Capability::kFdOps); }
  uint64_t operator()(const FdWrite&) const { return Bit(Capability::kFdOps); }
  uint64_t operator()(const BtfLoad&) const { return Bit(Capability::kBtfLoad); }
  uint64_t operator()(const SocketOpen&) const { return Bit(Capability::kAfXdp); }
  uint64_t operator()(const SendFrames&) const { return Bit(Capability::kAfXdp); }
  uint64_t operator()(const ReceiveFrames&) const { return Bit(Capability::kAfXdp); }
  uint64_t operator()(const HelperLookup& op) const {
    return Bit(Capability::kHelperLookupElem) | (op.lock ? Bit(Capability::kHelperSpinLock) : 0);
  }
  uint64_t operator()(const HelperUpdate& op) const {
    return Bit(Capability::kHelperUpdateElem) | (op.hold ? Bit(Capability::kHelperLookupElem) : 0);
  }
  uint64_t operator()(const HelperDelete& op) const {
    return Bit(Capability::kHelperDeleteElem) | (op.hold ? Bit(Capability::kHelperLookupElem) : 0);
  }
  uint64_t operator()(const HelperPush&) const { return Bit(Capability::kHelperPushElem); }
  uint64_t operator()(const HelperPop&) const { return Bit(Capability::kHelperPopElem); }
  uint64_t operator()(const HelperPeek&) const { return Bit(Capability::kHelperPeekElem); }
  uint64_t operator()(const HelperLookupPercpu&) const {
    return Bit(Capability::kHelperLookupPercpuElem);
  }
  uint64_t operator()(const HelperForEach&) const { return Bit(Capability::kHelperForEachElem); }
  uint64_t operator()(const HelperLookupInner&) const {
    return Bit(Capability::kHelperLookupElem) | Bit(Capability::kHelperLookupInner);
  }
  uint64_t operator()(const HelperRedirectMap&) const {
    return Bit(Capability::kHelperRedirectMap);
  }
};

}  // namespace

std::string_view CapabilityName(Capability capability) {
  return kNames[static_cast<size_t>(capability)];
}

CapabilitySet Required(const Operation& operation) {
  uint64_t needed = std::visit(Needs{}, operation.call);
  if (operation.cpu != kAnyCpu) needed |= Bit(Capability::kPinnedThread);
  if (operation.caller == Caller::kUnprivileged) needed |= Bit(Capability::kUnprivileged);
  return CapabilitySet(needed);
}

Capability FirstMissing(const CapabilitySet& needed, const CapabilitySet& present) {
  // Asked before every operation: no loop.
  const uint64_t missing = (needed & ~present).to_ullong();
  return missing == 0 ? Capability::kCount : static_cast<Capability>(std::countr_zero(missing));
}

CapabilitySet PromisedBy(std::string_view profile) {
  CapabilitySet promised;
  if (!profile.starts_with("linux-")) return promised;
  for (auto i = static_cast<size_t>(Capability::kMapCreate);
       i <= static_cast<size_t>(Capability::kMmap); ++i) {
    promised.set(i);
  }
  return promised;
}

}  // namespace mapspec
