// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>

#include "runners/commands.h"
#include "runners/repro.h"

namespace mapspec {
namespace {

struct ReproArguments {
  std::string trace;
  std::string profile;
  std::string output;
};

int Reproduce(const ReproArguments& options) {
  const std::optional<Trace> trace = ReadTraceOrSay(options.trace);
  if (!trace) return 2;
  const Profile* profile = ProfileOfTrace(options.profile, *trace);
  if (profile == nullptr) return 2;
  std::ostringstream text;
  std::string why_not;
  if (!WriteReproducer(*trace, *profile, text, &why_not)) {
    return UsageError(fmt::format("{}: no reproducer: {}", options.trace, why_not));
  }
  if (options.output.empty()) {
    std::cout << text.str();
    return std::cout.flush() ? 0 : UsageError("standard output cannot be written");
  }
  std::ofstream file(options.output, std::ios::binary | std::ios::trunc);
  file << text.str();
  file.flush();
  return file ? 0 : UsageError(options.output + ": cannot be written");
}

}  // namespace

void AddReproCommand(CLI::App& app, int* status) {
  CLI::App* command = app.add_subcommand(
      "repro", "A stand-alone C program (libbpf only) that shows the violation in a trace");
  auto options = std::make_shared<ReproArguments>();
  command
      ->add_option("TRACE", options->trace,
                   "A trace that breaks a promise (`mapspec check` tells); - reads standard input")
      ->required();
  command->add_option(
      "--profile", options->profile,
      "What to hold the trace to; default: the trace's own, else what its backend claims");
  command->add_option("-o,--output", options->output,
                      "Where to write the program; default: standard output");
  command->footer(
      "The program performs the script's operations up to the violating one, prints what was\n"
      "expected and what came, and ends with 1 when the violation is there, 0 when it is not, 2 "
      "when\n"
      "it could not be carried out. Of a trace of library:PATH (or userspace) it loads the "
      "library\n"
      "in front of libbpf; its argument names another one, or `kernel`. What a VM answered, and\n"
      "frames, are beyond it.\n\n"
      "Examples\n  mapspec repro t.jsonl > r.c && cc -Wall -Wextra -O2 r.c -lbpf -o r && ./r\n"
      "  mapspec repro -o r.c mapspec-out/kernel/queue.pop.takes-head.trace.jsonl\n\n"
      "Exit status: 0 written, 2 a damaged trace, one that conforms, or none that C can show.");
  command->callback([options, status] { *status = Reproduce(*options); });
}

}  // namespace mapspec
