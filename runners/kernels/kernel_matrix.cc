// SPDX-License-Identifier: MIT
#include "runners/kernels/kernel_matrix.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace mapspec {
namespace {

// More rows than this of clauses that merely do not hold everywhere say nothing to a reader.
constexpr size_t kMostRows = 30;

std::string NameOf(const BackendResults& results) {
  if (!results.environment.kernel_release.empty()) {
    return (results.backend.starts_with("uml:") ? "uml-" : "") + results.environment.kernel_release;
  }
  return results.backend;
}

// "6.1.0-57", the first part of a release up to its flavour: what fits above a column.
std::string ColumnName(const BackendResults& results) {
  std::string name = NameOf(results);
  const size_t flavour = name.find("-cloud");
  if (flavour != std::string::npos) name.resize(flavour);
  if (name.size() > 16) name.resize(16);
  return name;
}

std::string_view MatrixWord(Status status) {
  switch (status) {
    case Status::kPass:
      return "kept";
    case Status::kFail:
      return "BROKEN";
    case Status::kDeviation:
      return "deviates";
    case Status::kSkip:
      return "-";
    default:
      return "unknown";
  }
}

using Row = std::vector<Status>;

std::map<std::string, Row> RowsOf(const std::vector<BackendResults>& results) {
  std::map<std::string, Row> rows;
  for (size_t i = 0; i < results.size(); ++i) {
    for (const ClauseResult& clause : ClauseResults(results[i])) {
      Row& row = rows.try_emplace(clause.id, Row(results.size(), Status::kNotRun)).first->second;
      row[i] = clause.status;
    }
  }
  return rows;
}

bool Differs(const Row& row) {
  return std::any_of(row.begin(), row.end(),
                     [&](Status status) { return MatrixWord(status) != MatrixWord(row[0]); });
}

// Whether the difference is more than that a promise holds for some versions only.
bool Matters(const Row& row) {
  return std::any_of(row.begin(), row.end(), [](Status status) {
    return status != Status::kPass && status != Status::kSkip;
  });
}

}  // namespace

std::string VerdictWord(const BackendResults& results) {
  switch (ExitStatus({results})) {
    case 0:
      return "CONFORMS";
    case 130:
      return "INTERRUPTED";
    case 3:
      return "INCOMPLETE";
    default:
      return "DOES NOT CONFORM";
  }
}

std::string KernelTable(const std::vector<BackendResults>& results, bool colour) {
  size_t width = 6;
  for (const BackendResults& kernel : results) width = std::max(width, NameOf(kernel).size());
  std::string text =
      fmt::format("{:<{}}  {:<14}  {:<16}  {:>18}  {:>13}  {:>6}  {:>7}\n", "kernel", width,
                  "profile", "verdict", "kept/broken/skip", "tests/failed", "boot", "in all");
  for (const BackendResults& kernel : results) {
    const Summary summary = Summarize(kernel);
    std::string verdict = fmt::format("{:<16}", VerdictWord(kernel));
    if (colour) {
      verdict =
          fmt::format("\x1b[{}m{}\x1b[0m", ExitStatus({kernel}) == 0 ? "1;32" : "1;31", verdict);
    }
    text += fmt::format("{:<{}}  {:<14}  {}  {:>18}  {:>13}  {:>4.1f} s  {:>5.1f} s\n",
                        NameOf(kernel), width, kernel.profile, verdict,
                        fmt::format("{}/{}/{}", summary.kept, summary.broken, summary.skipped),
                        fmt::format("{}/{}", summary.tests, summary.tests_failed),
                        kernel.boot_seconds, kernel.seconds);
  }
  for (const BackendResults& kernel : results) {
    if (!kernel.unusable.empty()) text += fmt::format("{}: {}\n", NameOf(kernel), kernel.unusable);
    for (const std::string& error : kernel.errors) {
      text += fmt::format("{}: {}\n", NameOf(kernel), error);
    }
    for (const TestResult& test : kernel.tests) {
      if (test.status != Status::kFail) continue;
      text += fmt::format("{}: {}: {}\n", NameOf(kernel), test.id, test.reason);
    }
    if (!kernel.console.empty()) text += fmt::format("  console     {}\n", kernel.console);
  }
  return text;
}

std::string KernelDifferences(const std::vector<BackendResults>& all) {
  // What did not come to its end says nothing about the rest.
  std::vector<BackendResults> results;
  for (const BackendResults& kernel : all) {
    if (kernel.unusable.empty() && !kernel.interrupted) results.push_back(kernel);
  }
  if (results.size() < 2) return "";
  std::vector<std::pair<std::string, Row>> rows;
  size_t width = 6;
  for (auto& [id, row] : RowsOf(results)) {
    if (!Differs(row)) continue;
    rows.emplace_back(id, row);
  }
  if (rows.empty()) return "\nThe kernels agree about every clause.\n";
  std::stable_partition(rows.begin(), rows.end(),
                        [](const auto& entry) { return Matters(entry.second); });
  const auto mattering = static_cast<size_t>(std::count_if(
      rows.begin(), rows.end(), [](const auto& entry) { return Matters(entry.second); }));
  const size_t shown = std::min(rows.size(), std::max(mattering, kMostRows));
  for (size_t i = 0; i < shown; ++i) width = std::max(width, rows[i].first.size());
  std::string text = fmt::format(
      "\nClauses that differ ({} of them; - does not hold for that version, or cannot be asked)\n"
      "{:<{}}",
      rows.size(), "clause", width);
  for (const BackendResults& kernel : results) text += fmt::format("  {:<16}", ColumnName(kernel));
  while (text.ends_with(' ')) text.pop_back();
  text += "\n";
  for (size_t i = 0; i < shown; ++i) {
    text += fmt::format("{:<{}}", rows[i].first, width);
    for (const Status status : rows[i].second) text += fmt::format("  {:<16}", MatrixWord(status));
    while (text.ends_with(' ')) text.pop_back();
    text += "\n";
  }
  if (shown < rows.size()) {
    text += fmt::format("… and {} more that are kept where they hold; --json has them all\n",
                        rows.size() - shown);
  }
  return text;
}

}  // namespace mapspec
