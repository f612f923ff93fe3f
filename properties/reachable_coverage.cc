// SPDX-License-Identifier: MIT
#include "properties/reachable_coverage.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "properties/random_scripts.h"

namespace mapspec {
namespace {

constexpr char kRecorded[] =
#include "properties/reachable_cells.inc"
    ;

std::string_view Trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// Takes what stands before the separator off the text.
std::string_view Take(std::string_view* text, char separator) {
  const size_t end = text->find(separator);
  const std::string_view part = text->substr(0, end);
  text->remove_prefix(end == std::string_view::npos ? text->size() : end + 1);
  return Trim(part);
}

CapabilitySet ParseCapabilities(std::string_view text) {
  CapabilitySet set;
  while (!text.empty()) {
    const std::string_view name = Take(&text, ',');
    for (size_t i = 0; i < set.size(); ++i) {
      if (CapabilityName(static_cast<Capability>(i)) == name) set.set(i);
    }
  }
  return set;
}

std::string Listed(const std::vector<std::string>& names, size_t most) {
  std::string text;
  for (size_t i = 0; i < names.size() && i < most; ++i) text += (i == 0 ? "" : "; ") + names[i];
  if (names.size() > most) text += "; and " + std::to_string(names.size() - most) + " more";
  return text;
}

}  // namespace

uint64_t CoverageOperations(MapType type) {
  PropertyOptions normal;
  normal.effort = Effort::kNormal;
  return RandomOperations({type}, normal);
}

std::vector<ReachableCell> ParseReachableCells(std::string_view text, std::string_view profile) {
  std::vector<ReachableCell> cells;
  bool wanted = false;
  while (!text.empty()) {
    std::string_view line = Take(&text, '\n');
    if (line.empty() || line.starts_with('#')) continue;
    if (line.starts_with("profile ")) {
      wanted = line.substr(8) == profile;
      continue;
    }
    if (!wanted) continue;
    ReachableCell cell;
    cell.name = Take(&line, ',');
    const std::string_view hits = Take(&line, ',');
    std::from_chars(hits.data(), hits.data() + hits.size(), cell.hits);  // "rare": stays 0.
    cell.needs = ParseCapabilities(line);
    cells.push_back(std::move(cell));
  }
  return cells;
}

std::vector<ReachableCell> ReachableCells(std::string_view profile) {
  return ParseReachableCells({kRecorded, sizeof(kRecorded) - 1}, profile);
}

bool HasRequiredCells(std::span<const ReachableCell> cells, std::string_view type) {
  const std::string prefix = std::string(type) + " ";
  return std::any_of(cells.begin(), cells.end(), [&](const ReachableCell& cell) {
    return cell.required() && cell.name.starts_with(prefix);
  });
}

CoverageGaps CompareCoverage(const Coverage& coverage, std::string_view type,
                             std::span<const ReachableCell> cells,
                             const CapabilitySet& capabilities) {
  CoverageGaps gaps;
  const std::map<std::string, uint64_t> counts = coverage.Counts();
  const std::string prefix = std::string(type) + " ";
  std::set<std::string_view> known;
  for (const ReachableCell& cell : cells) {
    if (!cell.name.starts_with(prefix)) continue;
    known.insert(cell.name);
    const bool possible = (cell.needs & ~capabilities).none();
    if (cell.required() && possible && !counts.contains(cell.name)) gaps.empty.push_back(cell.name);
  }
  for (const auto& [name, count] : counts) {
    if (name.starts_with(prefix) && !known.contains(name)) gaps.unknown.push_back(name);
  }
  return gaps;
}

PropertyResult RunReachableCoverage(std::string_view id, MapType type, Backend& backend,
                                    const Profile& profile, const PropertyOptions& options) {
  PropertyResult result;
  result.id = id;
  const std::vector<ReachableCell> cells = ReachableCells(profile.name);
  if (options.effort == Effort::kQuick) {
    result.skipped = true;
    result.reason = "coverage is required from effort normal on";
    return result;
  }
  const std::string name = MapTypeName(type).substr(sizeof("BPF_MAP_TYPE_") - 1);
  if (!HasRequiredCells(cells, name)) {
    result.skipped = true;
    result.reason =
        "no list of reachable cells of " + name + " was recorded for profile " + profile.name;
    return result;
  }
  Coverage coverage;
  PropertyOptions own = options;
  own.operations = CoverageOperations(type);
  own.coverage = &coverage;
  result = RunRandomScripts(id, {type}, Paths::kBoth, backend, profile, own);
  if (options.coverage != nullptr) options.coverage->Merge(coverage);
  // A run that ended early says nothing about what is missing.
  if (!result.passed || result.skipped || !result.complete) return result;
  const CoverageGaps gaps = CompareCoverage(coverage, name, cells, backend.capabilities());
  if (!gaps.unknown.empty()) {
    result.detail += "; new cells: " + Listed(gaps.unknown, 20);
  }
  if (!gaps.empty.empty()) {
    result.passed = false;
    result.reason = "reachable cells stayed empty: " + Listed(gaps.empty, 20);
  }
  return result;
}

}  // namespace mapspec
