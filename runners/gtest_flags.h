// SPDX-License-Identifier: MIT
//
// The --gtest_* options that `mapspec run` passes on to GoogleTest. They are checked first, because
// GoogleTest itself answers an unknown one with its help text and exit status 0.
#ifndef RUNNERS_GTEST_FLAGS_H_
#define RUNNERS_GTEST_FLAGS_H_

#include <string>
#include <vector>

namespace mapspec {

// 0, or 2 after saying what is wrong. `several`: the tests are spread over more than one process.
int CheckGtestFlags(const std::vector<std::string>& flags, bool several);
bool WantsGtestList(const std::vector<std::string>& flags);

}  // namespace mapspec

#endif  // RUNNERS_GTEST_FLAGS_H_
