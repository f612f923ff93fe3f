// SPDX-License-Identifier: MIT
#include "oracle/allowed.h"

#include <algorithm>
#include <set>
#include <type_traits>

#include "oracle/allowed_prober.h"

namespace mapspec {

bool BytePattern::Matches(const Bytes& got) const {
  if (mask.empty() || got.size() != bytes.size()) return got == bytes;
  for (size_t i = 0; i < got.size(); ++i) {
    if (mask[i] != 0 && got[i] != bytes[i]) return false;
  }
  return true;
}

namespace {

bool Contains(const auto& list, const auto& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

// Whether the first `count` elements of the buffers are different ones of `allowed`.
bool AreElements(const std::vector<AllowedElement>& allowed, const BatchOutput& output) {
  if (output.count == 0) return IsPoison(output.keys) && IsPoison(output.values);
  if (allowed.empty()) return false;
  const size_t key_size = allowed[0].key.size();
  const size_t value_size = allowed[0].value.bytes.size();
  if (output.keys.size() < output.count * key_size ||
      output.values.size() < output.count * value_size) {
    return false;
  }
  std::vector<bool> given(allowed.size());
  for (size_t n = 0; n < output.count; ++n) {
    size_t i = 0;
    const Bytes key = output.keys.Slice(n * key_size, key_size);
    while (i < allowed.size() && (given[i] || !(allowed[i].key == key))) ++i;
    if (i == allowed.size()) return false;
    given[i] = true;
    if (!allowed[i].value.Matches(output.values.Slice(n * value_size, value_size))) return false;
  }
  const auto untouched = [](const Bytes& bytes, size_t from) {
    for (size_t i = from; i < bytes.size(); ++i) {
      if (bytes[i] != PoisonByte(i)) return false;
    }
    return true;
  };
  return untouched(output.keys, output.count * key_size) &&
         untouched(output.values, output.count * value_size);
}

}  // namespace

bool AllowedOutcome::Takes(const Outcome& outcome) const {
  if (outcome.completion != Completion::kReturned && outcome.completion != Completion::kRefused) {
    return false;
  }
  if (refused != (outcome.completion == Completion::kRefused)) return false;
  if (!Contains(errors, outcome.error) && !(any_error && outcome.error != Errno::kNone)) {
    return false;
  }
  if (outcome.result != result.value_or(0)) return false;
  if (!outputs.empty()) {
    const auto* bytes = std::get_if<Bytes>(&outcome.output);
    if (bytes == nullptr || std::none_of(outputs.begin(), outputs.end(), [&](const auto& pattern) {
          return pattern.Matches(*bytes);
        })) {
      return false;
    }
  }
  const auto* told = std::get_if<uint32_t>(&outcome.output);
  if (number && (told == nullptr || *told != *number)) return false;
  if (id_between && (told == nullptr || *told <= id_between->first ||
                     (id_between->second != 0 && *told > id_between->second))) {
    return false;
  }
  if (const auto* batch = std::get_if<Boxed<BatchOutput>>(&outcome.output)) {
    const BatchOutput& output = **batch;
    if (count && output.count != *count) return false;
    if (buffers &&
        !(buffers->out_batch.Matches(output.out_batch) && buffers->keys.Matches(output.keys) &&
          buffers->values.Matches(output.values))) {
      return false;
    }
    if (elements && !AreElements(*elements, output)) return false;
  }
  const auto* boxed = std::get_if<Boxed<MapInfo>>(&outcome.output);
  return info_fields == 0 ||
         (boxed != nullptr && (DifferingFields(info, **boxed) & info_fields) == 0);
}

bool AllowedOutcomes::Takes(const Outcome& outcome) const {
  return std::any_of(any_of.begin(), any_of.end(),
                     [&](const AllowedOutcome& allowed) { return allowed.Takes(outcome); });
}

AllowedOutcomes FindAllowed(const AllowedQuestion& question) {
  AllowedProber prober(question);
  AllowedOutcomes allowed;
  allowed.any_of = prober.Find();
  allowed.exact = !allowed.any_of.empty() && !prober.incomplete() && !allowed.Takes(question.seen);
  return allowed;
}

}  // namespace mapspec
