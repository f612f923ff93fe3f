// SPDX-License-Identifier: MIT
#include "runners/mutant_run.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>

#include "backends/backend.h"
#include "backends/userspace/usermaps.h"
#include "backends/vm/vm_in_process.h"
#include "runners/property_run.h"
#include "runners/scenario_run.h"
#include "runners/signals.h"

namespace mapspec {
namespace {

// The library's maps with both paths: programs run on the plain interpreter, in this process.
std::unique_ptr<Backend> MakeLibraryUnderTest(std::string* error) {
  return MakeInProcessVmBackend("vm:plain", error);
}

TestResult RunTest(const PlannedTest& test, const Profile& profile, const RunOptions& options,
                   Backend& backend) {
  if (test.scenario != nullptr)
    return RunScenario(*test.scenario, test.level, profile, backend).result;
  return RunPropertyTest(test, profile, options, backend, StopFlag(), [] {}).result;
}

void Say(int fd, const std::string& text) {
  if (write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size())) _exit(4);
}

[[noreturn]] void MutantMain(const std::string& mutant,
                             const std::vector<const PlannedTest*>& tests,
                             const RunOptions& options, int fd) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // A mutant that prints or crashes noisily should not garble the table.
  const int nothing = open("/dev/null", O_WRONLY);
  dup2(nothing, STDOUT_FILENO);
  dup2(nothing, STDERR_FILENO);
  if (usermaps_set_mutant(mutant.c_str()) != 0) {
    Say(fd, "!no such mutant\n");
    _exit(3);
  }
  std::string error;
  const std::unique_ptr<Backend> backend = MakeLibraryUnderTest(&error);
  if (backend == nullptr) {
    Say(fd, fmt::format("!{}\n", error));
    _exit(3);
  }
  const Profile* profile = FindProfile(backend->default_profile());
  for (const PlannedTest* test : tests) {
    // The last test that was begun is the one in which a child died.
    Say(fd, fmt::format("?{}\n", test->id));
    const TestResult result = RunTest(*test, *profile, options, *backend);
    if (result.status != Status::kFail && result.status != Status::kDied) continue;
    Say(fd, fmt::format("={} {}\n", test->id, result.violated.empty() ? "-" : result.violated[0]));
    _exit(1);
  }
  _exit(0);
}

}  // namespace

std::vector<std::string> ListMutants() {
  std::vector<const char*> names(usermaps_list_mutants(nullptr, 0));
  const size_t count = usermaps_list_mutants(names.data(), names.size());
  std::vector<std::string> mutants(
      names.begin(), names.begin() + static_cast<ptrdiff_t>(std::min(count, names.size())));
  std::sort(mutants.begin(), mutants.end());
  mutants.erase(std::unique(mutants.begin(), mutants.end()), mutants.end());
  return mutants;
}

std::string ClauseOfMutant(std::string_view mutant) {
  return std::string(mutant.substr(0, mutant.find('/')));
}

std::vector<const PlannedTest*> OrderForMutant(const std::vector<PlannedTest>& plan,
                                               std::string_view mutant) {
  const std::string clause = ClauseOfMutant(mutant);
  const std::string family = clause.substr(0, clause.find('.') + 1);
  const auto distance = [&](const PlannedTest& test) {
    if (test.clause == clause) return 0;
    const bool same_family = test.id.rfind(family, 0) == 0;
    return (test.property != nullptr ? 3 : 1) + (same_family ? 0 : 1);
  };
  // Properties of other types ask nothing of the mutant's clause; what holds for every type, those
  // of the plainest types ask.
  const auto asks = [&](const PlannedTest& test) {
    if (test.property == nullptr) return true;
    if (family != "generic.") return !family.empty() && test.id.rfind(family, 0) == 0;
    return test.id.rfind("hash.", 0) == 0 || test.id.rfind("array.", 0) == 0 ||
           test.id.rfind("queue.", 0) == 0;
  };
  std::vector<const PlannedTest*> tests;
  for (const PlannedTest& test : plan) {
    if (asks(test)) tests.push_back(&test);
  }
  std::stable_sort(tests.begin(), tests.end(), [&](const PlannedTest* a, const PlannedTest* b) {
    return distance(*a) < distance(*b);
  });
  return tests;
}

bool ExercisedByUserspace(const PlannedTest& test) {
  static const std::unique_ptr<Backend> backend = [] {
    std::string error;
    return MakeLibraryUnderTest(&error);
  }();
  if (backend == nullptr) return false;
  const Profile* profile = FindProfile(backend->default_profile());
  const Status status = RunScenario(*test.scenario, test.level, *profile, *backend).result.status;
  return status == Status::kPass || status == Status::kFail;
}

MutantChild StartMutant(const std::string& mutant, const std::vector<const PlannedTest*>& tests,
                        const RunOptions& options) {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return {};
  std::fflush(nullptr);
  const pid_t pid = fork();
  if (pid == 0) {
    close(fds[0]);
    MutantMain(mutant, tests, options, fds[1]);
  }
  close(fds[1]);
  if (pid < 0) {
    close(fds[0]);
    return {};
  }
  fcntl(fds[0], F_SETFL, O_NONBLOCK);
  return {pid, fds[0]};
}

}  // namespace mapspec
