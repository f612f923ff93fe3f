// SPDX-License-Identifier: MIT
#include "runners/matrix_record.h"

#include <gtest/gtest.h>

#include <optional>
#include <sstream>

#include "runners/comparison.h"

namespace mapspec {
namespace {

RecordedRun KernelWith(std::string backend, std::string profile,
                       std::vector<std::pair<const char*, Status>> clauses) {
  RecordedRun run;
  run.backend = std::move(backend);
  run.profile = std::move(profile);
  for (const auto& [id, status] : clauses) {
    RecordedResult& clause = run.clauses.emplace_back();
    clause.id = id;
    clause.status = status;
    clause.reason = "that no record keeps";
  }
  run.properties.push_back({"a.random-scripts", Status::kPass, "", "", "", "", "", "", {}});
  return run;
}

std::vector<RecordedRun> TwoKernelsRun() {
  return {KernelWith("qemu:/a/6.1.0-57/vmlinuz", "linux-6.1",
                     {{"b.kept", Status::kPass}, {"a.skipped", Status::kSkip}}),
          KernelWith("qemu:/a/6.12.118/vmlinuz", "linux-6.12",
                     {{"b.kept", Status::kDeviation}, {"c.new", Status::kUndecided}})};
}

constexpr const char* kRecord =
    "clause\tlinux-6.1\tlinux-6.12\n"
    "a.skipped\tskip\tabsent\n"
    "b.kept\tpass\tdeviation\n"
    "c.new\tabsent\tunknown\n";

std::vector<RecordedRun> ReadRecord(const std::string& text) {
  std::istringstream in(text);
  ParseError error;
  const auto runs = ReadResults(in, "r.tsv", &error);
  EXPECT_TRUE(runs.has_value()) << error.ToString();
  return runs.value_or(std::vector<RecordedRun>{});
}

std::string RefusalOfRecord(const std::string& text) {
  std::istringstream in(text);
  ParseError error;
  return ReadResults(in, "r.tsv", &error) ? "" : error.ToString();
}

TEST(MatrixRecord, HasALineForEachClauseInOrderAndNothingThatChangesFromRunToRun) {
  std::ostringstream out;
  EXPECT_TRUE(WriteRecord(TwoKernelsRun(), out));
  EXPECT_EQ(out.str(), kRecord);
}

TEST(MatrixRecord, IsReadBackWhereResultsAre) {
  const std::vector<RecordedRun> runs = ReadRecord(kRecord);
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[1].profile, "linux-6.12");
  ASSERT_EQ(runs[0].clauses.size(), 2u);
  ASSERT_EQ(runs[1].clauses.size(), 2u);
  EXPECT_EQ(runs[0].clauses[0].id, "a.skipped");
  EXPECT_EQ(runs[0].clauses[0].status, Status::kSkip);
  EXPECT_EQ(runs[1].clauses[1].status, Status::kUndecided);
  std::ostringstream again;
  EXPECT_TRUE(WriteRecord(runs, again));
  EXPECT_EQ(again.str(), kRecord);
}

TEST(MatrixRecord, ComparesWithAnotherReleaseOfTheSameProfileAndLeavesPropertiesOut) {
  const std::vector<RecordedRun> record = ReadRecord(kRecord);
  std::vector<RecordedRun> now = TwoKernelsRun();
  now[0].backend = "qemu:/elsewhere/6.1.0-60/vmlinuz";
  const auto same = Compare(record, now);
  ASSERT_TRUE(same.has_value());
  EXPECT_TRUE(same->changes.empty());
  EXPECT_EQ(same->clauses, 4u);
  now[1].clauses[0].status = Status::kPass;
  const auto changed = Compare(record, now);
  ASSERT_EQ(changed->changes.size(), 1u);
  EXPECT_EQ(changed->changes[0].id, "b.kept");
}

TEST(MatrixRecord, HasOneColumnForEachProfile) {
  std::vector<RecordedRun> runs = TwoKernelsRun();
  runs[1].profile = "linux-6.1";
  std::ostringstream out;
  EXPECT_FALSE(WriteRecord(runs, out));
  EXPECT_EQ(out.str(), "");
}

TEST(MatrixRecord, DamagedOnesAreRefusedWithTheLine) {
  const std::string header = "clause\tlinux-6.1\n";
  EXPECT_NE(RefusalOfRecord(header + "a.b\tpass\tpass\n").find("r.tsv:2: expected a clause and 1"),
            std::string::npos);
  EXPECT_NE(RefusalOfRecord(header + "a.b\tkept\n").find("not `kept`"), std::string::npos);
  EXPECT_NE(RefusalOfRecord(header + "b.a\tpass\na.b\tpass\n").find("r.tsv:3: expected clauses in"),
            std::string::npos);
  EXPECT_NE(RefusalOfRecord(header + "a.b\tpass\na.b\tpass\n").find("alphabetical"),
            std::string::npos);
  EXPECT_NE(RefusalOfRecord("clause\tx\tx\n").find("each profile once"), std::string::npos);
}

}  // namespace
}  // namespace mapspec
