// SPDX-License-Identifier: MIT
//
// What reports say of clauses over which documentation and kernels disagree, out of the embedded
// specification. Ownership: the specification's. Thread-safety: any thread.
#ifndef RUNNERS_DIVERGENCE_H_
#define RUNNERS_DIVERGENCE_H_

#include <string>
#include <string_view>

#include "specs/spec.h"

namespace mapspec {

// nullptr for a clause that is not there or that nobody disputes.
const Divergence* DivergenceOf(std::string_view clause);
// One line: who says what, and what kernels do. "" where DivergenceOf gives none.
std::string DivergenceNote(std::string_view clause);

}  // namespace mapspec

#endif  // RUNNERS_DIVERGENCE_H_
