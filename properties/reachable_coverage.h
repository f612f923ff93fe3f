// SPDX-License-Identifier: MIT
//
// The properties `coverage.TYPE`: random scripts of normal effort must reach every coverage cell
// that is known to be reachable. An empty cell means that the generator lost something or that the
// implementation never answers so.
//
// Which cells those are is data, reachable_cells.inc, written by record_reachable_cells from runs
// on real implementations, for each profile of which one was at hand. Only cells which every run
// reached often are required (kRequiredHits on average and kLeastHits in the worst of the runs),
// and in many scripts (kRequiredScripts; hits come in clusters): the chance that one stays empty is
// below one in a million runs. The others are listed as rare, so that what is in neither list can
// be told as new.
#ifndef PROPERTIES_REACHABLE_COVERAGE_H_
#define PROPERTIES_REACHABLE_COVERAGE_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backends/capability.h"
#include "properties/property.h"

namespace mapspec {

// The operations of one run, the same for recording and for checking: as many as random scripts of
// normal effort have.
uint64_t CoverageOperations(MapType type);
// Hits in a run of that length: the average and the least from which on a cell is required.
inline constexpr uint32_t kRequiredHits = 40;
inline constexpr uint32_t kLeastHits = 10;
// And in how many scripts of it on average, at least: e^-16 is one in nine millions.
inline constexpr uint32_t kRequiredScripts = 16;

struct ReachableCell {
  std::string name;   // As CellName writes it.
  uint32_t hits = 0;  // On average; 0 for rare cells.
  CapabilitySet needs;
  bool required() const { return hits != 0; }
};

// The rows of a text, and of the recorded one. Rows of other profiles are left out.
std::vector<ReachableCell> ParseReachableCells(std::string_view text, std::string_view profile);
std::vector<ReachableCell> ReachableCells(std::string_view profile);
// Whether there are required cells of a map type (its name in upper case) among them.
bool HasRequiredCells(std::span<const ReachableCell> cells, std::string_view type);

// What coverage lacks and what is new in it, for cells of a map type (its name in upper case).
struct CoverageGaps {
  std::vector<std::string> empty;
  std::vector<std::string> unknown;
};
CoverageGaps CompareCoverage(const Coverage& coverage, std::string_view type,
                             std::span<const ReachableCell> cells,
                             const CapabilitySet& capabilities);

PropertyResult RunReachableCoverage(std::string_view id, MapType type, Backend& backend,
                                    const Profile& profile, const PropertyOptions& options);

}  // namespace mapspec

#endif  // PROPERTIES_REACHABLE_COVERAGE_H_
