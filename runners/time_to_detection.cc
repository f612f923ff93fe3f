// SPDX-License-Identifier: MIT
#include "runners/time_to_detection.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <map>

#include "backends/userspace/usermaps.h"
#include "backends/vm/vm_in_process.h"
#include "runners/commands.h"
#include "runners/fuzz_numbers.h"
#include "runners/fuzz_worker.h"
#include "runners/mutant_run.h"
#include "runners/progress.h"
#include "runners/signals.h"

namespace mapspec {
namespace {

// Shared with a child, which may die at any time.
struct Sighting {
  enum class State : uint8_t { kFree, kRunning, kFound, kNothing, kFailed } state;
  uint64_t operations;
  double seconds;
  char clause[128];
};

double CpuSeconds() {
  timespec now = {};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

FuzzBackend LibraryUnderTest() {
  FuzzBackend backend;
  backend.selector = "vm:plain";
  backend.make = [](std::string* error) { return MakeInProcessVmBackend("vm:plain", error); };
  return backend;
}

// What the handler below looks at: this process measures one mutant, in one thread.
struct Watched {
  const FuzzCounts* counts = nullptr;
  Sighting* sighting = nullptr;
  double start = 0;
  uint64_t judged = 0;
};
Watched watched;

// A piece of a script takes a fraction of this; what takes longer is in a call that does not
// return, as `fuzz` would notice with its limit for each call.
constexpr time_t kNoProgressSeconds = 2;

void NoticeHang(int) {
  if (watched.counts->judged != watched.judged) {
    watched.judged = watched.counts->judged;
    return;
  }
  watched.sighting->operations = watched.judged;
  watched.sighting->seconds = CpuSeconds() - watched.start;
  std::memcpy(watched.sighting->clause, "(does not return)", sizeof "(does not return)");
  watched.sighting->state = Sighting::State::kFound;
  _exit(0);
}

[[noreturn]] void ChildMain(const std::string& mutant, const std::vector<FuzzBackend>& backends,
                            const ScriptShapes& shapes, double limit, Sighting* sighting) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // A call that never ends.
  const auto seconds = static_cast<rlim_t>(limit) + 2;
  const rlimit cpu{seconds, seconds};
  setrlimit(RLIMIT_CPU, &cpu);
  const int nothing = open("/dev/null", O_WRONLY);
  dup2(nothing, STDOUT_FILENO);
  dup2(nothing, STDERR_FILENO);
  FuzzWorker worker(backends, shapes);
  sighting->state = Sighting::State::kFailed;
  if (usermaps_set_mutant(mutant.c_str()) != 0 || !worker.Open()) _exit(3);
  sighting->state = Sighting::State::kRunning;
  const double start = CpuSeconds();
  watched = {&worker.counts(), sighting, start, 0};
  signal(SIGVTALRM, &NoticeHang);
  const itimerval ticks{{kNoProgressSeconds, 0}, {kNoProgressSeconds, 0}};
  setitimer(ITIMER_VIRTUAL, &ticks, nullptr);
  for (uint64_t index = 0; worker.findings().empty(); ++index) {
    sighting->operations = worker.counts().judged;
    sighting->seconds = CpuSeconds() - start;
    if (sighting->seconds > limit) {
      sighting->state = Sighting::State::kNothing;
      _exit(0);
    }
    if (worker.Run(shapes.Plan(index), nullptr, [](const std::string&) { return false; }) ==
        FuzzWorker::End::kUnusable) {
      break;
    }
  }
  sighting->operations = worker.counts().judged;
  sighting->seconds = CpuSeconds() - start;
  if (!worker.findings().empty() && worker.findings()[0].clause != kNoClause) {
    const std::string_view id = GetClause(worker.findings()[0].clause).id;
    std::memcpy(sighting->clause, id.data(), std::min(id.size(), sizeof sighting->clause - 1));
  }
  sighting->state = Sighting::State::kFound;
  _exit(0);
}

struct Row {
  std::string mutant;
  std::vector<double> seconds, operations;  // Of the seeds; infinity where nothing was found.
  std::map<std::string, unsigned> clauses;
  double median_seconds = 0, median_operations = 0;
};

double Median(std::vector<double> numbers) {
  std::sort(numbers.begin(), numbers.end());
  return numbers.empty() ? 0 : numbers[numbers.size() / 2];
}

class Measurement {
 public:
  explicit Measurement(const DetectionOptions& options) : options_(options) {}

  bool Open() {
    FuzzBackend library = LibraryUnderTest();
    std::string error;
    const std::unique_ptr<Backend> honest = library.make(&error);
    if (honest == nullptr) {
      UsageError(error);
      return false;
    }
    library.profile = FindProfile(honest->default_profile());
    for (unsigned seed = 1; seed <= options_.seeds; ++seed) {
      shapes_.emplace_back(CommonGround({honest.get()}, seed));
    }
    backends_.push_back(std::move(library));
    void* shared = mmap(nullptr, sizeof(Sighting) * options_.jobs, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
      UsageError("no memory to share with children");
      return false;
    }
    sightings_ = static_cast<Sighting*>(shared);
    children_.resize(options_.jobs);
    // For WaitForOne(): a child that ends is to wake it.
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    return true;
  }
  ~Measurement() {
    if (sightings_ != nullptr) munmap(sightings_, sizeof(Sighting) * options_.jobs);
  }

  // False when it was interrupted or no child could be started.
  bool Run(std::vector<Row>* rows) {
    size_t running = 0;
    progress_.Begin("the fuzzer on mutants", rows->size());
    for (Row& row : *rows) {
      for (unsigned seed = 0; seed < options_.seeds; ++seed) {
        if (StopFlag().load()) break;
        while (running == options_.jobs) running -= WaitForOne();
        if (!Start(&row, seed)) return false;
        ++running;
      }
    }
    while (running != 0) running -= WaitForOne();
    progress_.End();
    return !StopFlag().load();
  }

 private:
  struct Child {
    pid_t pid = -1;
    Row* row = nullptr;
    double started = 0;
  };

  static double Now() {
    timespec now = {};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
  }

  bool Start(Row* row, unsigned seed) {
    size_t place = 0;
    while (children_[place].pid > 0) ++place;
    sightings_[place] = {};
    std::fflush(nullptr);
    const pid_t pid = fork();
    if (pid == 0) {
      ChildMain(row->mutant, backends_, shapes_[seed], options_.limit, &sightings_[place]);
    }
    if (pid < 0) {
      UsageError(fmt::format("a child process could not be started: {}", std::strerror(errno)));
      return false;
    }
    AddChildToKill(pid);
    progress_.TestStarted(row->mutant);
    children_[place] = {pid, row, Now()};
    return true;
  }

  // Ends those that hang. The number of children that ended: at least one.
  size_t WaitForOne() {
    while (true) {
      size_t ended = 0;
      for (size_t i = 0; i < children_.size(); ++i) {
        Child& child = children_[i];
        if (child.pid <= 0) continue;
        int status = 0;
        const bool late = Now() - child.started > 10 * options_.limit;
        if (late || StopFlag().load()) kill(child.pid, SIGKILL);
        if (waitpid(child.pid, &status, late ? 0 : WNOHANG) != child.pid) continue;
        RemoveChildToKill(child.pid);
        const bool hung = late || (WIFSIGNALED(status) &&
                                   (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL));
        if (!StopFlag().load()) Note(child.row, sightings_[i], WIFSIGNALED(status) && !hung);
        child.pid = -1;
        ++ended;
      }
      if (ended != 0) return ended;
      // Children take from a few milliseconds to some seconds.
      sigset_t set;
      sigemptyset(&set);
      sigaddset(&set, SIGCHLD);
      const timespec patience{0, 200'000'000};
      sigtimedwait(&set, nullptr, &patience);
    }
  }

  void Note(Row* row, const Sighting& sighting, bool crashed) {
    const bool found = sighting.state == Sighting::State::kFound || crashed;
    row->seconds.push_back(found ? sighting.seconds : INFINITY);
    row->operations.push_back(found ? static_cast<double>(sighting.operations) : INFINITY);
    if (found) ++row->clauses[crashed ? "(crash)" : sighting.clause];
    if (row->seconds.size() != options_.seeds) return;
    TestResult tried;
    tried.id = row->mutant;
    tried.status = Status::kPass;
    progress_.TestEnded(tried);
  }

  DetectionOptions options_;
  Progress progress_{stderr, false};
  std::vector<FuzzBackend> backends_;
  std::vector<ScriptShapes> shapes_;
  Sighting* sightings_ = nullptr;
  std::vector<Child> children_;
};

// By which clause it was noticed most often.
std::string MostlyBy(const Row& row) {
  std::string most;
  unsigned count = 0;
  for (const auto& [clause, times] : row.clauses) {
    if (times > count) most = clause;
    count = std::max(count, times);
  }
  return most.empty() ? "-" : most;
}

}  // namespace

int MeasureTimeToDetection(const std::vector<std::string>& mutants,
                           const DetectionOptions& options) {
  Measurement measurement(options);
  if (!measurement.Open()) return 3;
  std::vector<Row> rows;
  size_t width = 6;
  for (const std::string& mutant : mutants) {
    rows.emplace_back().mutant = mutant;
    width = std::max(width, mutant.size());
  }
  const bool whole = measurement.Run(&rows);
  // After Ctrl-C: those that were not tried, or not with all seeds, say nothing.
  const size_t wanted = rows.size();
  std::erase_if(rows, [&](const Row& row) { return row.seconds.size() < options.seeds; });
  for (Row& row : rows) {
    row.median_seconds = Median(row.seconds);
    row.median_operations = Median(row.operations);
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const Row& a, const Row& b) { return a.median_seconds < b.median_seconds; });
  fmt::print("{:<{}}  {:>10}  {:>8}  {:>5}  {}\n", "mutant", width, "operations", "seconds",
             "found", "by the clause");
  size_t in_time = 0;
  for (const Row& row : rows) {
    const bool found = std::isfinite(row.median_seconds);
    in_time += found && row.median_seconds <= options.goal;
    const auto times = std::count_if(row.seconds.begin(), row.seconds.end(),
                                     [](double seconds) { return std::isfinite(seconds); });
    fmt::print("{:<{}}  {:>10}  {:>8}  {:>3}/{}  {}\n", row.mutant, width,
               found ? CountText(row.median_operations) : "-",
               found ? fmt::format("{:.3f}", row.median_seconds) : "-", times, row.seconds.size(),
               MostlyBy(row));
  }
  fmt::print("\n{} mutants: {} found within {} s of CPU time at the median of {} seeds, {} not{}\n",
             rows.size(), in_time, options.goal, options.seeds, rows.size() - in_time,
             whole ? "" : fmt::format("; {} were not tried", wanted - rows.size()));
  if (StopFlag().load()) return 130;
  return whole && in_time == rows.size() ? 0 : 1;
}

}  // namespace mapspec
