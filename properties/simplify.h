// SPDX-License-Identifier: MIT
//
// Simpler forms of single operations: what shrinking puts in their place, and the complexity by
// which "simpler" is measured. No state, no errors.
#ifndef PROPERTIES_SIMPLIFY_H_
#define PROPERTIES_SIMPLIFY_H_

#include <cstdint>
#include <vector>

#include "oracle/operation.h"

namespace mapspec {

// 0 for the plainest operation of its kind. Slot numbers count, so that lower ones are simpler.
uint64_t Complexity(const Operation& operation);

// Operations of the same kind, each less complex than `operation`, boldest first; for a helper
// called by a program also the system call that does the same to the map, where there is one.
std::vector<Operation> SimplerForms(const Operation& operation);

}  // namespace mapspec

#endif  // PROPERTIES_SIMPLIFY_H_
