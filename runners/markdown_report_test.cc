// SPDX-License-Identifier: MIT
#include "runners/markdown_report.h"

#include <gtest/gtest.h>

#include <sstream>

#include "specs/embedded_specs.h"

namespace mapspec {
namespace {

std::string MarkdownOf(const std::vector<RecordedRun>& runs) {
  std::ostringstream out;
  WriteMarkdownReport(MakeMatrix(runs, Specification().specs), out);
  return out.str();
}

void Add(RecordedRun* run, std::string id, Status status, std::string reason = "") {
  RecordedResult& result = run->clauses.emplace_back();
  result.id = std::move(id);
  result.status = status;
  result.reason = std::move(reason);
}

RecordedRun NamedRun(std::string backend) {
  RecordedRun run;
  run.backend = std::move(backend);
  run.profile = "linux-6.18";
  run.effort = "quick";
  run.seed = "1";
  return run;
}

TEST(MarkdownReport, TellsTotalsThenFailuresThenWhereRunsDiffer) {
  RecordedRun a = NamedRun("a"), b = NamedRun("b");
  Add(&a, "queue.pop.empty", Status::kPass);
  Add(&b, "queue.pop.empty", Status::kFail, "operation 1: expected ENOENT, got success");
  Add(&a, "array.create.key-size", Status::kUndecided, "time");
  Add(&b, "array.create.key-size", Status::kUndecided, "time");
  Add(&a, "queue.push.full", Status::kSkip, "lacks it");
  Add(&b, "queue.push.full", Status::kSkip, "lacks it");
  a.errors = {"a deviation vanished"};
  EXPECT_EQ(
      MarkdownOf({a, b}),
      "## mapspec: 3 clauses, 0 properties, 2 runs\n"
      "\n"
      "| run | profile | effort | seed | pass | fail | deviation | skip | unknown | not run |\n"
      "|---|---|---|---|---:|---:|---:|---:|---:|---:|\n"
      "| a | linux-6.18 | quick | 1 | 1 | 0 | 0 | 1 | 1 | 0 |\n"
      "| b | linux-6.18 | quick | 1 | 0 | **1** | 0 | 1 | 1 | 0 |\n"
      "\n"
      "- **a**: a deviation vanished\n"
      "\n"
      "### Not kept\n"
      "\n"
      "| status | clause or property | runs | reason |\n"
      "|---|---|---|---|\n"
      "| **✗ fail** | queue.pop.empty | b | operation 1: expected ENOENT, got success |\n"
      "| ? unknown | array.create.key-size | every run | time |\n"
      "\n"
      "### Skipped\n"
      "\n"
      "| reason | a | b |\n"
      "|---|---:|---:|\n"
      "| lacks it | 1 | 1 |\n"
      "\n"
      "### Where runs differ\n"
      "\n"
      "| clause or property | a | b |\n"
      "|---|---|---|\n"
      "| queue.pop.empty | ✓ pass | **✗ fail** |\n");
}

TEST(MarkdownReport, OfARunWithoutAFaultIsTheTotals) {
  RecordedRun run = NamedRun("a");
  Add(&run, "queue.pop.empty", Status::kPass);
  const std::string text = MarkdownOf({run, run});
  EXPECT_EQ(text.find("###"), std::string::npos) << text;
}

TEST(MarkdownReport, IsBoundedAndSaysWhatIsLeftOut) {
  RecordedRun a = NamedRun("a"), b = NamedRun("b");
  for (int i = 0; i < 5000; ++i) {
    Add(&a, "queue.new." + std::to_string(i), Status::kFail, "reason " + std::string(100'000, 'x'));
    Add(&b, "queue.new." + std::to_string(i), Status::kSkip, "reason " + std::to_string(i));
  }
  std::vector<RecordedRun> runs(200, NamedRun("empty"));
  runs.insert(runs.begin(), {a, b});
  for (RecordedRun& run : runs) run.errors = {"an error"};
  const std::string text = MarkdownOf(runs);
  EXPECT_LT(text.size(), 100'000u);
  for (const char* part :
       {"… and 4950 lines more", "… and 4950 reasons more", "… and 4950 rows more",
        "… and 152 runs more", "… and 152 errors more", "… and 186 columns more"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\nin\n"
                                                  << text.substr(text.size() - 2000);
  }
}

TEST(MarkdownText, IsTextAndNothingElse) {
  EXPECT_EQ(MarkdownText("a|b `c` <d> *e* _f_ [g](h) ~i~ \\ @j #1 &amp;"),
            "a\\|b \\`c\\` &lt;d> \\*e\\* \\_f\\_ \\[g\\](h) \\~i\\~ \\\\ \\@j \\#1 &amp;amp;");
  EXPECT_EQ(MarkdownText("two\nlines\x1b"), "two lines ");
  EXPECT_LT(MarkdownText(std::string(100'000, '|')).size(), 1000u);
}

}  // namespace
}  // namespace mapspec
