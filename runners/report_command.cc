// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>

#include "runners/commands.h"
#include "runners/html_report.h"
#include "runners/markdown_report.h"
#include "specs/embedded_specs.h"

namespace mapspec {
namespace {

struct ReportArguments {
  std::vector<std::string> results;
  std::string html, markdown;
};

// "-" is standard output.
bool WriteOrSay(const std::string& path, const Matrix& matrix,
                void (*write)(const Matrix&, std::ostream&)) {
  if (path == "-") {
    write(matrix, std::cout);
    if (std::cout.flush()) return true;
    UsageError("standard output cannot be written");
    return false;
  }
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  write(matrix, out);
  out.flush();
  if (out) return true;
  UsageError(path + ": cannot be written");
  return false;
}

int Report(const ReportArguments& options) {
  if (options.html == "-" && options.markdown == "-") {
    return UsageError("--html - and --markdown -: only one of them can be standard output");
  }
  std::vector<RecordedRun> runs;
  for (const std::string& path : options.results) {
    std::optional<std::vector<RecordedRun>> its = ReadResultsOrSay(path);
    if (!its) return 2;
    std::move(its->begin(), its->end(), std::back_inserter(runs));
  }
  FindReportsBeside(&runs);
  const Matrix matrix = MakeMatrix(runs, Specification().specs);
  if (!options.html.empty() && !WriteOrSay(options.html, matrix, WriteHtmlReport)) return 2;
  const bool neither = options.html.empty() && options.markdown.empty();
  const std::string markdown = neither ? "-" : options.markdown;
  if (!markdown.empty() && !WriteOrSay(markdown, matrix, WriteMarkdownReport)) return 2;
  return 0;
}

}  // namespace

void AddReportCommand(CLI::App& app, int* status) {
  CLI::App* command = app.add_subcommand(
      "report", "Results of one or more runs as a matrix: clauses × backends and kernels");
  auto options = std::make_shared<ReportArguments>();
  command
      ->add_option("JSON", options->results,
                   "What `mapspec run --json` wrote; - reads standard input. Each run in them is a "
                   "column, in this order")
      ->required();
  command->add_option("--html", options->html,
                      "Write one page that needs no network: searched, filtered, printed, and each "
                      "cell opens to its evidence");
  command->add_option("--markdown", options->markdown,
                      "Write a summary for CI: totals, what is not kept, where runs differ. The "
                      "default, on standard output, without --html");
  command->footer(
      "Runs of several kernels and backends, of other machines and other versions of mapspec may "
      "be\n"
      "mixed; a clause that this one does not know has a row with what the files say. Evidence of "
      "a\n"
      "failure is in the file, or is taken from the directory that the run wrote it to (--out).\n\n"
      "Examples\n"
      "  mapspec run --backend kernel --json k.json; mapspec run --json u.json\n"
      "  mapspec report k.json u.json --html matrix.html\n"
      "  mapspec report results/*.json --markdown - >> $GITHUB_STEP_SUMMARY\n\n"
      "Exit status: 0 written, whatever the results say; 2 bad usage or bad input (file, line and\n"
      "reason on standard error).");
  command->callback([options, status] { *status = Report(*options); });
}

}  // namespace mapspec
