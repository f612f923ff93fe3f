// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <sstream>

#include "runners/commands.h"
#include "runners/html_report.h"
#include "runners/markdown_report.h"
#include "runners/matrix_record.h"
#include "specs/embedded_specs.h"

namespace mapspec {
namespace {

struct ReportArguments {
  std::vector<std::string> results;
  std::string html, markdown, record;
};

// "-" is standard output.
template <typename Write>
bool WriteOrSay(const std::string& path, const Write& write) {
  if (path == "-") {
    write(std::cout);
    if (std::cout.flush()) return true;
    UsageError("standard output cannot be written");
    return false;
  }
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  write(out);
  out.flush();
  if (out) return true;
  UsageError(path + ": cannot be written");
  return false;
}

int Report(const ReportArguments& options) {
  const std::string* const files[] = {&options.html, &options.markdown, &options.record};
  if (std::count_if(std::begin(files), std::end(files),
                    [](const std::string* file) { return *file == "-"; }) > 1) {
    return UsageError(
        "--html -, --markdown - and --record -: only one of them can be standard output");
  }
  std::vector<RecordedRun> runs;
  for (const std::string& path : options.results) {
    std::optional<std::vector<RecordedRun>> its = ReadResultsOrSay(path);
    if (!its) return 2;
    std::move(its->begin(), its->end(), std::back_inserter(runs));
  }
  FindReportsBeside(&runs);
  const Matrix matrix = MakeMatrix(runs, Specification().specs);
  const auto html = [&](std::ostream& out) { WriteHtmlReport(matrix, out); };
  if (!options.html.empty() && !WriteOrSay(options.html, html)) return 2;
  std::ostringstream record;
  if (!options.record.empty() && !WriteRecord(runs, record)) {
    return UsageError("--record: two of the runs have the same profile, which names a column");
  }
  const auto table = [&](std::ostream& out) { out << record.str(); };
  if (!options.record.empty() && !WriteOrSay(options.record, table)) return 2;
  const bool neither = options.html.empty() && options.record.empty() && options.markdown.empty();
  const std::string markdown = neither ? "-" : options.markdown;
  const auto summary = [&](std::ostream& out) { WriteMarkdownReport(matrix, out); };
  if (!markdown.empty() && !WriteOrSay(markdown, summary)) return 2;
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
                      "default, on standard output, without the others");
  command->add_option("--record", options->record,
                      "Write the statuses of the clauses as a small table, a column for each "
                      "profile, to be kept and compared: mapspec compare --exact");
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
