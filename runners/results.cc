// SPDX-License-Identifier: MIT
#include "runners/results.h"

#include <fmt/format.h>

#include <algorithm>

namespace mapspec {
namespace {

// What the tests say of one clause, before it is reduced to one status.
struct Tally {
  size_t passed = 0, skipped = 0;
  const TestResult* failed = nullptr;     // A test whose failing operation broke this clause.
  const TestResult* deviating = nullptr;  // The same, but listed.
  const TestResult* blocked = nullptr;    // A scenario of it that failed over another clause.
  const TestResult* undecided = nullptr;
  const TestResult* first_skip = nullptr;
};

ClauseResult Reduce(const std::string& id, const Tally& tally) {
  ClauseResult result{id, Status::kPass, "", "", ""};
  const auto set = [&](Status status, const TestResult& test) {
    result.status = status;
    result.reason = test.reason;
    result.trace = test.trace;
    result.test = test.id;
  };
  if (tally.failed != nullptr) {
    set(Status::kFail, *tally.failed);
  } else if (tally.deviating != nullptr) {
    set(Status::kDeviation, *tally.deviating);
  } else if (tally.blocked != nullptr) {
    set(Status::kUndecided, *tally.blocked);
    result.reason = fmt::format(
        "its scenario {} stopped at a violation of {}", tally.blocked->id,
        tally.blocked->violated.empty() ? "another clause" : tally.blocked->violated[0]);
  } else if (tally.undecided != nullptr) {
    set(tally.undecided->status, *tally.undecided);
  } else if (tally.passed == 0 && tally.first_skip != nullptr) {
    set(Status::kSkip, *tally.first_skip);
  } else if (tally.skipped != 0) {
    result.reason = fmt::format("{} of {} scenarios skipped: {}", tally.skipped,
                                tally.skipped + tally.passed, tally.first_skip->reason);
  }
  return result;
}

}  // namespace

std::string_view StatusName(Status status) {
  switch (status) {
    case Status::kPass:
      return "pass";
    case Status::kFail:
      return "fail";
    case Status::kDeviation:
      return "deviation";
    case Status::kSkip:
      return "skip";
    case Status::kUndecided:
    case Status::kNotRun:
    case Status::kDied:
      break;
  }
  return "unknown";
}

std::vector<ClauseResult> ClauseResults(const BackendResults& results) {
  std::map<std::string, Tally> tallies;
  for (const TestResult& test : results.tests) {
    const bool broke = test.status == Status::kFail || test.status == Status::kDeviation;
    if (broke) {
      for (const std::string& clause : test.violated) {
        Tally& tally = tallies[clause];
        const TestResult*& slot = test.status == Status::kFail ? tally.failed : tally.deviating;
        if (slot == nullptr) slot = &test;
      }
    }
    if (test.property()) continue;
    Tally& tally = tallies[test.clause];
    switch (test.status) {
      case Status::kPass:
        ++tally.passed;
        break;
      case Status::kSkip:
        ++tally.skipped;
        if (tally.first_skip == nullptr) tally.first_skip = &test;
        break;
      case Status::kFail:
      case Status::kDeviation:
        if (std::find(test.violated.begin(), test.violated.end(), test.clause) ==
            test.violated.end()) {
          tally.blocked = &test;
        }
        break;
      case Status::kUndecided:
      case Status::kNotRun:
      case Status::kDied:
        if (tally.undecided == nullptr) tally.undecided = &test;
        break;
    }
  }
  std::vector<ClauseResult> clauses;
  for (const auto& [id, tally] : tallies) clauses.push_back(Reduce(id, tally));
  return clauses;
}

Summary Summarize(const BackendResults& results) {
  Summary summary;
  for (const ClauseResult& clause : ClauseResults(results)) {
    switch (clause.status) {
      case Status::kPass:
        ++summary.kept;
        break;
      case Status::kFail:
        ++summary.broken;
        break;
      case Status::kDeviation:
        ++summary.deviating;
        break;
      case Status::kSkip:
        ++summary.skipped;
        break;
      case Status::kUndecided:
      case Status::kNotRun:
      case Status::kDied:
        ++summary.unknown;
        break;
    }
  }
  for (const TestResult& test : results.tests) {
    const bool failed = test.status == Status::kFail;
    ++summary.tests;
    summary.tests_failed += failed;
    summary.properties += test.property();
    summary.properties_failed += test.property() && failed;
    summary.operations += test.operations;
    summary.unjudged += test.unjudged;
  }
  summary.seconds = results.seconds;
  summary.interrupted = results.interrupted;
  return summary;
}

std::vector<std::pair<std::string, size_t>> SkipReasons(const BackendResults& results) {
  std::map<std::string, size_t> counts;
  for (const ClauseResult& clause : ClauseResults(results)) {
    if (clause.status == Status::kSkip) ++counts[clause.reason];
  }
  std::vector<std::pair<std::string, size_t>> reasons(counts.begin(), counts.end());
  std::stable_sort(reasons.begin(), reasons.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  return reasons;
}

int ExitStatus(const std::vector<BackendResults>& results) {
  bool violated = false, unusable = false;
  for (const BackendResults& backend : results) {
    if (backend.interrupted) return 130;
    violated |= !backend.errors.empty();
    unusable |= !backend.unusable.empty();
    for (const TestResult& test : backend.tests) {
      violated |= test.status == Status::kFail;
      unusable |= test.status == Status::kDied || test.status == Status::kNotRun;
    }
  }
  return violated ? 1 : unusable ? 3 : 0;
}

}  // namespace mapspec
