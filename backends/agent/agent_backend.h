// SPDX-License-Identifier: MIT
//
// A backend whose implementation lives in a child process that speaks the agent protocol
// (README.md): `exec:COMMAND`, and, with an agent of our own, `library:PATH`. A child that dies or
// hangs is the outcome of the operation it was at; the next session gets a new child. Healthy
// children are used again, each by the thread that started it. The backend must outlive its
// sessions. Thread-safety: that of Backend.
#ifndef BACKENDS_AGENT_AGENT_BACKEND_H_
#define BACKENDS_AGENT_AGENT_BACKEND_H_

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "backends/backend.h"

namespace mapspec {

struct AgentOptions {
  std::string selector;
  std::vector<std::string> arguments;  // The program's path and its arguments.
  // For one operation, and for the first line. MAPSPEC_OPERATION_TIMEOUT_MS is read where 0.
  std::chrono::milliseconds time_limit{0};
  // Find out by trying whether descriptors can be mapped, rather than believe `mmap` in the
  // capabilities.
  bool probe_mmap = false;
};

// Starts a first child to hear what it can do. nullptr after filling *error.
std::unique_ptr<Backend> MakeAgentBackend(AgentOptions options, std::string* error);

}  // namespace mapspec

#endif  // BACKENDS_AGENT_AGENT_BACKEND_H_
