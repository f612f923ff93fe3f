// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>

#include "runners/divergence.h"
#include "runners/report.h"

namespace mapspec {
namespace {

// A result line ends at its newline, and '#' starts the directive: neither may come from a text.
std::string OneLine(std::string_view text) {
  std::string line = ReplaceInvalidUtf8(text);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    if (c == '#') c = '%';
  }
  return line;
}

void WriteDiagnostics(std::string_view indent, std::string_view text, std::ostream& out) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string line = OneLine(text.substr(0, end));
    out << indent << (line.empty() ? "#" : "# ") << line << '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void WriteTest(size_t number, const TestResult& test, std::ostream& out) {
  const std::string reason = OneLine(test.reason);
  const std::string note = DivergenceNote(test.clause);
  // A report of a failure has it already.
  if (!note.empty() && test.report.empty()) WriteDiagnostics("  ", "divergence: " + note, out);
  const auto line = [&](std::string_view result, std::string_view directive) {
    out << "  " << result << ' ' << number << ' ' << OneLine(test.id);
    if (!directive.empty()) out << " # " << directive << ' ' << reason;
    out << '\n';
  };
  switch (test.status) {
    case Status::kPass:
      return line("ok", "");
    case Status::kFail:
      WriteDiagnostics("  ", test.report.empty() ? test.reason : test.report, out);
      return line("not ok", "");
    case Status::kDeviation:
      return line("ok", "XFAIL");
    case Status::kSkip:
      return line("ok", "SKIP");
    case Status::kUndecided:
      return line("ok", "SKIP unknown:");
    case Status::kNotRun:
      return line("ok", "SKIP");
    case Status::kDied:
      return line("not ok", "ERROR");
  }
}

}  // namespace

void WriteKtapReport(const std::vector<BackendResults>& results, std::ostream& out) {
  out << "KTAP version 1\n1.." << results.size() << '\n';
  size_t number = 0;
  for (const BackendResults& backend : results) {
    ++number;
    const std::string name = OneLine(backend.backend);
    if (!backend.tests.empty()) {
      out << "  KTAP version 1\n  1.." << backend.tests.size() << '\n';
      size_t subtest = 0;
      for (const TestResult& test : backend.tests) WriteTest(++subtest, test, out);
    }
    for (const std::string& error : backend.errors) WriteDiagnostics("", error, out);
    WriteDiagnostics("",
                     fmt::format("{}: profile {}, seed {}", backend.environment.implementation,
                                 backend.profile, backend.seed),
                     out);
    const bool failed =
        !backend.errors.empty() ||
        std::any_of(backend.tests.begin(), backend.tests.end(), [](const TestResult& test) {
          return test.status == Status::kFail || test.status == Status::kDied;
        });
    out << (failed || !backend.unusable.empty() ? "not ok " : "ok ") << number << ' ' << name;
    if (!backend.unusable.empty()) out << " # ERROR " << OneLine(backend.unusable);
    out << '\n';
  }
}

}  // namespace mapspec
