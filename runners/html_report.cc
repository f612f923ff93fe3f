// SPDX-License-Identifier: MIT
#include "runners/html_report.h"

#include <fmt/format.h>

#include "runners/html_text.h"
#include "runners/text.h"

namespace mapspec {
namespace {

constexpr size_t kMaxHeading = 200, kMaxClaim = 1500, kMaxError = 1000, kMaxErrors = 20;
constexpr Mark kAllMarks[] = {Mark::kPass, Mark::kFail,    Mark::kDeviation,
                              Mark::kSkip, Mark::kUnknown, Mark::kNotRun};

std::string PluralOf(size_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

// An attribute of a heading; whole characters of it.
std::string_view Excerpt(std::string_view text) {
  return text.substr(0, WholeCharacters(text, 2 * kMaxHeading));
}

// "910 pass, 63 skip" as shapes with numbers; the words are for who does not see shapes.
std::string CountsHtml(const MarkCounts& counts) {
  std::string html = "<span class=counts>";
  for (const Mark mark : kAllMarks) {
    const size_t count = counts[static_cast<size_t>(mark)];
    if (count == 0) continue;
    html += fmt::format("<span class=\"m {}\" title=\"{}\">{}<span class=v> {} </span></span>",
                        HtmlClassOf(mark), MarkName(mark), count, MarkName(mark));
  }
  return html + "</span>";
}

std::string BarHtml(const MarkCounts& counts) {
  std::string html = "<span class=bar aria-hidden=true>";
  for (const Mark mark : kAllMarks) {
    const size_t count = counts[static_cast<size_t>(mark)];
    if (count == 0) continue;
    html += fmt::format("<i class={} style=\"flex-grow:{}\"></i>", HtmlClassOf(mark), count);
  }
  return html + "</span>";
}

// Who answered: the release of a kernel, else the name of the implementation.
const std::string& AnsweredBy(const RecordedRun& run) {
  return run.kernel_release.empty() ? run.implementation : run.kernel_release;
}

void WriteColumnHeader(const Matrix& matrix, size_t index, std::ostream& out) {
  const RecordedRun& run = *matrix.runs[index];
  std::string whole;
  for (const std::string* part : {&run.backend, &run.implementation, &run.machine}) {
    if (!part->empty()) whole += (whole.empty() ? "" : ", ") + *part;
  }
  out << fmt::format("<th scope=col data-name=\"{}\" title=\"{}\"><b>{}</b><code>{}</code>",
                     HtmlAttribute(Excerpt(matrix.names[index])), HtmlAttribute(Excerpt(whole)),
                     HtmlExcerpt(run.backend, kMaxHeading),
                     HtmlExcerpt(AnsweredBy(run), kMaxHeading))
      << fmt::format("<span>{}{}{}</span>", HtmlExcerpt(run.profile, kMaxHeading),
                     run.effort.empty() ? "" : " · ", HtmlExcerpt(run.effort, kMaxHeading));
  if (!run.seed.empty()) out << fmt::format("<span class=seed>seed {}</span>", run.seed);
  if (run.interrupted) out << "<span class=warn>interrupted</span>";
  out << "</th>\n";
}

void WriteTableHead(const Matrix& matrix, std::ostream& out) {
  out << "<thead><tr><th scope=col>Clause</th>\n";
  for (size_t run = 0; run < matrix.runs.size(); ++run) WriteColumnHeader(matrix, run, out);
  out << fmt::format("</tr>\n<tr><th scope=row>{} in all</th>\n",
                     PluralOf(matrix.clauses, "clause", "clauses"));
  for (size_t run = 0; run < matrix.runs.size(); ++run) {
    const MarkCounts counts = matrix.Count(run);
    out << "<td>" << BarHtml(counts) << CountsHtml(counts) << "</td>\n";
  }
  out << "</tr></thead>\n";
}

void WriteHead(const Matrix& matrix, std::ostream& out) {
  const size_t runs = matrix.runs.size();
  out << "<!doctype html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n"
      << fmt::format("<title>mapspec: {} on {}</title>\n",
                     PluralOf(matrix.clauses, "clause", "clauses"), PluralOf(runs, "run", "runs"))
      << "<meta name=viewport content=\"width=device-width, initial-scale=1\">\n"
         "<meta name=color-scheme content=\"light dark\">\n"
         // Nothing is loaded from anywhere, whatever the texts might say.
         "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; "
         "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n"
         "<style>\n"
      << kHtmlReportCss
      << "</style>\n<noscript><style>.legend{display:flex}</style></noscript>\n</head>\n";
}

void WriteFilters(std::ostream& out) {
  out << R"(<form id=filters role=search hidden>
<label class=search><span class=v>Search</span><input id=q type=search autocomplete=off spellcheck=false placeholder="Search clauses, claims, reasons  [/]"></label>
<fieldset><legend>Status in any column</legend>
)";
  for (const Mark mark : kAllMarks) {
    out << fmt::format(
        "<label class=chip><input type=checkbox name=status value={}><span class=\"m {}\">{}</span>"
        "</label>\n",
        HtmlClassOf(mark), HtmlClassOf(mark), MarkName(mark));
  }
  out << R"(</fieldset>
<label class=pick><span class=v>Level</span><select id=level><option value="">any level<option>documented<option>observed</select></label>
<label class=pick><span class=v>Path</span><select id=path><option value="">any path<option>syscall<option>program<option>both</select></label>
<label class=chip><input type=checkbox id=differ><span>columns differ</span></label>
<label class=chip><input type=checkbox id=disputed><span>documents and kernels disagree</span></label>
<span class=end><output id=shown aria-live=polite></output>
<button type=button id=fold>Collapse all</button><button type=reset>Reset</button></span>
</form>
)";
}

void WriteTop(const Matrix& matrix, std::ostream& out) {
  out << "<body>\n<header>\n<h1>mapspec <small>" << PluralOf(matrix.clauses, "clause", "clauses");
  if (matrix.properties != 0) {
    out << ", " << PluralOf(matrix.properties, "property", "properties");
  }
  out << ", " << PluralOf(matrix.runs.size(), "run", "runs") << "</small></h1>\n<p class=legend>";
  for (const Mark mark : kAllMarks) {
    out << fmt::format("<span class=\"m {}\">{}</span>", HtmlClassOf(mark), MarkName(mark));
  }
  out << "</p>\n";
  WriteFilters(out);
  size_t errors = 0;
  for (size_t i = 0; i < matrix.runs.size(); ++i) {
    for (const std::string& error : matrix.runs[i]->errors) {
      if (++errors > kMaxErrors) continue;
      out << fmt::format("<p class=error><b>{}</b> {}</p>\n",
                         HtmlExcerpt(matrix.names[i], kMaxHeading), HtmlExcerpt(error, kMaxError));
    }
  }
  if (errors > kMaxErrors) {
    out << fmt::format("<p class=error>… and {} errors more</p>\n", errors - kMaxErrors);
  }
  out << "</header>\n";
}

void WriteRow(const MatrixRow& row, HtmlEvidence* evidence, std::ostream& out) {
  std::string tags = HtmlExcerpt(row.level, kMaxHeading);
  if (!row.path.empty()) tags += (tags.empty() ? "" : " · ") + HtmlExcerpt(row.path, kMaxHeading);
  out << fmt::format(
      "<tr data-l=\"{}\" data-p=\"{}\"{}><th scope=row><details><summary><code>{}</code>",
      HtmlAttribute(Excerpt(row.level)), HtmlAttribute(Excerpt(row.path)),
      row.disputed.empty() ? "" : " data-d", HtmlExcerpt(row.id, kMaxHeading));
  if (!tags.empty()) out << "<small>" << tags << "</small>";
  if (!row.disputed.empty()) out << "<small class=disputed>disputed</small>";
  if (!row.claim.empty()) out << "<span>" << HtmlProse(row.claim, kMaxClaim) << "</span>";
  out << "</summary><div>" << evidence->Of(row) << "</div></details>";
  for (size_t run = 0; run < row.results.size(); ++run) {
    const Mark mark = row.MarkOf(run);
    out << fmt::format("<td class={}>{}", HtmlClassOf(mark), MarkName(mark));
  }
  out << "\n";
}

void WriteGroup(const Matrix& matrix, const MatrixGroup& group, HtmlEvidence* evidence,
                std::ostream& out) {
  out << fmt::format(
      "<tbody>\n<tr class=group><th scope=rowgroup><span>{}</span> <small>{}</small>",
      HtmlExcerpt(group.title, kMaxHeading), group.rows.size());
  for (size_t run = 0; run < matrix.runs.size(); ++run) {
    out << "<td>" << CountsHtml(group.Count(run));
  }
  out << "\n";
  for (const MatrixRow& row : group.rows) WriteRow(row, evidence, out);
  out << "</tbody>\n";
}

}  // namespace

char HtmlClassOf(Mark mark) {
  constexpr char kClasses[] = {'p', 'f', 'd', 's', 'u', 'n'};
  return kClasses[static_cast<size_t>(mark)];
}

void WriteHtmlReport(const Matrix& matrix, std::ostream& out) {
  WriteHead(matrix, out);
  WriteTop(matrix, out);
  out << fmt::format(
      "<main>\n<table id=matrix style=\"--runs:{}\">\n<caption class=v>What each run says of each "
      "clause</caption>\n<colgroup><col class=first><col span={}></colgroup>\n",
      matrix.runs.size(), matrix.runs.size());
  WriteTableHead(matrix, out);
  HtmlEvidence evidence(matrix);
  for (const MatrixGroup& group : matrix.groups) WriteGroup(matrix, group, &evidence, out);
  out << "</table>\n<p id=none hidden>No clause is left. <button type=button id=clear>Reset the "
         "filters</button></p>\n</main>\n"
         "<dialog id=cell aria-labelledby=cell-title></dialog>\n<script>\n"
      << kHtmlReportJs << "</script>\n</body>\n</html>\n";
}

}  // namespace mapspec
