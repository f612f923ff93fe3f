// SPDX-License-Identifier: MIT
#include "runners/property_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "oracle/checker.h"
#include "properties/coverage.h"
#include "properties/shrink.h"
#include "runners/backport.h"

namespace mapspec {

PropertyRun RunPropertyTest(const PlannedTest& test, const Profile& profile,
                            const RunOptions& options, Backend& backend,
                            const std::atomic<bool>& stop, const std::function<void()>& alive) {
  const auto start = std::chrono::steady_clock::now();
  PropertyRun run;
  TestResult& result = run.result;
  result.id = test.id;
  Coverage coverage;
  PropertyOptions property_options;
  property_options.seed = options.seed;
  property_options.effort = options.effort;
  property_options.shrink = options.shrink;
  property_options.emulated = options.emulated;
  property_options.coverage = &coverage;
  property_options.stop = &stop;
  property_options.progress = [&](const PropertyProgress&) { alive(); };
  PropertyResult outcome = test.property->run(backend, profile, property_options);
  result.operations = outcome.operations;
  result.unjudged = outcome.unjudged;
  result.reason = outcome.reason;
  if (outcome.counterexample && outcome.verdict.violation) {
    result.status = Status::kFail;
    run.violation = ViolationOf(outcome.verdict, *outcome.counterexample, profile.name, test.id);
    result.violated = run.violation->clauses;
    if (result.reason.empty()) {
      result.reason = fmt::format("operation {}: expected {}, got {}", run.violation->index,
                                  run.violation->expected, run.violation->got);
    }
    run.violation->hint = BackportNote(run.violation->trace, run.violation->index, profile);
    if (!run.violation->hint.empty()) result.reason += "; " + run.violation->hint;
  } else if (outcome.backend_failed) {
    result.status = Status::kDied;
  } else if (outcome.skipped) {
    result.status = Status::kSkip;
  } else if (!outcome.passed) {
    // Not a violation that can be shown, but stated and false: a cell never reached, a broken
    // algebra.
    result.status = stop.load() ? Status::kNotRun : Status::kFail;
  } else if (!outcome.complete) {
    result.status = stop.load() ? Status::kNotRun : Status::kUndecided;
  } else {
    result.status = Status::kPass;
    result.reason = outcome.detail;
  }
  if (result.status == Status::kNotRun) {
    result.reason = fmt::format("interrupted after {} operations", outcome.operations);
  }
  std::replace(result.reason.begin(), result.reason.end(), '\n', ' ');
  run.coverage = coverage.Counts();
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return run;
}

Violation ShrinkViolation(const Violation& violation, const Profile& profile, Backend& backend,
                          const std::atomic<bool>& stop) {
  Script script{violation.found_by, violation.trace.operations};
  script.operations.resize(std::min(violation.index + 1, script.operations.size()));
  const ClauseId clause = violation.clauses.empty() ? kNoClause : FindClause(violation.clauses[0]);
  Violation best = violation;
  const auto still_fails = [&](const Script& candidate) {
    std::string error;
    Trace trace = Execute(backend, candidate, &error);
    if (!error.empty()) return false;
    trace.profile = profile.name;
    const Verdict verdict = Judge(trace, profile);
    if (!verdict.violation || verdict.judgement.violated != clause) return false;
    // What the scenario itself says is broken stays on the list.
    const std::vector<std::string> clauses = best.clauses;
    best = ViolationOf(verdict, trace, profile.name, violation.found_by);
    best.clauses = clauses;
    best.hint = violation.hint;
    return true;
  };
  ShrinkBudget budget;
  budget.executions = 2'000;
  budget.time = std::chrono::seconds(5);
  Shrink(script, still_fails, budget, nullptr, &stop);
  return best;
}

}  // namespace mapspec
