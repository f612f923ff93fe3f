// SPDX-License-Identifier: MIT
//
// A worker: a child process that opens one backend and runs tests on it under GoogleTest, telling
// the main process through a pipe. The backend lives in the worker only, so that its death is a
// finding and not the end of the run. StartWorker forks: call it from a process with one thread.
#ifndef RUNNERS_WORKER_H_
#define RUNNERS_WORKER_H_

#include <string>
#include <vector>

#include "oracle/profile.h"
#include "runners/run_plan.h"

namespace mapspec {

struct WorkerJob {
  std::string backend;
  const Profile* profile = nullptr;  // nullptr: only open the backend and say hello.
  std::vector<const PlannedTest*> tests;
  const RunOptions* options = nullptr;
};

struct WorkerProcess {
  int pid = -1;
  int fd = -1;  // Read end of the pipe, non-blocking.
};

// pid -1 after filling *error.
WorkerProcess StartWorker(const WorkerJob& job, std::string* error);

// Prints what --gtest_list_tests prints. Ends the use of GoogleTest in this process.
int ListGtests(const std::vector<PlannedTest>& plan, const RunOptions& options);

// "was killed by SIGSEGV", "ended with exit status 3", from waitpid(2).
std::string DescribeDeath(int wait_status);

}  // namespace mapspec

#endif  // RUNNERS_WORKER_H_
