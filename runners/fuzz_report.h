// SPDX-License-Identifier: MIT
//
// What a run of the fuzzer tells: one line while it goes on, a summary at its end, a JSON object
// for programs. Pure but for the streams. Thread-safety: one thread at a time for each object.
#ifndef RUNNERS_FUZZ_REPORT_H_
#define RUNNERS_FUZZ_REPORT_H_

#include <chrono>
#include <cstdio>
#include <ostream>
#include <string>
#include <vector>

#include "runners/fuzz_engine.h"

namespace mapspec {

// On a terminal one line that is drawn anew, elsewhere a line every ten seconds.
class FuzzProgressLine {
 public:
  explicit FuzzProgressLine(std::FILE* stream);
  ~FuzzProgressLine() { Erase(); }
  FuzzProgressLine(const FuzzProgressLine&) = delete;
  FuzzProgressLine& operator=(const FuzzProgressLine&) = delete;
  void Show(const FuzzProgress& progress);
  // So that something else can be printed.
  void Erase();

 private:
  std::FILE* stream_;
  bool terminal_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};
std::string ProgressText(const FuzzProgress& progress);

struct FuzzReport {
  const FuzzResult* result = nullptr;
  std::vector<Environment> environments;  // Of the backends, in order.
  unsigned jobs = 1;
  std::string directory;
};
std::string SummaryText(const FuzzReport& report);
// In the spirit of `run --json`: one object.
void WriteFuzzJson(const FuzzReport& report, std::ostream& out);

}  // namespace mapspec

#endif  // RUNNERS_FUZZ_REPORT_H_
