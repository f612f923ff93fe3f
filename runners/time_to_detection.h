// SPDX-License-Identifier: MIT
//
// How soon the fuzzer notices each deliberate fault of the userspace library
// (backends/userspace/mutant.h): one child process for each mutant and seed runs the fuzzer's loop
// until the first violation. Seconds are those of the child's CPU time, so that figures from a busy
// machine can be compared. A crash of the child is a detection; a hang, or nothing within the
// limit, is none.
// Thread-safety: forks; call it from a process with one thread.
#ifndef RUNNERS_TIME_TO_DETECTION_H_
#define RUNNERS_TIME_TO_DETECTION_H_

#include <string>
#include <vector>

namespace mapspec {

struct DetectionOptions {
  unsigned seeds = 5;
  unsigned jobs = 1;
  double goal = 5;    // Seconds at the median.
  double limit = 10;  // Of one child.
};

// Prints the table, slowest last. The exit status: 0 all were found in time, 1 not, 130
// interrupted.
int MeasureTimeToDetection(const std::vector<std::string>& mutants,
                           const DetectionOptions& options);

}  // namespace mapspec

#endif  // RUNNERS_TIME_TO_DETECTION_H_
