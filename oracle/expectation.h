// SPDX-License-Identifier: MIT
//
// Expectations: the outcomes that are allowed for one operation now. A model answers with one; the
// checker holds the outcome against it. Most allow a single outcome, some a few (Or).
//
// A refusal names two clauses: the promise that the call fails, and the promise of the exact errno,
// since the documentation often gives only the first ("negative error"). Where one sentence gives
// both they are the same clause.
//
// Expectations are small values; the pointer to expected output bytes points into the model (or at
// a constant) and is valid until the model changes.
#ifndef ORACLE_EXPECTATION_H_
#define ORACLE_EXPECTATION_H_

#include <array>
#include <cstdint>
#include <string>

#include "oracle/bytes.h"
#include "oracle/clause.h"
#include "oracle/uapi.h"

namespace mapspec {

struct Expectation {
  struct Alternative {
    Errno error = Errno::kNone;  // kNone: success.
    ClauseId clause =
        kNoClause;  // What is broken when the call succeeds instead of failing, or the reverse.
    ClauseId exact = kNoClause;  // What is broken when it fails with another errno.
  };

  std::array<Alternative, 4> alternatives;
  uint8_t count = 0;
  // On success: what the output buffer must hold (nullptr: nothing is said), by which clause.
  const Bytes* output = nullptr;
  ClauseId output_clause = kNoClause;
  // Further clauses that speak of this case and hold if the outcome is an allowed one: an order of
  // refusals, a flag that is accepted. Cited, never blamed.
  std::array<ClauseId, 8> also = {kNoClause, kNoClause, kNoClause, kNoClause,
                                  kNoClause, kNoClause, kNoClause, kNoClause};
  // Nothing at all is promised here.
  bool anything = false;
  // The errors are those of loading the program, whose helper is then never called.
  bool at_load = false;

  static Expectation Succeeds(ClauseId clause) {
    Expectation e;
    return e.OrSucceeds(clause);
  }
  static Expectation SucceedsWith(ClauseId clause, const Bytes& output) {
    Expectation e = Succeeds(clause);
    e.output = &output;
    e.output_clause = clause;
    return e;
  }
  static Expectation Fails(Errno error, ClauseId clause, ClauseId exact = kNoClause) {
    Expectation e;
    return e.OrFails(error, clause, exact);
  }
  // The program that would call the helper is not loaded.
  static Expectation Refused(Errno error, ClauseId clause, ClauseId exact = kNoClause) {
    Expectation e = Fails(error, clause, exact);
    e.at_load = true;
    return e;
  }
  static Expectation Anything() {
    Expectation e;
    e.anything = true;
    return e;
  }
  Expectation& OrSucceeds(ClauseId clause) {
    alternatives[count++] = {Errno::kNone, clause, clause};
    return *this;
  }
  Expectation& OrFails(Errno error, ClauseId clause, ClauseId exact = kNoClause) {
    alternatives[count++] = {error, clause, exact == kNoClause ? clause : exact};
    return *this;
  }

  Expectation& Also(ClauseId clause, bool when = true) {
    if (!when || clause == kNoClause) return *this;
    for (ClauseId& place : also) {
      if (place == kNoClause) {
        place = clause;
        break;
      }
    }
    return *this;
  }

  // Whether the call may succeed.
  bool AllowsSuccess() const {
    for (uint8_t i = 0; i < count; ++i) {
      if (alternatives[i].error == Errno::kNone) return true;
    }
    return anything;
  }
  // "success", "EEXIST", "E2BIG or success".
  std::string ToString() const;
};

// What a map model may find wrong with the outputs of a call that was allowed to succeed.
struct Mismatch {
  ClauseId clause = kNoClause;  // kNoClause: nothing is wrong.
  std::string expected;
  std::string got;
  explicit operator bool() const { return clause != kNoClause; }
};

}  // namespace mapspec

#endif  // ORACLE_EXPECTATION_H_
