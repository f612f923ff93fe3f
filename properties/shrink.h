// SPDX-License-Identifier: MIT
//
// Shrinking: the smallest script that still shows what a long one showed. Delta debugging over
// operations first (whole maps, whole kinds of operations, ever smaller chunks), then over what is
// in them: buffers, sizes, counts, flags, handles. Works on scripts alone; whether a candidate
// still fails is the caller's predicate (execute, judge, the same clause is violated).
//
// The steps are a pure function of (script, cursor), so that RapidCheck can follow them as well
// (random_scripts.cc). Every accepted step makes Weight() smaller, hence shrinking ends.
// Thread-safety: Shrink may run on any thread; the cancel flag may be set from another.
// Source: Zeller, Hildebrandt, "Simplifying and isolating failure-inducing input", 2002.
#ifndef PROPERTIES_SHRINK_H_
#define PROPERTIES_SHRINK_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

#include "oracle/operation.h"

namespace mapspec {

// Where the search stands. A default cursor starts it.
struct ShrinkCursor {
  enum class Phase : uint8_t {
    kDropMaps,    // All operations on one handle.
    kDropKinds,   // All operations of one kind.
    kDropChunks,  // Runs of operations, from long to single ones.
    kBuffers,     // One byte string, wherever it occurs.
    kFields,      // One field of one operation.
    kRenumber,    // Slots in order of use.
    kDone,
  };
  Phase phase = Phase::kDropMaps;
  size_t position = 0;  // What it means is the phase's affair.
  size_t chunk = 0;
  bool changed = false;  // Something was accepted since the last look at single operations.
};

// A candidate, and how to go on when it is accepted.
struct ShrinkStep {
  Script script;
  ShrinkCursor if_accepted;
};
// The next candidate for `script`, moving *cursor to where the search goes on when it is rejected;
// nullopt when nothing is left to try.
std::optional<ShrinkStep> NextShrinkStep(const Script& script, ShrinkCursor* cursor);

// What shrinking makes smaller: lexicographic order of the number of operations and of the
// complexity of their fields.
struct ScriptWeight {
  uint64_t operations = 0;
  uint64_t complexity = 0;
  friend auto operator<=>(const ScriptWeight&, const ScriptWeight&) = default;
};
ScriptWeight Weight(const Script& script);

struct ShrinkBudget {
  uint64_t executions = 10'000;
  std::chrono::milliseconds time{10'000};
};

struct ShrinkProgress {
  uint64_t executions = 0;
  size_t operations = 0;  // Of the best so far.
};

struct ShrinkResult {
  Script script;            // The best so far; the input when nothing smaller fails.
  uint64_t executions = 0;  // Calls of the predicate.
  uint64_t accepted = 0;
  // Whether nothing was left to try; else the budget was used up or the search was cancelled.
  bool complete = false;
};

// `still_fails` must hold for `script`; it is not asked again about it. `progress` and `cancel` may
// be null.
ShrinkResult Shrink(const Script& script, const std::function<bool(const Script&)>& still_fails,
                    const ShrinkBudget& budget,
                    const std::function<void(const ShrinkProgress&)>& progress = nullptr,
                    const std::atomic<bool>* cancel = nullptr);

}  // namespace mapspec

#endif  // PROPERTIES_SHRINK_H_
