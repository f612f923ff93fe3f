// SPDX-License-Identifier: MIT
#include "runners/result_collector.h"

namespace mapspec {
namespace {

// Worse statuses win when GoogleTest repeats a test: nothing is retried until green.
int Severity(Status status) {
  switch (status) {
    case Status::kDied:
      return 6;
    case Status::kFail:
      return 5;
    case Status::kDeviation:
      return 4;
    case Status::kUndecided:
      return 3;
    case Status::kSkip:
      return 2;
    case Status::kPass:
      return 1;
    case Status::kNotRun:
      break;
  }
  return 0;
}

}  // namespace

const TestResult& ResultCollector::Add(const TestResult& test) {
  auto [place, is_new] = done_.try_emplace(test.id, test);
  TestResult& merged = place->second;
  if (!is_new) {
    const uint64_t operations = merged.operations + test.operations;
    const double seconds = merged.seconds + test.seconds;
    if (Severity(test.status) > Severity(merged.status)) merged = test;
    merged.operations = operations;
    merged.seconds = seconds;
  }
  ApplyDeviations(options_.deviations, results_->backend, results_->profile, &merged);
  if (is_new && test.status != Status::kNotRun) progress_->TestEnded(merged);
  return merged;
}

void ResultCollector::AddCoverage(const std::map<std::string, uint64_t>& coverage) {
  for (const auto& [cell, count] : coverage) results_->coverage[cell] += count;
}

std::string ResultCollector::ClauseOf(const std::string& id) const {
  for (const PlannedTest& planned : plan_) {
    if (planned.id == id) return planned.clause;
  }
  return "";
}

void ResultCollector::Finish(bool interrupted) {
  for (const PlannedTest& planned : plan_) {
    if (left_out_.count(planned.id) != 0) continue;
    const auto done = done_.find(planned.id);
    if (done != done_.end()) {
      results_->tests.push_back(done->second);
      continue;
    }
    TestResult test;
    test.id = planned.id;
    test.clause = planned.clause;
    test.status = Status::kNotRun;
    test.reason = interrupted                   ? "not run: interrupted"
                  : !results_->unusable.empty() ? "not run: the backend could not be used"
                                                : "not run: the run ended early";
    results_->tests.push_back(std::move(test));
  }
  results_->interrupted = interrupted;
}

}  // namespace mapspec
