// SPDX-License-Identifier: MIT
#include "specs/answer_parts.h"

#include <algorithm>
#include <cstring>

#include "specs/field_reader.h"

namespace mapspec {

std::vector<Outcome> Endings(const StatedOutcome& stated, const Operation& operation) {
  std::vector<Errno> errors;
  if (stated.result == StatedOutcome::Result::kAnyError) {
    for (const std::string& name : ErrnoNames()) errors.push_back(*ParseErrno(name));
  } else {
    errors.push_back(stated.error);
  }
  const bool helper_ran = IsProgramPath(operation.call) && !stated.refused;
  std::vector<Outcome> endings;
  const auto add = [&](Errno error, int64_t result) {
    Outcome& ending = endings.emplace_back();
    ending.completion = stated.refused ? Completion::kRefused : Completion::kReturned;
    ending.error = error;
    ending.result = result;
  };
  for (const Errno error : errors) {
    add(error, error == Errno::kNone ? stated.returned.value_or(0) : 0);
    if (!helper_ran || error == Errno::kNone || stated.returned) continue;
    add(Errno::kNone, (int64_t{1} << 32) - static_cast<int64_t>(error));
  }
  return endings;
}

void AddOnce(const Bytes& bytes, std::vector<Bytes>* list) {
  if (std::find(list->begin(), list->end(), bytes) == list->end()) list->push_back(bytes);
}

std::optional<Bytes> Asked(const Operation& operation, size_t size, const Checker& checker,
                           const Outcome& ending) {
  for (const uint8_t fill : {uint8_t{0x5c}, uint8_t{0xc5}}) {
    Outcome wrong = ending;
    wrong.output = Bytes(size, fill);
    Checker copy = checker;
    const Judgement& judgement = copy.Step(operation, wrong);
    if (judgement.kind == Judgement::Kind::kViolation && judgement.expected_bytes.size() == size) {
      return judgement.expected_bytes;
    }
  }
  return std::nullopt;
}

Bytes Overlaid(Bytes buffer, const std::vector<Bytes>& elements) {
  size_t offset = 0;
  for (const Bytes& element : elements) {
    if (offset + element.size() > buffer.size()) break;
    if (!element.empty()) std::memcpy(buffer.data() + offset, element.data(), element.size());
    offset += element.size();
  }
  return buffer;
}

}  // namespace mapspec
