// SPDX-License-Identifier: MIT
//
// One mutant of the userspace library (backends/userspace/mutant.h) against the suite, in a child
// process: scenarios of the clause it breaks first, then the other scenarios, then the properties of
// its type, up to the first test that fails. The unchanged library gets the scenarios. A crash or a hang of the child counts as killed too.
// Thread-safety: StartMutant forks; call it from a process with one thread.
#ifndef RUNNERS_MUTANT_RUN_H_
#define RUNNERS_MUTANT_RUN_H_

#include <string>
#include <string_view>
#include <vector>

#include "runners/run_plan.h"

namespace mapspec {

// Names of all mutants in this build, sorted. Empty in a build without them.
std::vector<std::string> ListMutants();
// The clause a mutant breaks: what stands before the first '/'.
std::string ClauseOfMutant(std::string_view mutant);

// The tests in the order in which they are most likely to kill the mutant.
std::vector<const PlannedTest*> OrderForMutant(const std::vector<PlannedTest>& plan,
                                               std::string_view mutant);

// Whether the scenario came to a verdict on the unchanged library: it was not skipped.
bool ExercisedByUserspace(const PlannedTest& test);

struct MutantChild {
  int pid = -1;
  int fd = -1;  // Read end; the child writes one line: the killing test and the clause, or nothing.
};
// "" for the unchanged library, with which no test should fail.
MutantChild StartMutant(const std::string& mutant, const std::vector<const PlannedTest*>& tests,
                        const RunOptions& options);

}  // namespace mapspec

#endif  // RUNNERS_MUTANT_RUN_H_
