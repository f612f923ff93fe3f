// SPDX-License-Identifier: MIT
//
// Text from outside as it may stand in HTML. Plain functions; thread-safe.
#ifndef RUNNERS_HTML_TEXT_H_
#define RUNNERS_HTML_TEXT_H_

#include <string>
#include <string_view>

namespace mapspec {

// As character data: `&`, `<` and `>` are escaped; control characters but for tab and newline, the
// marks that reorder text, and broken UTF-8 become U+FFFD. (Quotes stay: a page full of scripts in
// JSON would be a third larger.)
std::string HtmlText(std::string_view text);
// As an attribute's value in double quotes.
std::string HtmlAttribute(std::string_view text);
// HtmlExcerpt of prose in which names stand `between backticks`: they become <code>.
std::string HtmlProse(std::string_view text, size_t bytes);
// HtmlText of at most `bytes` bytes, and how many were left out.
std::string HtmlExcerpt(std::string_view text, size_t bytes);

}  // namespace mapspec

#endif  // RUNNERS_HTML_TEXT_H_
