// SPDX-License-Identifier: MIT
#include "runners/ktap_parser.h"

#include <algorithm>
#include <charconv>
#include <set>

namespace mapspec {
namespace {

class Parser {
 public:
  explicit Parser(std::string_view text) {
    while (!text.empty()) {
      const size_t end = text.find('\n');
      if (end == std::string_view::npos) {
        unterminated_ = true;
        lines_.push_back(text);
        return;
      }
      lines_.push_back(text.substr(0, end));
      text.remove_prefix(end + 1);
    }
  }

  std::vector<KtapTest> Parse(std::string* error) {
    std::vector<KtapTest> tests;
    if (unterminated_) {
      Fail("the last line has no newline");
    } else {
      tests = ParseLevel("");
      if (error_.empty() && at_ != lines_.size()) Fail("text behind the end of the plan");
    }
    *error = error_;
    return tests;
  }

 private:
  bool Fail(const std::string& message) {
    if (error_.empty()) error_ = "line " + std::to_string(at_ + 1) + ": " + message;
    return false;
  }
  bool More() const { return at_ < lines_.size() && error_.empty(); }
  static bool StartsWith(std::string_view line, std::string_view start) {
    return line.substr(0, start.size()) == start;
  }
  static bool ToNumber(std::string_view text, size_t* out) {
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), *out);
    return code == std::errc() && end == text.data() + text.size() && !text.empty();
  }

  // A version line, a plan, then as many results as planned, each behind its subtests.
  std::vector<KtapTest> ParseLevel(const std::string& indent) {
    std::vector<KtapTest> tests;
    if (!More() || lines_[at_] != indent + "KTAP version 1") {
      Fail("expected a version line");
      return tests;
    }
    ++at_;
    size_t planned = 0;
    if (!More() || !StartsWith(lines_[at_], indent + "1..") ||
        !ToNumber(lines_[at_].substr(indent.size() + 3), &planned)) {
      Fail("expected a plan 1..N");
      return tests;
    }
    ++at_;
    std::vector<KtapTest> subtests;
    // Diagnostics may follow the last result.
    while (More() && (tests.size() < planned || StartsWith(lines_[at_], indent + "#"))) {
      const std::string_view line = lines_[at_];
      if (line == indent + "  KTAP version 1") {
        if (!subtests.empty()) Fail("two nested results before one result line");
        subtests = ParseLevel(indent + "  ");
        continue;
      }
      if (line == indent + "#" || StartsWith(line, indent + "# ")) {
        ++at_;
        continue;
      }
      KtapTest test;
      if (!StartsWith(line, indent) ||
          !ParseResult(line.substr(indent.size()), tests.size() + 1, &test)) {
        Fail("not a line of KTAP at this level: " + std::string(line));
        break;
      }
      test.subtests = std::move(subtests);
      subtests.clear();
      const bool child_failed = std::any_of(test.subtests.begin(), test.subtests.end(),
                                            [](const KtapTest& t) { return !t.ok; });
      if (child_failed && test.ok) Fail("a test is ok although one of its subtests is not");
      tests.push_back(std::move(test));
      ++at_;
    }
    if (tests.size() != planned) Fail("fewer results than planned");
    return tests;
  }

  // "ok 3 name # SKIP why"
  bool ParseResult(std::string_view line, size_t number, KtapTest* test) {
    if (StartsWith(line, "ok ")) {
      test->ok = true;
      line.remove_prefix(3);
    } else if (StartsWith(line, "not ok ")) {
      line.remove_prefix(7);
    } else {
      return false;
    }
    size_t got = 0;
    const size_t space = line.find(' ');
    if (!ToNumber(line.substr(0, space), &got)) return false;
    if (got != number)
      return Fail("result number " + std::to_string(got) + ", expected " + std::to_string(number));
    line = space == std::string_view::npos ? "" : line.substr(space + 1);
    const size_t hash = line.find(" # ");
    test->name = line.substr(0, hash);
    if (test->name.empty() || test->name.find('#') != std::string::npos)
      return Fail("a bad description");
    if (hash == std::string_view::npos) return true;
    line.remove_prefix(hash + 3);
    if (line.find('#') != std::string_view::npos) return Fail("a second #");
    static const std::set<std::string_view> directives = {"SKIP", "TODO", "XFAIL", "TIMEOUT",
                                                          "ERROR"};
    const std::string_view word = line.substr(0, line.find(' '));
    if (directives.count(word) != 0) {
      test->directive = word;
      line.remove_prefix(std::min(word.size() + 1, line.size()));
      if ((word == "TIMEOUT" || word == "ERROR") && test->ok)
        return Fail("ok with ERROR or TIMEOUT");
    }
    test->diagnostic = line;
    return true;
  }

  std::vector<std::string_view> lines_;
  bool unterminated_ = false;
  size_t at_ = 0;
  std::string error_;
};

}  // namespace

std::vector<KtapTest> ParseKtap(std::string_view text, std::string* error) {
  return Parser(text).Parse(error);
}

}  // namespace mapspec
