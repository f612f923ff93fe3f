// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <vector>

#include "oracle/trace_json.h"
#include "runners/failure_report.h"
#include "runners/html_report.h"
#include "runners/html_text.h"
#include "runners/text.h"
#include "specs/source_index.h"

namespace mapspec {
namespace {

constexpr size_t kMaxReason = 600, kMaxReport = 6000, kMaxName = 300;
// Steps of a script that a page shows.
constexpr size_t kMaxSteps = 16;

// Runs that say the same of a clause.
struct Voice {
  const RecordedResult* result;
  std::vector<size_t> runs;
};

// What has nothing to add to its status (a pass without a remark) is left out.
std::vector<Voice> VoicesOf(const MatrixRow& row) {
  std::vector<Voice> voices;
  for (size_t run = 0; run < row.results.size(); ++run) {
    const RecordedResult* result = row.results[run];
    if (result == nullptr) continue;
    if (result->reason.empty() && result->report.empty() && result->trace.empty()) continue;
    Voice* same = nullptr;
    for (Voice& voice : voices) {
      const RecordedResult& other = *voice.result;
      if (other.status == result->status && other.reason == result->reason &&
          other.trace == result->trace && other.report == result->report) {
        same = &voice;
      }
    }
    if (same == nullptr) same = &voices.emplace_back(Voice{result, {}});
    same->runs.push_back(run);
  }
  return voices;
}

// "operation 3: expected EEXIST, got success", as two lines to be compared.
std::string ReasonHtml(const std::string& reason) {
  constexpr std::string_view kExpected = ": expected ", kGot = ", got ";
  const size_t expected = reason.find(kExpected), got = reason.rfind(kGot);
  const bool ours = expected != std::string::npos && got != std::string::npos && got > expected;
  if (!ours) return fmt::format("<p>{}</p>", HtmlExcerpt(reason, kMaxReason));
  const size_t start = expected + kExpected.size();
  return fmt::format("<p>{}</p><dl class=eg><dt>expected<dd>{}<dt>got<dd>{}</dl>",
                     HtmlExcerpt(std::string_view(reason).substr(0, expected), kMaxReason),
                     HtmlExcerpt(std::string_view(reason).substr(start, got - start), kMaxReason),
                     HtmlExcerpt(std::string_view(reason).substr(got + kGot.size()), kMaxReason));
}

// The lines that matter in a failure report are marked, so that an eye finds them.
std::string ReportHtml(std::string_view report) {
  std::string html;
  std::string_view rest = report.substr(0, WholeCharacters(report, kMaxReport));
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    const auto starts = [&](std::string_view text) { return line.rfind(text, 0) == 0; };
    const char* mark = starts("  expected ")               ? "b"
                       : starts("  got ")                  ? "u"
                       : starts("  => ") || starts("VIOL") ? "strong"
                                                           : nullptr;
    html += mark == nullptr ? HtmlText(line) : fmt::format("<{0}>{1}</{0}>", mark, HtmlText(line));
    html += '\n';
  }
  if (report.size() > kMaxReport) {
    html += fmt::format("… ({} bytes more)\n", report.size() - kMaxReport);
  }
  return "<pre>" + html + "</pre>";
}

std::string ScriptHtml(const MatrixRow& row) {
  const std::vector<Step>& steps = row.scenario->steps;
  std::string html = "<dt>Script<dd><pre>";
  for (size_t i = 0; i < steps.size() && i < kMaxSteps; ++i) {
    html +=
        fmt::format("{}\n<i>  → {}</i>\n", HtmlText(Shortened(OperationToJson(steps[i].operation))),
                    HtmlText(Shortened(Describe(steps[i].expected, steps[i].operation))));
  }
  if (steps.size() > kMaxSteps) {
    html += fmt::format("… {} operations more\n", steps.size() - kMaxSteps);
  }
  html += fmt::format("</pre><code>mapspec run --filter {}</code>",
                      HtmlText(ShellQuote(row.scenario->id)));
  if (row.scenarios > 1) html += fmt::format(" (the shortest of {} scenarios)", row.scenarios);
  return html;
}

std::string ConditionOf(const ClauseSpec& clause) {
  std::string text;
  if (!clause.since.empty()) text += fmt::format(" (since {})", clause.since);
  if (!clause.until.empty()) text += fmt::format(" (until {})", clause.until);
  if (!clause.trait.empty()) text += fmt::format(" (where {})", clause.trait);
  return text;
}

}  // namespace

// A report tells of one failing test, which may have broken several clauses: it stands once.
std::string HtmlEvidence::Report(const MatrixRow& row, const RecordedResult& result) {
  if (result.report.empty()) return "";
  const auto [shown, first] = shown_.emplace(result.report, row.id);
  if (!first) {
    return fmt::format("<p>Its failure report stands under <code>{}</code>.</p>",
                       HtmlExcerpt(shown->second, kMaxName));
  }
  const std::string html = ReportHtml(result.report);
  if (report_bytes_ + html.size() > kMaxReportBytes) {
    shown_.erase(shown);
    return "<p>Its failure report is left out, for the size of the page.</p>";
  }
  report_bytes_ += html.size();
  return html;
}

std::string HtmlEvidence::Of(const MatrixRow& row) {
  std::string html = "<dl>";
  if (row.spec != nullptr) {
    html += fmt::format("<dt>Source<dd>{}{}",
                        HtmlText(PlaceName({row.spec->document, row.spec->section})),
                        HtmlText(ConditionOf(*row.spec)));
  } else if (!row.property) {
    html += "<dt>Source<dd>This mapspec has no such clause.";
  }
  if (!row.disputed.empty()) {
    html += "<dt>Disputed<dd class=dispute>" + HtmlProse(row.disputed, kMaxReport);
  }
  if (row.scenario != nullptr) html += ScriptHtml(row);
  html += "</dl>";
  for (const Voice& voice : VoicesOf(row)) {
    std::string columns, names;
    for (const size_t run : voice.runs) {
      columns += fmt::format("{}{}", columns.empty() ? "" : " ", run);
      names += (names.empty() ? "" : ", ") + matrix_.names[run];
    }
    if (voice.runs.size() > 1 && voice.runs.size() == row.results.size()) names = "every run";
    const RecordedResult& result = *voice.result;
    const Mark mark = row.MarkOf(voice.runs[0]);
    html +=
        fmt::format("<section data-c=\"{}\"><h4><span class=\"m {}\">{}</span> {}</h4>", columns,
                    HtmlClassOf(mark), MarkName(mark), HtmlExcerpt(names, 8 * kMaxName));
    if (!result.reason.empty()) html += ReasonHtml(result.reason);
    html += Report(row, result);
    // A report names its trace.
    if (!result.trace.empty() && result.report.find(result.trace) == std::string::npos) {
      html += fmt::format("<p>Trace: <code>{}</code></p>", HtmlExcerpt(result.trace, kMaxName));
    }
    html += "</section>";
  }
  return html;
}

}  // namespace mapspec
