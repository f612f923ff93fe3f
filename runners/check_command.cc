// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "oracle/checker.h"
#include "runners/backport.h"
#include "runners/commands.h"
#include "runners/failure_report.h"

namespace mapspec {
namespace {

struct CheckArguments {
  std::vector<std::string> traces;
  std::string profile;
  bool quiet = false;
};

size_t Cited(const Verdict& verdict) {
  size_t clauses = 0;
  for (const uint32_t count : verdict.citations) clauses += count != 0;
  return clauses;
}

int CheckOne(const std::string& path, const CheckArguments& options) {
  const std::optional<Trace> trace = ReadTraceOrSay(path);
  if (!trace) return 2;
  const Profile* profile = ProfileOfTrace(options.profile, *trace);
  if (profile == nullptr) return 2;
  const Verdict verdict = Judge(*trace, *profile);
  if (!verdict.violation) {
    if (!options.quiet) {
      fmt::print("{}: conforms to {}: {} operations judged by {} clauses, {} unjudged{}\n", path,
                 profile->name, verdict.judged, Cited(verdict), verdict.unjudged,
                 trace->outcomes.size() < trace->operations.size()
                     ? fmt::format(", {} never executed",
                                   trace->operations.size() - trace->outcomes.size())
                     : "");
    }
    return 0;
  }
  fmt::print("{}: operation {} violates {} under {}\n", path, verdict.index,
             verdict.judgement.violated == kNoClause ? "what every clause takes for granted"
                                                     : GetClause(verdict.judgement.violated).id,
             profile->name);
  if (!options.quiet) {
    Violation violation = ViolationOf(verdict, *trace, profile->name, path);
    violation.hint = BackportNote(*trace, verdict.index, *profile);
    fmt::print("\n{}\n", FailureText(violation, {}));
  }
  return 1;
}

int Check(const CheckArguments& options) {
  if (!options.profile.empty() && FindProfileOrSay(options.profile) == nullptr) return 2;
  int status = 0;
  for (const std::string& path : options.traces) status = std::max(status, CheckOne(path, options));
  return status;
}

}  // namespace

void AddCheckCommand(CLI::App& app, int* status) {
  CLI::App* command = app.add_subcommand("check", "Judge recorded traces, offline");
  auto options = std::make_shared<CheckArguments>();
  command
      ->add_option("TRACE", options->traces,
                   "Files that `mapspec record` or a failed run wrote; - reads standard input")
      ->required();
  command->add_option(
      "--profile", options->profile,
      "What to hold the trace to; default: the trace's own, else what its backend claims");
  command->add_flag("-q,--quiet", options->quiet, "Only say what is violated, in one line");
  command->footer(
      "Examples\n  mapspec check t.jsonl\n  mapspec check --profile linux-6.1 "
      "mapspec-out/kernel/*.trace.jsonl\n\n"
      "Exit status: 0 every trace conforms, 1 one does not, 2 a file is damaged (file, line and "
      "reason on\n"
      "standard error).");
  command->callback([options, status] { *status = Check(*options); });
}

}  // namespace mapspec
