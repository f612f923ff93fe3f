// SPDX-License-Identifier: MIT
//
// The fields of every operation that shrinking may make simpler, in the order in which it tries
// them. The measure of complexity and the simplification walk the same lists, so that neither
// forgets a field. A detail of simplify.cc.
#ifndef PROPERTIES_OPERATION_FIELDS_H_
#define PROPERTIES_OPERATION_FIELDS_H_

#include "oracle/operation.h"

namespace mapspec {

// One list of fields for each kind of operation: both the measure and the simplification walk it,
// so that neither forgets a field. `f` is called with each field and what kind of field it is.
template <typename F>
void Fields(MapCreate& op, F&& f) {
  f.Slot(op.result.slot);
  f.Size(op.value_size, 1);
  f.Size(op.key_size, 4);
  f.Size(op.max_entries, 1);
  f.Flags(op.map_flags);
  f.Text(op.name);
  f.Number(op.numa_node);
  f.Target(op.inner_map);
  f.Number(op.map_extra);
  f.Number(op.attr_size);
  f.Number(op.btf_key_type_id);
  f.Number(op.btf_value_type_id);
  f.Btf(op.btf);
}
template <typename F>
void Fields(BtfLoad& op, F&& f) {
  f.Slot(op.result);
  f.Size(op.key_size, 4);
  f.Size(op.value_size, 4);
  f.Lock(op.lock_offset);
}
template <typename F>
void Fields(Lookup& op, F&& f) {
  f.Flags(op.flags);
  f.At(op.value);
  f.Input(op.key);
}
template <typename F>
void Fields(LookupAndDelete& op, F&& f) {
  f.Flags(op.flags);
  f.At(op.value);
  f.Input(op.key);
}
template <typename F>
void Fields(Update& op, F&& f) {
  f.Flags(op.flags);
  f.Input(op.key);
  f.Input(op.value);
}
template <typename F>
void Fields(Delete& op, F&& f) {
  f.Input(op.key);
}
template <typename F>
void Fields(GetNextKey& op, F&& f) {
  f.At(op.next_key);
  f.Input(op.key);
}
template <typename F>
void Fields(LookupBatch& op, F&& f) {
  f.Flags(op.flags);
  f.Flags(op.elem_flags);
  f.Start(op.start);
  f.Raw(op.in_batch);
  f.At(op.out_batch);
  f.At(op.keys);
  f.At(op.values);
  f.Number(op.count);
}
template <typename F>
void Fields(UpdateBatch& op, F&& f) {
  f.Flags(op.flags);
  f.Flags(op.elem_flags);
  f.Number(op.count);
  f.Input(op.keys);
  f.Input(op.values);
}
template <typename F>
void Fields(DeleteBatch& op, F&& f) {
  f.Flags(op.flags);
  f.Flags(op.elem_flags);
  f.Number(op.count);
  f.Input(op.keys);
}
template <typename F>
void Fields(GetInfo& op, F&& f) {
  f.Number(op.info_len);
  f.At(op.info);
}
template <typename F>
void Fields(GetFdById& op, F&& f) {
  f.Slot(op.result.slot);
  f.Flags(op.open_flags);
  f.Number(op.id);
}
template <typename F>
void Fields(GetNextId& op, F&& f) {
  f.Number(op.id);
}
template <typename F>
void Fields(Pin& op, F&& f) {
  f.Flags(op.file_flags);
  f.Path(op.path);
}
template <typename F>
void Fields(ObjGet& op, F&& f) {
  f.Slot(op.result.slot);
  f.Flags(op.file_flags);
  f.Path(op.path);
}
template <typename F>
void Fields(Unlink& op, F&& f) {
  f.Path(op.path);
}
template <typename F>
void Fields(Mmap& op, F&& f) {
  f.Slot(op.result);
  f.Number(op.offset);
  f.Size(op.length, 4096);
  f.Plain(op.prot_write, false);
  f.Plain(op.prot_read, true);
  f.Plain(op.shared, true);
}
template <typename F>
void Fields(MemRead& op, F&& f) {
  f.Number(op.offset);
  f.Number(op.length);
}
template <typename F>
void Fields(MemWrite& op, F&& f) {
  f.Number(op.offset);
  f.Raw(op.bytes);
}
template <typename F>
void Fields(SocketOpen& op, F&& f) {
  f.Slot(op.result.slot);
  f.Number(op.device);
  f.Number(op.queue);
}
template <typename F>
void Fields(SendFrames& op, F&& f) {
  f.Flags(op.flags);
  f.Number(op.count);
  f.Number(op.key);
  f.Number(op.device);
  f.Number(op.queue);
  f.Raw(op.payload);
}
template <typename F>
void Fields(HelperLookupInner& op, F&& f) {
  f.Plain(op.store, false);
  f.Raw(op.value);
  f.Raw(op.inner_key);
  f.Raw(op.key);
}
template <typename F>
void Fields(HelperRedirectMap& op, F&& f) {
  f.Flags(op.flags);
  f.Number(op.key);
}
template <typename F>
void Fields(HelperLookup& op, F&& f) {
  f.Plain(op.lock, false);
  f.Plain(op.store, false);
  f.Raw(op.value);
  f.Raw(op.key);
}
template <typename F>
void Fields(HelperUpdate& op, F&& f) {
  f.Plain(op.hold, false);
  f.Flags(op.flags);
  f.Raw(op.key);
  f.Raw(op.value);
}
template <typename F>
void Fields(HelperDelete& op, F&& f) {
  f.Plain(op.hold, false);
  f.Raw(op.key);
}
template <typename F>
void Fields(HelperPush& op, F&& f) {
  f.Flags(op.flags);
  f.Raw(op.value);
}
template <typename F>
void Fields(HelperLookupPercpu& op, F&& f) {
  f.Number(op.of_cpu);
  f.Raw(op.key);
}
template <typename F>
void Fields(HelperForEach& op, F&& f) {
  f.Flags(op.flags);
  f.Number(op.limit);
}
template <typename T, typename F>
void Fields(T&, F&&) {}

}  // namespace mapspec

#endif  // PROPERTIES_OPERATION_FIELDS_H_
