// SPDX-License-Identifier: MIT
//
// Outcomes that contradict what a step states, made from one that agrees with it by the smallest
// change: another errno, success for failure and the reverse, one bit of a stated output, a count
// off by one, a written byte in a buffer that must be untouched. Whoever judges outcomes must
// object to each. Pure functions. Thread-safety: any thread.
#ifndef SPECS_CONTRADICTIONS_H_
#define SPECS_CONTRADICTIONS_H_

#include <vector>

#include "oracle/outcome.h"
#include "specs/scenario.h"

namespace mapspec {

// None of them matches any alternative of the step. What the step leaves open is not changed.
std::vector<Outcome> Contradictions(const Step& step, const Outcome& agreeing);

}  // namespace mapspec

#endif  // SPECS_CONTRADICTIONS_H_
