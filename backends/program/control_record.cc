// SPDX-License-Identifier: MIT
#include "backends/program/control_record.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <type_traits>
#include <variant>

#include "backends/program/helper_program.h"

namespace mapspec {
namespace {

constexpr int64_t kLastErrno = 4095;

const Bytes* KeyOf(const Call& call) {
  return std::visit(
      [](const auto& op) -> const Bytes* {
        if constexpr (requires { requires std::is_same_v<const Bytes&, decltype((op.key))>; }) {
          return &op.key;
        }
        return nullptr;
      },
      call);
}
const Bytes* ValueOf(const Call& call) {
  return std::visit(
      [](const auto& op) -> const Bytes* {
        if constexpr (requires { requires std::is_same_v<const Bytes&, decltype((op.value))>; }) {
          return &op.value;
        }
        return nullptr;
      },
      call);
}

const Bytes* InnerKeyOf(const Call& call) {
  const auto* op = std::get_if<HelperLookupInner>(&call);
  return op == nullptr ? nullptr : &op->inner_key;
}

// Of the element that the call is about.
struct ElementSize {
  uint32_t inner_key = 0;
  uint32_t value = 0;
};
ElementSize SizeOf(const Call& call, const MapShape& shape) {
  if (std::holds_alternative<HelperLookupInner>(call)) {
    return {shape.inner_key_size, shape.inner_value_size};
  }
  return {0, shape.value_size};
}

void PutPadded(const Bytes* bytes, uint32_t size, uint8_t* to) {
  const size_t given = bytes == nullptr ? 0 : std::min<size_t>(bytes->size(), size);
  if (given != 0) std::memcpy(to, bytes->data(), given);
  std::memset(to + given, 0, RoundUpTo8(size) - given);
}
bool IsPadded(const Bytes* bytes, uint32_t size, const uint8_t* at) {
  const size_t given = bytes == nullptr ? 0 : std::min<size_t>(bytes->size(), size);
  return (given == 0 || std::memcmp(at, bytes->data(), given) == 0) &&
         std::all_of(at + given, at + RoundUpTo8(size), [](uint8_t byte) { return byte == 0; });
}

struct Arguments {
  ControlRecord* record;
  void operator()(const HelperUpdate& op) const { record->flags = op.flags; }
  void operator()(const HelperPush& op) const { record->flags = op.flags; }
  void operator()(const HelperLookupPercpu& op) const { record->argument = op.of_cpu; }
  void operator()(const HelperForEach& op) const {
    record->flags = op.flags;
    record->argument = op.limit;
  }
  template <typename Other>
  void operator()(const Other&) const {}
};

void SetHelperResult(int64_t result, Outcome* out) {
  if (result < 0 && result >= -kLastErrno) {
    out->error = static_cast<Errno>(-result);
  } else {
    out->result = result;
  }
}

// What the record holds, as the outcome of each kind of call.
struct Results {
  const ControlRecord& record;
  const MapShape& shape;
  const ControlLayout& layout;
  const uint8_t* memory;
  Outcome* out;

  void Output() const { out->output.emplace<Bytes>(memory + layout.output, layout.output_size); }
  void Access() const {
    if (record.result == 0) out->error = Errno::kENOENT;
    Output();
  }
  void operator()(const HelperLookup&) const { Access(); }
  void operator()(const HelperLookupPercpu&) const { Access(); }
  void operator()(const HelperLookupInner&) const { Access(); }
  void operator()(const HelperUpdate& op) const {
    SetHelperResult(record.result, out);
    if (op.hold) Output();
  }
  void operator()(const HelperDelete& op) const {
    SetHelperResult(record.result, out);
    if (op.hold) Output();
  }
  void operator()(const HelperPush&) const { SetHelperResult(record.result, out); }
  void operator()(const HelperPop&) const {
    SetHelperResult(record.result, out);
    Output();
  }
  void operator()(const HelperPeek&) const {
    SetHelperResult(record.result, out);
    Output();
  }
  void operator()(const HelperForEach&) const {
    SetHelperResult(record.result, out);
    Boxed<BatchOutput> notes;
    const uint32_t key_size = shape.key_size;
    const uint32_t value_size = shape.value_size;
    notes->count = static_cast<uint32_t>(std::min<uint64_t>(record.visited, layout.note_count));
    notes->keys = Bytes(size_t{notes->count} * key_size);
    notes->values = Bytes(size_t{notes->count} * value_size);
    const uint8_t* note = memory + layout.output;
    for (uint32_t i = 0; i < notes->count; ++i, note += layout.note_stride) {
      std::memcpy(notes->keys.data() + size_t{i} * key_size, note, key_size);
      std::memcpy(notes->values.data() + size_t{i} * value_size, note + RoundUpTo8(key_size),
                  value_size);
    }
    out->output = std::move(notes);
  }
  template <typename Other>
  void operator()(const Other&) const {}
};

void Overran(const char* what, Outcome* out) {
  out->completion = Completion::kOverran;
  out->detail = what;
}

}  // namespace

void WriteRecord(const Call& call, const MapShape& shape, const ControlLayout& layout,
                 uint8_t* memory) {
  ControlRecord record;
  if (const auto action = ActionOf(call)) record.action = static_cast<uint64_t>(*action);
  std::visit(Arguments{&record}, call);
  std::memcpy(memory, &record, sizeof(record));
  PutPadded(KeyOf(call), shape.key_size, memory + layout.key);
  const ElementSize size = SizeOf(call, shape);
  PutPadded(InnerKeyOf(call), size.inner_key, memory + layout.inner_key);
  PutPadded(ValueOf(call), size.value, memory + layout.value);
  PoisonOutput(layout, memory);
}

void ReadRecord(const Call& call, const MapShape& shape, const ControlLayout& layout,
                const uint8_t* memory, Outcome* out) {
  ControlRecord record;
  std::memcpy(&record, memory, sizeof(record));
  if (record.done != 1) {
    out->completion = Completion::kNotRun;
    out->detail = "the program did not run to its end";
    return;
  }
  std::visit(Results{record, shape, layout, memory, out}, call);
  if (!GuardIntact(layout, memory)) return Overran("bytes behind the output were changed", out);
  if (!IsPadded(KeyOf(call), shape.key_size, memory + layout.key)) {
    return Overran("the key, which is an input, was changed", out);
  }
  const ElementSize size = SizeOf(call, shape);
  if (!IsPadded(InnerKeyOf(call), size.inner_key, memory + layout.inner_key)) {
    return Overran("the key of the inner map, which is an input, was changed", out);
  }
  if (!IsPadded(ValueOf(call), size.value, memory + layout.value)) {
    Overran("the value, which is an input, was changed", out);
  }
}

}  // namespace mapspec
