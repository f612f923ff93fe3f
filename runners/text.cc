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
    const size_t kept = WholeCharacters(line, kMaxLine);
    line = fmt::format("{} … ({} characters more)", line.substr(0, kept), line.size() - kept);
  }
  return line;
}

std::string OneLine(std::string_view text) {
  std::string line(text);
  for (size_t i = 0; i < line.size(); ++i) {
    const auto byte = static_cast<unsigned char>(line[i]);
    if (byte < 0x20 || byte == 0x7f) line[i] = ' ';
    // U+0080 to U+009F are control characters too, in UTF-8 two bytes.
    const bool c1 = byte == 0xc2 && i + 1 < line.size() &&
                    static_cast<unsigned char>(line[i + 1]) >= 0x80 &&
                    static_cast<unsigned char>(line[i + 1]) < 0xa0;
    if (c1) line[i] = line[i + 1] = ' ';
  }
  return Shortened(std::move(line));
}

size_t WholeCharacters(std::string_view text, size_t bytes) {
  if (bytes >= text.size()) return text.size();
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xc0u) == 0x80u) --bytes;
  return bytes;
}

}  // namespace mapspec
