// SPDX-License-Identifier: MIT
#include "runners/results.h"

#include <gtest/gtest.h>

namespace mapspec {
namespace {

TestResult OfScenario(std::string id, std::string clause, Status status,
                      std::vector<std::string> violated = {}) {
  TestResult test;
  test.id = std::move(id);
  test.clause = std::move(clause);
  test.status = status;
  test.violated = std::move(violated);
  test.reason = "because";
  return test;
}

Status StatusOf(const BackendResults& results, std::string_view clause) {
  for (const ClauseResult& result : ClauseResults(results)) {
    if (result.id == clause) return result.status;
  }
  ADD_FAILURE() << "no result for " << clause;
  return Status::kNotRun;
}

TEST(ClauseResults, AClauseFailsWhenAnOperationBrokeItInWhicheverTest) {
  BackendResults results;
  results.tests = {OfScenario("a/1", "a", Status::kPass),
                   OfScenario("property", "", Status::kFail, {"a"})};
  EXPECT_EQ(StatusOf(results, "a"), Status::kFail);
  EXPECT_EQ(ExitStatus({results}), 1);
}

TEST(ClauseResults, AScenarioThatFailedOverAnotherClauseLeavesItsOwnUnknown) {
  BackendResults results;
  results.tests = {OfScenario("a/1", "a", Status::kFail, {"b"}),
                   OfScenario("a/2", "a", Status::kPass)};
  EXPECT_EQ(StatusOf(results, "a"), Status::kUndecided);
  EXPECT_EQ(StatusOf(results, "b"), Status::kFail);
}

TEST(ClauseResults, ASkippedScenarioIsToldEvenWhenTheOthersPass) {
  BackendResults results;
  results.tests = {OfScenario("a/1", "a", Status::kPass), OfScenario("a/2", "a", Status::kSkip),
                   OfScenario("b", "b", Status::kSkip)};
  const std::vector<ClauseResult> clauses = ClauseResults(results);
  ASSERT_EQ(clauses.size(), 2u);
  EXPECT_EQ(clauses[0].status, Status::kPass);
  EXPECT_EQ(clauses[0].reason, "1 of 2 scenarios skipped: because");
  EXPECT_EQ(clauses[1].status, Status::kSkip);
  EXPECT_EQ(SkipReasons(results), (std::vector<std::pair<std::string, size_t>>{{"because", 1}}));
}

TEST(ClauseResults, WhatWasNotRunIsNeitherKeptNorBroken) {
  BackendResults results;
  results.tests = {OfScenario("a/1", "a", Status::kPass), OfScenario("a/2", "a", Status::kNotRun)};
  const Summary summary = Summarize(results);
  EXPECT_EQ(summary.kept, 0u);
  EXPECT_EQ(summary.unknown, 1u);
}

TEST(ExitStatus, TellsViolationsDeadBackendsAndInterruptionsApart) {
  BackendResults fine, died, failed, vanished, interrupted, unusable;
  fine.tests = {OfScenario("a", "a", Status::kDeviation, {"a"})};
  died.tests = {OfScenario("a", "a", Status::kDied)};
  failed.tests = {OfScenario("a", "a", Status::kFail, {"a"})};
  vanished.errors = {"deviation gone"};
  interrupted.interrupted = true;
  unusable.unusable = "not permitted";
  EXPECT_EQ(ExitStatus({fine}), 0);
  EXPECT_EQ(ExitStatus({fine, died}), 3);
  EXPECT_EQ(ExitStatus({unusable}), 3);
  EXPECT_EQ(ExitStatus({died, failed}), 1);
  EXPECT_EQ(ExitStatus({vanished}), 1);
  EXPECT_EQ(ExitStatus({failed, interrupted}), 130);
}

}  // namespace
}  // namespace mapspec
