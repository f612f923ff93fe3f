// SPDX-License-Identifier: MIT
//
// The serving side of the agent protocol (README.md beside this file).
#ifndef BACKENDS_AGENT_AGENT_SERVER_H_
#define BACKENDS_AGENT_AGENT_SERVER_H_

#include <functional>
#include <memory>
#include <string>

#include "backends/backend.h"

namespace mapspec {

// Serves until the end of the input. Returns the exit status of the agent: 0, or 2 when the peer
// broke the protocol, 3 when the backend became unusable. Does not close the descriptors.
int ServeAgent(Backend& backend, int in_fd, int out_fd);

// The whole life of an agent process: keeps stdin and stdout for the protocol under other numbers
// (what prints to stdout prints to stderr from then on, and a library that closes small numbers
// closes nothing of ours), makes the backend, says so when that fails, and serves.
int RunAgent(const std::function<std::unique_ptr<Backend>(std::string* error)>& make);

}  // namespace mapspec

#endif  // BACKENDS_AGENT_AGENT_SERVER_H_
