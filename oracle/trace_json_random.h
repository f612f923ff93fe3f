// SPDX-License-Identifier: MIT
//
// For tests of the text and binary formats only: random values of the whole vocabulary, from a
// seed, and shorthands to write and read them. What the text format does not keep (bytes behind a
// pointer that is not valid) is not generated. Thread-safety: one thread at a time for each Source.
#ifndef ORACLE_TRACE_JSON_RANDOM_H_
#define ORACLE_TRACE_JSON_RANDOM_H_

#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <utility>

#include "oracle/trace_json.h"

namespace mapspec {

// Random values of the vocabulary, biased to the ends of each range.
class Source {
 public:
  explicit Source(uint64_t seed) : random_(seed) {}

  uint64_t Below(uint64_t limit) { return random_() % limit; }
  bool Coin() { return Below(2) == 0; }
  template <typename T>
  T Number() {
    const uint64_t edges[] = {0, 1, 2, 7, 0x80000000u, (uint64_t{1} << 53) - 1, uint64_t{1} << 53};
    switch (Below(4)) {
      case 0:
        return static_cast<T>(edges[Below(std::size(edges))]);
      case 1:
        return std::numeric_limits<T>::max();
      default:
        return static_cast<T>(random_() >> Below(64));
    }
  }
  Bytes Content() {
    Bytes bytes(Coin() ? Below(9) : Below(200));
    for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(random_());
    return bytes;
  }
  // Partly, wholly or not at all poison.
  Bytes Buffer() {
    Bytes bytes = Content();
    const size_t from = Below(bytes.size() + 1);
    if (Coin()) {
      for (size_t i = Coin() ? 0 : from; i < bytes.size(); ++i) bytes[i] = PoisonByte(i);
    }
    return bytes;
  }
  std::string Text(size_t limit) {
    static const std::string kParts[] = {"a",    "map_1", "\"",           "\\",
                                         "\n",   "\x01",  "\x7f",         "é",
                                         "\xff", "日本",  "\xed\xa0\x80", std::string(1, '\0')};
    std::string text;
    while (Below(4) != 0) {
      const std::string& part = kParts[Below(std::size(kParts))];
      if (text.size() + part.size() <= limit) text += part;
    }
    return text;
  }
  std::string Path() {
    static const std::string kPaths[] = {"",     "a",     "outside/pin", "dir/../x",
                                         "/abs", "b\xff", "..."};
    const std::string& path = kPaths[Below(std::size(kPaths))];
    return path.starts_with('/') || path.find("/../") != std::string::npos ? "plain" : path;
  }
  Handle Slot() { return Handle{static_cast<uint16_t>(Coin() ? Below(3) : Below(kMaxSlots))}; }
  Handle Map() { return Below(8) == 0 ? kBadFd : Below(8) == 0 ? kNotAMap : Slot(); }
  uint16_t Index() { return Slot().slot; }
  uint16_t Btf() { return Below(3) == 0 ? kNoBtf : Below(3) == 0 ? kBadBtf : Index(); }
  mapspec::Pointer Pointer() { return static_cast<mapspec::Pointer>(Coin() ? 0 : Below(3)); }
  InBuffer Input() {
    InBuffer input{Pointer(), {}};
    if (input.pointer == mapspec::Pointer::kValid) input.bytes = Content();
    return input;
  }

 private:
  std::mt19937_64 random_;
};

// Sets every field of a call. Written out, not driven by the lists of fields in
// trace_json_operation.cc: a field forgotten there has to show.
struct Randomize {
  Source& s;
  void operator()(MapCreate& c) {
    c = {s.Slot(),
         static_cast<MapType>(s.Number<uint32_t>()),
         s.Number<uint32_t>(),
         s.Number<uint32_t>(),
         s.Number<uint32_t>(),
         s.Number<uint32_t>(),
         s.Text(16),
         s.Number<uint32_t>(),
         s.Map(),
         s.Number<uint64_t>(),
         s.Btf(),
         s.Number<uint32_t>(),
         s.Number<uint32_t>(),
         s.Number<uint32_t>()};
  }
  void operator()(Lookup& c) { c = {s.Map(), s.Input(), s.Pointer(), s.Number<uint64_t>()}; }
  void operator()(LookupAndDelete& c) {
    c = {s.Map(), s.Input(), s.Pointer(), s.Number<uint64_t>()};
  }
  void operator()(Update& c) {
    c = {s.Map(), s.Input(), s.Input(), s.Number<uint64_t>(), s.Coin() ? kNoFd : s.Map()};
  }
  void operator()(Delete& c) { c = {s.Map(), s.Input()}; }
  void operator()(GetNextKey& c) { c = {s.Map(), s.Input(), s.Pointer()}; }
  void operator()(LookupBatch& c) {
    c = {s.Map(),
         s.Coin(),
         static_cast<LookupBatch::Start>(s.Below(4)),
         {},
         s.Pointer(),
         s.Pointer(),
         s.Pointer(),
         s.Number<uint32_t>(),
         s.Number<uint64_t>(),
         s.Number<uint64_t>()};
    if (c.start == LookupBatch::Start::kBytes) c.in_batch = s.Content();
  }
  void operator()(UpdateBatch& c) {
    c = {s.Map(),
         s.Input(),
         s.Input(),
         s.Number<uint32_t>(),
         s.Number<uint64_t>(),
         s.Number<uint64_t>(),
         {}};
    while (s.Coin()) c.value_fds.push_back(s.Map());
  }
  void operator()(DeleteBatch& c) {
    c = {s.Map(), s.Input(), s.Number<uint32_t>(), s.Number<uint64_t>(), s.Number<uint64_t>()};
  }
  void operator()(Freeze& c) { c = {s.Map()}; }
  void operator()(GetInfo& c) { c = {s.Map(), s.Number<uint32_t>(), s.Pointer()}; }
  void operator()(GetFdById& c) {
    c = {s.Slot(), s.Map(), s.Number<uint32_t>(), s.Number<uint32_t>()};
  }
  void operator()(GetNextId& c) { c = {s.Map(), s.Number<uint32_t>()}; }
  void operator()(Pin& c) { c = {s.Map(), s.Path(), s.Number<uint32_t>()}; }
  void operator()(ObjGet& c) { c = {s.Slot(), s.Path(), s.Number<uint32_t>()}; }
  void operator()(Unlink& c) { c = {s.Path()}; }
  void operator()(Close& c) { c = {s.Map()}; }
  void operator()(Mmap& c) {
    c = {s.Index(),           s.Map(), s.Coin(), s.Coin(), s.Coin(), s.Number<uint64_t>(),
         s.Number<uint64_t>()};
  }
  void operator()(MemRead& c) { c = {s.Index(), s.Number<uint64_t>(), s.Number<uint32_t>()}; }
  void operator()(MemWrite& c) { c = {s.Index(), s.Number<uint64_t>(), s.Content()}; }
  void operator()(Munmap& c) { c = {s.Index()}; }
  void operator()(Poll& c) { c = {s.Map()}; }
  void operator()(FdRead& c) { c = {s.Map()}; }
  void operator()(FdWrite& c) { c = {s.Map()}; }
  void operator()(BtfLoad& c) {
    c = {s.Index(), s.Number<uint32_t>(), s.Number<uint32_t>(),
         static_cast<int32_t>(s.Number<uint32_t>())};
  }
  void operator()(SocketOpen& c) {
    c = {s.Slot(), static_cast<SocketOpen::Kind>(s.Below(5)),
         static_cast<uint32_t>(s.Below(kNetDevices)), static_cast<uint32_t>(s.Below(kNetQueues))};
  }
  void operator()(SendFrames& c) {
    c = {s.Map(),
         s.Number<uint32_t>(),
         s.Number<uint64_t>(),
         static_cast<uint32_t>(s.Below(kNetDevices)),
         static_cast<uint32_t>(s.Below(kNetQueues)),
         static_cast<uint32_t>(s.Below(kMaxFrames + 1)),
         s.Content()};
  }
  void operator()(ReceiveFrames& c) { c = {s.Map()}; }
  void operator()(HelperLookupInner& c) {
    c = {s.Map(), s.Content(), s.Content(), s.Coin(), {}};
    if (c.store) c.value = s.Content();
  }
  void operator()(HelperRedirectMap& c) {
    c = {s.Map(), s.Number<uint32_t>(), s.Number<uint64_t>()};
  }
  void operator()(HelperLookup& c) {
    c = {s.Map(), s.Content(), s.Coin(), {}, s.Coin()};
    if (c.store) c.value = s.Content();
  }
  void operator()(HelperUpdate& c) {
    c = {s.Map(), s.Content(), s.Content(), s.Number<uint64_t>(), s.Coin()};
  }
  void operator()(HelperDelete& c) { c = {s.Map(), s.Content(), s.Coin()}; }
  void operator()(HelperPush& c) { c = {s.Map(), s.Content(), s.Number<uint64_t>()}; }
  void operator()(HelperPop& c) { c = {s.Map()}; }
  void operator()(HelperPeek& c) { c = {s.Map()}; }
  void operator()(HelperLookupPercpu& c) { c = {s.Map(), s.Content(), s.Number<uint32_t>()}; }
  void operator()(HelperForEach& c) { c = {s.Map(), s.Number<uint32_t>(), s.Number<uint64_t>()}; }
};

template <size_t... I>
Call DefaultCall(size_t index, std::index_sequence<I...>) {
  Call call;
  ((index == I ? void(call.emplace<I>()) : void()), ...);
  return call;
}

constexpr size_t kCalls = std::variant_size_v<Call>;

inline Operation RandomOperation(Source& source, size_t index) {
  Operation operation;
  operation.call = DefaultCall(index, std::make_index_sequence<kCalls>());
  std::visit(Randomize{source}, operation.call);
  const bool privileged = source.Coin() || IsProgramPath(operation.call);
  operation.caller = privileged ? Caller::kPrivileged : Caller::kUnprivileged;
  if (source.Coin()) operation.cpu = static_cast<uint16_t>(source.Below(kAnyCpu));
  if (source.Coin()) operation.thread = static_cast<uint8_t>(source.Below(kMaxThreads));
  return operation;
}

inline Outcome RandomOutcome(Source& source) {
  Outcome outcome;
  if (source.Below(4) == 0) {
    outcome.completion = static_cast<Completion>(source.Below(6));
    outcome.detail = source.Text(100);
  }
  if (source.Coin())
    outcome.error = static_cast<Errno>(source.Number<uint32_t>() >> source.Below(32));
  if (source.Below(4) == 0) outcome.result = static_cast<int64_t>(source.Number<uint64_t>());
  switch (source.Below(std::variant_size_v<Output>)) {
    case 0:
      break;
    case 1:
      outcome.output = source.Buffer();
      break;
    case 2:
      outcome.output = source.Number<uint32_t>();
      break;
    case 3:
      outcome.output = Boxed<BatchOutput>(
          {source.Number<uint32_t>(), source.Buffer(), source.Buffer(), source.Buffer()});
      break;
    case 4:
      outcome.output = Boxed<MapInfo>(
          {source.Number<uint32_t>(), source.Number<uint32_t>(), source.Number<uint32_t>(),
           source.Number<uint32_t>(), source.Number<uint32_t>(), source.Number<uint32_t>(),
           source.Text(16), source.Coin(), source.Number<uint32_t>(), source.Number<uint32_t>(),
           source.Number<uint64_t>(), source.Number<uint32_t>()});
      break;
  }
  return outcome;
}

inline Environment RandomEnvironment(Source& source) {
  return {source.Text(40),
          source.Text(40),
          source.Text(40),
          source.Text(40),
          static_cast<uint32_t>(1 + source.Below(65536)),
          1u << source.Below(25),
          static_cast<uint32_t>(1 + source.Below(65536)),
          static_cast<uint32_t>(source.Below(3))};
}

inline Trace RandomTrace(Source& source, size_t operations) {
  Trace trace{source.Text(40), source.Text(40), RandomEnvironment(source), {}, {}};
  for (size_t i = 0; i < operations; ++i) {
    trace.operations.push_back(RandomOperation(source, source.Below(kCalls)));
  }
  const size_t outcomes = source.Coin() ? operations : source.Below(operations + 1);
  for (size_t i = 0; i < outcomes; ++i) trace.outcomes.push_back(RandomOutcome(source));
  return trace;
}

inline std::string ToText(const Trace& trace) {
  std::ostringstream out;
  WriteTrace(trace, out);
  return out.str();
}
inline std::string ToText(const Script& script) {
  std::ostringstream out;
  WriteScript(script, out);
  return out.str();
}
inline std::optional<Trace> TraceOf(const std::string& text, ParseError* error) {
  std::istringstream in(text);
  return ReadTrace(in, "t.jsonl", error);
}
inline std::optional<Script> ScriptOf(const std::string& text, ParseError* error) {
  std::istringstream in(text);
  return ReadScript(in, "s.script", error);
}

}  // namespace mapspec

#endif  // ORACLE_TRACE_JSON_RANDOM_H_
