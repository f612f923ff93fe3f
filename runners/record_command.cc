// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <memory>

#include "backends/backend.h"
#include "oracle/trace_json.h"
#include "runners/commands.h"

namespace mapspec {
namespace {

struct RecordArguments {
  std::string script;
  std::string backend;
  std::string profile;
  std::string output;
};

int Record(const RecordArguments& options) {
  if (!options.profile.empty() && FindProfileOrSay(options.profile) == nullptr) return 2;
  const std::optional<Script> script = ReadScriptOrSay(options.script);
  if (!script) return 2;
  std::string error;
  bool usage = false;
  const std::unique_ptr<Backend> backend = MakeBackend(options.backend, &error, &usage);
  if (backend == nullptr) {
    UsageError(error);
    return usage ? 2 : 3;
  }
  std::ofstream file;
  if (!options.output.empty()) {
    file.open(options.output, std::ios::binary | std::ios::trunc);
    if (!file) return UsageError(options.output + ": cannot be written");
  }
  Trace trace = Execute(*backend, *script, &error);
  if (!error.empty()) {
    UsageError(error);
    return 3;
  }
  trace.profile = options.profile;
  std::ostream& out = options.output.empty() ? std::cout : file;
  WriteTrace(trace, out);
  out.flush();
  if (!out)
    return UsageError((options.output.empty() ? "standard output" : options.output) +
                      ": cannot be written");
  return 0;
}

}  // namespace

void AddRecordCommand(CLI::App& app, int* status) {
  CLI::App* command = app.add_subcommand("record", "Execute a script and write the trace");
  auto options = std::make_shared<RecordArguments>();
  command->add_option("SCRIPT", options->script, "A script (JSON Lines); - reads standard input")
      ->required();
  command
      ->add_option("-b,--backend", options->backend, "What executes it; see mapspec list backends")
      ->required();
  command->add_option("--profile", options->profile, "Noted in the trace as what to judge it by");
  command->add_option("-o,--output", options->output, "File to write; default: standard output");
  command->footer(
      "Example\n  mapspec record --backend kernel queue.script > t.jsonl && mapspec check "
      "t.jsonl\n\n"
      "Nothing is judged here. Exit status: 0 executed, 2 bad usage or a damaged script, 3 the "
      "backend\n"
      "could not be used.");
  command->callback([options, status] { *status = Record(*options); });
}

}  // namespace mapspec
