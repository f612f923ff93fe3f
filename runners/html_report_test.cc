// SPDX-License-Identifier: MIT
#include "runners/html_report.h"

#include <gtest/gtest.h>

#include <sstream>

#include "runners/html_text.h"
#include "specs/embedded_specs.h"

namespace mapspec {
namespace {

std::string PageOf(const std::vector<RecordedRun>& runs) {
  std::ostringstream out;
  WriteHtmlReport(MakeMatrix(runs, Specification().specs), out);
  return out.str();
}

size_t Occurrences(const std::string& text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

RecordedResult Answer(std::string id, Status status, std::string reason = "") {
  RecordedResult result;
  result.id = std::move(id);
  result.status = status;
  result.reason = std::move(reason);
  return result;
}

RecordedRun SmallRun() {
  RecordedRun run;
  run.backend = "kernel";
  run.kernel_release = "6.1.0";
  run.profile = "linux-6.1";
  run.effort = "quick";
  run.seed = "17";
  run.clauses = {Answer("queue.pop.empty", Status::kPass),
                 Answer("queue.push.full", Status::kFail,
                        "operation 3: expected E2BIG, got success with value 0x01, got 2")};
  run.clauses[1].report =
      "VIOLATION of queue.push.full\n  => 3  x\n  expected E2BIG\n  got success\n";
  run.clauses[1].trace = "out/queue.push.full.trace.jsonl";
  return run;
}

TEST(HtmlText, EscapesMarkupAndReplacesWhatCannotBeShown) {
  EXPECT_EQ(HtmlText("<a b='c'>\"&\"</a>\n\t"), "&lt;a b='c'&gt;\"&amp;\"&lt;/a&gt;\n\t");
  EXPECT_EQ(HtmlAttribute("\"><b>"), "&quot;&gt;&lt;b&gt;");
  const std::string bad = "\xEF\xBF\xBD";
  EXPECT_EQ(HtmlText(std::string_view("\0\x01\x1b\x7f\r", 5)), bad + bad + bad + bad + bad);
  EXPECT_EQ(HtmlText("\xff\xc3\xa9\xc2\x85\xc2\xa0"), bad + "\xc3\xa9" + bad + "\xc2\xa0");
  // What turns text around: an id must not look like another.
  EXPECT_EQ(HtmlText("a\xe2\x80\xae"
                     "b\xe2\x81\xa6\xe2\x80\xa6"),
            "a" + bad + "b" + bad + "\xe2\x80\xa6");
  EXPECT_EQ(HtmlExcerpt("12345", 5), "12345");
  EXPECT_EQ(HtmlExcerpt("12\xc3\xa9"
                        "5",
                        3),
            "12 … (3 bytes more)");
  EXPECT_EQ(HtmlProse("`a<b` and `c` and `", 100), "<code>a&lt;b</code> and <code>c</code> and `");
}

TEST(HtmlReport, NothingFromOutsideIsMarkup) {
  const std::string hostile =
      "\"'><img src=x onerror=alert(1)></script></style></dialog><!-- {{x}} `y` \x01\xff&amp;";
  RecordedRun run;
  for (std::string* field : {&run.backend, &run.implementation, &run.kernel_release, &run.machine,
                             &run.profile, &run.effort}) {
    *field = hostile;
  }
  run.errors = {hostile};
  for (const Status status : {Status::kPass, Status::kFail, Status::kDeviation, Status::kSkip}) {
    RecordedResult result = Answer(hostile + std::to_string(static_cast<int>(status)), status);
    for (std::string* field : {&result.reason, &result.trace, &result.test, &result.report,
                               &result.level, &result.path}) {
      *field = hostile;
    }
    result.report += std::to_string(static_cast<int>(status));
    result.divergence = Divergence{hostile, {hostile, hostile}, hostile, hostile, hostile};
    run.clauses.push_back(result);
    run.properties.push_back(result);
  }
  run.clauses.push_back(Answer("queue.push.full", Status::kFail,
                               "operation 3: expected " + hostile + ", got " + hostile));
  const std::string page = PageOf({run, run});
  EXPECT_EQ(Occurrences(page, "<img"), 0u);
  EXPECT_EQ(Occurrences(page, "<script"), 1u);
  EXPECT_EQ(Occurrences(page, "</script"), 1u);
  EXPECT_EQ(Occurrences(page, "<!--"), 0u);
  EXPECT_EQ(Occurrences(page, "</dialog"), 1u);
  EXPECT_EQ(page.find('\x01'), std::string::npos);
  EXPECT_EQ(page.find('\xff'), std::string::npos);
  // No attribute is left: each quote in one is escaped.
  EXPECT_EQ(Occurrences(page, "\"\"'"), 0u);
  EXPECT_GT(Occurrences(page, "&quot;'&gt;&lt;img"), 5u);
  EXPECT_GT(Occurrences(page, "\"'&gt;&lt;img"), 20u);
}

TEST(HtmlReport, ACellHasTheEvidence) {
  const std::string page = PageOf({SmallRun()});
  for (const char* part :
       {"<b>kernel</b><code>6.1.0</code>", "linux-6.1 · quick", "seed 17",    // the column
        "<summary><code>queue.push.full</code>", "<small>documented · ",      // the clause
        "<dt>Source<dd>uapi/linux/bpf.h, BPF_MAP_UPDATE_ELEM",                // its source
        "<dt>Script<dd><pre>{\"op\":\"BPF_MAP_CREATE\"", "<i>  → E2BIG</i>",  // its script
        "mapspec run --filter queue.push.full",                               // and how to run it
        "<dt>expected<dd>E2BIG, got success with value 0x01<dt>got<dd>2",     // what came
        "<b>  expected E2BIG</b>\n<u>  got success</u>",                      // the report
        "Trace: <code>out/queue.push.full.trace.jsonl</code>", "<td class=f>fail",
        "<td class=p>pass"}) {
    EXPECT_NE(page.find(part), std::string::npos) << part;
  }
  EXPECT_EQ(Occurrences(page, "<tr data-l="), 2u);
  EXPECT_EQ(Occurrences(page, "<section"), 1u);  // A pass without a remark has nothing to say.
}

TEST(HtmlReport, TellsWhereDocumentsAndKernelsDisagree) {
  RecordedRun run = SmallRun();
  run.clauses[0].id = "queue.pop.bad-value-pointer";
  const std::string page = PageOf({run});
  EXPECT_EQ(Occurrences(page, " data-d>"), 1u);
  EXPECT_NE(page.find("<dt>Disputed<dd class=dispute>map_queue_stack.rst"), std::string::npos);
}

TEST(HtmlReport, RunsThatSayTheSameSayItOnce) {
  RecordedRun one = SmallRun(), two = SmallRun(), three = SmallRun();
  two.kernel_release = "6.12.0";
  three.kernel_release = "7.3.0";
  three.clauses[1].reason = "operation 4: expected E2BIG, got EINVAL";
  const std::string page = PageOf({one, two, three});
  EXPECT_EQ(Occurrences(page, "<section data-c=\"0 1\">"), 1u);
  EXPECT_EQ(Occurrences(page, "<section data-c=\"2\">"), 1u);
  // And a report that tells of several clauses, or runs, stands once.
  EXPECT_EQ(Occurrences(page, "<strong>VIOLATION of queue.push.full</strong>"), 1u);
  EXPECT_EQ(Occurrences(page, "Its failure report stands under <code>queue.push.full</code>"), 1u);
}

TEST(HtmlReport, IsTheSameForTheSameResultsAndNeedsNoNetwork) {
  const std::string page = PageOf({SmallRun(), SmallRun()});
  EXPECT_EQ(page, PageOf({SmallRun(), SmallRun()}));
  for (const char* part : {"http:", "https:", "//www", " src=", "@import", "url("}) {
    EXPECT_EQ(page.find(part), std::string::npos) << part;
  }
  EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
}

// All clauses, eight runs, a reason in every third cell, and more reports than a page should carry.
TEST(HtmlReport, StaysSmallWithAThousandClausesAndEightRuns) {
  std::vector<RecordedRun> runs(8);
  for (size_t i = 0; i < runs.size(); ++i) {
    RecordedRun& run = runs[i];
    run.backend = "kernel";
    run.kernel_release = "6." + std::to_string(i) + ".0-cloud-amd64";
    for (const Clause& clause : AllClauses()) {
      const size_t n = run.clauses.size() + i;
      RecordedResult& result =
          run.clauses.emplace_back(Answer(std::string(clause.id), Status::kPass));
      if (n % 3 != 0) continue;
      result.status = Status::kSkip;
      result.reason = "the backend lacks a capability of kind " + std::to_string(n % 7);
      if (n % 15 != 0) continue;
      result.status = Status::kFail;
      result.report = "VIOLATION of " + result.id + " in " + run.kernel_release + "\n";
      while (result.report.size() < 3000) result.report += "  0  an operation -> its outcome\n";
    }
  }
  ASSERT_GT(runs[0].clauses.size(), 900u);
  const std::string page = PageOf(runs);
  EXPECT_LT(page.size(), 2'000'000u);
  EXPECT_GT(Occurrences(page, "Its failure report is left out"), 100u);
  EXPECT_GT(Occurrences(page, "<strong>VIOLATION of "), 80u);
  EXPECT_EQ(Occurrences(page, "<td class="), 8 * runs[0].clauses.size());
}

TEST(HtmlReport, LongTextsAreCutAndSaidToBe) {
  RecordedRun run = SmallRun();
  run.errors.assign(1000, std::string(100'000, 'e'));
  run.backend.assign(1'000'000, 'b');
  run.clauses[1].reason.assign(1'000'000, 'r');
  run.clauses[1].report = "VIOLATION of " + std::string(1'000'000, 'v');
  run.clauses[1].trace.assign(1'000'000, 't');
  run.clauses.push_back(Answer("queue." + std::string(1'000'000, 'i'), Status::kFail));
  const std::string page = PageOf({run});
  EXPECT_LT(page.size(), 100'000u);
  EXPECT_NE(page.find("r … (999400 bytes more)"), std::string::npos);
  EXPECT_NE(page.find("… and 980 errors more"), std::string::npos);
}

}  // namespace
}  // namespace mapspec
