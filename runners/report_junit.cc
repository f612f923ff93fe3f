// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "runners/divergence.h"
#include "runners/report.h"

namespace mapspec {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// The length of the well-formed UTF-8 sequence at the start of `text`, 0 when there is none.
// Overlong forms, surrogates and numbers beyond U+10FFFF are not well-formed (Unicode, table 3-7).
size_t SequenceLength(std::string_view text) {
  const auto byte = [&](size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const auto continues = [&](size_t i) { return (byte(i) & 0xC0u) == 0x80u; };
  const unsigned first = byte(0), second = byte(1);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return continues(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if (!continues(1) || !continues(2)) return 0;
    if (first == 0xE0 && second < 0xA0) return 0;
    if (first == 0xED && second > 0x9F) return 0;
    return 3;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (!continues(1) || !continues(2) || !continues(3)) return 0;
    if (first == 0xF0 && second < 0x90) return 0;
    if (first == 0xF4 && second > 0x8F) return 0;
    return 4;
  }
  return 0;
}

void WriteCase(const BackendResults& results, const TestResult& test, std::ostream& out) {
  out << fmt::format("    <testcase classname=\"{}\" name=\"{}\" time=\"{:.6f}\"",
                     EscapeXml(results.backend), EscapeXml(test.id), test.seconds);
  const std::string reason = EscapeXml(test.reason);
  const std::string note = DivergenceNote(test.clause);
  if (test.status == Status::kPass && note.empty()) {
    out << "/>\n";
    return;
  }
  switch (test.status) {
    case Status::kPass:
      out << ">\n";
      break;
    case Status::kFail:
      out << fmt::format(">\n      <failure message=\"{}\" type=\"violation\">{}</failure>\n",
                         reason, EscapeXml(test.report));
      break;
    case Status::kDied:
      out << fmt::format(">\n      <error message=\"{}\" type=\"died\"/>\n", reason);
      break;
    case Status::kDeviation:
      out << fmt::format(">\n      <skipped message=\"known deviation: {}\"/>\n", reason);
      break;
    case Status::kSkip:
      out << fmt::format(">\n      <skipped message=\"{}\"/>\n", reason);
      break;
    case Status::kUndecided:
    case Status::kNotRun:
      out << fmt::format(">\n      <skipped message=\"unknown: {}\"/>\n", reason);
      break;
  }
  if (!note.empty()) {
    out << fmt::format("      <system-out>divergence: {}</system-out>\n", EscapeXml(note));
  }
  out << "    </testcase>\n";
}

}  // namespace

std::string ReplaceInvalidUtf8(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const size_t length = SequenceLength(text);
    if (length == 0) {
      result += kReplacement;
      text.remove_prefix(1);
    } else {
      result += text.substr(0, length);
      text.remove_prefix(length);
    }
  }
  return result;
}

std::string EscapeXml(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const size_t length = SequenceLength(text);
    const std::string_view sequence = text.substr(0, std::max<size_t>(length, 1));
    text.remove_prefix(sequence.size());
    const auto byte = static_cast<unsigned char>(sequence[0]);
    if (length == 0 || sequence == "\xEF\xBF\xBE" || sequence == "\xEF\xBF\xBF" ||
        (byte < 0x20 && byte != '\n' && byte != '\t')) {
      result += kReplacement;
    } else if (byte == '&') {
      result += "&amp;";
    } else if (byte == '<') {
      result += "&lt;";
    } else if (byte == '>') {
      result += "&gt;";
    } else if (byte == '"') {
      result += "&quot;";
    } else {
      result += sequence;
    }
  }
  return result;
}

void WriteJunitReport(const std::vector<BackendResults>& results, std::ostream& out) {
  out << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"mapspec\">\n";
  for (const BackendResults& backend : results) {
    size_t failures = 0, errors = 0, skipped = 0;
    for (const TestResult& test : backend.tests) {
      failures += test.status == Status::kFail;
      errors += test.status == Status::kDied;
      skipped += test.status != Status::kFail && test.status != Status::kDied &&
                 test.status != Status::kPass;
    }
    // What fails a run besides its tests is told as one more case, so that CI systems which only
    // read this file see it.
    const bool extra = !backend.errors.empty() || !backend.unusable.empty();
    out << fmt::format(
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" "
        "time=\"{:.6f}\">\n",
        EscapeXml(backend.backend), backend.tests.size() + extra, failures, errors + extra, skipped,
        backend.seconds);
    out << fmt::format(
        "    <properties>\n      <property name=\"profile\" value=\"{}\"/>\n"
        "      <property name=\"seed\" value=\"{}\"/>\n"
        "      <property name=\"implementation\" value=\"{}\"/>\n    </properties>\n",
        EscapeXml(backend.profile), backend.seed, EscapeXml(backend.environment.implementation));
    for (const TestResult& test : backend.tests) WriteCase(backend, test, out);
    if (extra) {
      std::string message = backend.unusable;
      for (const std::string& error : backend.errors)
        message += (message.empty() ? "" : "\n") + error;
      out << fmt::format(
          "    <testcase classname=\"{}\" name=\"mapspec.run\">\n      <error message=\"{}\"/>\n"
          "    </testcase>\n",
          EscapeXml(backend.backend), EscapeXml(message));
    }
    out << "  </testsuite>\n";
  }
  out << "</testsuites>\n";
}

}  // namespace mapspec
