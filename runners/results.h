// SPDX-License-Identifier: MIT
//
// What a run found out, in memory: every report (terminal, JSON, JUnit, KTAP) is made from these
// structs and from nothing else, so that worker processes can be merged and an interrupted run
// still reports. Plain values; times in seconds.
#ifndef RUNNERS_RESULTS_H_
#define RUNNERS_RESULTS_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "oracle/clause.h"
#include "oracle/trace.h"

namespace mapspec {

enum class Status : uint8_t {
  kPass,
  kFail,
  kDeviation,  // Failed, as a list of known deviations says.
  kSkip,
  // The outward contract knows these as "unknown"; the reason tells which.
  kUndecided,
  kNotRun,  // Interrupted before its turn, or in it.
  kDied,    // The process that ran it died or hung outside a judged operation.
};
// "pass", "fail", "deviation", "skip", "unknown".
std::string_view StatusName(Status status);

// One test: a clause's scenario, or a property.
struct TestResult {
  std::string id;
  std::string clause;  // The clause a scenario exercises; "" for a property.
  Status status = Status::kNotRun;
  std::string reason;
  std::vector<std::string>
      violated;             // Clauses the failing operation broke; the first is the main one.
  std::string trace;        // File of the shortest failing trace, "" for none.
  std::string report;       // The failure report as text.
  uint64_t operations = 0;  // Carried out, shrinking not counted.
  uint64_t unjudged = 0;    // Of these: nothing was promised about the outcome.
  double seconds = 0;

  bool property() const { return clause.empty(); }
};

// One backend's part of a run.
struct BackendResults {
  std::string backend;
  Environment environment;
  std::string profile;
  uint64_t seed = 0;
  std::string effort;
  std::vector<TestResult> tests;             // In the order of registration.
  std::map<std::string, uint64_t> coverage;  // operation/flags/outcome → how often.
  std::vector<std::string> errors;  // What fails the run besides tests: deviations that vanished.
  std::string unusable;             // Why the backend could not be used (exit status 3).
  bool interrupted = false;
  double seconds = 0;
  // Of a kernel that was booted for the run: how long that took, and where its console is kept.
  double boot_seconds = 0;
  std::string console;
};

struct ClauseResult {
  std::string id;
  Status status = Status::kNotRun;
  std::string reason;
  std::string trace;
  std::string test;  // The test that decided it, "" when all of its scenarios passed.
};

struct Summary {
  size_t kept = 0, broken = 0, deviating = 0, skipped = 0, unknown = 0;  // Clauses.
  size_t tests = 0, tests_failed = 0, properties = 0, properties_failed = 0;
  uint64_t operations = 0, unjudged = 0;
  double seconds = 0;
  bool interrupted = false;
};

// A clause for each one that a test of the run exercises or that something violated, by id. A
// clause is violated when a failing operation broke it; when its scenarios failed over another
// clause, or were not all decided, it is unknown; it passes when every scenario that could run
// passed, at least one.
std::vector<ClauseResult> ClauseResults(const BackendResults& results);
Summary Summarize(const BackendResults& results);
// Skipped clauses by reason, most frequent first.
std::vector<std::pair<std::string, size_t>> SkipReasons(const BackendResults& results);

// 130 when interrupted, 1 for a violation or a vanished deviation, 3 for a backend that was
// unusable, died or left tests without a result, else 0.
int ExitStatus(const std::vector<BackendResults>& results);

}  // namespace mapspec

#endif  // RUNNERS_RESULTS_H_
