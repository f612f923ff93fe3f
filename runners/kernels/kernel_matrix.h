// SPDX-License-Identifier: MIT
//
// Several kernels beside each other, as text for a terminal: a table with a line for each, and the
// clauses that they do not agree about. Pure functions of results.
#ifndef RUNNERS_KERNELS_KERNEL_MATRIX_H_
#define RUNNERS_KERNELS_KERNEL_MATRIX_H_

#include <string>
#include <vector>

#include "runners/results.h"

namespace mapspec {

// "CONFORMS", "DOES NOT CONFORM", "INCOMPLETE", "INTERRUPTED".
std::string VerdictWord(const BackendResults& results);

std::string KernelTable(const std::vector<BackendResults>& results, bool colour);

// A row for each clause whose status is not the same everywhere, those with something broken first;
// what merely does not hold for some versions is counted where there is too much of it. "" for less
// than two kernels.
std::string KernelDifferences(const std::vector<BackendResults>& results);

}  // namespace mapspec

#endif  // RUNNERS_KERNELS_KERNEL_MATRIX_H_
