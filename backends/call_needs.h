// SPDX-License-Identifier: MIT
//
// CallNeeds: what each call needs of a backend, as a bit for each Capability. A detail of
// Required() (capability.h), inline since sessions ask before every operation. Pure functions.
#ifndef BACKENDS_CALL_NEEDS_H_
#define BACKENDS_CALL_NEEDS_H_

#include <cstdint>
#include <string_view>

#include "backends/capability.h"
#include "oracle/operation.h"
#include "oracle/uapi.h"

namespace mapspec {

constexpr uint64_t CapabilityBit(Capability capability) {
  return uint64_t{1} << static_cast<size_t>(capability);
}

class CallNeeds {
 public:
  uint64_t operator()(const MapCreate& op) const {
    const bool raw = op.attr_size != 0 || op.name.size() >= kObjNameLen ||
                     op.name.find('\0') != std::string::npos;
    return Bit(C::kMapCreate) | (raw ? Bit(C::kRawAttr) : 0);
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
    return Bit(C::kMapUpdateElem) | BadIf(op.key) | BadIf(op.value);
  }
  uint64_t operator()(const Delete& op) const { return Bit(C::kMapDeleteElem) | BadIf(op.key); }
  uint64_t operator()(const GetNextKey& op) const {
    return Bit(C::kMapGetNextKey) | BadIf(op.key) | BadIf(op.next_key);
  }
  uint64_t operator()(const LookupBatch& op) const {
    return Bit(op.and_delete ? Capability::kMapLookupAndDeleteBatch : Capability::kMapLookupBatch) |
           BadIf(op.start == LookupBatch::Start::kBad) | BadIf(op.out_batch) | BadIf(op.keys) |
           BadIf(op.values);
  }
  uint64_t operator()(const UpdateBatch& op) const {
    return Bit(C::kMapUpdateBatch) | BadIf(op.keys) | BadIf(op.values);
  }
  uint64_t operator()(const DeleteBatch& op) const {
    return Bit(C::kMapDeleteBatch) | BadIf(op.keys);
  }
  uint64_t operator()(const Freeze&) const { return Bit(C::kMapFreeze); }
  uint64_t operator()(const GetInfo& op) const { return Bit(C::kObjGetInfoByFd) | BadIf(op.info); }
  uint64_t operator()(const GetFdById& op) const {
    return Bit(op.open_flags == 0 ? Capability::kMapGetFdById : Capability::kMapGetFdByIdOpts);
  }
  uint64_t operator()(const GetNextId&) const { return Bit(C::kMapGetNextId); }
  uint64_t operator()(const Pin& op) const {
    // libbpf has no function for flags of BPF_OBJ_PIN before 1.2.
    return Bit(C::kObjPin) | (op.file_flags != 0 ? Bit(C::kRawAttr) : 0) | PathNeeds(op.path);
  }
  uint64_t operator()(const ObjGet& op) const {
    return Bit(op.file_flags == 0 ? Capability::kObjGet : Capability::kObjGetOpts) |
           PathNeeds(op.path);
  }
  uint64_t operator()(const Unlink& op) const { return Bit(C::kObjPin) | PathNeeds(op.path); }
  uint64_t operator()(const Close&) const { return 0; }
  uint64_t operator()(const Mmap&) const { return Bit(C::kMmap); }
  uint64_t operator()(const MemRead&) const { return Bit(C::kMmap); }
  uint64_t operator()(const MemWrite&) const { return Bit(C::kMmap); }
  uint64_t operator()(const Munmap&) const { return Bit(C::kMmap); }
  uint64_t operator()(const Poll&) const { return Bit(C::kFdOps); }
  uint64_t operator()(const FdRead&) const { return Bit(C::kFdOps); }
  uint64_t operator()(const FdWrite&) const { return Bit(C::kFdOps); }
  uint64_t operator()(const BtfLoad&) const { return Bit(C::kBtfLoad); }
  uint64_t operator()(const SocketOpen&) const { return Bit(C::kAfXdp); }
  uint64_t operator()(const SendFrames&) const { return Bit(C::kAfXdp); }
  uint64_t operator()(const ReceiveFrames&) const { return Bit(C::kAfXdp); }
  uint64_t operator()(const HelperLookup& op) const {
    return Bit(C::kHelperLookupElem) | (op.lock ? Bit(C::kHelperSpinLock) : 0);
  }
  uint64_t operator()(const HelperUpdate& op) const {
    return Bit(C::kHelperUpdateElem) | (op.hold ? Bit(C::kHelperLookupElem) : 0);
  }
  uint64_t operator()(const HelperDelete& op) const {
    return Bit(C::kHelperDeleteElem) | (op.hold ? Bit(C::kHelperLookupElem) : 0);
  }
  uint64_t operator()(const HelperPush&) const { return Bit(C::kHelperPushElem); }
  uint64_t operator()(const HelperPop&) const { return Bit(C::kHelperPopElem); }
  uint64_t operator()(const HelperPeek&) const { return Bit(C::kHelperPeekElem); }
  uint64_t operator()(const HelperLookupPercpu&) const { return Bit(C::kHelperLookupPercpuElem); }
  uint64_t operator()(const HelperForEach&) const { return Bit(C::kHelperForEachElem); }
  uint64_t operator()(const HelperLookupInner&) const {
    return Bit(C::kHelperLookupElem) | Bit(C::kHelperLookupInner);
  }
  uint64_t operator()(const HelperRedirectMap&) const { return Bit(C::kHelperRedirectMap); }

 private:
  using C = Capability;
  static constexpr uint64_t Bit(C capability) { return CapabilityBit(capability); }
  static constexpr uint64_t BadIf(bool bad) { return bad ? Bit(C::kBadPointers) : 0; }
  static constexpr uint64_t BadIf(Pointer pointer) { return BadIf(pointer == Pointer::kBad); }
  static uint64_t BadIf(const InBuffer& buffer) { return BadIf(buffer.pointer); }
  static uint64_t PathNeeds(std::string_view path) {
    return path.starts_with("outside/") ? Bit(C::kBpffs) : 0;
  }
};

// The same of an operation, whose call is `call`: what it needs beside that call's own needs too.
template <typename T>
uint64_t NeedsOf(const Operation& operation, const T& call) {
  uint64_t needed = CallNeeds{}(call);
  if (operation.cpu != kAnyCpu) needed |= CapabilityBit(Capability::kPinnedThread);
  if (operation.caller == Caller::kUnprivileged) {
    needed |= CapabilityBit(Capability::kUnprivileged);
  }
  return needed;
}

}  // namespace mapspec

#endif  // BACKENDS_CALL_NEEDS_H_
