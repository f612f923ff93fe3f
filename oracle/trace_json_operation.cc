// SPDX-License-Identifier: MIT
//
// Operations as text: one list of fields for each, in the order a person wants to read them.
#include <utility>

#include "oracle/trace_json_fields.h"

namespace mapspec {
namespace {

// By SocketOpen::Kind.
constexpr std::string_view kSocketKinds[] = {"udp", "tcp", "xdp_bare", "xdp_unbound", "xdp"};

// Fields<T>::Of(archive, call) walks the fields of T; `archive` is a FieldWriter or a FieldReader.
template <typename T>
struct Fields;

template <>
struct Fields<MapCreate> {
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
struct Fields<Lookup> : LookupFields {};
template <>
struct Fields<LookupAndDelete> : LookupFields {};

template <>
struct Fields<Update> {
  static void Of(auto& archive, auto& call) {
    archive.Map("map", call.map);
    archive.Input("key", call.key);
    archive.Input("value", call.value);
    archive.Flags("flags", call.flags, ElemFlags(), true);
    archive.OptionalFd("value_fd", call.value_fd);
  }
};

template <>
struct Fields<Delete> {
  static void Of(auto& archive, auto& call) {
    archive.Map("map", call.map);
    archive.Input("key", call.key);
  }
};

template <>
struct Fields<GetNextKey> {
  static void Of(auto& archive, auto& call) {
    archive.Map("map", call.map);
    archive.Input("key", call.key);
    archive.Output("next_key", call.next_key);
  }
};

// The `flags` of the batch commands have no named bits.
template <>
struct Fields<LookupBatch> {
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
struct Fields<UpdateBatch> {
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
struct Fields<DeleteBatch> {
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
struct Fields<Freeze> : MapOnlyFields {};
template <>
struct Fields<Close> : MapOnlyFields {};
template <>
struct Fields<Poll> : MapOnlyFields {};
template <>
struct Fields<FdRead> : MapOnlyFields {};
template <>
struct Fields<FdWrite> : MapOnlyFields {};

template <>
struct Fields<GetInfo> {
  static void Of(auto& archive, auto& call) {
    archive.Map("map", call.map);
    archive.Number("info_len", call.info_len, 0);
    archive.Output("info", call.info);
  }
};

template <>
struct Fields<GetFdById> {
  static void Of(auto& archive, auto& call) {
    archive.Slot("as", call.result);
    archive.OptionalSlot("of", call.of);
    archive.Number("id", call.id, 0);
    archive.Flags("open_flags", call.open_flags, MapCreateFlags(), false);
  }
};

template <>
struct Fields<GetNextId> {
  static void Of(auto& archive, auto& call) {
    archive.OptionalSlot("of", call.of);
    archive.Number("id", call.id, 0);
  }
};

template <>
struct Fields<Pin> {
  static void Of(auto& archive, auto& call) {
    archive.Map("map", call.map);
    archive.Path("path", call.path);
    archive.Flags("file_flags", call.file_flags, MapCreateFlags(), false);
  }
};

template <>
struct Fields<ObjGet> {
  static void Of(auto& archive, auto& call) {
    archive.Slot("as", call.result);
    archive.Path("path", call.path);
    archive.Flags("file_flags", call.file_flags, MapCreateFlags(), false);
  }
};

template <>
struct Fields<Unlink> {
  static void Of(auto& archive, auto& call) { archive.Path("path", call.path); }
};

template <>
struct Fields<Mmap> {
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
struct Fields<MemRead> {
  static void Of(auto& archive, auto& call) {
    archive.View("view", call.view);
    archive.Number("offset", call.offset);
    archive.Number("length", call.length);
  }
};

template <>
struct Fields<MemWrite> {
  static void Of(auto& archive, auto& call) {
    archive.View("view", call.view);
    archive.Number("offset", call.offset);
    archive.Content("bytes", call.bytes);
  }
};

template <>
struct Fields<Munmap> {
  static void Of(auto& archive, auto& call) { archive.View("view", call.view); }
};

template <>
struct Fields<BtfLoad> {
  static void Of(auto& archive, auto& call) {
    archive.BtfSlot("as", call.result);
    archive.Number("key_size", call.key_size);
    archive.Number("value_size", call.value_size);
    archive.Signed("lock_offset", call.lock_offset, -1);
  }
};

template <>
struct Fields<SocketOpen> {
  static void Of(auto& archive, auto& call) {
    archive.Slot("as", call.result);
    archive.OneOf("kind", call.kind, kSocketKinds);
    archive.NumberIn("device", call.device, 0, kNetDevices - 1);
    archive.NumberIn("queue", call.queue, 0, kNetQueues - 1);
  }
};

template <>
struct Fields<SendFrames> {
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
struct Fields<ReceiveFrames> {
  static void Of(auto& archive, auto& call) { archive.Map("socket", call.socket); }
};

template <>
struct Fields<HelperLookup> {
  static void Of(auto& archive, auto& call) {
    archive.Map("map", call.map);
    archive.Content("key", call.key);
    archive.OptionalContent("store", call.store, call.value);
    archive.Bool("lock", call.lock, false);
  }
};

template <>
struct Fields<HelperUpdate> {
  static void Of(auto& archive, auto& call) {
    archive.Map("map", call.map);
    archive.Content("key", call.key);
    archive.Content("value", call.value);
    archive.Flags("flags", call.flags, ElemFlags(), true);
    archive.Bool("hold", call.hold, false);
  }
};

template <>
struct Fields<HelperDelete> {
  static void Of(auto& archive, auto& call) {
    archive.Map("map", call.map);
    archive.Content("key", call.key);
    archive.Bool("hold", call.hold, false);
  }
};

template <>
struct Fields<HelperPush> {
  static void Of(auto& archive, auto& call) {
    archive.Map("map", call.map);
    archive.Content("value", call.value);
    archive.Flags("flags", call.flags, ElemFlags(), true);
  }
};

template <>
struct Fields<HelperPop> : MapOnlyFields {};
template <>
struct Fields<HelperPeek> : MapOnlyFields {};

template <>
struct Fields<HelperLookupPercpu> {
  static void Of(auto& archive, auto& call) {
    archive.Map("map", call.map);
    archive.Content("key", call.key);
    archive.Number("of_cpu", call.of_cpu);
  }
};

template <>
struct Fields<HelperForEach> {
  static void Of(auto& archive, auto& call) {
    archive.Map("map", call.map);
    archive.Number("limit", call.limit, 0);
    archive.Flags("flags", call.flags, {}, false);
  }
};

template <>
struct Fields<HelperLookupInner> {
  static void Of(auto& archive, auto& call) {
    archive.Map("map", call.map);
    archive.Content("key", call.key);
    archive.Content("inner_key", call.inner_key);
    archive.OptionalContent("store", call.store, call.value);
  }
};

template <>
struct Fields<HelperRedirectMap> {
  static void Of(auto& archive, auto& call) {
    archive.Map("map", call.map);
    archive.Number("key", call.key);
    archive.Flags("flags", call.flags, {}, false);
  }
};

template <size_t... I>
std::vector<Call> CallsOf(std::index_sequence<I...>) {
  return {Call(std::in_place_index<I>)...};
}

// One call of every name, with the fields' defaults; built once.
const std::vector<Call>& Prototypes() {
  static const std::vector<Call> prototypes = [] {
    std::vector<Call> calls = CallsOf(std::make_index_sequence<std::variant_size_v<Call>>());
    calls.emplace_back(LookupBatch{.map = {}, .and_delete = true, .in_batch = {}});
    return calls;
  }();
  return prototypes;
}

const Call* FindPrototype(std::string_view name) {
  for (const Call& call : Prototypes()) {
    if (OperationName(call) == name) return &call;
  }
  return nullptr;
}

void ReadCaller(FieldReader& reader, Caller* caller) {
  const JsonValue* const found = reader.Find("caller");
  if (found == nullptr) return;
  if (found->text == "unprivileged") {
    *caller = Caller::kUnprivileged;
  } else if (found->text == "privileged") {
    *caller = Caller::kPrivileged;
  } else {
    reader.Fail("caller", "\"unprivileged\" or \"privileged\"", *found);
  }
}

}  // namespace

void WriteOperationFields(const Operation& operation, FieldWriter& writer) {
  writer.Word("op", OperationName(operation.call));
  std::visit([&]<typename T>(const T& call) { Fields<T>::Of(writer, call); }, operation.call);
  if (operation.caller == Caller::kUnprivileged) writer.Word("caller", "unprivileged");
  writer.Number("cpu", operation.cpu, kAnyCpu);
  writer.Number("thread", operation.thread, 0);
}

bool ReadOperationFields(FieldReader& reader, Operation* operation) {
  static constexpr std::string_view kExpected = "an operation such as \"BPF_MAP_UPDATE_ELEM\"";
  const JsonValue* const op = reader.Require("op", kExpected);
  if (op == nullptr) return reader.Finish("an operation");
  if (op->kind != JsonValue::Kind::kString) {
    reader.Fail("op", kExpected, *op);
    return false;
  }
  const Call* const prototype = FindPrototype(op->text);
  if (prototype == nullptr) {
    std::vector<std::string> words;
    for (const Call& call : Prototypes()) words.emplace_back(OperationName(call));
    std::string suggestion = Suggestion(op->text, words);
    if (suggestion.empty()) suggestion = "; expected " + std::string(kExpected);
    reader.Fail("unknown operation " + QuoteForMessage(op->text) + suggestion);
    return false;
  }
  operation->call = *prototype;
  operation->caller = Caller::kPrivileged;
  std::visit([&]<typename T>(T& call) { Fields<T>::Of(reader, call); }, operation->call);
  ReadCaller(reader, &operation->caller);
  operation->cpu = kAnyCpu;
  operation->thread = 0;
  reader.NumberIn<uint16_t>("cpu", operation->cpu, 0, kAnyCpu - 1);
  reader.NumberIn<uint8_t>("thread", operation->thread, 0, kMaxThreads - 1);
  if (IsProgramPath(operation->call) && operation->caller == Caller::kUnprivileged) {
    reader.Fail("a helper's program is loaded by a privileged caller; leave \"caller\" out");
  }
  return !reader.failed();
}

}  // namespace mapspec
