// SPDX-License-Identifier: MIT
//
// The checker: reads a trace, operation by operation, and says which clauses each outcome kept or
// broke. It holds the models of all maps of one script and what is known of descriptors, ids, pins
// and views. It never sees a backend. A checker can be copied; a copy goes on independently.
// Thread-safety: one thread at a time for each object.
#ifndef ORACLE_CHECKER_H_
#define ORACLE_CHECKER_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "oracle/clause.h"
#include "oracle/profile.h"
#include "oracle/trace.h"

namespace mapspec {

// What the oracle says of one outcome.
struct Judgement {
  enum class Kind : uint8_t {
    kConforms,
    kViolation,
    kUnjudged,  // Nothing was promised (or the operation was not run); nothing follows from it.
  };
  Kind kind = Kind::kConforms;
  ClauseId violated = kNoClause;  // For kViolation.
  // The clauses that decided, kNoClause for unused places.
  static constexpr size_t kMaxCited = 12;
  std::array<ClauseId, kMaxCited> cited = [] {
    std::array<ClauseId, kMaxCited> none;
    none.fill(kNoClause);
    return none;
  }();
  // For kViolation: what was allowed and what came, each a line or a few.
  std::string expected;
  std::string got;
  // For kViolation of an output buffer: what was expected in it, so that reports can mark differing
  // bytes.
  Bytes expected_bytes;
};

class Checker {
 public:
  Checker(const Profile& profile, const Environment& environment);
  Checker(const Checker&);
  Checker& operator=(const Checker&);
  Checker(Checker&&) noexcept;
  Checker& operator=(Checker&&) noexcept;
  ~Checker();

  // Judges the next operation of the trace. The reference is valid until the next call. After a
  // violation the models no longer match the implementation: do not go on with this checker.
  const Judgement& Step(const Operation& operation, const Outcome& outcome);

  struct State;  // The rules: oracle/checker_state.h.

 private:
  std::unique_ptr<State> state_;
};

// The verdict on a whole trace; judging stops at the first violation, since what follows it proves
// nothing.
struct Verdict {
  bool violation = false;
  size_t index = 0;     // Of the violating operation.
  Judgement judgement;  // Of that operation.
  size_t judged = 0;    // Operations judged (conforming or violating).
  size_t unjudged = 0;
  // Clause → how often it was cited, indexed by ClauseId.
  std::vector<uint32_t> citations;
};
Verdict Judge(const Trace& trace, const Profile& profile);

}  // namespace mapspec

#endif  // ORACLE_CHECKER_H_
