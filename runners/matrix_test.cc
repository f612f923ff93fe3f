// SPDX-License-Identifier: MIT
#include "runners/matrix.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "specs/embedded_specs.h"

namespace mapspec {
namespace {

RecordedResult Said(std::string id, Status status, std::string reason = "") {
  RecordedResult result;
  result.id = std::move(id);
  result.status = status;
  result.reason = std::move(reason);
  return result;
}

RecordedRun RunOn(std::string backend, std::vector<RecordedResult> clauses) {
  RecordedRun run;
  run.backend = std::move(backend);
  run.profile = "linux-6.18";
  run.clauses = std::move(clauses);
  return run;
}

Matrix MatrixOf(const std::vector<RecordedRun>& runs) {
  return MakeMatrix(runs, Specification().specs);
}

TEST(Matrix, GroupsByMapTypeInTheOrderOfTheSpecification) {
  std::vector<RecordedRun> runs = {RunOn(
      "userspace",
      {Said("queue.pop.empty", Status::kPass), Said("generic.info.bad-descriptor", Status::kSkip),
       Said("zebra.run.fast", Status::kPass), Said("queue.pop.of-the-future", Status::kFail),
       Said("array.create.key-size", Status::kPass)})};
  runs[0].properties = {Said("hash.exhaustive", Status::kPass)};
  const Matrix matrix = MatrixOf(runs);
  std::vector<std::string> names, titles;
  for (const MatrixGroup& group : matrix.groups) {
    names.push_back(group.name);
    titles.push_back(group.title);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"array", "generic", "queue", "zebra", "properties"}));
  EXPECT_EQ(titles,
            (std::vector<std::string>{"ARRAY", "Every type", "QUEUE", "zebra", "Properties"}));
  EXPECT_EQ(matrix.clauses, 5u);
  EXPECT_EQ(matrix.properties, 1u);
  ASSERT_EQ(matrix.groups[2].rows.size(), 2u);
  const MatrixRow& known = matrix.groups[2].rows[0];
  EXPECT_EQ(known.id, "queue.pop.empty");
  EXPECT_NE(known.claim, "");
  EXPECT_EQ(known.level, "documented");
  ASSERT_NE(known.scenario, nullptr);
  for (const Scenario* scenario : Specification().specs.AllScenarios()) {
    if (scenario->clause == known.id) {
      EXPECT_LE(known.scenario->steps.size(), scenario->steps.size());
    }
  }
  EXPECT_FALSE(matrix.groups[4].rows[0].claim.empty());
}

TEST(Matrix, OfAClauseThatThisBuildDoesNotKnowShowsWhatTheFilesSay) {
  RecordedResult future = Said("queue.pop.of-the-future", Status::kFail, "expected tea");
  future.level = "documented";
  future.path = "program";
  future.divergence = Divergence{"There is tea.", {"tea.rst", "Pots"}, "None has any.", "", ""};
  const std::vector<RecordedRun> runs = {RunOn("a", {}), RunOn("b", {future})};
  const Matrix matrix = MatrixOf(runs);
  ASSERT_EQ(matrix.groups.size(), 1u);
  const MatrixRow& row = matrix.groups[0].rows[0];
  EXPECT_EQ(row.spec, nullptr);
  EXPECT_EQ(row.scenario, nullptr);
  EXPECT_EQ(row.claim, "");
  EXPECT_EQ(row.level, "documented");
  EXPECT_EQ(row.path, "program");
  EXPECT_EQ(row.disputed, "tea.rst, Pots, says: There is tea. Kernels: None has any.");
  EXPECT_EQ(row.MarkOf(0), Mark::kNotRun);
  EXPECT_EQ(row.MarkOf(1), Mark::kFail);
}

TEST(Matrix, CountsForEachRunAndKnowsWhereTheyDiffer) {
  std::vector<RecordedRun> runs = {
      RunOn("a", {Said("queue.pop.empty", Status::kPass), Said("queue.push.full", Status::kPass),
                  Said("stack.pop.empty", Status::kDied)}),
      RunOn("b", {Said("queue.pop.empty", Status::kPass), Said("queue.push.full", Status::kSkip)})};
  // Properties are no clauses.
  runs[0].properties = {Said("hash.exhaustive", Status::kPass)};
  const Matrix matrix = MatrixOf(runs);
  EXPECT_EQ(matrix.Count(0), (MarkCounts{2, 0, 0, 0, 1, 0}));
  EXPECT_EQ(matrix.Count(1), (MarkCounts{1, 0, 0, 1, 0, 1}));
  EXPECT_EQ(matrix.groups[0].Count(1), (MarkCounts{1, 0, 0, 1, 0, 0}));
  std::vector<std::string> differing;
  for (const MatrixGroup& group : matrix.groups) {
    for (const MatrixRow& row : group.rows) {
      if (row.Differs()) differing.push_back(row.id);
    }
  }
  // What one run does not tell of is no difference.
  EXPECT_EQ(differing, std::vector<std::string>{"queue.push.full"});
}

TEST(Matrix, GivesEachRunANameOfItsOwn) {
  std::vector<RecordedRun> runs(5);
  for (RecordedRun& run : runs) {
    run.backend = "kernel";
    run.kernel_release = "6.1.0";
    run.profile = "linux-6.1";
  }
  runs[0].kernel_release = "5.10.0";
  runs[1].profile = "documented";
  runs[4].backend = "userspace";
  runs[4].kernel_release = "";
  EXPECT_EQ(MatrixOf(runs).names,
            (std::vector<std::string>{"kernel 5.10.0", "kernel 6.1.0, documented",
                                      "kernel 6.1.0, linux-6.1 (1)", "kernel 6.1.0, linux-6.1 (2)",
                                      "userspace"}));
}

TEST(FindReportsBeside, ReadsFailureReportsAndNoOtherFile) {
  namespace fs = std::filesystem;
  const fs::path place = fs::path(testing::TempDir()) / ("matrix-" + std::to_string(getpid()));
  fs::create_directories(place / "out");
  std::ofstream(place / "out/a.txt") << "VIOLATION of queue.pop.empty (documented)\n";
  std::ofstream(place / "out/secret.txt") << "root:x:0:0:\n";
  std::ofstream(place / "out/plain") << "VIOLATION of nothing\n";
  std::vector<RecordedRun> runs = {
      RunOn("a", {Said("queue.pop.empty", Status::kFail), Said("queue.push.full", Status::kFail),
                  Said("stack.pop.empty", Status::kFail), Said("stack.push.full", Status::kFail),
                  Said("stack.peek.empty", Status::kFail)})};
  runs[0].file = place / "r.json";
  std::vector<RecordedResult>& clauses = runs[0].clauses;
  clauses[0].trace = "out/a.trace.jsonl";               // Relative to the file of results.
  clauses[1].trace = place / "out/a.trace.jsonl";       // As the run named it.
  clauses[2].trace = place / "out/secret.trace.jsonl";  // Not what mapspec writes.
  clauses[3].trace = place / "out/plain";               // Not named as a trace is.
  clauses[4].trace = place / "out/missing.trace.jsonl";
  FindReportsBeside(&runs);
  EXPECT_EQ(clauses[0].report, "VIOLATION of queue.pop.empty (documented)\n");
  EXPECT_EQ(clauses[1].report, clauses[0].report);
  for (size_t i = 2; i < clauses.size(); ++i) EXPECT_EQ(clauses[i].report, "") << i;
  fs::remove_all(place);
}

}  // namespace
}  // namespace mapspec
