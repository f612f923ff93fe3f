// SPDX-License-Identifier: MIT
//
// What a run is going to do: the tests, in order, as values. Made once from the specification, the
// properties, the filter and the shard; the same input gives the same plan on every machine, so
// that ids and shards are stable. Ownership: scenarios belong to the Specs that the plan was made
// from, which must live longer.
#ifndef RUNNERS_RUN_PLAN_H_
#define RUNNERS_RUN_PLAN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "oracle/clause.h"
#include "properties/property.h"
#include "runners/deviations.h"
#include "runners/glob.h"
#include "specs/spec.h"

namespace mapspec {

struct PlannedTest {
  std::string id;
  std::string clause;                  // "" for a property.
  const Scenario* scenario = nullptr;  // nullptr for a property.
  Level level = Level::kObserved;      // Of the clause.
  const Property* property = nullptr;
  std::string file;  // Where the scenario stands.
  int line = 0;
};

struct RunOptions {
  std::vector<std::string> backends;
  std::string profile;  // "": each backend's own.
  uint64_t seed = 0;
  Effort effort = Effort::kNormal;
  unsigned jobs = 0;  // Worker processes of each backend; 0: see WorkersFor.
  unsigned shard = 1, shards = 1;
  std::string out = "mapspec-out";
  std::vector<std::string> specs;  // As given; for the lines that show a failure again.
  bool shrink = true;
  bool every_test = false;
  bool emulated = false;  // See PropertyOptions.
  // Ends the run at the first failing test (mutants: one kill is enough).
  bool stop_at_first = false;
  std::vector<Deviation> deviations;
  std::vector<std::string> gtest_flags;
};

// Scenarios in the order of the files, then properties. Of several shards, those tests that fall
// into `options.shard`: the scenarios of one clause stay together.
std::vector<PlannedTest> MakePlan(const Specs& specs, const Filter& filter,
                                  const RunOptions& options);
// Worker processes for this backend. A kernel lets callers wait (for programs that may still use
// what is deleted) rather than work: many workers wait at the same time.
unsigned WorkersFor(const RunOptions& options, const std::string& backend);
// Every id (of clauses and of tests), for messages.
std::vector<std::string> AllIds(const Specs& specs);
// Every clause that a run may find broken: those of `specs`, and the oracle's own, which judges
// whatever the scenarios are.
std::vector<std::string> ClauseIds(const Specs& specs);
// The level of a clause of `specs`.
Level LevelOf(const Specs& specs, std::string_view clause);

}  // namespace mapspec

#endif  // RUNNERS_RUN_PLAN_H_
