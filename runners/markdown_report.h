// SPDX-License-Identifier: MIT
//
// The matrix as Markdown for the summary of a CI job: totals, what is not kept with the failures
// first, and the rows in which runs differ. Bounded: of each part so many lines, and one that says
// how many were left out. What comes from outside is escaped, so that it is text and nothing else.
#ifndef RUNNERS_MARKDOWN_REPORT_H_
#define RUNNERS_MARKDOWN_REPORT_H_

#include <ostream>
#include <string>
#include <string_view>

#include "runners/matrix.h"

namespace mapspec {

// Lines of each part.
inline constexpr size_t kMaxMarkdownLines = 50;

// Does not fail itself: the caller looks at the stream.
void WriteMarkdownReport(const Matrix& matrix, std::ostream& out);

// Text as it may stand in a cell of a table: at most about 300 bytes on one line.
std::string MarkdownText(std::string_view text);

}  // namespace mapspec

#endif  // RUNNERS_MARKDOWN_REPORT_H_
