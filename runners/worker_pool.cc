// SPDX-License-Identifier: MIT
#include "runners/worker_pool.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <set>

#include "runners/result_collector.h"
#include "runners/signals.h"
#include "runners/worker.h"

namespace mapspec {
namespace {

using Clock = std::chrono::steady_clock;

// How long a worker may say nothing. Long tests say now and then that they are alive.
constexpr std::chrono::seconds kSilence{120};
// How long workers get to end after a stop was asked for.
constexpr std::chrono::seconds kGrace{5};

struct Worker {
  WorkerProcess process;
  LineBuffer lines;
  std::vector<const PlannedTest*>
      waiting;          // Neither started nor left out by GoogleTest's own filter.
  std::string current;  // Id of the test it is at, "" between tests.
  Clock::time_point heard;
  bool terminated = false, killed = false;
  bool said_hello = false;
};

// Reads what there is. False at the end of the stream.
bool ReadAvailable(int fd, LineBuffer* lines) {
  char buffer[65536];
  for (;;) {
    const ssize_t n = read(fd, buffer, sizeof buffer);
    if (n > 0) {
      lines->Append({buffer, static_cast<size_t>(n)});
      continue;
    }
    if (n < 0 && errno == EINTR) continue;
    return n < 0 && errno == EAGAIN;
  }
}

int WaitFor(int pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  RemoveChildToKill(pid);
  return status;
}

class Pool {
 public:
  Pool(const std::string& backend, const Profile& profile, const std::vector<PlannedTest>& plan,
       const RunOptions& options, Progress* progress, const MessageRelay& relay,
       BackendResults* results)
      : backend_(backend),
        profile_(profile),
        plan_(plan),
        options_(options),
        progress_(progress),
        relay_(relay),
        results_(results),
        collector_(plan, options, progress, results) {}

  void Run() {
    std::vector<std::vector<const PlannedTest*>> shares(WorkersFor(options_, backend_));
    for (size_t i = 0; i < plan_.size(); ++i) shares[i % shares.size()].push_back(&plan_[i]);
    for (auto& share : shares) {
      if (!share.empty()) Start(std::move(share));
    }
    while (!workers_.empty()) Wait();
    collector_.Finish(StopFlag().load());
  }

 private:
  void Start(std::vector<const PlannedTest*> tests) {
    WorkerJob job{backend_, &profile_, tests, &options_};
    std::string error;
    Worker worker;
    worker.process = StartWorker(job, &error);
    if (worker.process.pid < 0) {
      results_->unusable = error;
      return;
    }
    worker.waiting = std::move(tests);
    worker.heard = Clock::now();
    AddChildToKill(worker.process.pid);
    workers_.push_back(std::move(worker));
  }

  void Wait() {
    std::vector<pollfd> fds;
    for (const Worker& worker : workers_) fds.push_back({worker.process.fd, POLLIN, 0});
    poll(fds.data(), fds.size(), 200);
    const bool stop = StopFlag().load() || stop_asked_;
    if (stop && stop_time_ == Clock::time_point()) stop_time_ = Clock::now();
    for (size_t i = workers_.size(); i-- > 0;) {
      Worker& worker = workers_[i];
      if (stop && !worker.terminated) {
        kill(worker.process.pid, SIGTERM);
        worker.terminated = true;
      }
      const bool open = ReadAvailable(worker.process.fd, &worker.lines);
      HandleLines(&worker);
      const Clock::time_point now = Clock::now();
      const bool silent = now - worker.heard > kSilence;
      if (!worker.killed && (silent || (stop && now - stop_time_ > kGrace))) {
        kill(worker.process.pid, SIGKILL);
        worker.killed = true;
      }
      // What a backend started may keep the pipe open, so its end is not the only sign of a death.
      int status = 0;
      if (open && waitpid(worker.process.pid, &status, WNOHANG) != worker.process.pid) continue;
      if (open) {
        ReadAvailable(worker.process.fd, &worker.lines);
        HandleLines(&worker);
        RemoveChildToKill(worker.process.pid);
      } else {
        status = WaitFor(worker.process.pid);
      }
      Ended(i, status, silent);
    }
  }

  void HandleLines(Worker* worker) {
    while (const auto line = worker->lines.NextLine()) {
      worker->heard = Clock::now();
      if (const auto message = DecodeMessage(*line)) {
        std::visit([&](const auto& m) { Handle(worker, m); }, *message);
      }
    }
  }
  void Handle(Worker* worker, const HelloMessage&) { worker->said_hello = true; }
  void Handle(Worker*, const UnusableMessage& message) { results_->unusable = message.reason; }
  void Handle(Worker* worker, const PlanMessage& message) {
    const std::set<std::string> ids(message.ids.begin(), message.ids.end());
    std::erase_if(worker->waiting, [&](const PlannedTest* test) {
      if (ids.count(test->id) != 0) return false;
      collector_.LeaveOut(test->id);
      if (relay_) relay_(LeftOutMessage{test->id});
      return true;
    });
  }
  void Handle(Worker* worker, const StartMessage& message) {
    worker->current = message.id;
    std::erase_if(worker->waiting, [&](const PlannedTest* test) { return test->id == message.id; });
    progress_->TestStarted(message.id);
    if (relay_) relay_(message);
  }
  void Handle(Worker* worker, const AliveMessage& message) {
    progress_->TestStarted(worker->current);
    if (relay_) relay_(message);
  }
  void Handle(Worker*, const NoteMessage& message) {
    progress_->Note(message.text);
    if (relay_) relay_(message);
  }
  void Handle(Worker* worker, const ResultMessage& message) {
    worker->current.clear();
    collector_.AddCoverage(message.coverage);
    Record(message);
  }
  // What only a guest sends.
  void Handle(Worker*, const LeftOutMessage&) {}
  void Handle(Worker*, const FileMessage&) {}
  void Handle(Worker*, const EndMessage&) {}

  void Record(const ResultMessage& message) {
    if (relay_) relay_(message);
    const TestResult& merged = collector_.Add(message.result);
    if (options_.stop_at_first && merged.status == Status::kFail) stop_asked_ = true;
  }

  void Ended(size_t index, int status, bool hung) {
    Worker worker = std::move(workers_[index]);
    workers_.erase(workers_.begin() + static_cast<ptrdiff_t>(index));
    close(worker.process.fd);
    const bool stopping = StopFlag().load() || stop_asked_;
    const bool clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    // A death between two tests is laid to the one that was about to begin, so that the run goes
    // on.
    if (worker.current.empty() && !clean && !stopping && worker.said_hello &&
        results_->unusable.empty() && !worker.waiting.empty()) {
      worker.current = worker.waiting.front()->id;
      worker.waiting.erase(worker.waiting.begin());
    }
    if (!worker.current.empty()) {
      TestResult test;
      test.id = worker.current;
      test.clause = collector_.ClauseOf(worker.current);
      if (stopping) {
        test.status = Status::kNotRun;
        test.reason = "interrupted";
      } else {
        test.status = Status::kDied;
        test.reason =
            hung ? fmt::format("the process that ran it said nothing for {} s and was killed",
                               kSilence.count())
                 : "the process that ran it " + DescribeDeath(status);
      }
      Record({std::move(test), {}});
      if (!stopping && results_->unusable.empty() && !worker.waiting.empty()) {
        Start(std::move(worker.waiting));
      }
      return;
    }
    if (!clean && !stopping && results_->unusable.empty()) {
      results_->unusable =
          fmt::format("the process that {} it {}",
                      worker.said_hello ? "ran the tests on" : "opened", DescribeDeath(status));
    }
  }

  const std::string& backend_;
  const Profile& profile_;
  const std::vector<PlannedTest>& plan_;
  const RunOptions& options_;
  Progress* progress_;
  const MessageRelay& relay_;
  BackendResults* results_;
  ResultCollector collector_;
  std::vector<Worker> workers_;
  bool stop_asked_ = false;
  Clock::time_point stop_time_;
};

}  // namespace

bool ProbeBackend(const std::string& backend, HelloMessage* hello, UnusableMessage* unusable) {
  std::string error;
  const WorkerProcess process = StartWorker({backend, nullptr, {}, nullptr}, &error);
  if (process.pid < 0) {
    *unusable = {error, false};
    return false;
  }
  AddChildToKill(process.pid);
  LineBuffer lines;
  const Clock::time_point start = Clock::now();
  bool killed = false, found = false;
  *unusable = {};
  for (bool open = true; open;) {
    pollfd fd = {process.fd, POLLIN, 0};
    poll(&fd, 1, 200);
    open = ReadAvailable(process.fd, &lines);
    if (!killed && Clock::now() - start > kSilence) {
      kill(process.pid, SIGKILL);
      killed = true;
    }
    while (const auto line = lines.NextLine()) {
      const auto message = DecodeMessage(*line);
      if (!message) continue;
      if (const auto* m = std::get_if<HelloMessage>(&*message)) {
        *hello = *m;
        found = true;
      } else if (const auto* u = std::get_if<UnusableMessage>(&*message)) {
        *unusable = *u;
      }
    }
  }
  close(process.fd);
  const int status = WaitFor(process.pid);
  if (!found && unusable->reason.empty()) {
    unusable->reason = killed ? fmt::format("opening it took more than {} s", kSilence.count())
                              : "the process that opened it " + DescribeDeath(status);
  }
  return found;
}

BackendResults RunOnBackend(const std::string& backend, const HelloMessage& hello,
                            const Profile& profile, const std::vector<PlannedTest>& plan,
                            const RunOptions& options, Progress* progress,
                            const MessageRelay& relay) {
  const Clock::time_point start = Clock::now();
  BackendResults results;
  results.backend = backend;
  results.environment = hello.environment;
  results.profile = profile.name;
  results.seed = options.seed;
  results.effort = EffortName(options.effort);
  progress->Begin(backend, plan.size());
  Pool(backend, profile, plan, options, progress, relay, &results).Run();
  progress->End();
  results.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  if (!results.interrupted && options.shards == 1 && !options.stop_at_first) {
    results.errors = VanishedDeviations(options.deviations, results);
  }
  return results;
}

}  // namespace mapspec
