// SPDX-License-Identifier: MIT
//
// The members of every call, once: OperationMembers<T>::Of(archive, call) hands each member of a T
// to the member function of `archive` for its kind, with its name and, where it has one, the value
// that it ordinarily has, in the order in which a person wants to read them. An archive that writes
// and one that reads walk the same list, so that what one writes the other reads: the text format
// (oracle/trace_json_fields.h) and the binary one (properties/script_record.h).
//
// Two members are the archive's own matter: LookupBatch::and_delete belongs to the name of the
// operation, and what no pointer points to (OptionalContent, Start, Input) may be left out.
#ifndef ORACLE_OPERATION_MEMBERS_H_
#define ORACLE_OPERATION_MEMBERS_H_

#include <string_view>

#include "oracle/operation.h"
#include "oracle/uapi.h"

namespace mapspec {

// By SocketOpen::Kind.
inline constexpr std::string_view kSocketKinds[] = {"udp", "tcp", "xdp_bare", "xdp_unbound", "xdp"};

template <typename T>
struct OperationMembers;

template <>
struct OperationMembers<MapCreate> {
  static void Of(auto& archive, auto& call) {
    archive.Slot("as", call.result);
    archive.Type("type", call.type);
    archive.Number("key_size", call.key_size);
    archive.Number("value_size", call.value_size);
    archive.Number("max_entries", call.max_entries);
    archive.Flags("map_flags", call.map_flags, MapCreateFlags(), false);
    archive.Text("name", call.name, kObjNameLen);
    archive.Number("numa_node", call.numa_node, 0);
    archive.OptionalSlot("inner_map", call.inner_map);
    archive.Number("map_extra", call.map_extra, 0);
    archive.OptionalBtf("btf", call.btf);
    archive.Number("btf_key_type_id", call.btf_key_type_id, 0);
    archive.Number("btf_value_type_id", call.btf_value_type_id, 0);
    archive.Number("attr_size", call.attr_size, 0);
  }
};

struct LookupFields {
  static void Of(auto& archive, auto& call) {
    archive.Map("map", call.map);
    archive.Input("key", call.key);
    archive.Output("value", call.value);
    archive.Flags("flags", call.flags, ElemFlags(), false);
  }
};
template <>
struct OperationMembers<Lookup> : LookupFields {};
template <>
struct OperationMembers<LookupAndDelete> : LookupFields {};

template <>
struct OperationMembers<Update> {
  static void Of(auto& archive, auto& call) {
    archive.Map("map", call.map);
    archive.Input("key", call.key);
    archive.Input("value", call.value);
    archive.Flags("flags", call.flags, ElemFlags(), true);
    archive.OptionalFd("value_fd", call.value_fd);
  }
};

template <>
struct OperationMembers<Delete> {
  static void Of(auto& archive, auto& call) {
    archive.Map("map", call.map);
    archive.Input("key", call.key);
  }
};

template <>
struct OperationMembers<GetNextKey> {
  static void Of(auto& archive, auto& call) {
    archive.Map("map", call.map);
    archive.Input("key", call.key);
    archive.Output("next_key", call.next_key);
  }
};

// The `flags` of the batch commands have no named bits.
template <>
struct OperationMembers<LookupBatch> {
  static void Of(auto& archive, auto& call) {
    archive.Map("map", call.map);
    archive.Start("in_batch", call.start, call.in_batch);
    archive.Output("out_batch", call.out_batch);
    archive.Output("keys", call.keys);
    archive.Output("values", call.values);
    archive.Number("count", call.count);
    archive.Flags("elem_flags", call.elem_flags, ElemFlags(), false);
    archive.Flags("flags", call.flags, {}, false);
  }
};

template <>
struct OperationMembers<UpdateBatch> {
  static void Of(auto& archive, auto& call) {
    archive.Map("map", call.map);
    archive.Input("keys", call.keys);
    archive.Input("values", call.values);
    archive.Number("count", call.count);
    archive.Flags("elem_flags", call.elem_flags, ElemFlags(), false);
    archive.Flags("flags", call.flags, {}, false);
    archive.OptionalFds("value_fds", call.value_fds);
  }
};

template <>
struct OperationMembers<DeleteBatch> {
  static void Of(auto& archive, auto& call) {
    archive.Map("map", call.map);
    archive.Input("keys", call.keys);
    archive.Number("count", call.count);
    archive.Flags("elem_flags", call.elem_flags, ElemFlags(), false);
    archive.Flags("flags", call.flags, {}, false);
  }
};

struct MapOnlyFields {
  static void Of(auto& archive, auto& call) { archive.Map("map", call.map); }
};
template <>
struct OperationMembers<Freeze> : MapOnlyFields {};
template <>
struct OperationMembers<Close> : MapOnlyFields {};
template <>
struct OperationMembers<Poll> : MapOnlyFields {};
template <>
struct OperationMembers<FdRead> : MapOnlyFields {};
template <>
struct OperationMembers<FdWrite> : MapOnlyFields {};

template <>
struct OperationMembers<GetInfo> {
  static void Of(auto& archive, auto& call) {
    archive.Map("map", call.map);
    archive.Number("info_len", call.info_len, 0);
    archive.Output("info", call.info);
  }
};

template <>
struct OperationMembers<GetFdById> {
  static void Of(auto& archive, auto& call) {
    archive.Slot("as", call.result);
    archive.OptionalSlot("of", call.of);
    archive.Number("id", call.id, 0);
    archive.Flags("open_flags", call.open_flags, MapCreateFlags(), false);
  }
};

template <>
struct OperationMembers<GetNextId> {
  static void Of(auto& archive, auto& call) {
    archive.OptionalSlot("of", call.of);
    archive.Number("id", call.id, 0);
  }
};

template <>
struct OperationMembers<Pin> {
  static void Of(auto& archive, auto& call) {
    archive.Map("map", call.map);
    archive.Path("path", call.path);
    archive.Flags("file_flags", call.file_flags, MapCreateFlags(), false);
  }
};

template <>
struct OperationMembers<ObjGet> {
  static void Of(auto& archive, auto& call) {
    archive.Slot("as", call.result);
    archive.Path("path", call.path);
    archive.Flags("file_flags", call.file_flags, MapCreateFlags(), false);
  }
};

template <>
struct OperationMembers<Unlink> {
  static void Of(auto& archive, auto& call) { archive.Path("path", call.path); }
};

template <>
struct OperationMembers<Mmap> {
  static void Of(auto& archive, auto& call) {
    archive.View("as", call.result);
    archive.Map("map", call.map);
    archive.Bool("prot_read", call.prot_read, true);
    archive.Bool("prot_write", call.prot_write, false);
    archive.Bool("shared", call.shared, true);
    archive.Number("offset", call.offset, 0);
    archive.Number("length", call.length);
  }
};

template <>
struct OperationMembers<MemRead> {
  static void Of(auto& archive, auto& call) {
    archive.View("view", call.view);
    archive.Number("offset", call.offset);
    archive.Number("length", call.length);
  }
};

template <>
struct OperationMembers<MemWrite> {
  static void Of(auto& archive, auto& call) {
    archive.View("view", call.view);
    archive.Number("offset", call.offset);
    archive.Content("bytes", call.bytes);
  }
};

template <>
struct OperationMembers<Munmap> {
  static void Of(auto& archive, auto& call) { archive.View("view", call.view); }
};

template <>
struct OperationMembers<BtfLoad> {
  static void Of(auto& archive, auto& call) {
    archive.BtfSlot("as", call.result);
    archive.Number("key_size", call.key_size);
    archive.Number("value_size", call.value_size);
    archive.Signed("lock_offset", call.lock_offset, -1);
  }
};

template <>
struct OperationMembers<SocketOpen> {
  static void Of(auto& archive, auto& call) {
    archive.Slot("as", call.result);
    archive.OneOf("kind", call.kind, kSocketKinds);
    archive.NumberIn("device", call.device, 0, kNetDevices - 1);
    archive.NumberIn("queue", call.queue, 0, kNetQueues - 1);
  }
};

template <>
struct OperationMembers<SendFrames> {
  static void Of(auto& archive, auto& call) {
    archive.Map("map", call.map);
    archive.Number("key", call.key);
    archive.Flags("flags", call.flags, {}, false);
    archive.NumberIn("device", call.device, 0, kNetDevices - 1);
    archive.NumberIn("queue", call.queue, 0, kNetQueues - 1);
    archive.NumberIn("count", call.count, 0, kMaxFrames);
    archive.ShortContent("payload", call.payload, kMaxPayload);
  }
};

template <>
struct OperationMembers<ReceiveFrames> {
  static void Of(auto& archive, auto& call) { archive.Map("socket", call.socket); }
};

template <>
struct OperationMembers<HelperLookup> {
  static void Of(auto& archive, auto& call) {
    archive.Map("map", call.map);
    archive.Content("key", call.key);
    archive.OptionalContent("store", call.store, call.value);
    archive.Bool("lock", call.lock, false);
  }
};

template <>
struct OperationMembers<HelperUpdate> {
  static void Of(auto& archive, auto& call) {
    archive.Map("map", call.map);
    archive.Content("key", call.key);
    archive.Content("value", call.value);
    archive.Flags("flags", call.flags, ElemFlags(), true);
    archive.Bool("hold", call.hold, false);
  }
};

template <>
struct OperationMembers<HelperDelete> {
  static void Of(auto& archive, auto& call) {
    archive.Map("map", call.map);
    archive.Content("key", call.key);
    archive.Bool("hold", call.hold, false);
  }
};

template <>
struct OperationMembers<HelperPush> {
  static void Of(auto& archive, auto& call) {
    archive.Map("map", call.map);
    archive.Content("value", call.value);
    archive.Flags("flags", call.flags, ElemFlags(), true);
  }
};

template <>
struct OperationMembers<HelperPop> : MapOnlyFields {};
template <>
struct OperationMembers<HelperPeek> : MapOnlyFields {};

template <>
struct OperationMembers<HelperLookupPercpu> {
  static void Of(auto& archive, auto& call) {
    archive.Map("map", call.map);
    archive.Content("key", call.key);
    archive.Number("of_cpu", call.of_cpu);
  }
};

template <>
struct OperationMembers<HelperForEach> {
  static void Of(auto& archive, auto& call) {
    archive.Map("map", call.map);
    archive.Number("limit", call.limit, 0);
    archive.Flags("flags", call.flags, {}, false);
  }
};

template <>
struct OperationMembers<HelperLookupInner> {
  static void Of(auto& archive, auto& call) {
    archive.Map("map", call.map);
    archive.Content("key", call.key);
    archive.Content("inner_key", call.inner_key);
    archive.OptionalContent("store", call.store, call.value);
  }
};

template <>
struct OperationMembers<HelperRedirectMap> {
  static void Of(auto& archive, auto& call) {
    archive.Map("map", call.map);
    archive.Number("key", call.key);
    archive.Flags("flags", call.flags, {}, false);
  }
};

}  // namespace mapspec

#endif  // ORACLE_OPERATION_MEMBERS_H_
