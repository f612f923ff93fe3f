// SPDX-License-Identifier: MIT
//
// `mapspec list traits`: the ways in which kernel versions differ, and the evidence: which kernels
// were run, and which clauses, with their sources, hold on one side only.
#ifndef RUNNERS_LIST_TRAITS_H_
#define RUNNERS_LIST_TRAITS_H_

#include "specs/spec.h"

namespace mapspec {

// Prints on standard output: text, or with `json` an object for each trait, one a line. Returns the
// exit status.
int ListTraits(const Specs& specs, bool json);

}  // namespace mapspec

#endif  // RUNNERS_LIST_TRAITS_H_
