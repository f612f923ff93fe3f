// SPDX-License-Identifier: MIT
//
// Properties: what must hold for every script, held against a backend by generating many. Each is a
// value in one table; a runner calls `run` and reports the result. Ids are stable. Thread-safety:
// the table is constant; `run` may be called from several threads at once, with different backends
// or with one that allows it (backends/backend.h).
#ifndef PROPERTIES_PROPERTY_H_
#define PROPERTIES_PROPERTY_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backends/backend.h"
#include "oracle/checker.h"
#include "oracle/profile.h"
#include "oracle/trace.h"
#include "properties/coverage.h"

namespace mapspec {

enum class Effort : uint8_t { kQuick, kNormal, kThorough };
// "quick", "normal", "thorough".
std::string_view EffortName(Effort effort);
std::optional<Effort> ParseEffort(std::string_view name);

struct PropertyProgress {
  uint64_t operations = 0;
  uint64_t wanted = 0;  // Operations planned; 0 while it is not known.
  bool shrinking = false;
};

struct PropertyOptions {
  // Of the run; each property derives its own from it and its id.
  uint64_t seed = 0;
  Effort effort = Effort::kNormal;
  // Operations to execute, instead of what the effort says.
  std::optional<uint64_t> operations;
  // The machine under the backend is emulated, which makes it some thirty times slower: a quick run
  // is to end within a minute there too: it does half as many random operations, and sequences of
  // all of an alphabet are one shorter (never less than two).
  bool emulated = false;
  // An upper bound on the time of one property. Reaching it is told in PropertyResult::reason, and
  // a property that was cut short has `complete` false. Zero: no bound.
  std::chrono::milliseconds time_limit{0};
  bool shrink = true;
  std::chrono::milliseconds shrink_time{10'000};
  // Counts what was seen; may be nullptr.
  Coverage* coverage = nullptr;
  // Set from outside to end early; may be nullptr.
  const std::atomic<bool>* stop = nullptr;
  // Called a few times a second at most; may be empty.
  std::function<void(const PropertyProgress&)> progress;
};

struct PropertyResult {
  std::string id;
  bool passed = false;
  bool skipped = false;
  // The backend gave no session any more: neither passed nor a violation.
  bool backend_failed = false;
  // Everything planned was done.
  bool complete = true;
  // Why it failed, was skipped or cut short; "" otherwise.
  std::string reason;
  // One line for people: "hash: 14641 sequences of 4 operations".
  std::string detail;
  uint64_t cases = 0;       // Scripts, or sequences.
  uint64_t operations = 0;  // Operations executed and judged.
  uint64_t unjudged = 0;    // Of which the oracle promises nothing.
  uint64_t seed = 0;        // The property's own: the same options.seed gives it again.
  uint64_t shrink_executions = 0;
  // Of a violation: the shrunk trace, judged by `verdict`.
  std::optional<Trace> counterexample;
  Verdict verdict;
};

struct Property {
  std::string_view id;  // "hash.random-scripts"
  std::string_view description;
  std::vector<MapType> map_types;
  std::function<PropertyResult(Backend&, const Profile&, const PropertyOptions&)> run;
};

// Every property, in the order in which they should run.
std::span<const Property> AllProperties();

}  // namespace mapspec

#endif  // PROPERTIES_PROPERTY_H_
