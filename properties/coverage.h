// SPDX-License-Identifier: MIT
//
// Coverage: how often each cell (map type × operation × flag class × outcome) was seen. Counting
// costs a few nanoseconds an operation: cells are places in an array, and have names only in
// reports. Which cells a run must reach is data (reachable_cells.txt); see CellTable.
// Thread-safety: one thread at a time for each object; Merge brings several together.
#ifndef PROPERTIES_COVERAGE_H_
#define PROPERTIES_COVERAGE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "oracle/trace.h"

namespace mapspec {

// One cell by its place. Names are made by CellName.
struct Cell {
  uint16_t type = 0;       // Dense number of a map type; 0 for "no map".
  uint16_t operation = 0;  // Index of the alternative of Call; LookupBatch counts twice.
  uint16_t flags = 0;      // Flag class, the operation's own numbering.
  uint16_t outcome = 0;    // Dense number of an errno; 0 is success.
  friend auto operator<=>(const Cell&, const Cell&) = default;
};
// "HASH BPF_MAP_UPDATE_ELEM BPF_NOEXIST EEXIST"
std::string CellName(const Cell& cell);

// The cell of each operation that has an outcome; nullopt for those that were not run.
std::vector<std::optional<Cell>> CellsOf(std::span<const Operation> operations,
                                         std::span<const Outcome> outcomes);

class Coverage {
 public:
  Coverage();
  // Counts the operations that have an outcome, following handles from operation to operation.
  void Add(std::span<const Operation> operations, std::span<const Outcome> outcomes);
  void Add(const Trace& trace) { Add(trace.operations, trace.outcomes); }
  void Merge(const Coverage& other);

  uint64_t Count(const Cell& cell) const;
  // Every cell that was seen, by name.
  std::map<std::string, uint64_t> Counts() const;
  uint64_t operations() const { return operations_; }

 private:
  std::vector<uint32_t> counts_;
  uint64_t operations_ = 0;
};

}  // namespace mapspec

#endif  // PROPERTIES_COVERAGE_H_
