// SPDX-License-Identifier: MIT
//
// The part of StepParser that turns the fields of each word into its call.
#include <algorithm>
#include <utility>

#include "oracle/inner_map.h"
#include "specs/step_parser.h"

namespace mapspec {

bool StepParser::ParseCall(const StepWord& word, const YamlNode& fields, Call* out) {
  const std::string& name = word.operation;
  if (name == "create") {
    const bool inner = word.word == "inner";
    if (inner && !inner_base_) {
      return problems_->Add(fields.position,
                            "only files whose `defaults` say `inner` have `inner`");
    }
    MapCreate create = inner ? *inner_base_ : base_;
    if (!ReadResult(fields, 'm', &create.result.slot) ||
        !ParseAttributes(fields, &create, problems_)) {
      return false;
    }
    if (!IsMapOfMaps(create.type) && fields.Find("inner_map") == nullptr) create.inner_map = kBadFd;
    if (!has_type_ && fields.Find("type") == nullptr) return Missing(fields, "type");
    if (const YamlNode* inner_map = fields.Find("inner_map");
        inner_map != nullptr && create.inner_map != kNotAMap &&
        !maps_.contains(create.inner_map.slot)) {
      return problems_->Add(inner_map->position,
                            "nothing fills " + inner_map->text + " before this step");
    }
    if (const YamlNode* btf = fields.Find("btf");
        btf != nullptr && create.btf != kBadBtf && !btfs_.contains(create.btf)) {
      return problems_->Add(btf->position, "nothing fills " + btf->text + " before this step");
    }
    if (create.inner_map != kBadFd) {
      inner_[create.result.slot] = SizesOf(create.inner_map);
    }
    maps_[create.result.slot] = SizesFor(create);
    *out = std::move(create);
    return true;
  }
  if (name == "btf_load") {
    BtfLoad load;
    if (!ReadResult(fields, 'b', &load.result) ||
        !ReadNumber(fields, "key_size", &load.key_size, problems_) ||
        !ReadNumber(fields, "value_size", &load.value_size, problems_)) {
      return false;
    }
    const YamlNode* lock = fields.Find("lock_offset");
    if (lock != nullptr && !lock->IsWord("-1")) {
      if (!ReadNumber(fields, "lock_offset", &load.lock_offset, problems_)) return false;
    }
    btfs_.insert(load.result);
    *out = load;
    return true;
  }
  if (name.ends_with("_batch")) return ParseBatchCall(word, fields, out);
  for (const std::string_view element :
       {"lookup", "lookup_and_delete", "update", "delete", "get_next_key"}) {
    if (name == element) return ParseElementCall(word, fields, out);
  }
  for (const std::string_view view : {"mmap", "load", "store", "munmap"}) {
    if (name == view) return ParseViewCall(word, fields, out);
  }
  for (const std::string_view network : {"socket", "send_frames", "receive_frames"}) {
    if (name == network) return ParseNetworkCall(word, fields, out);
  }
  return ParseDescriptorCall(word, fields, out);
}

bool StepParser::ParseElementCall(const StepWord& word, const YamlNode& fields, Call* out) {
  Handle map;
  if (!ReadMap(fields, &map)) return false;
  const ElementSizes sizes = SizesOf(map);
  InBuffer key;
  // A queue has no keys, so its words leave them out.
  if (word.word != word.operation && fields.Find("key") == nullptr) {
    key.pointer = Pointer::kNull;
  } else if (!ReadInBuffer(fields, "key", sizes.key, 0, &key)) {
    return false;
  }
  if (word.operation == "delete") {
    *out = Delete{map, std::move(key)};
    return true;
  }
  if (word.operation == "get_next_key") {
    GetNextKey call{map, std::move(key), Pointer::kValid};
    if (!ReadPointer(fields, "next_key", &call.next_key)) return false;
    *out = std::move(call);
    return true;
  }
  uint64_t flags = 0;
  if (!ReadFlags(fields, "flags", ElemFlags(), &flags, problems_)) return false;
  if (word.operation == "update") {
    Update call{map, std::move(key), {}, flags, kNoFd};
    if (!ReadValue(fields, sizes, &call)) return false;
    *out = std::move(call);
    return true;
  }
  Pointer value = Pointer::kValid;
  if (!ReadPointer(fields, "value", &value)) return false;
  if (word.operation == "lookup") {
    *out = Lookup{map, std::move(key), value, flags};
  } else {
    *out = LookupAndDelete{map, std::move(key), value, flags};
  }
  return true;
}

bool StepParser::ParseLookupBatch(bool and_delete, const YamlNode& fields, Call* out) {
  LookupBatch batch;
  batch.and_delete = and_delete;
  if (!ReadMap(fields, &batch.map)) return false;
  if (fields.Find("count") == nullptr) return Missing(fields, "count");
  const YamlNode* in = fields.Find("in_batch");
  if (const YamlNode* start = fields.Find("start")) {
    if (in != nullptr) {
      return problems_->Add(start->position,
                            "`start` and `in_batch` say the same; write one of them");
    }
    in = start;
  }
  if (in == nullptr || in->IsNull() || in->IsWord("null")) {
    batch.start = LookupBatch::Start::kNull;
  } else if (in->IsWord("last")) {
    batch.start = LookupBatch::Start::kLast;
  } else if (in->IsWord("bad")) {
    batch.start = LookupBatch::Start::kBad;
  } else {
    batch.start = LookupBatch::Start::kBytes;
    if (in->IsScalar() && !in->quoted &&
        (in->text.empty() || in->text[0] < '0' || in->text[0] > '9')) {
      return problems_->Add(in->position,
                            "`in_batch` is null, last, bad or bytes, not " + in->Describe());
    }
    const size_t size = std::max<size_t>(SizesOf(batch.map).key, 4);
    if (!ParseBytes(*in, "in_batch", size, &batch.in_batch, problems_)) return false;
  }
  if (!ReadPointer(fields, "out_batch", &batch.out_batch) ||
      !ReadPointer(fields, "keys", &batch.keys) || !ReadPointer(fields, "values", &batch.values) ||
      !ReadNumber(fields, "count", &batch.count, problems_) ||
      !ReadFlags(fields, "elem_flags", ElemFlags(), &batch.elem_flags, problems_) ||
      !ReadFlags(fields, "flags", ElemFlags(), &batch.flags, problems_)) {
    return false;
  }
  *out = std::move(batch);
  return true;
}

bool StepParser::ParseBatchCall(const StepWord& word, const YamlNode& fields, Call* out) {
  if (word.operation == "lookup_batch") return ParseLookupBatch(false, fields, out);
  if (word.operation == "lookup_and_delete_batch") return ParseLookupBatch(true, fields, out);
  UpdateBatch batch;
  if (!ReadMap(fields, &batch.map)) return false;
  const ElementSizes sizes = SizesOf(batch.map);
  const bool update = word.operation == "update_batch";
  if (!ReadElements(fields, "keys", sizes.key, 0, &batch.keys, &batch.count) ||
      (update && !ReadBatchValues(fields, sizes, &batch)) ||
      !ReadNumber(fields, "count", &batch.count, problems_) ||
      !ReadFlags(fields, "elem_flags", ElemFlags(), &batch.elem_flags, problems_) ||
      !ReadFlags(fields, "flags", ElemFlags(), &batch.flags, problems_)) {
    return false;
  }
  if (update) {
    *out = std::move(batch);
  } else {
    *out =
        DeleteBatch{batch.map, std::move(batch.keys), batch.count, batch.elem_flags, batch.flags};
  }
  return true;
}

bool StepParser::ParseDescriptorCall(const StepWord& word, const YamlNode& fields, Call* out) {
  const std::string& name = word.operation;
  if (name == "get_fd_by_id") {
    GetFdById call;
    if (!ReadResult(fields, 'm', &call.result.slot) || !ReadHandle(fields, "of", &call.of) ||
        !ReadNumber(fields, "id", &call.id, problems_) ||
        !ReadFlags(fields, "open_flags", MapCreateFlags(), &call.open_flags, problems_)) {
      return false;
    }
    maps_[call.result.slot] = SizesOf(call.of);
    *out = call;
    return true;
  }
  if (name == "get_next_id") {
    GetNextId call;
    if (!ReadHandle(fields, "of", &call.of) || !ReadNumber(fields, "id", &call.id, problems_)) {
      return false;
    }
    *out = call;
    return true;
  }
  if (name == "unlink") {
    Unlink call;
    if (!ReadRequiredText(fields, "path", &call.path)) return false;
    *out = std::move(call);
    return true;
  }
  if (name == "obj_get") {
    ObjGet call;
    if (!ReadResult(fields, 'm', &call.result.slot) ||
        !ReadRequiredText(fields, "path", &call.path) ||
        !ReadFlags(fields, "file_flags", MapCreateFlags(), &call.file_flags, problems_)) {
      return false;
    }
    const auto pin = pins_.find(call.path);
    maps_[call.result.slot] = pin == pins_.end() ? BaseSizes() : pin->second;
    *out = std::move(call);
    return true;
  }
  Handle map;
  if (!ReadMap(fields, &map)) return false;
  if (name == "pin") {
    Pin call{map, "", 0};
    if (!ReadRequiredText(fields, "path", &call.path) ||
        !ReadFlags(fields, "file_flags", MapCreateFlags(), &call.file_flags, problems_)) {
      return false;
    }
    pins_[call.path] = SizesOf(map);
    *out = std::move(call);
    return true;
  }
  if (name == "info") {
    GetInfo call{map, 0, Pointer::kValid};
    if (!ReadNumber(fields, "info_len", &call.info_len, problems_) ||
        !ReadPointer(fields, "info", &call.info)) {
      return false;
    }
    *out = call;
    return true;
  }
  if (name == "freeze") *out = Freeze{map};
  if (name == "close") *out = Close{map};
  if (name == "poll") *out = Poll{map};
  if (name == "read") *out = FdRead{map};
  if (name == "write") *out = FdWrite{map};
  return true;
}

bool StepParser::ParseNetworkCall(const StepWord& word, const YamlNode& fields, Call* out) {
  // By SocketOpen::Kind.
  static const std::vector<std::string> kKinds = {"udp", "tcp", "xdp_bare", "xdp_unbound", "xdp"};
  const auto small = [&](std::string_view name, uint32_t limit, uint32_t* number) {
    const YamlNode* node = fields.Find(name);
    uint64_t read = *number;
    if (node != nullptr && !ParseUnsigned(*node, name, limit, &read, problems_)) return false;
    *number = static_cast<uint32_t>(read);
    return true;
  };
  if (word.operation == "socket") {
    SocketOpen call;
    auto kind = static_cast<size_t>(call.kind);
    if (!ReadResult(fields, 'm', &call.result.slot) ||
        !ReadWord(fields, "kind", kKinds, &kind, problems_) ||
        !small("device", kNetDevices - 1, &call.device) ||
        !small("queue", kNetQueues - 1, &call.queue)) {
      return false;
    }
    call.kind = static_cast<SocketOpen::Kind>(kind);
    maps_[call.result.slot] = BaseSizes();
    *out = call;
    return true;
  }
  if (word.operation == "receive_frames") {
    ReceiveFrames call;
    if (fields.Find("socket") == nullptr) return Missing(fields, "socket");
    if (!ReadHandle(fields, "socket", &call.socket)) return false;
    *out = call;
    return true;
  }
  SendFrames call;
  const YamlNode* payload = fields.Find("payload");
  if (!ReadMap(fields, &call.map) || !ReadNumber(fields, "key", &call.key, problems_) ||
      !ReadNumber(fields, "flags", &call.flags, problems_) ||
      !small("device", kNetDevices - 1, &call.device) ||
      !small("queue", kNetQueues - 1, &call.queue) || !small("count", kMaxFrames, &call.count) ||
      (payload != nullptr && !ParseBytes(*payload, "payload", 8, &call.payload, problems_))) {
    return false;
  }
  if (call.payload.size() > kMaxPayload) {
    return problems_->Add(payload->position, "`payload` has more than 1024 bytes");
  }
  *out = std::move(call);
  return true;
}

bool StepParser::ParseViewCall(const StepWord& word, const YamlNode& fields, Call* out) {
  const std::string& name = word.operation;
  if (name == "mmap") {
    Mmap call;
    if (!ReadResult(fields, 'v', &call.result) || !ReadMap(fields, &call.map) ||
        !ReadBool(fields, "prot_read", &call.prot_read, problems_) ||
        !ReadBool(fields, "prot_write", &call.prot_write, problems_) ||
        !ReadBool(fields, "shared", &call.shared, problems_) ||
        !ReadNumber(fields, "offset", &call.offset, problems_) ||
        !ReadNumber(fields, "length", &call.length, problems_)) {
      return false;
    }
    views_[call.result] = SizesOf(call.map);
    *out = call;
    return true;
  }
  uint16_t view = 0;
  if (!ReadView(fields, &view)) return false;
  const ElementSizes sizes = views_[view];
  if (name == "munmap") {
    *out = Munmap{view};
    return true;
  }
  if (name == "load") {
    MemRead call{view, 0, sizes.value};
    if (!ReadNumber(fields, "offset", &call.offset, problems_) ||
        !ReadNumber(fields, "length", &call.length, problems_)) {
      return false;
    }
    *out = call;
    return true;
  }
  MemWrite call{view, 0, {}};
  const YamlNode* bytes = fields.Find("bytes");
  if (bytes == nullptr) return Missing(fields, "bytes");
  if (!ReadNumber(fields, "offset", &call.offset, problems_) ||
      !ParseBytes(*bytes, "bytes", sizes.value, &call.bytes, problems_)) {
    return false;
  }
  *out = std::move(call);
  return true;
}

}  // namespace mapspec
