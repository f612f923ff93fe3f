// SPDX-License-Identifier: MIT
//
// mapspec-mutants: breaks the userspace library on purpose, fault by fault, and shows by which test
// the suite notices. A mutant that survives is a hole in the suite.
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <set>

#include "backends/host_environment.h"
#include "backends/libbpf_api/scratch_directory.h"
#include "runners/commands.h"
#include "runners/mutant_run.h"
#include "runners/signals.h"
#include "runners/time_to_detection.h"
#include "runners/worker.h"
#include "runners/worker_protocol.h"
#include "specs/embedded_specs.h"

namespace mapspec {
namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  std::string filter;
  unsigned jobs = 1;
  unsigned seconds = 120;
  uint64_t seed = 1;
  bool list = false;
  bool uncovered = false;
  bool time_to_detection = false;
  DetectionOptions detection;
};

struct Running {
  std::string mutant;
  MutantChild child;
  LineBuffer lines;
  Clock::time_point start;
  std::string current;       // The test it is at.
  std::string killer;        // The test that failed.
  std::string clause = "-";  // What that test says is broken.
  std::string error;
  bool timed_out = false;
};

class Hunt {
 public:
  Hunt(const Options& options, const std::vector<PlannedTest>& plan, const RunOptions& run)
      : options_(options), plan_(plan), run_(run) {}

  // The exit status.
  int Run(const std::vector<std::string>& mutants) {
    for (const std::string& mutant : mutants) width_ = std::max(width_, mutant.size());
    fmt::print("{:<{}}  {:>7}  {}\n", "mutant", width_, "seconds", "killed by");
    // The unchanged library goes first: kills mean something only when it passes.
    std::vector<std::string> waiting(mutants.rbegin(), mutants.rend());
    waiting.emplace_back("");
    while ((!waiting.empty() && !StopFlag().load()) || !running_.empty()) {
      while (!waiting.empty() && running_.size() < options_.jobs && !StopFlag().load()) {
        Start(waiting.back());
        waiting.pop_back();
      }
      Wait();
    }
    const size_t total = mutants.size();
    fmt::print("\n{} mutants: {} killed, {} survived", total, killed_, survivors_.size());
    if (!waiting.empty()) fmt::print(", {} not tried", waiting.size());
    fmt::print("; {:.0f} s\n", std::chrono::duration<double>(Clock::now() - start_).count());
    for (const std::string& mutant : survivors_) fmt::print("SURVIVED  {}\n", mutant);
    if (!baseline_.empty())
      fmt::print("The unchanged library fails {}: kills mean nothing.\n", baseline_);
    if (StopFlag().load()) return 130;
    return survivors_.empty() && baseline_.empty() && !failed_ ? 0 : 1;
  }

 private:
  void Start(const std::string& mutant) {
    Running running;
    running.mutant = mutant;
    running.start = Clock::now();
    running.child = StartMutant(mutant, OrderForMutant(plan_, mutant), run_);
    if (running.child.pid < 0) {
      UsageError("a child process could not be started");
      failed_ = true;
      return;
    }
    AddChildToKill(running.child.pid);
    running_.push_back(std::move(running));
  }

  void Wait() {
    std::vector<pollfd> fds;
    for (const Running& running : running_) fds.push_back({running.child.fd, POLLIN, 0});
    poll(fds.data(), fds.size(), 200);
    for (size_t i = running_.size(); i-- > 0;) {
      Running& running = running_[i];
      const bool open = Read(&running);
      // The unchanged library runs the whole suite, mutants end at the first failure.
      const unsigned limit = options_.seconds * (running.mutant.empty() ? 10 : 1);
      const bool late = Clock::now() - running.start > std::chrono::seconds(limit);
      if (!running.timed_out && (late || StopFlag().load())) {
        running.timed_out = late;
        kill(running.child.pid, SIGKILL);
      }
      if (!open) Ended(i);
    }
  }

  bool Read(Running* running) {
    char buffer[4096];
    bool open = true;
    for (;;) {
      const ssize_t n = read(running->child.fd, buffer, sizeof buffer);
      if (n > 0) {
        running->lines.Append({buffer, static_cast<size_t>(n)});
      } else if (n < 0 && errno == EINTR) {
        continue;
      } else {
        open = n < 0 && errno == EAGAIN;
        break;
      }
    }
    while (const auto line = running->lines.NextLine()) {
      const std::string rest = line->substr(1);
      if (line->front() == '?') running->current = rest;
      if (line->front() == '!') running->error = rest;
      if (line->front() == '=') {
        running->killer = rest.substr(0, rest.find(' '));
        running->clause = rest.substr(rest.find(' ') + 1);
      }
    }
    return open;
  }

  void Ended(size_t index) {
    const Running running = std::move(running_[index]);
    running_.erase(running_.begin() + static_cast<ptrdiff_t>(index));
    close(running.child.fd);
    int status = 0;
    while (waitpid(running.child.pid, &status, 0) < 0 && errno == EINTR) {
    }
    RemoveChildToKill(running.child.pid);
    if (StopFlag().load()) return;
    const double seconds = std::chrono::duration<double>(Clock::now() - running.start).count();
    std::string how;
    if (!running.error.empty()) {
      how = "error: " + running.error;
      failed_ = true;
    } else if (!running.killer.empty()) {
      how = running.killer;
      if (running.clause != ClauseOfMutant(running.mutant))
        how += fmt::format(" (as {})", running.clause);
    } else if (running.timed_out) {
      how = fmt::format("a hang in {}", running.current);
    } else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
      how = fmt::format("{}, which {}", running.current, DescribeDeath(status));
    }
    if (running.mutant.empty()) {
      baseline_ = how;
      fmt::print("{:<{}}  {:>7.2f}  {}\n", "(unchanged)", width_, seconds,
                 how.empty() ? "nothing, as it should be" : how);
    } else {
      (how.empty() ? survivors_.push_back(running.mutant) : void(++killed_));
      fmt::print("{:<{}}  {:>7.2f}  {}\n", running.mutant, width_, seconds,
                 how.empty() ? "NOTHING: it survives" : how);
    }
    std::fflush(stdout);
  }

  const Options& options_;
  const std::vector<PlannedTest>& plan_;
  const RunOptions& run_;
  std::vector<Running> running_;
  std::vector<std::string> survivors_;
  std::string baseline_;
  size_t killed_ = 0, width_ = 6;
  bool failed_ = false;
  Clock::time_point start_ = Clock::now();
};

// Clauses that the userspace library is held to by a scenario, yet which no mutant breaks.
// Clauses about system calls that never reach the library, close(2) and unlink(2), about what a
// verifier lets pass, about inner maps of types that the library has not, and those that say what
// need not be, or may yet be: no fault of it can break them.
constexpr std::string_view kBeyondTheLibrary[] = {
    "array.program.frozen-rdonly-prog",
    "array_of_maps.create.inner-prog-array",
    "array_of_maps.create.inner-prog-array-errno",
    "array_of_maps.create.inner-storage",
    "array_of_maps.lifetime.outer-gone",
    "generic.close.bad-descriptor",
    "generic.program.loads",
    "generic.program.wronly-prog",
    "generic.unlink.missing",
    "generic.unlink.unpins",
    "hash_of_maps.create.inner-prog-array",
    "hash_of_maps.create.inner-prog-array-errno",
    "hash_of_maps.create.inner-storage",
    "hash_of_maps.lifetime.outer-gone",
    "hash_of_maps.lookup_and_delete_batch.bad-pointer-loses",
    "lru_hash.evict.approximate",
    "lru_hash.lookup_and_delete_batch.bad-pointer-loses",
    "lru_percpu_hash.evict.approximate",
    "lru_percpu_hash.lookup_and_delete_batch.bad-pointer-loses",
    "percpu_array.program.frozen-rdonly-prog",
};

int ReportUncovered(const std::vector<PlannedTest>& plan, const std::vector<std::string>& mutants) {
  std::set<std::string> broken;
  for (const std::string& mutant : mutants) broken.insert(ClauseOfMutant(mutant));
  std::set<std::string> exercised;
  for (const PlannedTest& test : plan) {
    if (test.scenario == nullptr || exercised.count(test.clause) != 0) continue;
    if (ExercisedByUserspace(test)) exercised.insert(test.clause);
  }
  size_t missing = 0;
  for (const std::string& clause : exercised) {
    if (broken.count(clause) != 0) continue;
    if (std::find(std::begin(kBeyondTheLibrary), std::end(kBeyondTheLibrary), clause) !=
        std::end(kBeyondTheLibrary)) {
      fmt::print("{} is kept by the system, not by the library\n", clause);
      continue;
    }
    fmt::print("no mutant breaks {}\n", clause);
    ++missing;
  }
  int status = missing == 0 ? 0 : 1;
  for (const std::string& clause : broken) {
    if (FindClause(clause) != kNoClause) continue;
    fmt::print("a mutant names {}, which is no clause\n", clause);
    status = 1;
  }
  fmt::print("{} clauses exercised on userspace, {} mutants, {} clauses without one\n",
             exercised.size(), mutants.size(), missing);
  return status;
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app(
      "mapspec-mutants: every deliberate fault of the userspace library, and the test that notices "
      "it.");
  app.add_option("--filter,--mutant", options.filter, "Mutants to try: globs joined by ':'");
  app.add_option("-j,--jobs", options.jobs, "How many at a time")->check(CLI::Range(1u, 64u));
  app.add_option("--timeout", options.seconds, "Seconds until a mutant counts as hanging")
      ->capture_default_str();
  app.add_option("--seed", options.seed, "Of the properties")->capture_default_str();
  app.add_flag("--list", options.list, "Only print the names");
  app.add_flag("--uncovered", options.uncovered, "Only print the clauses that no mutant breaks");
  app.add_flag("--time-to-detection", options.time_to_detection,
               "Instead of the suite, run the fuzzer against each mutant: how soon it notices");
  app.add_option("--seeds", options.detection.seeds, "Of the fuzzer, whose median is told")
      ->check(CLI::Range(1u, 99u))
      ->capture_default_str();
  app.add_option("--limit", options.detection.limit, "Seconds of the fuzzer for each seed")
      ->check(CLI::Range(0.001, 3600.0))
      ->capture_default_str();
  app.footer(
      "Exit status: 0 every mutant was killed, 1 one survived or the unchanged library fails, 2 "
      "bad usage.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& e) {
    return app.exit(e);
  } catch (const CLI::ParseError& e) {
    return UsageError(e.what());
  }
  std::vector<std::string> mutants = ListMutants();
  const std::vector<std::string> all = mutants;
  const Filter filter(options.filter);
  std::erase_if(mutants, [&](const std::string& name) {
    return !filter.Selects(name, ClauseOfMutant(name));
  });
  if (mutants.empty()) {
    return UsageError(fmt::format("--filter {}: no mutant matches{}", options.filter,
                                  DidYouMean(options.filter, all)));
  }
  if (options.list) {
    for (const std::string& mutant : mutants) fmt::print("{}\n", mutant);
    return 0;
  }
  std::string no_scratch;  // Then each temporary directory stands alone.
  UseScratchDirectory(&no_scratch);
  if (options.time_to_detection) {
    InstallStopSignals();
    options.detection.jobs = options.jobs;
    return MeasureTimeToDetection(mutants, options.detection);
  }
  RunOptions run;
  run.seed = options.seed;
  run.shrink = false;
  const std::vector<PlannedTest> plan =
      MakePlan(Specification(HostEnvironment("userspace").possible_cpus).specs, Filter(""), run);
  if (options.uncovered) return ReportUncovered(plan, all);
  InstallStopSignals();
  return Hunt(options, plan, run).Run(mutants);
}

}  // namespace
}  // namespace mapspec

int main(int argc, char** argv) { return mapspec::Main(argc, argv); }
