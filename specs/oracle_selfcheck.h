// SPDX-License-Identifier: MIT
//
// Scenarios against the oracle alone, without any implementation. A scenario and the oracle say the
// same thing in two ways, so:
//  - there must be outcomes that the scenario allows and the oracle accepts, step after step.
//  Outputs that
//    the scenario leaves open are found by asking the oracle (specs/answers.h), never invented;
//  - the scenario's clause must be cited on the way;
//  - an outcome that contradicts what a step states (another errno, success for failure, one bit, a
//  count
//    off by one, a touched buffer) must be a violation for the oracle, under every profile that
//    enforces observed clauses.
// Pure functions, no I/O. Thread-safety: any thread.
#ifndef SPECS_ORACLE_SELFCHECK_H_
#define SPECS_ORACLE_SELFCHECK_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "oracle/profile.h"
#include "oracle/trace.h"
#include "specs/scenario.h"

namespace mapspec {

// Whether the trait that the scenario's clause names has the value it asks for.
bool InForce(const Scenario& scenario, const Profile& profile);

// The environment in which the checks below run: two possible CPUs, pages of 4096 bytes.
Environment SelfCheckEnvironment();

struct SelfCheckResult {
  std::vector<SpecError> problems;  // Each names the scenario, the profile and the step.
  Trace trace;                // The outcomes found; as far as they go when there are problems.
  size_t contradictions = 0;  // Contradicting outcomes that were tried (and must be refused).
};
SelfCheckResult SelfCheck(const Scenario& scenario, const Profile& profile);

}  // namespace mapspec

#endif  // SPECS_ORACLE_SELFCHECK_H_
