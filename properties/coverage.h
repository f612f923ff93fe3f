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
#include <memory>
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
// The first cell of each name.
std::map<std::string, Cell> CellsByName();

// The cell of each operation that has an outcome; nullopt for those that were not run.
std::vector<std::optional<Cell>> CellsOf(std::span<const Operation> operations,
                                         std::span<const Outcome> outcomes);

// Finds the cell of one operation after the other of one script, following handles; scripts may
// come in pieces.
class CellFinder {
 public:
  CellFinder();
  ~CellFinder();
  CellFinder(CellFinder&&) noexcept;
  CellFinder& operator=(CellFinder&&) noexcept;
  void Restart();  // Another script follows.
  // Of an operation that was run.
  Cell Next(const Operation& operation, const Outcome& outcome);

 private:
  struct Tracker;
  std::unique_ptr<Tracker> tracker_;
};

class Coverage {
 public:
  Coverage();
  void Add(const Cell& cell, uint64_t count = 1);
  // Counts the operations that have an outcome, following handles from operation to operation.
  void Add(std::span<const Operation> operations, std::span<const Outcome> outcomes);
  void Add(const Trace& trace) { Add(trace.operations, trace.outcomes); }
  void Merge(const Coverage& other);
  void Clear();

  uint64_t Count(const Cell& cell) const;
  // Every cell that was seen, by name.
  std::map<std::string, uint64_t> Counts() const;
  uint64_t operations() const { return operations_; }
  // How many cells were seen.
  uint64_t cells() const { return cells_; }

 private:
  std::vector<uint64_t> counts_;
  uint64_t cells_ = 0;
  uint64_t operations_ = 0;
};

}  // namespace mapspec

#endif  // PROPERTIES_COVERAGE_H_
