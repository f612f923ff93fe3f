// SPDX-License-Identifier: MIT
#include "runners/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "runners/divergence.h"

namespace mapspec {
namespace {

constexpr std::chrono::milliseconds kRedraw{80};
constexpr std::chrono::seconds kPlainLine{5};
constexpr std::string_view kRed = "31", kGreen = "32", kYellow = "33", kBold = "1";

std::string Coloured(std::string_view text, std::string_view code, bool colour) {
  return colour ? fmt::format("\033[{}m{}\033[0m", code, text) : std::string(text);
}

size_t Columns(std::FILE* stream) {
  winsize size = {};
  if (ioctl(fileno(stream), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

std::string_view Word(Status status) {
  switch (status) {
    case Status::kPass:
      return "kept";
    case Status::kFail:
      return "BROKEN";
    case Status::kDeviation:
      return "deviates";
    case Status::kSkip:
      return "skipped";
    case Status::kDied:
      return "DIED";
    case Status::kUndecided:
    case Status::kNotRun:
      break;
  }
  return "unknown";
}

std::string Plural(size_t count, std::string_view word) {
  return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}

}  // namespace

bool UseColour(std::FILE* stream) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return isatty(fileno(stream)) != 0 && (no_color == nullptr || *no_color == '\0') &&
         (term == nullptr || std::string_view(term) != "dumb");
}

Progress::Progress(std::FILE* stream, bool every_test)
    : stream_(stream),
      every_test_(every_test),
      terminal_(isatty(fileno(stream)) != 0),
      colour_(UseColour(stream)) {}

Progress::~Progress() { Erase(); }

void Progress::Begin(std::string_view backend, size_t tests) {
  backend_ = backend;
  tests_ = tests;
  done_ = failed_ = deviating_ = skipped_ = unknown_ = 0;
  start_ = last_draw_ = Clock::now();
}

void Progress::TestStarted(std::string_view id) {
  current_ = id;
  Draw(false);
}

void Progress::TestEnded(const TestResult& test) {
  ++done_;
  switch (test.status) {
    case Status::kPass:
      break;
    case Status::kFail:
      ++failed_;
      break;
    case Status::kDeviation:
      ++deviating_;
      break;
    case Status::kSkip:
      ++skipped_;
      break;
    case Status::kUndecided:
    case Status::kNotRun:
    case Status::kDied:
      ++unknown_;
      break;
  }
  if (every_test_) {
    const std::string divergence = DivergenceNote(test.clause);
    Note(fmt::format("{:<8} {}{}{}{}{}", Word(test.status), test.id,
                     test.reason.empty() ? "" : ": ", test.reason,
                     divergence.empty() ? "" : "\n         disputed: ", divergence));
  } else if (test.status == Status::kDied) {
    Note(fmt::format("{} {}: {}", Word(test.status), test.id, test.reason));
  }
  if (test.status == Status::kFail) {
    Note(test.report.empty() ? fmt::format("VIOLATION in {}: {}", test.id, test.reason)
                             : "\n" + test.report);
  }
  Draw(done_ == tests_);
}

void Progress::Note(std::string_view text) {
  Erase();
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  if (colour_) {
    // Headlines only: a report in red from top to bottom would be unreadable.
    const size_t at = text.find("VIOLATION");
    if (at != std::string_view::npos) {
      fmt::print(stream_, "{}{}{}\n", text.substr(0, at), Coloured("VIOLATION", "1;31", true),
                 text.substr(at + 9));
      std::fflush(stream_);
      return;
    }
  }
  fmt::print(stream_, "{}\n", text);
  std::fflush(stream_);
}

void Progress::End() {
  Erase();
  current_.clear();
}

void Progress::Erase() {
  if (!drawn_) return;
  fmt::print(stream_, "\r\033[K");
  std::fflush(stream_);
  drawn_ = false;
}

void Progress::Draw(bool now) {
  const Clock::time_point time = Clock::now();
  if (!now && time - last_draw_ < (terminal_ ? Clock::duration(kRedraw) : kPlainLine)) return;
  last_draw_ = time;
  const double seconds = std::chrono::duration<double>(time - start_).count();
  std::string line =
      fmt::format("{}  {}/{}  {:.0f} s  {} broken", backend_, done_, tests_, seconds, failed_);
  if (deviating_ != 0) line += fmt::format(", {} deviating", deviating_);
  if (skipped_ != 0) line += fmt::format(", {} skipped", skipped_);
  if (unknown_ != 0) line += fmt::format(", {} unknown", unknown_);
  line += "  " + current_;
  if (!terminal_) {
    fmt::print(stream_, "{}\n", line);
    std::fflush(stream_);
    return;
  }
  const size_t columns = Columns(stream_);
  if (line.size() >= columns) line.resize(columns - 1);
  fmt::print(stream_, "\r\033[K{}", line);
  std::fflush(stream_);
  drawn_ = true;
}

std::string VerdictText(const BackendResults& results, bool colour) {
  const Summary summary = Summarize(results);
  std::string text = Coloured(results.backend, kBold, colour);
  if (!results.unusable.empty()) {
    text +=
        fmt::format(": {}: {}\n", Coloured("could not be used", kRed, colour), results.unusable);
    if (results.tests.empty()) return text;
  } else {
    text += fmt::format(" ({}), profile {}, seed {}\n", results.environment.implementation,
                        results.profile, results.seed);
  }
  text += fmt::format("  clauses     {} kept, {}", summary.kept,
                      Coloured(fmt::format("{} broken", summary.broken),
                               summary.broken == 0 ? kGreen : kRed, colour));
  if (summary.deviating != 0) text += fmt::format(", {} deviating as listed", summary.deviating);
  text += fmt::format(", {} skipped", summary.skipped);
  if (summary.unknown != 0) {
    text += ", " + Coloured(fmt::format("{} unknown", summary.unknown), kYellow, colour);
  }
  text += "\n";
  const std::vector<ClauseResult> clauses = ClauseResults(results);
  for (const ClauseResult& clause : clauses) {
    if (clause.status == Status::kFail) {
      text += fmt::format("    broken    {}{}\n", clause.id,
                          clause.trace.empty() ? "" : "  (" + clause.trace + ")");
    } else if (clause.status == Status::kDeviation) {
      text += fmt::format("    deviates  {}: {}\n", clause.id, clause.reason);
    }
  }
  for (const auto& [reason, count] : SkipReasons(results)) {
    text += fmt::format("    skipped   {:>4}: {}\n", count, reason);
  }
  std::map<std::string, size_t> unknown;
  for (const ClauseResult& clause : clauses) {
    if (StatusName(clause.status) == "unknown") ++unknown[clause.reason];
  }
  for (const auto& [reason, count] : unknown) {
    text += fmt::format("    unknown   {:>4}: {}\n", count, reason);
  }
  const auto disputed =
      std::count_if(clauses.begin(), clauses.end(),
                    [](const ClauseResult& clause) { return DivergenceOf(clause.id) != nullptr; });
  if (disputed != 0) {
    text += fmt::format(
        "  documents   disagree with kernels in {} of these clauses: mapspec list divergences\n",
        disputed);
  }
  text += fmt::format(
      "  tests       {}, {} failed; of these {}, {} failed\n", summary.tests, summary.tests_failed,
      summary.properties == 1 ? "1 property" : fmt::format("{} properties", summary.properties),
      summary.properties_failed);
  text += fmt::format("  operations  {} in {:.1f} s ({} of them unjudged), {}\n",
                      summary.operations, summary.seconds, summary.unjudged,
                      Plural(results.coverage.size(), "coverage cell"));
  for (const std::string& error : results.errors) text += fmt::format("  error       {}\n", error);
  const int status = ExitStatus({results});
  const std::string_view verdict = status == 0     ? "CONFORMS"
                                   : status == 130 ? "INTERRUPTED"
                                   : status == 3   ? "INCOMPLETE: the backend did not get to the end"
                                                   : "DOES NOT CONFORM";
  text +=
      fmt::format("  verdict     {}\n", Coloured(verdict, status == 0 ? "1;32" : "1;31", colour));
  return text;
}

}  // namespace mapspec
