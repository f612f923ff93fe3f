// SPDX-License-Identifier: MIT
//
// Runs a plan on one backend: as many workers as asked for, their messages merged into one
// BackendResults. A worker that dies or hangs costs the test it was at, and another one goes on
// with the rest. On a stop signal workers finish at once; what did not run is marked so. One pool
// at a time in a process.
#ifndef RUNNERS_WORKER_POOL_H_
#define RUNNERS_WORKER_POOL_H_

#include <functional>
#include <string>
#include <vector>

#include "runners/progress.h"
#include "runners/run_plan.h"
#include "runners/worker_protocol.h"

namespace mapspec {

// Opens the backend in a worker and closes it again. False after filling in *unusable.
bool ProbeBackend(const std::string& backend, HelloMessage* hello, UnusableMessage* unusable);

// Told of everything that the workers say of tests, as it comes: how a guest passes it on.
using MessageRelay = std::function<void(const Message&)>;

// `hello` is what the probe of this backend said.
BackendResults RunOnBackend(const std::string& backend, const HelloMessage& hello,
                            const Profile& profile, const std::vector<PlannedTest>& plan,
                            const RunOptions& options, Progress* progress,
                            const MessageRelay& relay = {});

}  // namespace mapspec

#endif  // RUNNERS_WORKER_POOL_H_
