// SPDX-License-Identifier: MIT
#include "runners/html_text.h"

#include <fmt/format.h>

#include "runners/report.h"
#include "runners/text.h"

namespace mapspec {
namespace {

constexpr std::string_view kUnprintable = "\xEF\xBF\xBD";  // U+FFFD

// The length of a control character of more than one byte at the start of well-formed UTF-8: U+0080
// to U+009F, and what turns the direction of text around (U+200E, U+200F, U+202A to U+202E, U+2066
// to U+2069), so that an id could look like another. 0: there is none.
size_t LongControl(std::string_view text) {
  const auto byte = [&](size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  if (byte(0) == 0xC2 && byte(1) < 0xA0) return 2;
  if (byte(0) != 0xE2) return 0;
  const unsigned last = byte(2);
  const bool turns = byte(1) == 0x80
                         ? last == 0x8E || last == 0x8F || (last >= 0xAA && last <= 0xAE)
                         : byte(1) == 0x81 && last >= 0xA6 && last <= 0xA9;
  return turns ? 3 : 0;
}

std::string Escaped(std::string_view raw, bool quotes) {
  const std::string text = ReplaceInvalidUtf8(raw);
  std::string html;
  html.reserve(text.size() + text.size() / 8);
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto byte = static_cast<unsigned char>(c);
    if (c == '&') {
      html += "&amp;";
    } else if (c == '<') {
      html += "&lt;";
    } else if (c == '>') {
      html += "&gt;";
    } else if (c == '"' && quotes) {
      html += "&quot;";
    } else if ((byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f) {
      html += kUnprintable;
    } else if (const size_t length =
                   byte < 0x80 ? 0 : LongControl({text.data() + i, text.size() - i})) {
      html += kUnprintable;
      i += length - 1;
    } else {
      html += c;
    }
  }
  return html;
}

}  // namespace

std::string HtmlText(std::string_view text) { return Escaped(text, false); }

std::string HtmlAttribute(std::string_view text) { return Escaped(text, true); }

std::string HtmlProse(std::string_view text, size_t bytes) {
  std::string html = HtmlExcerpt(text, bytes);
  for (size_t at = 0; (at = html.find('`', at)) != std::string::npos;) {
    const size_t end = html.find('`', at + 1);
    if (end == std::string::npos) break;
    html.replace(end, 1, "</code>");
    html.replace(at, 1, "<code>");
    at = end + 5;
  }
  return html;
}

std::string HtmlExcerpt(std::string_view text, size_t bytes) {
  const size_t kept = WholeCharacters(text, bytes);
  if (kept == text.size()) return HtmlText(text);
  return HtmlText(text.substr(0, kept)) + fmt::format(" … ({} bytes more)", text.size() - kept);
}

}  // namespace mapspec
