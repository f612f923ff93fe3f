// SPDX-License-Identifier: MIT
//
// Outcomes as text. Which output an object holds shows in the names of its fields, so that it can
// be read without knowing the operation.
#include <array>

#include "oracle/trace_json_fields.h"

namespace mapspec {
namespace {

constexpr std::array<std::string_view, 6> kCompletions = {"returned", "not_run", "overran",
                                                          "crashed",  "hung",    "refused"};
// Every name that OutputNamesOf gives, and those for outcomes without an operation.
constexpr std::array<std::string_view, 3> kBytesNames = {"value", "next_key", "bytes"};
constexpr std::array<std::string_view, 3> kNumberNames = {"id", "revents", "number"};

void InfoFields(auto& archive, auto& info) {
  archive.Number("id", info.id);
  archive.Number("key_size", info.key_size);
  archive.Number("value_size", info.value_size);
  archive.Number("max_entries", info.max_entries);
  archive.Flags("map_flags", info.map_flags, MapCreateFlags(), true);
  archive.Text("name", info.name);
  archive.Bool("has_btf", info.has_btf, false);
  archive.Number("btf_key_type_id", info.btf_key_type_id, 0);
  archive.Number("btf_value_type_id", info.btf_value_type_id, 0);
  archive.Number("map_extra", info.map_extra, 0);
  archive.Number("info_len", info.info_len);
}

struct OutputWriter {
  const OutputNames& names;
  FieldWriter& writer;
  std::string* out;

  void operator()(std::monostate) const {}
  void operator()(const Bytes& bytes) const { writer.Buffer(names.bytes, bytes); }
  void operator()(uint32_t number) const { writer.Number(names.number, number); }
  void operator()(const Boxed<BatchOutput>& batch) const {
    writer.Number("count", batch->count);
    if (!batch->out_batch.empty()) writer.Buffer("out_batch", batch->out_batch);
    if (!batch->keys.empty()) writer.Buffer("keys", batch->keys);
    if (!batch->values.empty()) writer.Buffer("values", batch->values);
  }
  void operator()(const Boxed<MapInfo>& info) const {
    writer.Key("info");
    FieldWriter fields(out);
    fields.Type("type", static_cast<MapType>(info->type));
    InfoFields(fields, *info);
    fields.End();
  }
};

// Reads the fields that say what came out, and sees to it that they speak of one output.
class OutputReader {
 public:
  OutputReader(FieldReader& reader, std::string_view where) : reader_(reader), where_(where) {}

  bool Read(Output* output) {
    for (const std::string_view name : kBytesNames) {
      Bytes bytes;
      if (reader_.Buffer(name, bytes)) Take(name, std::move(bytes));
    }
    for (const std::string_view name : kNumberNames) {
      uint32_t number = 0;
      reader_.Number(name, number);
      if (reader_.Find(name) != nullptr) Take(name, number);
    }
    ReadBatch();
    ReadInfo();
    if (reader_.failed()) return false;
    *output = std::move(output_);
    return true;
  }
  bool any() const { return !from_.empty(); }

 private:
  void Take(std::string_view name, Output output) {
    if (any()) {
      reader_.Fail("outputs of two kinds, " + QuoteForMessage(from_) + " and " +
                   QuoteForMessage(name) + "; an operation has one");
      return;
    }
    from_ = name;
    output_ = std::move(output);
  }

  void ReadBatch() {
    BatchOutput batch;
    bool buffers = reader_.Buffer("out_batch", batch.out_batch);
    buffers |= reader_.Buffer("keys", batch.keys);
    buffers |= reader_.Buffer("values", batch.values);
    reader_.Number("count", batch.count);
    if (reader_.Find("count") != nullptr) {
      Take("count", Boxed<BatchOutput>(std::move(batch)));
    } else if (buffers) {
      reader_.Fail("out_batch, keys and values need \"count\" beside them");
    }
  }

  void ReadInfo() {
    const JsonValue* const found = reader_.Find("info");
    if (found == nullptr) return;
    if (found->kind != JsonValue::Kind::kObject) {
      return reader_.Fail("info", "an object with the fields of struct bpf_map_info", *found);
    }
    MapInfo info;
    FieldReader fields(*found, std::string(where_) + "info.");
    auto type = static_cast<MapType>(info.type);
    fields.Type("type", type);
    info.type = static_cast<uint32_t>(type);
    InfoFields(fields, info);
    if (!fields.Finish("\"info\"")) return reader_.Fail(fields.message());
    Take("info", Boxed<MapInfo>(std::move(info)));
  }

  FieldReader& reader_;
  std::string_view where_;
  Output output_;
  std::string_view from_;
};

bool ReadCompletion(FieldReader& reader, Completion* completion) {
  const JsonValue* const found = reader.Find("completion");
  if (found == nullptr) return false;
  for (size_t i = 0; i < kCompletions.size(); ++i) {
    if (found->kind == JsonValue::Kind::kString && found->text == kCompletions[i]) {
      *completion = static_cast<Completion>(i);
      return true;
    }
  }
  reader.Fail("completion", "one of returned, not_run, overran, crashed, hung, refused", *found);
  return false;
}

}  // namespace

OutputNames OutputNamesOf(const Call& call) {
  OutputNames names;
  if (std::holds_alternative<Lookup>(call) || std::holds_alternative<LookupAndDelete>(call) ||
      IsProgramPath(call)) {
    names.bytes = "value";
  } else if (std::holds_alternative<GetNextKey>(call)) {
    names.bytes = "next_key";
  } else if (std::holds_alternative<GetNextId>(call)) {
    names.number = "id";
  } else if (std::holds_alternative<Poll>(call)) {
    names.number = "revents";
  }
  return names;
}

void AppendOutcome(const Outcome& outcome, const OutputNames& names, std::string* out) {
  FieldWriter writer(out);
  const bool returned = outcome.completion == Completion::kReturned;
  if (!returned) {
    writer.Word("completion", kCompletions[static_cast<size_t>(outcome.completion)]);
  }
  const bool bare =
      returned && outcome.result == 0 && std::holds_alternative<std::monostate>(outcome.output);
  if (outcome.error != Errno::kNone || bare) writer.Word("error", ErrnoName(outcome.error));
  writer.Signed("result", outcome.result, 0);
  std::visit(OutputWriter{names, writer, out}, outcome.output);
  writer.Text("detail", outcome.detail);
  writer.End();
}

bool ReadOutcome(const JsonValue& object, std::string_view where, Outcome* outcome,
                 std::string* message) {
  FieldReader reader(object, where);
  *outcome = Outcome();
  bool told = ReadCompletion(reader, &outcome->completion);
  reader.Error("error", outcome->error);
  told |= reader.Find("error") != nullptr;
  reader.Signed("result", outcome->result, 0);
  told |= reader.Find("result") != nullptr;
  OutputReader output(reader, where);
  output.Read(&outcome->output);
  told |= output.any();
  reader.Text("detail", outcome->detail);
  if (!reader.Finish("an outcome")) {
    *message = reader.message();
    return false;
  }
  if (told) return true;
  *message = "an outcome that says nothing; success without outputs is {\"error\": \"0\"}";
  return false;
}

}  // namespace mapspec
