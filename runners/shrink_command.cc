// SPDX-License-Identifier: MIT
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>
#include <iostream>
#include <memory>

#include "backends/backend.h"
#include "oracle/checker.h"
#include "oracle/trace_json.h"
#include "properties/shrink.h"
#include "runners/commands.h"
#include "runners/signals.h"

namespace mapspec {
namespace {

struct ShrinkArguments {
  std::string trace;
  std::string backend;
  std::string profile;
  std::string output;
  uint64_t seconds = 60;
};

std::string_view NameOf(ClauseId id) {
  return id == kNoClause ? std::string_view("no single clause") : GetClause(id).id;
}

// Whether the script breaks `clause` on the backend; *error when the backend could not be used.
bool StillFails(Backend& backend, const Script& script, const Profile& profile, ClauseId clause,
                std::string* error) {
  const Trace trace = Execute(backend, script, error);
  if (!error->empty()) return false;
  const Verdict verdict = Judge(trace, profile);
  return verdict.violation && verdict.judgement.violated == clause;
}

int ShrinkTrace(const ShrinkArguments& options) {
  const std::optional<Trace> trace = ReadTraceOrSay(options.trace);
  if (!trace) return 2;
  const Profile* profile = ProfileOfTrace(options.profile, *trace);
  if (profile == nullptr) return 2;
  const Verdict verdict = Judge(*trace, *profile);
  if (!verdict.violation) {
    return UsageError(fmt::format("{}: conforms to {}: there is nothing to shrink", options.trace,
                                  profile->name));
  }
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
  const ClauseId clause = verdict.judgement.violated;
  Script script{trace->name, trace->operations};
  script.operations.resize(std::min(verdict.index + 1, script.operations.size()));
  if (!StillFails(*backend, script, *profile, clause, &error)) {
    if (!error.empty()) {
      UsageError(error);
      return 3;
    }
    return UsageError(fmt::format("{}: the script does not break {} on {}", options.trace,
                                  NameOf(clause), options.backend));
  }
  const bool terminal = isatty(STDERR_FILENO) != 0;
  InstallStopSignals();
  ShrinkBudget budget;
  budget.executions = UINT64_MAX;
  budget.time = std::chrono::seconds(options.seconds);
  const ShrinkResult result = Shrink(
      script,
      [&](const Script& candidate) {
        std::string ignored;
        return StillFails(*backend, candidate, *profile, clause, &ignored);
      },
      budget,
      [&](const ShrinkProgress& progress) {
        if (!terminal) return;
        fmt::print(stderr, "\r\033[K{} executions, {} operations", progress.executions,
                   progress.operations);
        std::fflush(stderr);
      },
      &StopFlag());
  if (terminal) fmt::print(stderr, "\r\033[K");
  fmt::print(stderr, "mapspec: {} operations become {}, after {} executions{}; breaks {}\n",
             script.operations.size(), result.script.operations.size(), result.executions,
             result.complete ? "" : " (not complete)", NameOf(clause));
  std::ostream& out = options.output.empty() ? std::cout : file;
  WriteScript(result.script, out);
  out.flush();
  if (!out) return UsageError("the script cannot be written");
  return StopFlag().load() ? 130 : 0;
}

}  // namespace

void AddShrinkCommand(CLI::App& app, int* status) {
  CLI::App* command = app.add_subcommand(
      "shrink", "Find the smallest script that still breaks the clause a trace breaks");
  auto options = std::make_shared<ShrinkArguments>();
  command
      ->add_option("TRACE", options->trace, "A trace that does not conform; - reads standard input")
      ->required();
  command->add_option("-b,--backend", options->backend, "What executes the candidates")->required();
  command->add_option("--profile", options->profile,
                      "What to judge by; default: the trace's own, else what its backend claims");
  command->add_option("-o,--output", options->output, "File to write; default: standard output");
  command->add_option("--time", options->seconds, "Seconds to spend at most")
      ->capture_default_str();
  command->footer(
      "Ctrl-C ends the search and writes the best script so far.\n\n"
      "Example\n  mapspec shrink t.jsonl --backend library:./libmaps.so > small.script\n\n"
      "Exit status: 0 a script was written, 2 bad input, or nothing fails, 3 the backend could not "
      "be used,\n"
      "130 interrupted.");
  command->callback([options, status] { *status = ShrinkTrace(*options); });
}

}  // namespace mapspec
