// SPDX-License-Identifier: MIT
//
// A run of the fuzzer: threads that each carry out scripts (fuzz_worker.h), findings that are
// looked into in the order of their scripts (fuzz_schedule.h, fuzz_findings.h), a state that is
// saved every few seconds (fuzz_state.h). The same seed and number of operations give the same
// scripts and findings for any number of threads; a limit on time does not.
//
// Memory does not grow with the number of operations. Thread-safety: RunFuzz blocks its caller;
// `progress` is called on the caller's thread, `found` and `warn` on any, one at a time.
#ifndef RUNNERS_FUZZ_ENGINE_H_
#define RUNNERS_FUZZ_ENGINE_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runners/fuzz_findings.h"
#include "runners/fuzz_state.h"
#include "runners/fuzz_worker.h"

namespace mapspec {

// How a run stands.
struct FuzzProgress {
  FuzzCounts counts;
  uint64_t cells = 0;
  size_t findings = 0;
  size_t difference_kinds = 0;
  uint64_t differences = 0;
  double seconds = 0;    // Of all sessions.
  double rate = 0;       // Operations judged a second, lately.
  bool looking = false;  // A finding is being looked into.
};

struct FuzzOptions {
  std::vector<FuzzBackend> backends;
  std::optional<uint64_t> operations;             // Of all sessions together.
  std::optional<std::chrono::milliseconds> time;  // Of this session.
  unsigned jobs = 1;
  FindingOptions findings;
  bool save_state = true;
  std::chrono::milliseconds tick{250};
  std::chrono::milliseconds save_every{5'000};
  const std::atomic<bool>* stop = nullptr;  // Set from outside to end early.
  std::function<void(const FuzzProgress&)> progress;
  std::function<void(const Finding&)> found;
  std::function<void(const std::string&)> warn;
};

struct FuzzResult {
  FuzzState state;
  bool interrupted = false;
  std::string unusable;    // Why a backend could not be used any more.
  bool unwritten = false;  // Something could not be written; `warn` was told.
};

// `start`: a new state with seed and backends, or that of an earlier session.
FuzzResult RunFuzz(const FuzzOptions& options, const ScriptShapes& shapes, FuzzState start);

}  // namespace mapspec

#endif  // RUNNERS_FUZZ_ENGINE_H_
