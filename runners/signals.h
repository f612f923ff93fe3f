// SPDX-License-Identifier: MIT
//
// Stopping on SIGINT and SIGTERM. The first signal asks: it sets a flag that everything long looks
// at, so that reports of what was done can still be written. In a process with its own handling of
// the second one (InstallStopSignals), that kills at once, children included. The flag is one
// atomic for the process; reading it is async-signal-safe and thread-safe.
#ifndef RUNNERS_SIGNALS_H_
#define RUNNERS_SIGNALS_H_

#include <atomic>

namespace mapspec {

// True after the first signal.
const std::atomic<bool>& StopFlag();
// For tests and for a time limit: as if a signal had come.
void RequestStop();
// The signal that came first, 0 for none.
int StopSignal();

// The main process: the second signal ends it with exit status 130, after SIGKILL to the processes
// named by AddChildToKill.
void InstallStopSignals();
// A worker process: any number of signals only sets the flag (the terminal and the main process may
// both send one), the main process is the one to kill it.
void InstallWorkerSignals();

// Processes that a second signal kills; at most 256 at a time.
void AddChildToKill(int pid);
void RemoveChildToKill(int pid);

}  // namespace mapspec

#endif  // RUNNERS_SIGNALS_H_
