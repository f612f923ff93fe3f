// SPDX-License-Identifier: MIT
//
// Operations as text.
#include "oracle/operation_members.h"
#include "oracle/trace_json_fields.h"

namespace mapspec {
namespace {

const Call* FindCall(std::string_view name) {
  for (const Call& call : EveryCall()) {
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
  std::visit([&]<typename T>(const T& call) { OperationMembers<T>::Of(writer, call); },
             operation.call);
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
  const Call* const prototype = FindCall(op->text);
  if (prototype == nullptr) {
    std::vector<std::string> words;
    for (const Call& call : EveryCall()) words.emplace_back(OperationName(call));
    std::string suggestion = Suggestion(op->text, words);
    if (suggestion.empty()) suggestion = "; expected " + std::string(kExpected);
    reader.Fail("unknown operation " + QuoteForMessage(op->text) + suggestion);
    return false;
  }
  operation->call = *prototype;
  operation->caller = Caller::kPrivileged;
  std::visit([&]<typename T>(T& call) { OperationMembers<T>::Of(reader, call); }, operation->call);
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
