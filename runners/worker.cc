// SPDX-License-Identifier: MIT
#include "runners/worker.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>

#include "backends/backend.h"
#include "properties/coverage.h"
#include "runners/failure_report.h"
#include "runners/property_run.h"
#include "runners/scenario_run.h"
#include "runners/signals.h"
#include "runners/worker_protocol.h"

namespace mapspec {
namespace {

// What the test bodies of this process use; GoogleTest creates them without arguments of ours.
struct Context {
  const WorkerJob* job = nullptr;
  Backend* backend = nullptr;
  int fd = -1;
  std::chrono::steady_clock::time_point last_alive;
};
Context g_context;

void Send(const Message& message) {
  // Nobody to tell any more: nothing to go on for.
  if (!SendMessage(g_context.fd, message)) _exit(1);
}

void SendAlive() {
  const auto now = std::chrono::steady_clock::now();
  if (now - g_context.last_alive < std::chrono::seconds(1)) return;
  g_context.last_alive = now;
  Send(AliveMessage{});
}

// Shrinks, writes the files, and puts text and file name into the result.
void WriteFailure(Violation violation, bool by_oracle, bool shrink, TestResult* result) {
  const RunOptions& options = *g_context.job->options;
  if (!by_oracle) {
    violation.rerun =
        fmt::format("mapspec run --backend {} --profile {}",
                    ShellQuote(violation.trace.environment.backend), violation.profile);
    for (const std::string& path : options.specs) violation.rerun += " --specs " + ShellQuote(path);
    violation.rerun += " --filter " + ShellQuote(result->id);
  }
  if (shrink && options.shrink) {
    violation = ShrinkViolation(violation, *g_context.job->profile, *g_context.backend, StopFlag());
    violation.found_by = result->id;
  }
  if (options.out.empty()) {
    result->report = FailureText(violation, {});
    return;
  }
  std::string error;
  const ArtefactFiles files = WriteArtefacts(violation, options.out, &result->report, &error);
  result->trace = files.trace;
  if (!error.empty()) Send(NoteMessage{"mapspec: " + error});
}

ResultMessage RunPlanned(const PlannedTest& test) {
  const WorkerJob& job = *g_context.job;
  if (test.scenario == nullptr) {
    PropertyRun run = RunPropertyTest(test, *job.profile, *job.options, *g_context.backend,
                                      StopFlag(), SendAlive);
    if (run.violation) WriteFailure(std::move(*run.violation), true, false, &run.result);
    return {std::move(run.result), std::move(run.coverage)};
  }
  ScenarioRun run = RunScenario(*test.scenario, test.level, *job.profile, *g_context.backend);
  Coverage coverage;
  coverage.Add(run.trace);
  if (run.violation) {
    WriteFailure(std::move(*run.violation), run.oracle_objects, run.oracle_objects, &run.result);
  }
  return {std::move(run.result), coverage.Counts()};
}

class PlannedTestCase : public testing::Test {
 public:
  explicit PlannedTestCase(const PlannedTest& test) : test_(test) {}
  void TestBody() override {
    if (g_context.job == nullptr || StopFlag().load()) GTEST_SKIP() << "stopped";
    Send(StartMessage{test_.id});
    const ResultMessage message = RunPlanned(test_);
    Send(message);
    if (message.result.status == Status::kFail) {
      ADD_FAILURE() << message.result.reason;
    } else if (message.result.status != Status::kPass) {
      GTEST_SKIP() << message.result.reason;
    }
  }

 private:
  const PlannedTest& test_;
};

class PlanTeller : public testing::EmptyTestEventListener {
  void OnTestIterationStart(const testing::UnitTest& unit_test, int) override {
    PlanMessage plan;
    for (int i = 0; i < unit_test.total_test_suite_count(); ++i) {
      const testing::TestSuite& suite = *unit_test.GetTestSuite(i);
      for (int j = 0; j < suite.total_test_count(); ++j) {
        const testing::TestInfo& info = *suite.GetTestInfo(j);
        if (info.should_run()) plan.ids.push_back(fmt::format("{}.{}", suite.name(), info.name()));
      }
    }
    Send(plan);
  }
};

void Register(const PlannedTest& test) {
  // The id is split at its first dot, so that GoogleTest's full name is the id again.
  const size_t dot = test.id.find('.');
  const std::string suite = test.id.substr(0, dot);
  const std::string name = dot == std::string::npos ? "" : test.id.substr(dot + 1);
  testing::RegisterTest(suite.c_str(), name.c_str(), nullptr, nullptr, test.file.c_str(), test.line,
                        [&test]() -> testing::Test* { return new PlannedTestCase(test); });
}

void InitGtest(const RunOptions& options) {
  std::vector<std::string> words = {"mapspec"};
  words.insert(words.end(), options.gtest_flags.begin(), options.gtest_flags.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  int argc = static_cast<int>(words.size());
  testing::InitGoogleTest(&argc, argv.data());
}

[[noreturn]] void WorkerMain(const WorkerJob& job, int fd) {
  InstallWorkerSignals();
  signal(SIGPIPE, SIG_IGN);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  g_context = {&job, nullptr, fd, {}};
  // Standard output belongs to the reports of the main process.
  dup2(STDERR_FILENO, STDOUT_FILENO);
  std::string error;
  bool usage = false;
  std::unique_ptr<Backend> backend = MakeBackend(job.backend, &error, &usage);
  if (backend == nullptr) {
    Send(UnusableMessage{error, usage});
    _exit(0);
  }
  Send(HelloMessage{backend->environment(), backend->default_profile()});
  if (job.profile != nullptr) {
    g_context.backend = backend.get();
    for (const PlannedTest* test : job.tests) Register(*test);
    InitGtest(*job.options);
    testing::TestEventListeners& listeners = testing::UnitTest::GetInstance()->listeners();
    delete listeners.Release(listeners.default_result_printer());
    listeners.Append(new PlanTeller);
    // Results were told one by one; the return value only sums them up.
    [[maybe_unused]] const int ignored = RUN_ALL_TESTS();
  }
  backend.reset();
  std::fflush(nullptr);
  // Not exit(3): destructors of what the main process made are the main process's.
  _exit(0);
}

}  // namespace

WorkerProcess StartWorker(const WorkerJob& job, std::string* error) {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) {
    *error = fmt::format("pipe: {}", strerror(errno));
    return {};
  }
  std::fflush(nullptr);
  const pid_t pid = fork();
  if (pid < 0) {
    *error = fmt::format("fork: {}", strerror(errno));
    close(fds[0]);
    close(fds[1]);
    return {};
  }
  if (pid == 0) {
    close(fds[0]);
    WorkerMain(job, fds[1]);
  }
  close(fds[1]);
  fcntl(fds[0], F_SETFL, O_NONBLOCK);
  return {pid, fds[0]};
}

int ListGtests(const std::vector<PlannedTest>& plan, const RunOptions& options) {
  for (const PlannedTest& test : plan) Register(test);
  InitGtest(options);
  return RUN_ALL_TESTS();
}

std::string DescribeDeath(int wait_status) {
  if (WIFSIGNALED(wait_status)) {
    const char* name = sigabbrev_np(WTERMSIG(wait_status));
    return fmt::format("was killed by SIG{}", name != nullptr ? name : "?");
  }
  return fmt::format("ended with exit status {}", WEXITSTATUS(wait_status));
}

}  // namespace mapspec
