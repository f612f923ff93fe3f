// SPDX-License-Identifier: MIT
#include "specs/scenario.h"

#include <algorithm>
#include <utility>

namespace mapspec {
namespace {

using ElementPair = std::pair<Bytes, Bytes>;

const BatchOutput* Batch(const Outcome& outcome) {
  const auto* boxed = std::get_if<Boxed<BatchOutput>>(&outcome.output);
  return boxed == nullptr ? nullptr : &**boxed;
}

const MapInfo* Info(const Outcome& outcome) {
  const auto* boxed = std::get_if<Boxed<MapInfo>>(&outcome.output);
  return boxed == nullptr ? nullptr : &**boxed;
}

// The first elements of a batch buffer, as many as `count` and whole ones only.
std::vector<Bytes> Split(const Bytes& buffer, size_t size, size_t count) {
  std::vector<Bytes> elements;
  for (size_t i = 0; i < count && size != 0 && (i + 1) * size <= buffer.size(); ++i) {
    elements.push_back(buffer.Slice(i * size, size));
  }
  return elements;
}

bool StartsWith(const Bytes& buffer, const Bytes& start) {
  return buffer.size() >= start.size() && buffer.Slice(0, start.size()) == start;
}

// Whether the buffer holds the poison from `offset` on.
bool IsPoisonFrom(const Bytes& buffer, size_t offset) {
  for (size_t i = offset; i < buffer.size(); ++i) {
    if (buffer[i] != PoisonByte(i)) return false;
  }
  return true;
}

std::vector<ElementPair> Pairs(const std::optional<std::vector<Bytes>>& keys,
                               const std::optional<std::vector<Bytes>>& values) {
  std::vector<ElementPair> pairs(keys ? keys->size() : values ? values->size() : 0);
  for (size_t i = 0; i < pairs.size(); ++i) {
    if (keys && i < keys->size()) pairs[i].first = (*keys)[i];
    if (values && i < values->size()) pairs[i].second = (*values)[i];
  }
  std::sort(pairs.begin(), pairs.end());
  return pairs;
}

bool MatchesElements(const StatedOutcome& stated, const BatchOutput& batch) {
  const auto take = [](const std::optional<std::vector<Bytes>>& elements, const Bytes& buffer,
                       std::optional<std::vector<Bytes>>* got) {
    if (!elements) return;
    *got = elements->empty() ? std::vector<Bytes>()
                             : Split(buffer, elements->front().size(), elements->size());
  };
  std::optional<std::vector<Bytes>> keys, values;
  take(stated.keys, batch.keys, &keys);
  take(stated.values, batch.values, &values);
  if (stated.any_order) return Pairs(stated.keys, stated.values) == Pairs(keys, values);
  return stated.keys == keys && stated.values == values;
}

bool MatchesBatch(const StatedOutcome& stated, const Outcome& outcome) {
  const Untouched& untouched = stated.untouched;
  const bool says = stated.count || stated.keys || stated.values || stated.out_batch ||
                    untouched.keys || untouched.values || untouched.out_batch;
  if (!says) return true;
  const BatchOutput* batch = Batch(outcome);
  if (batch == nullptr) return false;
  if (stated.count && batch->count != *stated.count) return false;
  if (stated.out_batch && !StartsWith(batch->out_batch, *stated.out_batch)) return false;
  if (untouched.keys && !IsPoisonFrom(batch->keys, StatedSize(stated.keys))) return false;
  if (untouched.values && !IsPoisonFrom(batch->values, StatedSize(stated.values))) return false;
  const size_t token = stated.out_batch ? stated.out_batch->size() : 0;
  if (untouched.out_batch && !IsPoisonFrom(batch->out_batch, token)) return false;
  return MatchesElements(stated, *batch);
}

template <typename Stated, typename Got>
bool Agrees(const std::optional<Stated>& stated, const Got& got) {
  return !stated || *stated == got;
}

bool MatchesInfo(const StatedOutcome& stated, const Outcome& outcome) {
  const StatedInfo& info = stated.info;
  const bool of_info = Info(outcome) != nullptr;
  if (info == StatedInfo{} && !of_info) return true;
  const MapInfo* got = Info(outcome);
  if (got == nullptr) return false;
  if (stated.nonzero_id && got->id == 0) return false;
  return Agrees(stated.number, got->id) && Agrees(info.type, got->type) &&
         Agrees(info.key_size, got->key_size) && Agrees(info.value_size, got->value_size) &&
         Agrees(info.max_entries, got->max_entries) && Agrees(info.map_flags, got->map_flags) &&
         Agrees(info.name, got->name) && Agrees(info.has_btf, got->has_btf) &&
         Agrees(info.btf_key_type_id, got->btf_key_type_id) &&
         Agrees(info.btf_value_type_id, got->btf_value_type_id) &&
         Agrees(info.map_extra, got->map_extra) && Agrees(info.info_len, got->info_len);
}

bool MatchesNumber(const StatedOutcome& stated, const Outcome& outcome) {
  if ((!stated.number && !stated.nonzero_id) || Info(outcome) != nullptr) return true;
  const auto* number = std::get_if<uint32_t>(&outcome.output);
  if (number == nullptr) return false;
  return Agrees(stated.number, *number) && (!stated.nonzero_id || *number != 0);
}

// Whether the call was given an output buffer for its value or next key.
bool HasOutputBuffer(const Operation& operation) {
  if (const auto* call = std::get_if<Lookup>(&operation.call)) {
    return call->value == Pointer::kValid;
  }
  if (const auto* call = std::get_if<LookupAndDelete>(&operation.call)) {
    return call->value == Pointer::kValid;
  }
  if (const auto* call = std::get_if<GetNextKey>(&operation.call)) {
    return call->next_key == Pointer::kValid;
  }
  if (const auto* call = std::get_if<HelperUpdate>(&operation.call)) return call->hold;
  if (const auto* call = std::get_if<HelperDelete>(&operation.call)) return call->hold;
  return std::holds_alternative<MemRead>(operation.call) ||
         std::holds_alternative<HelperLookup>(operation.call) ||
         std::holds_alternative<HelperPop>(operation.call) ||
         std::holds_alternative<HelperPeek>(operation.call) ||
         std::holds_alternative<HelperLookupPercpu>(operation.call);
}

// Of helpers that succeed, only bpf_for_each_map_elem() returns a number.
bool MatchesEnding(const StatedOutcome& stated, const Operation& operation,
                   const Outcome& outcome) {
  if (stated.returned) return ReturnedNumber(outcome) == *stated.returned;
  const bool program = IsProgramPath(operation.call);
  const Errno error = program ? HelperError(outcome) : outcome.error;
  switch (stated.result) {
    case StatedOutcome::Result::kOk:
      return error == Errno::kNone &&
             (outcome.result == 0 || std::holds_alternative<HelperForEach>(operation.call));
    case StatedOutcome::Result::kErrno:
      return error == stated.error;
    case StatedOutcome::Result::kAnyError:
      break;
  }
  return error != Errno::kNone;
}

bool MatchesOutput(const StatedOutcome& stated, const Operation& operation,
                   const Outcome& outcome) {
  const auto* bytes = std::get_if<Bytes>(&outcome.output);
  if (stated.output && (bytes == nullptr || *bytes != *stated.output)) return false;
  if (!stated.untouched.output || !HasOutputBuffer(operation)) return true;
  return bytes != nullptr && IsPoison(*bytes);
}

}  // namespace

size_t StatedSize(const std::optional<std::vector<Bytes>>& elements) {
  size_t size = 0;
  if (!elements) return size;
  for (const Bytes& element : *elements) size += element.size();
  return size;
}

bool StatedOutcome::StatesOutputs() const {
  return output || returned || count || out_batch || keys || values || number || nonzero_id ||
         untouched != Untouched{} || info != StatedInfo{};
}

int64_t ReturnedNumber(const Outcome& outcome) {
  return outcome.error == Errno::kNone ? outcome.result : -static_cast<int64_t>(outcome.error);
}

Errno HelperError(const Outcome& outcome) {
  constexpr int64_t kMaxErrno = 4095;
  const int64_t low_half = outcome.result - (int64_t{1} << 32);
  if (outcome.error != Errno::kNone || low_half < -kMaxErrno || low_half >= 0) return outcome.error;
  return static_cast<Errno>(-low_half);
}

bool HasProgramStep(const Scenario& scenario) {
  return std::any_of(scenario.steps.begin(), scenario.steps.end(),
                     [](const Step& step) { return IsProgramPath(step.operation.call); });
}

Script ToScript(const Scenario& scenario) {
  Script script{scenario.id, {}};
  for (const Step& step : scenario.steps) script.operations.push_back(step.operation);
  return script;
}

bool Matches(const StatedOutcome& stated, const Operation& operation, const Outcome& outcome) {
  const Completion completion = stated.refused ? Completion::kRefused : Completion::kReturned;
  if (outcome.completion != completion) return false;
  return MatchesEnding(stated, operation, outcome) && MatchesOutput(stated, operation, outcome) &&
         MatchesBatch(stated, outcome) && MatchesNumber(stated, outcome) &&
         (stated.result != StatedOutcome::Result::kOk || MatchesInfo(stated, outcome));
}

MatchResult Match(const StatedOutcomes& stated, const Operation& operation,
                  const Outcome& outcome) {
  MatchResult result;
  for (const StatedOutcome& alternative : stated.alternatives) {
    if (!Matches(alternative, operation, outcome)) continue;
    result.matches = true;
    return result;
  }
  result.expected = Describe(stated, operation);
  result.got = DescribeOutcome(operation, outcome);
  return result;
}

}  // namespace mapspec
