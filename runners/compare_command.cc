// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iterator>
#include <memory>

#include "runners/commands.h"
#include "runners/comparison.h"
#include "runners/progress.h"
#include "runners/text.h"

namespace mapspec {
namespace {

struct CompareArguments {
  std::string before, after;
  bool exact = false;
};

constexpr struct {
  ChangeKind kind;
  const char* heading;
  const char* colour;
} kKinds[] = {{ChangeKind::kRegression, "Regressions", "1;31"},
              {ChangeKind::kImprovement, "Improvements", "1;32"},
              {ChangeKind::kOther, "Other changes", "1"}};

std::string_view StatusWord(const std::optional<Status>& status) {
  return status ? StatusName(*status) : "absent";
}

std::string PairName(const ComparedRuns& pair) {
  const std::string before = pair.before == nullptr ? "absent" : ComparedName(*pair.before);
  const std::string after = pair.after == nullptr ? "absent" : ComparedName(*pair.after);
  return OneLine(before == after ? before : before + " → " + after);
}

void PrintChanges(const Comparison& comparison, ChangeKind kind) {
  size_t width = 0;
  for (const Change& change : comparison.changes) {
    // Beyond this, columns would be no help.
    if (change.kind == kind) width = std::max(width, std::min<size_t>(change.id.size(), 56));
  }
  for (const Change& change : comparison.changes) {
    if (change.kind != kind) continue;
    std::string line = "  ";
    if (change.id.empty()) {
      line += fmt::format("{}: {}", PairName(comparison.runs[change.runs]), OneLine(change.reason));
    } else {
      line += fmt::format("{:<{}}  {} → {}", OneLine(change.id), width, StatusWord(change.before),
                          StatusWord(change.after));
      if (comparison.runs.size() != 1) {
        line += fmt::format("  [{}]", PairName(comparison.runs[change.runs]));
      }
      if (!change.reason.empty()) line += "  " + OneLine(change.reason);
    }
    fmt::print("{}\n", line);
  }
}

std::string Counted(size_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

// Nothing in common is no comparison: somebody took the wrong file.
int NothingInCommon(const CompareArguments& options, const std::vector<RecordedRun>& before,
                    const std::vector<RecordedRun>& after) {
  const auto names = [](const std::vector<RecordedRun>& runs) {
    std::string text;
    for (const RecordedRun& run : runs) {
      text += fmt::format("{}{} ({})", text.empty() ? "" : ", ", run.backend, run.profile);
    }
    return OneLine(text);
  };
  return UsageError(
      fmt::format("{} and {} have no backend and profile in common; expected one of {} in the "
                  "latter, not {}",
                  options.before, options.after, names(before), names(after)));
}

int CompareFiles(const CompareArguments& options) {
  const auto before = ReadResultsOrSay(options.before);
  if (!before) return 2;
  const auto after = ReadResultsOrSay(options.after);
  if (!after) return 2;
  const std::optional<Comparison> comparison = Compare(*before, *after);
  if (!comparison) return NothingInCommon(options, *before, *after);
  const bool colour = UseColour(stdout);
  if (comparison->runs.size() == 1 && !comparison->changes.empty()) {
    fmt::print("{}\n\n", PairName(comparison->runs[0]));
  }
  for (const auto& each : kKinds) {
    const size_t count = comparison->Count(each.kind);
    if (count == 0) continue;
    const std::string heading = fmt::format("{} ({})", each.heading, count);
    fmt::print("{}\n", colour ? fmt::format("\033[{}m{}\033[0m", each.colour, heading) : heading);
    PrintChanges(*comparison, each.kind);
    fmt::print("\n");
  }
  const size_t regressions = comparison->Count(ChangeKind::kRegression);
  fmt::print("{}, {} and {} compared: {}, {}, {}\n",
             Counted(comparison->runs.size(), "run", "runs"),
             Counted(comparison->clauses, "clause", "clauses"),
             Counted(comparison->properties, "property", "properties"),
             Counted(regressions, "regression", "regressions"),
             Counted(comparison->Count(ChangeKind::kImprovement), "improvement", "improvements"),
             Counted(comparison->Count(ChangeKind::kOther), "other change", "other changes"));
  std::fflush(stdout);
  return (options.exact ? comparison->changes.empty() : regressions == 0) ? 0 : 1;
}

}  // namespace

void AddCompareCommand(CLI::App& app, int* status) {
  CLI::App* command =
      app.add_subcommand("compare", "What changed between two files of results, and nothing else");
  auto options = std::make_shared<CompareArguments>();
  command
      ->add_option("OLD", options->before,
                   "What `mapspec run --json` or `mapspec report --record` wrote before; - reads "
                   "standard input")
      ->required();
  command->add_option("NEW", options->after, "What it wrote after")->required();
  command->add_flag("--exact", options->exact,
                    "Every change counts like a regression, improvements too");
  command->footer(
      "Runs of the same backend and profile are held against each other; where each file has one "
      "run,\n"
      "these two, whatever they are: two kernels, or a library before and after a change. A line "
      "for each\n"
      "clause or property whose status changed, that appeared or vanished, regressions first.\n\n"
      "A regression: what was known (pass, deviation, skip, unknown) fails; what passed is now "
      "unknown,\n"
      "skipped, or absent. What is new and fails is no regression: `mapspec run` reports it.\n\n"
      "Examples\n"
      "  mapspec run --backend kernel --effort quick --json before.json\n"
      "  …boot the other kernel…\n"
      "  mapspec run --backend kernel --effort quick --json after.json\n"
      "  mapspec compare before.json after.json\n"
      "  mapspec compare --exact recorded-matrix.tsv after.json      against a record that is "
      "kept\n\n"
      "Exit status: 0 no regression, 1 a regression (with --exact: a change), 2 bad usage or bad "
      "input (file, line and "
      "reason on\n"
      "standard error).");
  command->callback([options, status] { *status = CompareFiles(*options); });
}

}  // namespace mapspec
