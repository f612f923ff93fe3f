// SPDX-License-Identifier: MIT
//
// run: verdicts, reports, ids, shards, deviations, interruption.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <thread>

#include "runners/cli_harness.h"
#include "runners/ktap_parser.h"

namespace mapspec {
namespace {

using Json = nlohmann::json;

// Ids of scenarios and properties in a JSON report of one backend, with their statuses.
std::map<std::string, std::string> Statuses(const std::string& report) {
  const Json json = Json::parse(report);
  std::map<std::string, std::string> statuses;
  for (const char* kind : {"scenarios", "properties"}) {
    for (const Json& test : json.at(kind)) {
      EXPECT_TRUE(statuses.emplace(test.at("id"), test.at("status")).second) << test.at("id");
    }
  }
  return statuses;
}

std::map<std::string, std::string> RunFor(const Directory& directory,
                                          std::vector<std::string> words, int expected_status = 0) {
  const std::string report = directory / "r.json";
  std::filesystem::remove(report);
  words.insert(words.begin(), "run");
  for (const char* word : {"--effort", "quick", "--seed", "1", "--json"}) words.emplace_back(word);
  words.push_back(report);
  words.emplace_back("--out");
  words.push_back(directory / "out");
  const CommandResult result = Mapspec(words);
  EXPECT_EQ(result.status, expected_status) << result.err << result.out;
  return Statuses(ReadFile(report));
}

TEST(Run, KeepsTheQueuesPromisesOnTheEmbeddedLibrary) {
  const Directory directory;
  const auto statuses = RunFor(directory, {"--filter", "queue.*"});
  EXPECT_GT(statuses.size(), 20u);
  for (const auto& [id, status] : statuses) EXPECT_TRUE(status == "pass" || status == "skip") << id;
}

TEST(Run, ShardsAndJobsDoTheSameTestsWithTheSameResults) {
  const Directory directory;
  const std::string filter = "queue.*:stack.*";
  const auto whole = RunFor(directory, {"--filter", filter});
  EXPECT_EQ(RunFor(directory, {"--filter", filter, "--jobs", "3"}), whole);
  std::map<std::string, std::string> together;
  size_t count = 0;
  for (const char* shard : {"1/3", "2/3", "3/3"}) {
    const auto part = RunFor(directory, {"--filter", filter, "--shard", shard});
    EXPECT_FALSE(part.empty()) << shard;
    count += part.size();
    together.insert(part.begin(), part.end());
  }
  EXPECT_EQ(together, whole);
  EXPECT_EQ(count, whole.size());
}

TEST(Run, IdsAreUniqueAndGoogleTestKnowsThemToo) {
  const CommandResult result = Mapspec({"run", "--gtest_list_tests"});
  EXPECT_EQ(result.status, 0) << result.err;
  std::istringstream lines(result.out);
  std::set<std::string> ids;
  std::string suite;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] != ' ') {
      suite = line.substr(0, line.find(' '));
      continue;
    }
    const std::string name = line.substr(2, line.find("  #", 2) - 2);
    EXPECT_TRUE(ids.insert(suite + name).second) << suite << name;
  }
  EXPECT_GT(ids.size(), 100u);
  EXPECT_TRUE(ids.count("queue.pop.empty/new")) << result.out.substr(0, 500);
}

TEST(Run, PassesGoogleTestsOptionsOn) {
  const Directory directory;
  // Not the variants that programs carry out: userspace runs none.
  const auto statuses =
      RunFor(directory, {"--gtest_filter=queue.pop.empty/*-*program*", "--gtest_shuffle"});
  EXPECT_FALSE(statuses.empty());
  for (const auto& [id, status] : statuses) {
    EXPECT_EQ(id.rfind("queue.pop.empty/", 0), 0u) << id;
    EXPECT_EQ(status, "pass") << id;
  }
}

TEST(Run, SeveralBackendsGiveOneObjectEachAndAFailureOfOneDecides) {
  const Directory directory;
  const CommandResult result =
      Mapspec({"run", "--backend", "userspace", "--backend", "null:success", "--filter",
               "queue.pop.*", "--json", directory / "r.json", "--junit", directory / "r.xml",
               "--ktap", "--out", directory / "out"});
  EXPECT_EQ(result.status, 1) << result.err;
  std::istringstream lines(ReadFile(directory / "r.json"));
  std::vector<std::string> backends;
  for (std::string line; std::getline(lines, line);)
    backends.push_back(Json::parse(line).at("backend"));
  EXPECT_EQ(backends, (std::vector<std::string>{"userspace", "null:success"}));
  std::string error;
  const std::vector<KtapTest> tests = ParseKtap(result.out, &error);
  EXPECT_EQ(error, "") << result.out;
  ASSERT_EQ(tests.size(), 2u);
  EXPECT_TRUE(tests[0].ok);
  EXPECT_FALSE(tests[1].ok);
  EXPECT_EQ(tests[0].subtests.size(), tests[1].subtests.size());
}

TEST(Run, JunitIsWellFormed) {
  if (std::string(MAPSPEC_XMLLINT).empty())
    GTEST_SKIP() << "xmllint was not found (Debian: libxml2-utils)";
  const Directory directory;
  const CommandResult result =
      Mapspec({"run", "--backend", "null:no-output", "--filter", "queue.*", "--effort", "quick",
               "--junit", directory / "r.xml", "--out", directory / "out"});
  EXPECT_EQ(result.status, 1);
  const CommandResult lint = Command({MAPSPEC_XMLLINT, "--noout", directory / "r.xml"}).Wait();
  EXPECT_EQ(lint.status, 0) << lint.err;
  const std::string xml = ReadFile(directory / "r.xml");
  EXPECT_GT(CountOf(xml, "<testcase "), 20u);
  EXPECT_GT(CountOf(xml, "<failure "), 2u);
}

TEST(Run, AFailureIsReportedWithFilesThatShowItAgain) {
  const Directory directory;
  const std::string report = directory / "r.json";
  const CommandResult result =
      Mapspec({"run", "--backend", "null:no-output", "--filter", "queue.pop.takes-head/order",
               "--json", report, "--out", directory / "out"});
  EXPECT_EQ(result.status, 1);
  for (const char* part :
       {"VIOLATION of queue.pop.takes-head", "claim", "expected", "got", "replay"}) {
    EXPECT_NE(result.err.find(part), std::string::npos) << part << result.err;
  }
  const Json json = Json::parse(ReadFile(report));
  std::string trace;
  for (const Json& clause : json.at("clauses")) {
    if (clause.at("id") == "queue.pop.takes-head") trace = clause.at("trace");
  }
  ASSERT_NE(trace, "");
  EXPECT_EQ(Mapspec({"check", trace}).status, 1);
  std::string script = trace;
  script.replace(script.find(".trace.jsonl"), std::string::npos, ".script");
  const CommandResult again = Mapspec({"record", "--backend", "null:no-output", script});
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(Mapspec({"check", "-"}, again.out).status, 1);
}

TEST(Run, TheSeedIsPrintedAndGivesTheSameRunAgain) {
  const CommandResult first = Mapspec({"run", "--filter", "queue.pop.empty"});
  const size_t at = first.out.find("seed ");
  ASSERT_NE(at, std::string::npos) << first.out;
  const CommandResult second = Mapspec({"run", "--filter", "queue.pop.empty", "--seed", "0x10"});
  EXPECT_NE(second.out.find("seed 16"), std::string::npos) << second.out;
}

TEST(Run, DocumentedProfileDoesNotHoldAnyoneToWhatIsOnlyObserved) {
  const Directory directory;
  // Fails with any error where Linux answers ENOENT: enough for the documentation.
  const auto statuses = RunFor(
      directory,
      {"--backend", "null:einval", "--profile", "documented", "--filter", "queue.pop.empty-errno"},
      1);
  for (const auto& [id, status] : statuses) EXPECT_NE(status, "pass") << id;
}

TEST(Deviations, AListedViolationDoesNotFailARun) {
  const Directory directory;
  const std::string list =
      directory.Write("d.yaml", "- {clause: 'queue.*', backend: 'null:*', reason: never writes}\n");
  const auto statuses = RunFor(directory, {"--backend", "null:no-output", "--filter",
                                           "queue.pop.takes-head/order", "--deviations", list});
  EXPECT_EQ(statuses.at("queue.pop.takes-head/order"), "deviation");
}

TEST(Deviations, OneThatVanishedFailsTheRunAndIsNamed) {
  const Directory directory;
  const std::string list =
      directory.Write("d.yaml", "\n- {clause: queue.pop.takes-head, reason: once upon a time}\n");
  const CommandResult result = Mapspec({"run", "--filter", "queue.pop.takes-head", "--deviations",
                                        list, "--out", directory / "out"});
  EXPECT_EQ(result.status, 1);
  EXPECT_NE(result.out.find(list + ":2"), std::string::npos) << result.out;
  const std::string none =
      directory.Write("n.yaml", "- {clause: queue.pop.takes-haed, reason: typo}\n");
  const CommandResult typo = Mapspec({"run", "--deviations", none});
  EXPECT_EQ(typo.status, 2);
  EXPECT_NE(typo.err.find("queue.pop.takes-head"), std::string::npos) << typo.err;
  EXPECT_NE(typo.err.find(none + ":1:"), std::string::npos) << typo.err;
}

TEST(Interrupt, LeavesReportsOfWhatWasDone) {
  for (const int signal : {SIGINT, SIGTERM}) {
    const Directory directory;
    const std::string report = directory / "r.json";
    Command command(MapspecArgv({"run", "--effort", "thorough", "-v", "--json", report, "--junit",
                                 directory / "r.xml", "--ktap", "--out", directory / "out"}));
    ASSERT_TRUE(command.WaitForError("kept     "));
    command.Signal(signal);
    const CommandResult result = command.Wait();
    EXPECT_EQ(result.status, 130) << result.err.substr(0, 2000);
    const Json json = Json::parse(ReadFile(report));
    EXPECT_EQ(json.at("summary").at("interrupted"), true);
    size_t done = 0, not_run = 0;
    for (const auto& [id, status] : Statuses(ReadFile(report)))
      ++(status == "unknown" ? not_run : done);
    EXPECT_GT(done, 0u);
    EXPECT_GT(not_run, 0u);
    std::string error;
    ParseKtap(result.out, &error);
    EXPECT_EQ(error, "");
    EXPECT_NE(ReadFile(directory / "r.xml").find("</testsuites>"), std::string::npos);
  }
}

// The one worker of a run that has begun its tests.
int WorkerOf(const Command& command) {
  const std::vector<int> children = command.Children();
  EXPECT_EQ(children.size(), 1u);
  return children.empty() ? 0 : children[0];
}

TEST(Worker, ThatDiesCostsTheTestItWasAtAndTheRunGoesOn) {
  const Directory directory;
  const std::string report = directory / "r.json";
  Command command(MapspecArgv({"run", "--effort", "quick", "-v", "--filter", "queue.*:*random*",
                               "--json", report, "--out", directory / "out"}));
  ASSERT_TRUE(command.WaitForError("kept     "));
  const int worker = WorkerOf(command);
  ASSERT_GT(worker, 0);
  kill(worker, SIGKILL);
  const CommandResult result = command.Wait();
  EXPECT_EQ(result.status, 3) << result.err;
  const std::map<std::string, std::string> statuses = Statuses(ReadFile(report));
  EXPECT_EQ(std::count_if(statuses.begin(), statuses.end(),
                          [](const auto& s) { return s.second == "unknown"; }),
            1);
  EXPECT_NE(ReadFile(report).find("was killed by SIGKILL"), std::string::npos);
}

TEST(Interrupt, ASecondOneEndsAtOnceWithTheWorkers) {
  const Directory directory;
  Command command(MapspecArgv({"run", "--effort", "thorough", "-v", "--out", directory / "out"}));
  ASSERT_TRUE(command.WaitForError("kept     "));
  const int worker = WorkerOf(command);
  ASSERT_GT(worker, 0);
  // A worker that cannot end by itself: the first signal alone would have to wait for it.
  kill(worker, SIGSTOP);
  const auto start = std::chrono::steady_clock::now();
  command.Signal(SIGINT);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  command.Signal(SIGINT);
  EXPECT_EQ(command.Wait().status, 130);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
  // Gone, or a zombie that init has not yet waited for; what was killed may take a while to die.
  std::string stat;
  do {
    stat = ReadFile("/proc/" + std::to_string(worker) + "/stat");
  } while (!stat.empty() && stat.find(") Z") == std::string::npos &&
           std::chrono::steady_clock::now() - start < std::chrono::seconds(30));
  EXPECT_TRUE(stat.empty() || stat.find(") Z") != std::string::npos) << stat;
}

TEST(Interrupt, AWorkerThatDoesNotAnswerIsNotWaitedForForever) {
  const Directory directory;
  Command command(MapspecArgv({"run", "--effort", "thorough", "-v", "--json", directory / "r.json",
                               "--out", directory / "out"}));
  ASSERT_TRUE(command.WaitForError("kept     "));
  const int worker = WorkerOf(command);
  ASSERT_GT(worker, 0);
  kill(worker, SIGSTOP);
  command.Signal(SIGTERM);
  EXPECT_EQ(command.Wait().status, 130);
  EXPECT_EQ(Json::parse(ReadFile(directory / "r.json")).at("summary").at("interrupted"), true);
}

}  // namespace
}  // namespace mapspec
