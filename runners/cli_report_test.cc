// SPDX-License-Identifier: MIT
//
// report and compare: pages of results, and what changed between two of them.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "runners/cli_harness.h"

namespace mapspec {
namespace {

using Json = nlohmann::json;
using Words = std::vector<std::string>;

bool Says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Runs a few clauses and gives the file of results.
std::string ResultsOf(const Directory& directory, const std::string& backend,
                      const std::string& name, int expected_status) {
  const std::string file = directory / (name + ".json");
  const CommandResult result =
      Mapspec({"run", "--backend", backend, "--filter", "queue.p*:stack.peek*", "--effort", "quick",
               "--seed", "7", "--json", file, "--out", directory / "out"});
  EXPECT_EQ(result.status, expected_status) << result.err;
  return file;
}

TEST(Report, MakesAPageAndASummaryOfSeveralRuns) {
  const Directory directory;
  const std::string good = ResultsOf(directory, "userspace", "good", 0);
  const std::string bad = ResultsOf(directory, "null:no-output", "bad", 1);
  const std::string html = directory / "m.html", markdown = directory / "m.md";
  const CommandResult result =
      Mapspec({"report", good, bad, "--html", html, "--markdown", markdown});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out + result.err, "");
  const std::string page = ReadFile(html), summary = ReadFile(markdown);
  EXPECT_EQ(CountOf(page, "<th scope=col data-name="), 2u);
  EXPECT_TRUE(Says(page, "<b>null:no-output</b>"));
  // The evidence has come along: the report of a failing test.
  EXPECT_TRUE(Says(page, "<strong>VIOLATION of queue.pop."));
  EXPECT_TRUE(Says(summary, "| userspace | linux-6.18 | quick | 7 |")) << summary;
  EXPECT_TRUE(Says(summary, "| **✗ fail** | queue.pop.takes-head | null:no-output |")) << summary;
  EXPECT_LT(summary.find("### Not kept"), summary.find("### Where runs differ"));

  // The same again gives the same bytes; on standard output without --html.
  EXPECT_EQ(Mapspec({"report", good, bad, "--html", "-"}).out, page);
  EXPECT_EQ(Mapspec({"report", good, bad}).out, summary);
  EXPECT_EQ(Mapspec({"report", good, "-", "--markdown", "-"}, ReadFile(bad)).out, summary);
}

TEST(Report, TakesEvidenceFromBesideOlderResults) {
  const Directory directory;
  const std::string bad = ResultsOf(directory, "null:no-output", "bad", 1);
  Json json = Json::parse(ReadFile(bad));
  for (const char* kind : {"scenarios", "properties"}) {
    for (Json& test : json[kind]) test.erase("report");
  }
  for (Json& clause : json["clauses"]) clause.erase("test");
  const std::string old = directory.Write("old.json", json.dump());
  EXPECT_TRUE(Says(Mapspec({"report", old, "--html", "-"}).out, "<strong>VIOLATION of queue.pop."));
  std::filesystem::remove_all(directory / "out");
  const CommandResult without = Mapspec({"report", old, "--html", "-"});
  EXPECT_EQ(without.status, 0);
  EXPECT_FALSE(Says(without.out, "<strong>VIOLATION"));
  EXPECT_TRUE(Says(without.out, "Trace: <code>"));
}

TEST(Report, ShowsAClauseOfAnotherMapspecWithWhatItsFileSays) {
  const Directory directory;
  const std::string file = directory.Write(
      "future.json",
      R"({"mapspec":"9.0","backend":"moon","clauses":[{"id":"tree.lookup.fast","level":"observed",)"
      R"("path":"program","status":"fail","reason":"expected <speed> & \"more\""}]})");
  const CommandResult page = Mapspec({"report", file, "--html", "-"});
  EXPECT_EQ(page.status, 0) << page.err;
  for (const char* part :
       {"<span>tree</span>", "<code>tree.lookup.fast</code>", "<small>observed · program</small>",
        "This mapspec has no such clause.", "expected &lt;speed&gt; &amp; \"more\""}) {
    EXPECT_TRUE(Says(page.out, part)) << part;
  }
}

TEST(Report, RunWritesTheSamePageForItself) {
  const Directory directory;
  const std::string json = directory / "r.json", html = directory / "r.html";
  const CommandResult run = Mapspec({"run", "--backend", "userspace", "--backend", "null:success",
                                     "--filter", "queue.pop.*", "--effort", "quick", "--json", json,
                                     "--html", html, "--out", directory / "out"});
  EXPECT_EQ(run.status, 1) << run.err;
  EXPECT_TRUE(Says(run.out, "report      " + html)) << run.out;
  EXPECT_GT(ReadFile(html).size(), 10'000u);
  EXPECT_EQ(Mapspec({"report", json, "--html", "-"}).out, ReadFile(html));
}

TEST(Report, SaysWhatIsWrongInOneMessage) {
  const Directory directory;
  const std::string good = R"({"backend":"b","clauses":[{"id":"a.b","status":"pass"}]})";
  const std::string fine = directory.Write("fine.json", good + "\n");
  const struct {
    Words words;
    std::vector<std::string> said;
  } cases[] = {
      {{"report"}, {"JSON"}},
      {{"report", "/nonexistent/r.json"}, {"/nonexistent/r.json: cannot be read"}},
      {{"report", "/"}, {"/: is a directory"}},
      {{"report", "/dev/null"}, {"/dev/null: holds no results", "mapspec run --json"}},
      {{"report", directory.Write("a", good + "\n{\"back")}, {"/a:2: not JSON", "column 7"}},
      {{"report", directory.Write("b", "PK\x03\x04\xff\xfe")}, {"/b:1: not JSON"}},
      {{"report", directory.Write("c", "[1]\n")}, {"/c:1: no result: expected an object"}},
      {{"report", fine, directory.Write("d", R"({"backend":"b","clauses":[{"id":"a.b"}]})")},
       {"/d:1: expected a string as clauses[0].status"}},
      {{"report", fine, "--html", "/dev/null/x.html"}, {"/dev/null/x.html: cannot be written"}},
      {{"report", fine, "--markdown", "/nonexistent/x.md"}, {"/nonexistent/x.md: cannot be"}},
      {{"report", fine, "--markdown", "/dev/full"}, {"/dev/full: cannot be written"}},
      {{"report", fine, "--html", "-", "--markdown", "-"}, {"only one of them"}},
      {{"report", fine, "--htm", "x"}, {"--htm", "did you mean `--html`?"}},
      {{"run", "--filter", "queue.pop.empty", "--html", "/dev/null/x"}, {"/dev/null/x: cannot be"}},
      {{"compare", fine}, {"NEW"}},
      {{"compare", fine, "/nonexistent"}, {"/nonexistent: cannot be read"}},
      {{"compare", directory.Write("e", "x"), fine}, {"/e:1: not JSON"}},
      {{"compare", fine, directory.Write("f", good + "\n" + R"({"backend":7,"clauses":[]})")},
       {"/f:2: expected a string as backend"}},
      {{"compare", fine,
        directory.Write("g", R"({"backend":"x","clauses":[]})"
                             "\n"
                             R"({"backend":"y","clauses":[]})")},
       {"no backend and profile in common", "not x (), y ()"}},
  };
  for (const auto& c : cases) {
    const CommandResult result = Mapspec(c.words);
    EXPECT_EQ(result.status, 2) << c.said[0] << result.err;
    EXPECT_EQ(result.out, "") << c.said[0];
    EXPECT_EQ(CountOf(result.err, "mapspec: "), 1u) << result.err;
    for (const std::string& said : c.said) EXPECT_TRUE(Says(result.err, said)) << result.err;
  }
}

TEST(Compare, OfARunWithItselfTellsNothing) {
  const Directory directory;
  const std::string good = ResultsOf(directory, "userspace", "good", 0);
  const CommandResult result = Mapspec({"compare", good, good});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(CountOf(result.out, "\n"), 1u) << result.out;
  EXPECT_TRUE(Says(result.out, "0 regressions, 0 improvements, 0 other changes")) << result.out;
}

TEST(Compare, EndsWithOneForARegressionAndTellsItFirst) {
  const Directory directory;
  const std::string good = ResultsOf(directory, "userspace", "good", 0);
  const std::string bad = ResultsOf(directory, "null:no-output", "bad", 1);
  const CommandResult worse = Mapspec({"compare", good, bad});
  EXPECT_EQ(worse.status, 1) << worse.err;
  EXPECT_EQ(
      worse.out.rfind("userspace (linux-6.18) → null:no-output (linux-6.18)\n\nRegressions (", 0),
      0u)
      << worse.out;
  EXPECT_TRUE(Says(worse.out, "  queue.pop.takes-head ")) << worse.out;
  EXPECT_TRUE(Says(worse.out, "  pass → fail  operation ")) << worse.out;
  EXPECT_EQ(worse.out.find('\033'), std::string::npos);
  const CommandResult better = Mapspec({"compare", bad, good});
  EXPECT_EQ(better.status, 0) << better.out;
  EXPECT_TRUE(Says(better.out, "Improvements (")) << better.out;
  EXPECT_TRUE(Says(better.out, "fail → pass  was: operation ")) << better.out;
}

TEST(Compare, TakesRunsOfOneBackendAndProfileTogether) {
  const Directory directory;
  const std::string a = R"({"backend":"a","profile":"p","clauses":[{"id":"x.y","status":"pass"}]})";
  const std::string b =
      R"({"backend":"b","profile":"p","clauses":[{"id":"x.y","status":"skip","reason":"no\n[31m"}]})";
  const std::string b_passed =
      R"({"backend":"b","profile":"p","clauses":[{"id":"x.y","status":"pass"}]})";
  const std::string before = directory.Write("before", a + "\n" + b_passed);
  const std::string after = directory.Write("after", b + "\n" + a);
  const CommandResult result = Mapspec({"compare", before, after});
  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(result.out,
            "Regressions (1)\n  x.y  pass → skip  [b (p)]  no [31m\n\n"
            "2 runs, 2 clauses and 0 properties compared: 1 regression, 0 improvements, 0 other "
            "changes\n");
}

TEST(Compare, HoldsRunsAgainstARecordAndExactlyIfAsked) {
  const Directory directory;
  const std::string good = ResultsOf(directory, "userspace", "good", 0);
  const std::string record = directory / "record.tsv";
  const CommandResult written = Mapspec({"report", good, "--record", record});
  EXPECT_EQ(written.status, 0) << written.err;
  EXPECT_EQ(written.out, "");
  const std::string table = ReadFile(record);
  EXPECT_EQ(table.rfind("clause\tlinux-6.18\n", 0), 0u) << table;
  EXPECT_TRUE(Says(table, "\nqueue.pop.takes-head\tpass\n")) << table;
  EXPECT_EQ(Mapspec({"compare", "--exact", record, good}).status, 0);

  // What was not there before is a change, though no regression.
  std::string shorter = table;
  shorter.erase(shorter.find("queue.pop.takes-head"), 26);
  const std::string old = directory.Write("old.tsv", shorter);
  const CommandResult changed = Mapspec({"compare", "--exact", old, good});
  EXPECT_EQ(changed.status, 1);
  EXPECT_TRUE(Says(changed.out, "  queue.pop.takes-head  absent → pass  ")) << changed.out;
  EXPECT_EQ(Mapspec({"compare", old, good}).status, 0);

  const CommandResult damaged =
      Mapspec({"compare", "--exact", directory.Write("bad.tsv", table + "x.y\tkept\n"), good});
  EXPECT_EQ(damaged.status, 2);
  EXPECT_TRUE(Says(damaged.err, "not `kept`")) << damaged.err;
  const CommandResult twice = Mapspec({"report", good, good, "--record", directory / "2.tsv"});
  EXPECT_EQ(twice.status, 2);
  EXPECT_TRUE(Says(twice.err, "same profile")) << twice.err;
}

}  // namespace
}  // namespace mapspec
