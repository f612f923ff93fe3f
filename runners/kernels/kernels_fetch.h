// SPDX-License-Identifier: MIT
//
// `mapspec kernels list` and `fetch`. Both say what they do on standard output and what is wrong on
// standard error, and return the exit status.
#ifndef RUNNERS_KERNELS_KERNELS_FETCH_H_
#define RUNNERS_KERNELS_KERNELS_FETCH_H_

#include <string>
#include <vector>

namespace mapspec {

int ListKernels();
int FetchKernels(const std::vector<std::string>& versions);

// "12.3 MiB"
std::string SizeText(unsigned long long bytes);

}  // namespace mapspec

#endif  // RUNNERS_KERNELS_KERNELS_FETCH_H_
