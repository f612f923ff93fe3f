// SPDX-License-Identifier: MIT
//
// What changed between two files of results: clauses and properties that have another status,
// appeared or vanished. Ownership: a Comparison points into the runs it was made from, which must
// live longer. Thread-safety: plain functions, any thread.
#ifndef RUNNERS_COMPARISON_H_
#define RUNNERS_COMPARISON_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runners/results.h"
#include "runners/results_file.h"

namespace mapspec {

// In the order in which they are told.
enum class ChangeKind : uint8_t {
  kRegression,   // Something that held is broken, or is not known to hold any more.
  kImprovement,  // Something holds that did not, or that nobody had asked about.
  kOther,
};

// The runs of one backend under one profile, before and after. Either is nullptr where only the
// other file has it.
struct ComparedRuns {
  const RecordedRun* before = nullptr;
  const RecordedRun* after = nullptr;
};

struct Change {
  ChangeKind kind = ChangeKind::kOther;
  size_t runs = 0;  // Index into Comparison::runs.
  std::string id;   // Of a clause or property; "" for a whole run that appeared or vanished.
  std::optional<Status> before, after;  // Nothing: it was not there.
  std::string reason;                   // Why it is as it is now, or what was wrong before.
};

struct Comparison {
  std::vector<ComparedRuns> runs;  // In the order of the old file, then what only the new one has.
  std::vector<Change> changes;     // By kind, then the worst first, then by run and id.
  size_t clauses = 0, properties = 0;  // That were held against each other.

  size_t Count(ChangeKind kind) const;
};

// Nothing where no result was there before, or is there after. What passed must go on to; a listed
// deviation and what was skipped must not break in another way.
ChangeKind KindOfChange(std::optional<Status> before, std::optional<Status> after);

// Runs belong together when backend and profile are the same, with a record the profile (of several, the first with the first
// and so on), or when each file has just one. nullopt when no two belong together.
std::optional<Comparison> Compare(const std::vector<RecordedRun>& before,
                                  const std::vector<RecordedRun>& after);

// "kernel 6.1.0 (linux-6.1)"
std::string ComparedName(const RecordedRun& run);

}  // namespace mapspec

#endif  // RUNNERS_COMPARISON_H_
