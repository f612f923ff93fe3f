// SPDX-License-Identifier: MIT
#include "runners/fuzz_differences.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "oracle/trace_json.h"

namespace mapspec {
namespace {

std::string Line(std::string text) {
  constexpr size_t kLongest = 240;
  if (text.size() > kLongest) text = text.substr(0, kLongest) + "…";
  return text;
}

uint64_t Packed(const Differences::Seen& seen) {
  return uint64_t{seen.cell.type} << 48 | uint64_t{seen.cell.operation} << 40 |
         uint64_t{static_cast<uint16_t>(seen.clause)} << 16 |
         static_cast<uint64_t>(seen.backend & 0xff) << 8 | static_cast<uint64_t>(seen.how);
}

bool OnlyIdDiffers(const Output& a, const Output& b) {
  const auto* first = std::get_if<Boxed<MapInfo>>(&a);
  const auto* second = std::get_if<Boxed<MapInfo>>(&b);
  if (first == nullptr || second == nullptr) return false;
  MapInfo same = **first;
  same.id = (*second)->id;
  return same == **second;
}

// The values of maps of maps are ids; keys and counts are not.
bool OnlyValuesDiffer(const Output& a, const Output& b) {
  const auto* first = std::get_if<Boxed<BatchOutput>>(&a);
  const auto* second = std::get_if<Boxed<BatchOutput>>(&b);
  if (first == nullptr || second == nullptr) return false;
  return (*first)->count == (*second)->count && (*first)->keys == (*second)->keys &&
         (*first)->out_batch == (*second)->out_batch;
}

}  // namespace

std::string_view DifferenceName(Difference difference) {
  static constexpr std::string_view kNames[] = {"none", "error", "output", "ids", "unpromised"};
  return kNames[static_cast<size_t>(difference)];
}

Difference Compare(const Operation& operation, bool of_maps, const Outcome& a, const Outcome& b) {
  if (a.completion != b.completion || a.error != b.error || a.result != b.result) {
    return Difference::kError;
  }
  if (a.output == b.output) return Difference::kNone;
  const Call& call = operation.call;
  if (std::holds_alternative<GetNextId>(call) || OnlyIdDiffers(a.output, b.output)) {
    return Difference::kIds;
  }
  const bool reads_value =
      std::holds_alternative<Lookup>(call) || std::holds_alternative<LookupAndDelete>(call);
  if (of_maps && (reads_value || OnlyValuesDiffer(a.output, b.output))) return Difference::kIds;
  return Difference::kOutput;
}

void Differences::Add(const Seen& seen, uint64_t script, uint64_t operation, const Operation& call,
                      const Outcome& first, const Outcome& second) {
  const uint64_t key = Packed(seen);
  auto place = counts_.find(key);
  if (place == counts_.end()) {
    if (counts_.size() >= kMaxKinds) return;
    place = counts_.emplace(key, std::pair(seen, DifferenceCount())).first;
  }
  DifferenceCount& count = place->second.second;
  ++count.count;
  if (count.examples.size() >= kExamples) return;
  count.examples.push_back({script, operation, Line(OperationToJson(call)),
                            Line(OutcomeToJson(first)), Line(OutcomeToJson(second))});
}

Differences::Named Differences::Names(const std::vector<std::string>& selectors) const {
  Named named;
  for (const auto& [key, entry] : counts_) {
    const auto& [seen, count] = entry;
    // The name of a cell begins with the map type and the operation.
    const std::string name = CellName(seen.cell);
    const size_t end = name.find(' ', name.find(' ') + 1);
    DifferenceKind kind;
    kind.between = selectors[0] + " | " + selectors[seen.backend];
    kind.where = name.substr(0, end);
    kind.clause = seen.clause == kNoClause ? "" : std::string(GetClause(seen.clause).id);
    kind.how = seen.how;
    MergeDifferences({{kind, count}}, &named);
  }
  return named;
}

void MergeDifferences(const Differences::Named& more, Differences::Named* sum) {
  for (const auto& [kind, count] : more) {
    DifferenceCount& total = (*sum)[kind];
    total.count += count.count;
    auto& examples = total.examples;
    examples.insert(examples.end(), count.examples.begin(), count.examples.end());
    std::sort(examples.begin(), examples.end(), [](const auto& a, const auto& b) {
      return std::tie(a.script, a.operation) < std::tie(b.script, b.operation);
    });
    if (examples.size() > Differences::kExamples) examples.resize(Differences::kExamples);
  }
}

}  // namespace mapspec
