// SPDX-License-Identifier: MIT
//
// Executes scripts on a backend, each in a session of its own, and judges them operation by
// operation. Buffers are reused from script to script. Thread-safety: one thread at a time for each
// object.
#ifndef PROPERTIES_SCRIPT_RUNNER_H_
#define PROPERTIES_SCRIPT_RUNNER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "oracle/checker.h"
#include "properties/property.h"

namespace mapspec {

class ScriptRunner {
 public:
  ScriptRunner(Backend& backend, const Profile& profile) : backend_(backend), profile_(profile) {}

  enum class End : uint8_t { kConforms, kViolation, kNoSession };
  // What came of the last Run(), valid until the next one.
  struct Last {
    End end = End::kConforms;
    std::string error;  // For kNoSession.
    size_t index = 0;   // For kViolation: the operation.
    ClauseId violated = kNoClause;
    size_t judged = 0;    // Operations that were executed and looked at.
    size_t unjudged = 0;  // Of which nothing is promised.
    std::vector<Outcome> outcomes;
  };
  const Last& Run(std::span<const Operation> operations);
  const Last& last() const { return last_; }

  // The trace of the last run up to and including the violating operation (all of it without one).
  Trace TraceOf(std::string name, std::span<const Operation> operations) const;

 private:
  Backend& backend_;
  const Profile& profile_;
  Last last_;
};

// The seed of a property from that of the run.
uint64_t DeriveSeed(uint64_t seed, std::string_view id);

// Fills `counterexample`, `verdict` and `reason` from a trace that breaks a clause.
void SetCounterexample(Trace trace, const Profile& profile, PropertyResult* result);

}  // namespace mapspec

#endif  // PROPERTIES_SCRIPT_RUNNER_H_
