// SPDX-License-Identifier: MIT
//
// What a person sees while a run goes on: on a terminal one line that changes, otherwise a plain
// line now and then; failures in full as soon as they are known. Colours only on a terminal and
// without NO_COLOR (https://no-color.org). One object for each run, used from one thread.
#ifndef RUNNERS_PROGRESS_H_
#define RUNNERS_PROGRESS_H_

#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>

#include "runners/results.h"

namespace mapspec {

// Whether `stream` may be coloured.
bool UseColour(std::FILE* stream);

class Progress {
 public:
  // Writes to `stream`; with `every_test` a plain line for each test.
  Progress(std::FILE* stream, bool every_test);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Begin(std::string_view backend, size_t tests);
  void TestStarted(std::string_view id);
  void TestEnded(const TestResult& test);
  // Says something above the changing line.
  void Note(std::string_view text);
  void End();

 private:
  using Clock = std::chrono::steady_clock;
  void Erase();
  void Draw(bool now);

  std::FILE* stream_;
  bool every_test_;
  bool terminal_;
  bool colour_;
  bool drawn_ = false;
  std::string backend_, current_;
  size_t tests_ = 0, done_ = 0, failed_ = 0, deviating_ = 0, skipped_ = 0, unknown_ = 0;
  Clock::time_point start_, last_draw_;
};

// The verdict at the end of a run: clauses kept, broken and skipped with the reasons, operations,
// time, coverage, and where the reports lie.
std::string VerdictText(const BackendResults& results, bool colour);

}  // namespace mapspec

#endif  // RUNNERS_PROGRESS_H_
