// SPDX-License-Identifier: MIT
#include "runners/text.h"

#include <fmt/format.h>

namespace mapspec {

std::string Folded(std::string_view label, std::string_view text) {
  std::string result = fmt::format("  {:<9}", label);
  size_t column = result.size();
  bool first = true;
  while (!text.empty()) {
    const size_t start = text.find_first_not_of(" \n\t");
    if (start == std::string_view::npos) break;
    text.remove_prefix(start);
    const std::string_view word = text.substr(0, text.find_first_of(" \n\t"));
    text.remove_prefix(word.size());
    if (!first && column + 1 + word.size() > 88) {
      result += "\n" + std::string(11, ' ');
      column = 11;
    } else if (!first) {
      result += ' ';
      ++column;
    }
    result += word;
    column += word.size();
    first = false;
  }
  return result + "\n";
}

std::string Shortened(std::string line) {
  constexpr size_t kMaxLine = 160;
  if (line.size() > kMaxLine + 40) {
    line =
        fmt::format("{} … ({} characters more)", line.substr(0, kMaxLine), line.size() - kMaxLine);
  }
  return line;
}

}  // namespace mapspec
