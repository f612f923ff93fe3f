// SPDX-License-Identifier: MIT
//
// The matrix as one HTML page that needs nothing else: no network, no scripts or fonts of others.
// It is complete without JavaScript (a table whose rows open); with it, cells open to their
// evidence, rows are searched and filtered, and the keyboard moves through the table. The same
// matrix gives the same bytes. The size is bounded: failure reports beyond kMaxReportBytes are left
// out and said to be, and long texts are cut. Everything is escaped.
#ifndef RUNNERS_HTML_REPORT_H_
#define RUNNERS_HTML_REPORT_H_

#include <map>
#include <ostream>
#include <string>
#include <string_view>

#include "runners/matrix.h"

namespace mapspec {

inline constexpr size_t kMaxReportBytes = 300'000;

// Does not fail itself: the caller looks at the stream.
void WriteHtmlReport(const Matrix& matrix, std::ostream& out);

// The evidence of the rows of one page, in the order of the page: claim, source, script, and what
// each run has to say. Remembers which reports the page has already.
class HtmlEvidence {
 public:
  explicit HtmlEvidence(const Matrix& matrix) : matrix_(matrix) {}
  std::string Of(const MatrixRow& row);

 private:
  std::string Report(const MatrixRow& row, const RecordedResult& result);

  const Matrix& matrix_;
  size_t report_bytes_ = 0;
  std::map<std::string_view, std::string_view> shown_;  // Reports, and the rows that have them.
};

// The class that gives a mark its colour and shape: one letter.
char HtmlClassOf(Mark mark);

// runners/html_report.css and .js, embedded by the build.
extern const std::string_view kHtmlReportCss;
extern const std::string_view kHtmlReportJs;

}  // namespace mapspec

#endif  // RUNNERS_HTML_REPORT_H_
