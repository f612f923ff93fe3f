// SPDX-License-Identifier: MIT
#include "runners/fuzz_engine.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

namespace mapspec {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPublishEvery{200};
// What is left to look into when the time is over is shrunk for as long as this, all together.
constexpr milliseconds kShrinkingAtEnd{20'000};

class Engine {
 public:
  Engine(const FuzzOptions& options, const ScriptShapes& shapes, FuzzState start)
      : options_(options),
        shapes_(shapes),
        state_(std::move(start)),
        schedule_(shapes, options.operations, state_.done),
        seconds_before_(state_.seconds) {
    for (const auto& [kind, count] : state_.kinds) {
      schedule_.Restore(kind, count.seen, count.looked_into);
    }
    for (const Finding& finding : state_.findings) known_.insert(finding.id);
  }

  FuzzResult Run() {
    if (options_.time) deadline_ = start_ + *options_.time;
    RunThreads(std::max(1u, options_.jobs), [this](FuzzWorker* worker) { Fuzz(worker); });
    end_ = std::chrono::steady_clock::now();
    if (unusable_.empty() && schedule_.HasFindings()) {
      RunThreads(1, [this](FuzzWorker* worker) { LookIntoTheRest(worker); });
    }
    FuzzResult result;
    {
      const std::lock_guard lock(mutex_);
      Collect();
      Save();
      result.interrupted = Interrupted();
      result.unusable = unusable_;
      result.unwritten = unwritten_;
    }
    result.state = std::move(state_);
    return result;
  }

 private:
  bool Interrupted() const {
    return options_.stop != nullptr && options_.stop->load(std::memory_order_relaxed);
  }

  // Threads with a worker each; this one shows the progress meanwhile, and looks at the clock.
  template <typename Work>
  void RunThreads(unsigned count, const Work& work) {
    std::vector<std::thread> threads;
    unsigned running = count;
    for (unsigned i = 0; i < count; ++i) {
      threads.emplace_back([&] {
        FuzzWorker worker(options_.backends, shapes_);
        if (worker.Open()) {
          work(&worker);
          Publish(&worker);
        } else {
          GiveUp(worker.error());
        }
        const std::lock_guard lock(mutex_);
        --running;
        changed_.notify_all();
      });
    }
    {
      std::unique_lock lock(mutex_);
      while (running != 0) {
        changed_.wait_for(lock, options_.tick);
        if (Interrupted() || (deadline_ && std::chrono::steady_clock::now() >= *deadline_))
          stop_scripts_.store(true);
        Tick(&lock);
      }
    }
    for (std::thread& thread : threads) thread.join();
  }

  void Fuzz(FuzzWorker* worker) {
    const auto wants = [this](const std::string& kind) { return schedule_.Wants(kind); };
    std::chrono::steady_clock::time_point published = std::chrono::steady_clock::now();
    while (!stop_scripts_.load(std::memory_order_relaxed)) {
      if (const std::optional<RawFinding> raw = schedule_.TakeFinding()) {
        LookInto(*raw, worker, options_.findings);
        continue;
      }
      const std::optional<ScriptPlan> plan = schedule_.Next();
      if (!plan) return;
      const FuzzWorker::End end = worker->Run(*plan, &stop_scripts_, wants);
      schedule_.Done(*plan, end == FuzzWorker::End::kDone, &worker->findings());
      if (end == FuzzWorker::End::kUnusable) return GiveUp(worker->error());
      if (std::chrono::steady_clock::now() - published < kPublishEvery) continue;
      Publish(worker);
      published = std::chrono::steady_clock::now();
    }
  }

  void LookIntoTheRest(FuzzWorker* worker) {
    while (const std::optional<RawFinding> raw = schedule_.TakeFinding(/*at_end=*/true)) {
      FindingOptions options = options_.findings;
      if (stop_scripts_.load()) {
        const milliseconds left = kShrinkingAtEnd - std::chrono::duration_cast<milliseconds>(
                                                        std::chrono::steady_clock::now() - end_);
        options.shrink_time = std::clamp(left, milliseconds(0), options.shrink_time);
        options.shrink &= !Interrupted();
      }
      LookInto(*raw, worker, options);
    }
  }

  void LookInto(const RawFinding& raw, FuzzWorker* worker, const FindingOptions& options) {
    {
      const std::lock_guard lock(mutex_);
      looking_ = true;
    }
    // Only this thread adds to known_: findings are looked into one at a time.
    Finding finding = MakeFinding(raw, options_.backends[raw.backend], worker->backend(raw.backend),
                                  shapes_, options, known_, options_.stop);
    {
      const std::lock_guard lock(mutex_);
      looking_ = false;
      if (known_.insert(finding.id).second) {
        if (!finding.unwritten.empty()) unwritten_ = true;
        if (options_.found) options_.found(finding);
        finding.text.clear();
        finding.script_text.clear();
        state_.findings.push_back(std::move(finding));
      }
    }
    schedule_.LookedInto();
  }

  void GiveUp(const std::string& why) {
    const std::lock_guard lock(mutex_);
    if (unusable_.empty()) unusable_ = why;
    stop_scripts_.store(true);
  }

  void Publish(FuzzWorker* worker) {
    std::vector<std::string> selectors;
    for (const FuzzBackend& backend : options_.backends) selectors.push_back(backend.selector);
    const Differences::Named differences = worker->differences().Names(selectors);
    const std::lock_guard lock(mutex_);
    state_.counts += worker->counts();
    state_.coverage.Merge(worker->coverage());
    MergeDifferences(differences, &state_.differences);
    worker->Clear();
  }

  // With mutex_ held: brings state_ up to date.
  void Collect() {
    state_.done = schedule_.Settled();
    state_.kinds = schedule_.Kinds();
    state_.seconds =
        seconds_before_ +
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

  void Save() {
    if (!options_.save_state) return;
    std::string error;
    if (SaveState(state_, options_.findings.directory, &error)) return;
    if (!unsaved_ && options_.warn) options_.warn(error + "; the run could not be resumed");
    unsaved_ = unwritten_ = true;
  }

  void Tick(std::unique_lock<std::mutex>* lock) {
    const std::chrono::steady_clock::time_point now = std::chrono::steady_clock::now();
    Collect();
    if (now - saved_ >= options_.save_every) {
      saved_ = now;
      Save();
    }
    if (!options_.progress) return;
    FuzzProgress progress;
    progress.counts = state_.counts;
    progress.cells = state_.coverage.cells();
    progress.findings = state_.findings.size();
    progress.difference_kinds = state_.differences.size();
    for (const auto& [kind, count] : state_.differences) progress.differences += count.count;
    progress.seconds = state_.seconds;
    progress.looking = looking_;
    const double since = std::chrono::duration<double>(now - rated_).count();
    if (since >= 1) {
      rate_ = static_cast<double>(state_.counts.judged - judged_) / since;
      judged_ = state_.counts.judged;
      rated_ = now;
    }
    progress.rate = rate_;
    lock->unlock();
    options_.progress(progress);
    lock->lock();
  }

  const FuzzOptions& options_;
  const ScriptShapes& shapes_;
  std::mutex mutex_;
  std::condition_variable changed_;
  FuzzState state_;  // Guarded by mutex_.
  FuzzSchedule schedule_;
  std::set<std::string> known_;
  std::atomic<bool> stop_scripts_{false};
  std::string unusable_;
  bool looking_ = false, unwritten_ = false, unsaved_ = false;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::optional<std::chrono::steady_clock::time_point> deadline_;
  std::chrono::steady_clock::time_point end_, saved_ = start_, rated_ = start_;
  uint64_t judged_ = state_.counts.judged;
  double rate_ = 0;
  double seconds_before_;
};

}  // namespace

FuzzResult RunFuzz(const FuzzOptions& options, const ScriptShapes& shapes, FuzzState start) {
  return Engine(options, shapes, std::move(start)).Run();
}

}  // namespace mapspec
