// SPDX-License-Identifier: MIT
//
// One scenario of a clause on one backend: executed once, then judged twice, by the scenario's own
// expectations and by the oracle. Either objecting is a failure.
// Thread-safety: as the backend's; no state.
#ifndef RUNNERS_SCENARIO_RUN_H_
#define RUNNERS_SCENARIO_RUN_H_

#include <optional>
#include <string>

#include "backends/backend.h"
#include "oracle/checker.h"
#include "oracle/profile.h"
#include "runners/failure_report.h"
#include "runners/results.h"
#include "specs/scenario.h"

namespace mapspec {

// What a scenario came to, before anything is written.
struct ScenarioRun {
  TestResult result;
  Trace trace;
  std::optional<Violation> violation;
  bool oracle_objects =
      false;  // The violation is the oracle's, so that a shrinker can look for it again.
};

// `level` is that of the scenario's clause.
ScenarioRun RunScenario(const Scenario& scenario, Level level, const Profile& profile,
                        Backend& backend);

// The part of RunScenario that needs no backend: holds a trace of the scenario against its
// expectations and against the oracle, and fills in status, reason and violation.
void JudgeScenario(const Scenario& scenario, Level level, const Profile& profile, ScenarioRun* run);

}  // namespace mapspec

#endif  // RUNNERS_SCENARIO_RUN_H_
