// SPDX-License-Identifier: MIT
#include <CLI/CLI.hpp>
#include <memory>

#include "backends/agent/agent_server.h"
#include "backends/backend.h"
#include "runners/commands.h"

namespace mapspec {
namespace {

int Agent(const std::string& selector) {
  bool usage = false;
  std::string reason;
  const int status = RunAgent([&](std::string* error) {
    auto backend = MakeBackend(selector, error, &usage);
    reason = *error;
    return backend;
  });
  // The peer was told through the protocol; whoever started the agent by hand reads it here.
  if (!reason.empty()) UsageError(reason);
  return usage ? 2 : status;
}

}  // namespace

void AddAgentCommand(CLI::App& app, int* status) {
  CLI::App* command = app.add_subcommand("agent", "Serve the agent protocol for a backend");
  auto backend = std::make_shared<std::string>();
  command->add_option("-b,--backend", *backend, "What answers; see mapspec list backends")
      ->required();
  command->footer(
      "Speaks JSON Lines on standard input and output until the input ends, so that a mapspec "
      "elsewhere can\n"
      "use this machine's implementation (backends/agent/README.md describes the protocol).\n\n"
      "Example\n  mapspec run --backend 'exec:ssh phone mapspec agent --backend kernel'");
  command->callback([backend, status] { *status = Agent(*backend); });
}

}  // namespace mapspec
