// SPDX-License-Identifier: MIT
//
// Layout of what the command prints. Plain functions; thread-safe.
#ifndef RUNNERS_TEXT_H_
#define RUNNERS_TEXT_H_

#include <string>
#include <string_view>

namespace mapspec {

// Text folded at 88 columns behind a label of 9 columns; ends with a newline.
std::string Folded(std::string_view label, std::string_view text);
// A line without what goes beyond 200 characters, which are counted instead.
std::string Shortened(std::string line);
// The same of text that comes from outside: control characters, which could move a terminal's
// cursor, and line ends become spaces.
std::string OneLine(std::string_view text);
// How many of the first `bytes` bytes to take so that no UTF-8 sequence is cut.
size_t WholeCharacters(std::string_view text, size_t bytes);

}  // namespace mapspec

#endif  // RUNNERS_TEXT_H_
