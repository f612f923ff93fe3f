// SPDX-License-Identifier: MIT
//
// Libraries that misbehave, as a user of `run` and `record` meets them: a reason and exit status 1
// or 3, never the end of the run in the middle.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <ostream>

#include "runners/cli_harness.h"

namespace mapspec {
namespace {

using Json = nlohmann::json;

TEST(Library, ThatIsNoSharedObjectCannotBeUsed) {
  const Directory directory;
  const std::string text = directory.Write("text.so", "not a shared object\n");
  const CommandResult result =
      Mapspec({"run", "--backend", "library:" + text, "--filter", "queue.pop.empty"});
  EXPECT_EQ(result.status, 3) << result.err;
  EXPECT_NE((result.out + result.err).find("text.so"), std::string::npos)
      << result.out << result.err;
  const CommandResult missing =
      Mapspec({"run", "--backend", "library:" + (directory / "missing.so")});
  EXPECT_TRUE(missing.status == 2 || missing.status == 3) << missing.status << missing.err;
  EXPECT_NE((missing.out + missing.err).find("missing.so"), std::string::npos)
      << missing.out << missing.err;
}

TEST(Library, WithoutAnySymbolCannotBeUsed) {
  const CommandResult result =
      Mapspec({"run", "--backend", std::string("library:") + MAPSPEC_TEST_EMPTY_LIBRARY, "--filter",
               "queue.pop.empty"});
  EXPECT_EQ(result.status, 3) << result.err << result.out;
}

TEST(Library, ReportsOfAnUnusableBackendAreStillWritten) {
  const Directory directory;
  const CommandResult result = Mapspec(
      {"run", "--backend", std::string("library:") + MAPSPEC_TEST_EMPTY_LIBRARY, "--backend",
       "userspace", "--filter", "queue.pop.empty", "--json", directory / "r.json"});
  EXPECT_EQ(result.status, 3) << result.err;
  const std::string report = ReadFile(directory / "r.json");
  ASSERT_EQ(CountOf(report, "\n"), 2u) << report;
  EXPECT_FALSE(Json::parse(report.substr(0, report.find('\n'))).at("errors").empty());
  EXPECT_EQ(Json::parse(report.substr(report.find('\n'))).at("summary").at("pass"), 1);
}

TEST(Library, OfOursConformsLikeTheEmbeddedOne) {
  const Directory directory;
  const CommandResult result =
      Mapspec({"run", "--backend", std::string("library:") + MAPSPEC_TEST_USERMAPS_LIBRARY,
               "--profile", "documented", "--effort", "quick", "--filter",
               "queue.*:-*random*:-*small*", "--out", directory / "out"});
  EXPECT_EQ(result.status, 0) << result.err << result.out;
}

// Flags tell the misbehaving library what to do (backends/test_libraries/).
struct Misdeed {
  const char* name;
  char letter;
  const char* said;
};
void PrintTo(const Misdeed& misdeed, std::ostream* out) { *out << misdeed.name; }

class Misdeeds : public testing::TestWithParam<Misdeed> {};

TEST_P(Misdeeds, BecomeAFindingWithTheScriptThatCausedIt) {
  const Directory directory;
  const std::string script = directory.Write("s.script",
                                             R"({"mapspec_script":1,"name":"misdeed"}
{"op":"BPF_MAP_CREATE","as":"m0","type":"BPF_MAP_TYPE_HASH","key_size":4,"value_size":8,"max_entries":3}
{"op":"BPF_MAP_UPDATE_ELEM","map":"m0","key":"0x01000000","value":"0x0100000000000000","flags":")" +
                                                 std::to_string(int{GetParam().letter}) + "\"}\n");
  const CommandResult record =
      Command({"env", "MAPSPEC_OPERATION_TIMEOUT_MS=1000", MAPSPEC_COMMAND, "record", "--backend",
               std::string("library:") + MAPSPEC_TEST_MISBEHAVING_LIBRARY, script})
          .Wait();
  ASSERT_EQ(record.status, 0) << record.err;
  const CommandResult check = Mapspec({"check", "-"}, record.out);
  EXPECT_EQ(check.status, 1) << check.out << record.out;
  EXPECT_NE(check.out.find(GetParam().said), std::string::npos) << check.out;
}

INSTANTIATE_TEST_SUITE_P(All, Misdeeds,
                         testing::Values(Misdeed{"Crash", 'c', "SIGSEGV"},
                                         Misdeed{"Abort", 'a', "SIGABRT"},
                                         Misdeed{"Exit", 'x', "7"},
                                         Misdeed{"Hang", 'h', "operation 1"}),
                         [](const auto& p) { return p.param.name; });

TEST(Library, ThatMisbehavesAllTheTimeDoesNotStopTheRun) {
  const Directory directory;
  const CommandResult result =
      Command({"env", "MAPSPEC_OPERATION_TIMEOUT_MS=500", MAPSPEC_COMMAND, "run", "--backend",
               std::string("library:") + MAPSPEC_TEST_MISBEHAVING_LIBRARY, "--filter",
               "hash.update.*", "--no-shrink", "--json", directory / "r.json", "--out",
               directory / "out"})
          .Wait();
  EXPECT_EQ(result.status, 1) << result.err;
  const Json json = Json::parse(ReadFile(directory / "r.json"));
  EXPECT_GT(json.at("summary").at("tests"), 3);
  for (const Json& test : json.at("scenarios"))
    EXPECT_NE(test.at("reason").get<std::string>().substr(0, 7), "not run");
}

TEST(Kernel, ThatMayNotBeAskedIsUnusableWithTheReason) {
  const CommandResult result =
      Command({"setpriv", "--reuid", "65534", "--clear-groups", "--bounding-set", "-all",
               "--inh-caps", "-all", MAPSPEC_COMMAND, "run", "--backend", "kernel", "--filter",
               "queue.pop.empty"})
          .Wait();
  if (result.status == 127 || result.err.find("setpriv") != std::string::npos) {
    GTEST_SKIP() << "needs root to become nobody: " << result.err;
  }
  EXPECT_EQ(result.status, 3) << result.err << result.out;
  EXPECT_NE(result.out.find("could not be used"), std::string::npos) << result.out;
}

}  // namespace
}  // namespace mapspec
