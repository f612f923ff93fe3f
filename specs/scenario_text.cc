// SPDX-License-Identifier: MIT
//
// Stated and actual outcomes in words, for the text "expected ..., got ...".
#include <algorithm>

#include "specs/scenario.h"

namespace mapspec {
namespace {

// Bytes of a buffer that a line shows.
constexpr size_t kShown = 32;

std::string Hex(const Bytes& bytes) {
  if (bytes.size() <= kShown) return bytes.ToHex();
  return bytes.Slice(0, kShown).ToHex() + "... (" + std::to_string(bytes.size()) + " bytes)";
}

std::string Buffer(const Bytes& bytes) {
  return !bytes.empty() && IsPoison(bytes) ? "untouched" : Hex(bytes);
}

std::string List(const std::vector<Bytes>& elements) {
  std::string list = "[";
  for (const Bytes& element : elements) list += (list.size() == 1 ? "" : ", ") + Hex(element);
  return list + "]";
}

std::string OutputName(const Operation& operation) {
  return std::holds_alternative<GetNextKey>(operation.call) ? "next_key" : "value";
}

// "success with value 0x01 and count 2"
class Sentence {
 public:
  explicit Sentence(std::string start) : text_(std::move(start)) {}
  void Add(const std::string& part) {
    text_ += (first_ ? " with " : ", ") + part;
    first_ = false;
  }
  template <typename T>
  void AddNumber(std::string_view name, const std::optional<T>& number) {
    if (number) Add(std::string(name) + " " + std::to_string(*number));
  }
  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
  bool first_ = true;
};

void AddInfo(const StatedInfo& info, Sentence* sentence) {
  sentence->AddNumber("type", info.type);
  sentence->AddNumber("key_size", info.key_size);
  sentence->AddNumber("value_size", info.value_size);
  sentence->AddNumber("max_entries", info.max_entries);
  if (info.map_flags) {
    sentence->Add("map_flags " + FlagsToString(*info.map_flags, MapCreateFlags()));
  }
  if (info.name) sentence->Add("name \"" + *info.name + "\"");
  if (info.has_btf) sentence->Add(*info.has_btf ? "a btf_id" : "no btf_id");
  sentence->AddNumber("btf_key_type_id", info.btf_key_type_id);
  sentence->AddNumber("btf_value_type_id", info.btf_value_type_id);
  sentence->AddNumber("map_extra", info.map_extra);
  sentence->AddNumber("info_len", info.info_len);
}

void AddGot(const MapInfo& info, Sentence* sentence) {
  AddInfo(
      {info.type, info.key_size, info.value_size, info.max_entries, info.map_flags, info.name,
       info.has_btf, info.btf_key_type_id, info.btf_value_type_id, info.map_extra, info.info_len},
      sentence);
  sentence->Add("id " + std::to_string(info.id));
}

}  // namespace

std::string Describe(const StatedOutcome& stated, const Operation& operation) {
  const std::string ending = stated.result == StatedOutcome::Result::kOk ? "success"
                             : stated.result == StatedOutcome::Result::kErrno
                                 ? ErrnoName(stated.error)
                                 : "any error";
  Sentence sentence(stated.refused ? "a program refused at load with " + ending : ending);
  sentence.AddNumber("result", stated.returned);
  const std::string output = OutputName(operation);
  if (stated.output) sentence.Add(output + " " + Hex(*stated.output));
  if (stated.untouched.output) sentence.Add(output + " untouched");
  sentence.AddNumber("count", stated.count);
  const std::string order = stated.any_order ? " in any order" : "";
  if (stated.keys) sentence.Add("keys " + List(*stated.keys) + order);
  const auto untouched = [&](const std::string& name, bool states) {
    sentence.Add((states ? "the rest of " : "") + name + " untouched");
  };
  if (stated.untouched.keys) untouched("keys", StatedSize(stated.keys) != 0);
  if (stated.values) sentence.Add("values " + List(*stated.values) + order);
  if (stated.untouched.values) untouched("values", StatedSize(stated.values) != 0);
  if (stated.out_batch) sentence.Add("out_batch " + Hex(*stated.out_batch));
  if (stated.untouched.out_batch) untouched("out_batch", stated.out_batch.has_value());
  sentence.AddNumber(std::holds_alternative<Poll>(operation.call) ? "revents" : "id",
                     stated.number);
  if (stated.nonzero_id) sentence.Add("an id that is not 0");
  AddInfo(stated.info, &sentence);
  return sentence.Take();
}

std::string Describe(const StatedOutcomes& stated, const Operation& operation) {
  std::string text;
  for (const StatedOutcome& alternative : stated.alternatives) {
    text += (text.empty() ? "" : " or ") + Describe(alternative, operation);
  }
  return text;
}

std::string DescribeOutcome(const Operation& operation, const Outcome& outcome) {
  const std::string detail = outcome.detail.empty() ? "" : ": " + outcome.detail;
  switch (outcome.completion) {
    case Completion::kReturned:
      break;
    case Completion::kNotRun:
      return "no run" + detail;
    case Completion::kOverran:
      return "a write outside the output buffers" + detail;
    case Completion::kCrashed:
      return "a crash" + detail;
    case Completion::kHung:
      return "no return in time" + detail;
    case Completion::kRefused:
      return "a program refused at load with " + std::string(ErrnoName(outcome.error)) + detail;
  }
  Sentence sentence(outcome.error == Errno::kNone ? "success" : ErrnoName(outcome.error));
  const bool counts = std::holds_alternative<HelperForEach>(operation.call);
  if (outcome.result != 0 || (counts && outcome.error == Errno::kNone)) {
    const Errno half = HelperError(outcome);
    sentence.Add("result " + std::to_string(outcome.result) +
                 (half == Errno::kNone ? "" : ", the low 32 bits of -" + ErrnoName(half)));
  }
  if (const auto* bytes = std::get_if<Bytes>(&outcome.output)) {
    sentence.Add(OutputName(operation) + " " + Buffer(*bytes));
  } else if (const auto* number = std::get_if<uint32_t>(&outcome.output)) {
    sentence.Add((std::holds_alternative<Poll>(operation.call) ? "revents " : "id ") +
                 std::to_string(*number));
  } else if (const auto* batch = std::get_if<Boxed<BatchOutput>>(&outcome.output)) {
    const bool lookup = std::holds_alternative<LookupBatch>(operation.call);
    sentence.Add("count " + std::to_string((*batch)->count));
    if (lookup || std::holds_alternative<HelperForEach>(operation.call)) {
      sentence.Add("keys " + Buffer((*batch)->keys));
      sentence.Add("values " + Buffer((*batch)->values));
    }
    if (lookup) sentence.Add("out_batch " + Buffer((*batch)->out_batch));
  } else if (const auto* info = std::get_if<Boxed<MapInfo>>(&outcome.output)) {
    AddGot(**info, &sentence);
  }
  return sentence.Take();
}

}  // namespace mapspec
