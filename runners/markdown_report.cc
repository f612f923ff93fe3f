// SPDX-License-Identifier: MIT
#include "runners/markdown_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <vector>

#include "runners/report.h"
#include "runners/text.h"

namespace mapspec {
namespace {

constexpr size_t kMaxMarkdownText = 300;
// Beyond this, nobody reads a table.
constexpr size_t kMaxMarkdownColumns = 16;

// Shapes beside words: colours are not to be had.
std::string_view SignOf(Mark mark) {
  switch (mark) {
    case Mark::kPass:
      return "✓";
    case Mark::kFail:
      return "✗";
    case Mark::kDeviation:
      return "◆";
    case Mark::kSkip:
      return "–";
    case Mark::kUnknown:
      return "?";
    case Mark::kNotRun:
      break;
  }
  return "·";
}

std::string Signed(Mark mark) {
  const std::string text = fmt::format("{} {}", SignOf(mark), MarkName(mark));
  return mark == Mark::kFail ? "**" + text + "**" : text;
}

std::string NameOfRuns(const Matrix& matrix, const std::vector<size_t>& runs) {
  if (runs.size() > 1 && runs.size() == matrix.runs.size()) return "every run";
  std::string names;
  for (const size_t run : runs) names += (names.empty() ? "" : ", ") + matrix.names[run];
  return MarkdownText(names);
}

void WriteLeftOut(size_t count, size_t written, std::string_view what, std::ostream& out) {
  if (count > written) {
    out << fmt::format("\n… and {} {} more, which are left out here.\n", count - written, what);
  }
}

void WriteTotals(const Matrix& matrix, std::ostream& out) {
  out << "| run | profile | effort | seed | pass | fail | deviation | skip | unknown | not run |\n"
         "|---|---|---|---|---:|---:|---:|---:|---:|---:|\n";
  const size_t written = std::min(matrix.runs.size(), kMaxMarkdownLines);
  for (size_t i = 0; i < written; ++i) {
    const RecordedRun& run = *matrix.runs[i];
    out << fmt::format("| {}{} | {} | {} | {} |", MarkdownText(matrix.names[i]),
                       run.interrupted ? " (interrupted)" : "", MarkdownText(run.profile),
                       MarkdownText(run.effort), run.seed);
    const MarkCounts counts = matrix.Count(i);
    for (size_t mark = 0; mark < kMarks; ++mark) {
      const bool failures = static_cast<Mark>(mark) == Mark::kFail && counts[mark] != 0;
      out << fmt::format(" {0}{1}{0} |", failures ? "**" : "", counts[mark]);
    }
    out << "\n";
  }
  WriteLeftOut(matrix.runs.size(), written, "runs", out);
}

void WriteErrors(const Matrix& matrix, std::ostream& out) {
  size_t count = 0;
  for (size_t i = 0; i < matrix.runs.size(); ++i) {
    for (const std::string& error : matrix.runs[i]->errors) {
      if (++count > kMaxMarkdownLines) continue;
      if (count == 1) out << "\n";
      out << fmt::format("- **{}**: {}\n", MarkdownText(matrix.names[i]), MarkdownText(error));
    }
  }
  WriteLeftOut(count, std::min(count, kMaxMarkdownLines), "errors", out);
}

// Runs that say the same of one clause, or that skip clauses for the same reason.
struct Finding {
  Mark mark;
  const MatrixRow* row;
  std::string_view reason;
  std::vector<size_t> runs;
};

// Failures first, then what nobody knows, then what is listed. What is skipped is told by reason.
int Order(Mark mark) { return mark == Mark::kFail ? 0 : mark == Mark::kUnknown ? 1 : 2; }

std::vector<Finding> NotKept(const Matrix& matrix) {
  std::vector<Finding> findings;
  for (const MatrixGroup& group : matrix.groups) {
    for (const MatrixRow& row : group.rows) {
      const size_t first = findings.size();
      for (size_t run = 0; run < row.results.size(); ++run) {
        const Mark mark = row.MarkOf(run);
        if (mark != Mark::kFail && mark != Mark::kUnknown && mark != Mark::kDeviation) continue;
        const std::string_view reason = row.results[run]->reason;
        const auto same = std::find_if(
            findings.begin() + static_cast<ptrdiff_t>(first), findings.end(),
            [&](const Finding& each) { return each.mark == mark && each.reason == reason; });
        if (same == findings.end()) {
          findings.push_back({mark, &row, reason, {run}});
        } else {
          same->runs.push_back(run);
        }
      }
    }
  }
  std::stable_sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) {
    return Order(a.mark) < Order(b.mark);
  });
  return findings;
}

void WriteNotKept(const Matrix& matrix, std::ostream& out) {
  const std::vector<Finding> findings = NotKept(matrix);
  if (findings.empty()) return;
  out << "\n### Not kept\n\n| status | clause or property | runs | reason |\n|---|---|---|---|\n";
  const size_t written = std::min(findings.size(), kMaxMarkdownLines);
  for (size_t i = 0; i < written; ++i) {
    const Finding& finding = findings[i];
    out << fmt::format("| {} | {} | {} | {} |\n", Signed(finding.mark),
                       MarkdownText(finding.row->id), NameOfRuns(matrix, finding.runs),
                       MarkdownText(finding.reason));
  }
  WriteLeftOut(findings.size(), written, "lines", out);
}

void WriteSkipped(const Matrix& matrix, std::ostream& out) {
  // (reason, run) → how often; clauses and properties alike.
  std::map<std::string_view, std::vector<size_t>> counts;
  for (const MatrixGroup& group : matrix.groups) {
    for (const MatrixRow& row : group.rows) {
      for (size_t run = 0; run < row.results.size(); ++run) {
        if (row.MarkOf(run) != Mark::kSkip) continue;
        std::vector<size_t>& its = counts[row.results[run]->reason];
        its.resize(matrix.runs.size());
        ++its[run];
      }
    }
  }
  if (counts.empty()) return;
  struct Reason {
    size_t most;
    std::string_view reason;
    const std::vector<size_t>* counts;
  };
  std::vector<Reason> reasons;
  for (const auto& [reason, its] : counts) {
    reasons.push_back({*std::max_element(its.begin(), its.end()), reason, &its});
  }
  std::stable_sort(reasons.begin(), reasons.end(),
                   [](const Reason& a, const Reason& b) { return a.most > b.most; });
  out << "\n### Skipped\n\n| reason |";
  const size_t columns = std::min(matrix.runs.size(), kMaxMarkdownColumns);
  for (size_t run = 0; run < columns; ++run) out << ' ' << MarkdownText(matrix.names[run]) << " |";
  out << "\n|---|";
  for (size_t run = 0; run < columns; ++run) out << "---:|";
  out << "\n";
  const size_t written = std::min(reasons.size(), kMaxMarkdownLines);
  for (size_t i = 0; i < written; ++i) {
    out << fmt::format("| {} |", MarkdownText(reasons[i].reason));
    for (size_t run = 0; run < columns; ++run) out << ' ' << (*reasons[i].counts)[run] << " |";
    out << "\n";
  }
  WriteLeftOut(reasons.size(), written, "reasons", out);
  WriteLeftOut(matrix.runs.size(), columns, "columns", out);
}

// Rows in which something fails before those in which something is only skipped.
int Weight(const MatrixRow& row) {
  int weight = 2;
  for (size_t run = 0; run < row.results.size(); ++run) {
    const Mark mark = row.MarkOf(run);
    if (mark == Mark::kFail) return 0;
    if (mark == Mark::kUnknown || mark == Mark::kDeviation) weight = 1;
  }
  return weight;
}

void WriteDiffering(const Matrix& matrix, std::ostream& out) {
  std::vector<const MatrixRow*> rows;
  for (const MatrixGroup& group : matrix.groups) {
    for (const MatrixRow& row : group.rows) {
      if (row.Differs()) rows.push_back(&row);
    }
  }
  if (rows.empty()) return;
  std::stable_sort(rows.begin(), rows.end(),
                   [](const MatrixRow* a, const MatrixRow* b) { return Weight(*a) < Weight(*b); });
  const size_t columns = std::min(matrix.runs.size(), kMaxMarkdownColumns);
  out << "\n### Where runs differ\n\n| clause or property |";
  for (size_t run = 0; run < columns; ++run) out << ' ' << MarkdownText(matrix.names[run]) << " |";
  out << "\n|---|";
  for (size_t run = 0; run < columns; ++run) out << "---|";
  out << "\n";
  const size_t written = std::min(rows.size(), kMaxMarkdownLines);
  for (size_t i = 0; i < written; ++i) {
    out << fmt::format("| {} |", MarkdownText(rows[i]->id));
    for (size_t run = 0; run < columns; ++run) out << ' ' << Signed(rows[i]->MarkOf(run)) << " |";
    out << "\n";
  }
  WriteLeftOut(rows.size(), written, "rows", out);
  WriteLeftOut(matrix.runs.size(), columns, "columns", out);
}

}  // namespace

std::string MarkdownText(std::string_view raw) {
  const std::string text =
      OneLine(ReplaceInvalidUtf8(raw.substr(0, WholeCharacters(raw, kMaxMarkdownText))));
  std::string markdown;
  for (const char c : text) {
    // What can start or end something in GitHub's and GitLab's Markdown, inside a line.
    if (c == '<') {
      markdown += "&lt;";
    } else if (c == '&') {
      markdown += "&amp;";
    } else if (std::string_view("\\`*_{}[]|~$@#!^").find(c) != std::string_view::npos) {
      markdown += '\\';
      markdown += c;
    } else {
      markdown += c;
    }
  }
  return markdown;
}

void WriteMarkdownReport(const Matrix& matrix, std::ostream& out) {
  out << fmt::format("## mapspec: {} clauses, {} properties, {} {}\n\n", matrix.clauses,
                     matrix.properties, matrix.runs.size(),
                     matrix.runs.size() == 1 ? "run" : "runs");
  WriteTotals(matrix, out);
  WriteErrors(matrix, out);
  WriteNotKept(matrix, out);
  WriteSkipped(matrix, out);
  WriteDiffering(matrix, out);
}

}  // namespace mapspec
