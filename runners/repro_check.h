// SPDX-License-Identifier: MIT
//
// Compiles a reproducer (runners/repro.h) with the C compiler of this machine and runs it, each
// within a time limit. Both happen in a directory of their own, which is gone afterwards.
// Thread-safety: any thread; several checks may run at once. Errors: in the result.
#ifndef RUNNERS_REPRO_CHECK_H_
#define RUNNERS_REPRO_CHECK_H_

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace mapspec {

struct ReproCheck {
  bool compiled = false;
  // Of the program: 0 no violation, 1 the violation, 2 could not be carried out; 128 + the signal
  // that ended it. -1: it was not run, or did not end in time.
  int status = -1;
  bool timed_out = false;
  // What the compiler or, where that was content, the program wrote to both of its outputs (the
  // first 64 KiB); or why there was no compiler.
  std::string output;
};

struct ReproCheckOptions {
  std::chrono::milliseconds limit{10'000};  // Of each of the two.
  // Arguments of the program ("kernel", or the library that is to answer).
  std::vector<std::string> arguments;
  // Set for the program alone, beside this process's environment.
  std::vector<std::pair<std::string, std::string>> environment;
};

// The first of $CC, cc, gcc and clang that is in $PATH; "" where there is none.
std::string FindCCompiler();

// `source`: the text of the program.
ReproCheck CheckReproducer(const std::string& source, const ReproCheckOptions& options = {});

}  // namespace mapspec

#endif  // RUNNERS_REPRO_CHECK_H_
