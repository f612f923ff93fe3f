// SPDX-License-Identifier: MIT
//
// What a user who makes a mistake sees: exit status 2, where the mistake is, and what would have
// been right.
#include <gtest/gtest.h>

#include <ostream>

#include "runners/cli_harness.h"

namespace mapspec {
namespace {

using Words = std::vector<std::string>;

struct Mistake {
  const char* name;
  Words words;
  std::vector<const char*> said;
};

// Else GoogleTest shows the bytes of the struct.
void PrintTo(const Mistake& mistake, std::ostream* out) { *out << mistake.name; }

class Mistakes : public testing::TestWithParam<Mistake> {};

TEST_P(Mistakes, EndWithStatusTwoAndTheNearestRightName) {
  const CommandResult result = Mapspec(GetParam().words);
  EXPECT_EQ(result.status, 2);
  EXPECT_EQ(result.out, "");
  for (const char* part : GetParam().said) {
    EXPECT_NE(result.err.find(part), std::string::npos) << part << "\nin\n" << result.err;
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, Mistakes,
    testing::Values(
        Mistake{"Nothing", {}, {"run", "check"}}, Mistake{"Command", {"rnu"}, {"rnu", "`run`"}},
        Mistake{"Backend", {"run", "--backend", "kernle"}, {"kernle", "kernel"}},
        Mistake{"SecondBackend",
                {"run", "--backend", "userspace", "--backend", "usrspace"},
                {"userspace"}},
        Mistake{"SameBackendTwice", {"run", "-b", "userspace", "-b", "userspace"}, {"twice"}},
        Mistake{"RecordBackend", {"record", "--backend", "kernle", "/dev/null"}, {"mapspec:"}},
        Mistake{"Profile", {"run", "--profile", "linux-6.l"}, {"linux-6.l", "linux-6."}},
        Mistake{"Option", {"run", "--efort", "quick"}, {"--efort", "--effort"}},
        Mistake{"Effort", {"run", "--effort", "quik"}, {"`quick`"}},
        Mistake{"MapType", {"run", "--map-type", "QUEU"}, {"queue"}},
        Mistake{"Filter",
                {"run", "--filter", "queue.push.exist-wen-full"},
                {"queue.push.exist-when-full"}},
        Mistake{"FilterPart", {"run", "--filter", "queue.*:stakc.*"}, {"stakc.*"}},
        Mistake{"FilterTakesAll", {"run", "--filter", "queue.*:-queue.*"}, {"nothing is left"}},
        Mistake{"Seed", {"run", "--seed", "12x"}, {"12x"}},
        Mistake{"SeedTooBig", {"run", "--seed", "18446744073709551616"}, {"2^64"}},
        Mistake{"Shard", {"run", "--shard", "3/2"}, {"3/2", "I/N"}},
        Mistake{"ShardZero", {"run", "--shard", "0/2"}, {"I/N"}},
        Mistake{"Jobs", {"run", "--jobs", "0"}, {"--jobs"}},
        Mistake{"GtestFlag", {"run", "--gtest_suffle"}, {"--gtest_shuffle"}},
        Mistake{"GtestFlagElsewhere", {"list", "--gtest_shuffle"}, {"mapspec run"}},
        Mistake{"GtestForever", {"run", "--gtest_repeat=-1"}, {"repeat"}},
        Mistake{"JsonPlace",
                {"run", "--filter", "queue.pop.empty", "--json", "/dev/null/x"},
                {"/dev/null/x"}},
        Mistake{"ListTopic", {"list", "clases"}, {"`clauses`"}},
        Mistake{
            "ListFilter", {"list", "clauses", "--filter", "queue.push.ful"}, {"queue.push.full"}},
        Mistake{"CheckNothing", {"check"}, {"TRACE"}},
        Mistake{"CheckMissing", {"check", "/nonexistent/t.jsonl"}, {"/nonexistent/t.jsonl"}},
        Mistake{"CheckDirectory", {"check", "/"}, {"directory"}},
        Mistake{"CheckProfile", {"check", "--profile", "dokumented", "x"}, {"documented"}},
        Mistake{"RecordNoBackend", {"record", "x"}, {"--backend"}},
        Mistake{"DeviationsMissing",
                {"run", "--deviations", "/nonexistent.yaml"},
                {"/nonexistent.yaml"}},
        Mistake{"SpecsMissing", {"run", "--specs", "/nonexistent.yaml"}, {"/nonexistent.yaml"}}),
    [](const auto& p) { return p.param.name; });

TEST(Help, TeachesAndEndsWithStatusZero) {
  for (const Words& words : {Words{"--help"}, Words{"run", "--help"}, Words{"check", "--help"},
                             Words{"record", "--help"}, Words{"shrink", "--help"},
                             Words{"list", "--help"}, Words{"agent", "--help"}}) {
    const CommandResult result = Mapspec(words);
    EXPECT_EQ(result.status, 0) << words[0];
    EXPECT_NE(result.out.find("Example"), std::string::npos) << result.out;
    EXPECT_EQ(result.err, "");
  }
  EXPECT_NE(Mapspec({"--help"}).out.find("Exit status"), std::string::npos);
  const CommandResult version = Mapspec({"--version"});
  EXPECT_EQ(version.status, 0);
  EXPECT_EQ(version.out.rfind("mapspec ", 0), 0u) << version.out;
}

TEST(List, TellsEveryTopicAndSurvivesAReaderThatLeaves) {
  for (const char* topic : {"backends", "map-types", "clauses", "profiles", "properties"}) {
    const CommandResult result = Mapspec({"list", topic});
    EXPECT_EQ(result.status, 0) << topic << result.err;
    EXPECT_GT(CountOf(result.out, "\n"), 1u) << topic;
  }
  EXPECT_NE(
      Mapspec({"list", "clauses", "--filter", "queue.pop.empty"}).out.find("queue.pop.empty "),
      std::string::npos);
  const CommandResult head =
      Command({"bash", "-c", std::string(MAPSPEC_COMMAND) + " list clauses | head -n 1"}).Wait();
  EXPECT_EQ(head.status, 0);
  EXPECT_EQ(CountOf(head.out, "\n"), 1u);
  EXPECT_EQ(head.err, "");
}

constexpr const char* kSpec = R"(map_type: BPF_MAP_TYPE_QUEUE
defaults: {key_size: 0, value_size: 4, max_entries: 3}
clauses:
  - id: queue.pop.empty
    level: documented
    claim: An empty queue has nothing to give.
    source: {document: map_queue_stack.rst, section: bpf_map_pop_elem()}
    path: syscall
scenarios:
  - clause: queue.pop.empty
    map: {}
    steps:
      - pop: {expect: error}
)";

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  text.replace(text.find(from), from.size(), to);
  return text;
}

TEST(Specs, OfTheUserReplaceTheEmbeddedOnes) {
  const Directory directory;
  const std::string file = directory.Write("queue.yaml", kSpec);
  const CommandResult result = Mapspec(
      {"run", "--specs", file, "--filter", "queue.pop.*", "-v", "--out", directory / "out"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_NE(result.err.find("kept     queue.pop.empty\n"), std::string::npos) << result.err;
}

TEST(Specs, AnExpectationThatIsWrongBreaksTheClause) {
  const Directory directory;
  const std::string file =
      directory.Write("queue.yaml", Replaced(kSpec, "expect: error", "expect: {value: 7}"));
  const CommandResult result =
      Mapspec({"run", "--specs", file, "--filter", "queue.pop.*", "--out", directory / "out"});
  EXPECT_EQ(result.status, 1) << result.err;
  EXPECT_NE(result.err.find("VIOLATION of queue.pop.empty"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("success with value 0x07000000"), std::string::npos) << result.err;
  // The oracle would find the trace in order: only a run of this specification shows the failure
  // again.
  EXPECT_NE(result.err.find("--specs " + file + " --filter queue.pop.empty"), std::string::npos)
      << result.err;
}

TEST(Specs, DamagedOnesAreToldWithFileLineAndColumn) {
  const Directory directory;
  const struct {
    std::string text;
    const char* line;
    const char* said;
  } cases[] = {
      {Replaced(kSpec, "level: documented", "level: documentd"), ":5:", "documented"},
      {Replaced(kSpec, "      - pop: {", "      - ppo: {"), ":13:", "pop"},
      {Replaced(kSpec, "clause: queue.pop.empty", "clause: queue.pop.empti"),
       ":10:", "queue.pop.empty"},
      {Replaced(kSpec, "map: {}", "map: {value_size: yes}"), ":11:", "value_size"},
      {Replaced(kSpec, "scenarios:\n",
                "  - id: queue.pop.empty\n    level: documented\n    claim: Twice.\n"
                "    source: {document: d, section: s}\n    path: syscall\nscenarios:\n"),
       ":9:", "queue.pop.empty"},
      {Replaced(kSpec, "clauses:", "clauses: ["), ":", "queue.yaml"},
  };
  for (const auto& c : cases) {
    const std::string file = directory.Write("queue.yaml", c.text);
    const CommandResult result = Mapspec({"run", "--specs", file});
    EXPECT_EQ(result.status, 2) << c.text;
    EXPECT_NE(result.err.find(file + c.line), std::string::npos) << c.line << result.err;
    EXPECT_NE(result.err.find(c.said), std::string::npos) << result.err;
  }
}

}  // namespace
}  // namespace mapspec
