// SPDX-License-Identifier: MIT
//
// The part of Answers for helpers.
#include <algorithm>

#include "specs/answer_parts.h"
#include "specs/answers.h"

namespace mapspec {
namespace {

// The map whose value the program reads or takes; nullopt where it gets none.
std::optional<Handle> GivesValueOf(const Call& call) {
  if (const auto* op = std::get_if<HelperLookup>(&call)) return op->map;
  if (const auto* op = std::get_if<HelperLookupInner>(&call)) return op->map;
  if (const auto* op = std::get_if<HelperPop>(&call)) return op->map;
  if (const auto* op = std::get_if<HelperPeek>(&call)) return op->map;
  if (const auto* op = std::get_if<HelperLookupPercpu>(&call)) return op->map;
  if (const auto* op = std::get_if<HelperUpdate>(&call); op != nullptr && op->hold) return op->map;
  if (const auto* op = std::get_if<HelperDelete>(&call); op != nullptr && op->hold) return op->map;
  return std::nullopt;
}

}  // namespace

std::vector<Outcome> Answers::ForHelper(const StatedOutcome& stated, const Operation& operation,
                                        const Checker& checker) const {
  if (stated.refused) return Endings(stated, operation);
  if (const auto* op = std::get_if<HelperForEach>(&operation.call)) {
    return ForWalk(stated, operation, *op, checker);
  }
  const std::optional<Handle> map = GivesValueOf(operation.call);
  if (!map) return Endings(stated, operation);
  const KnownMap* known = MapAt(*map);
  const bool inner = std::holds_alternative<HelperLookupInner>(operation.call) && known != nullptr;
  const size_t size =
      std::min<size_t>(inner ? known->inner_value_size : ValueSize(*map), kMaxBuffer);
  std::vector<Outcome> outcomes;
  for (Outcome ending : Endings(stated, operation)) {
    std::vector<Bytes> buffers;
    if (stated.output) {
      buffers = {*stated.output};
    } else if (stated.untouched.output) {
      buffers = {Poison(size)};
    } else {
      // A pointer that was held shows a value though the call fails; a pop that fails may leave
      // zeros.
      if (const auto asked = Asked(operation, size, checker, ending)) AddOnce(*asked, &buffers);
      AddOnce(Poison(size), &buffers);
      for (const Bytes& written : KnownBytes(values_, size)) AddOnce(written, &buffers);
    }
    for (const Bytes& buffer : buffers) {
      ending.output = buffer;
      outcomes.push_back(ending);
    }
  }
  return outcomes;
}

void Answers::NoteHelper(const Call& call) {
  const auto learn = [](const Bytes& bytes, std::set<Bytes>* known) {
    if (!bytes.empty()) known->insert(bytes);
  };
  if (const auto* op = std::get_if<HelperUpdate>(&call)) {
    learn(op->key, &keys_);
    learn(op->value, &values_);
  }
  if (const auto* op = std::get_if<HelperLookup>(&call)) {
    learn(op->key, &keys_);
    learn(op->value, &values_);
  }
  if (const auto* op = std::get_if<HelperLookupInner>(&call)) learn(op->value, &values_);
  if (const auto* op = std::get_if<HelperPush>(&call)) learn(op->value, &values_);
}

}  // namespace mapspec
