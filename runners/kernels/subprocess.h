// SPDX-License-Identifier: MIT
//
// Runs a program of the system to its end and keeps what it prints.
#ifndef RUNNERS_KERNELS_SUBPROCESS_H_
#define RUNNERS_KERNELS_SUBPROCESS_H_

#include <string>
#include <vector>

namespace mapspec {

struct ProgramResult {
  int status = -1;     // Exit status; 128 + signal when killed by one; 127 when it is not there.
  std::string output;  // Standard output.
  std::string errors;  // Standard error.
};

// In the C locale, without standard input, in `directory` where one is given. It dies with this
// process, and is ended when a stop is asked for (signals.h).
ProgramResult RunProgram(const std::vector<std::string>& argv, const std::string& directory = "");

}  // namespace mapspec

#endif  // RUNNERS_KERNELS_SUBPROCESS_H_
