// SPDX-License-Identifier: MIT
//
// fuzz: arguments, exit statuses, files, interruption.
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "runners/cli_harness.h"

namespace mapspec {
namespace {

using Json = nlohmann::json;

CommandResult Fuzz(const Directory& directory, std::vector<std::string> words) {
  words.insert(words.begin(), {"fuzz", "--seed", "1", "--out", directory / "f"});
  return Mapspec(words);
}

TEST(Fuzz, OfWhatConformsSaysSo) {
  const Directory directory;
  const CommandResult result =
      Fuzz(directory, {"--ops", "1e5", "--jobs", "2", "--json", directory / "r.json"});
  EXPECT_EQ(result.status, 0) << result.err << result.out;
  EXPECT_NE(result.out.find("findings    0"), std::string::npos) << result.out;
  const Json json = Json::parse(ReadFile(directory / "r.json"));
  EXPECT_EQ(json.at("seed"), 1);
  EXPECT_EQ(json.at("backends").at(0).at("backend"), "userspace");
  EXPECT_GE(json.at("summary").at("operations"), 100'000);
  EXPECT_TRUE(json.at("findings").empty());
  EXPECT_GT(json.at("coverage").at("operation_flag_outcome").size(), 100u);
}

TEST(Fuzz, SaysWhatIsWrongWithItsArguments) {
  const Directory directory;
  const std::pair<std::vector<std::string>, const char*> kWrong[] = {
      {{"--ops", "many"}, "--ops many: expected a number of operations"},
      {{"--time", "soon"}, "--time soon: expected a duration"},
      {{"--shrink-time", "-1"}, "--shrink-time -1: expected"},
      {{"--backend", "kernal"}, "did you mean \"kernel\""},
      {{"--backend", "userspace", "--backend", "userspace"}, "given twice"},
      {{"--profile", "linux-6.81"}, "unknown profile `linux-6.81`"},
      {{"--jobs", "0"}, "--jobs"},
      {{"--resume"}, "No such file or directory"},
      {{"--json", "/dev/null/r.json", "--ops", "10"}, "/dev/null/r.json: Not a directory"},
  };
  for (const auto& [words, said] : kWrong) {
    const CommandResult result = Fuzz(directory, words);
    EXPECT_EQ(result.status, 2) << words[0] << result.out;
    EXPECT_NE(result.err.find(said), std::string::npos) << words[0] << ": " << result.err;
  }
  EXPECT_FALSE(std::filesystem::exists(directory / "f"));
}

TEST(Fuzz, GoesOnWithARunOnlyWhenItIsToldTo) {
  const Directory directory;
  EXPECT_EQ(Fuzz(directory, {"--ops", "20k"}).status, 0);
  const CommandResult again = Fuzz(directory, {"--ops", "20k"});
  EXPECT_EQ(again.status, 2);
  EXPECT_NE(again.err.find("--resume"), std::string::npos) << again.err;
  EXPECT_NE(again.err.find("--out"), std::string::npos) << again.err;
  const CommandResult other =
      Mapspec({"fuzz", "--resume", "--out", directory / "f", "--seed", "2"});
  EXPECT_EQ(other.status, 2);
  EXPECT_NE(other.err.find("seed 1"), std::string::npos) << other.err;
  const CommandResult result = Mapspec({"fuzz", "--resume", "--out", directory / "f", "--ops",
                                        "60k", "--json", directory / "r.json"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_GE(Json::parse(ReadFile(directory / "r.json")).at("summary").at("operations"), 60'000);
  directory.Write("f/state.json", "{");
  const CommandResult damaged = Mapspec({"fuzz", "--resume", "--out", directory / "f"});
  EXPECT_EQ(damaged.status, 2);
  EXPECT_NE(damaged.err.find("state.json: not the state"), std::string::npos) << damaged.err;
}

TEST(Fuzz, PrintsTheScriptsOfFindingsWhereNothingCanBeWritten) {
  const CommandResult result = Mapspec({"fuzz", "--backend", "null:success", "--ops", "500",
                                        "--seed", "1", "--out", "/dev/null/f", "--no-shrink"});
  EXPECT_EQ(result.status, 1) << result.err << result.out;
  EXPECT_NE(result.err.find("/dev/null/f: Not a directory"), std::string::npos) << result.err;
  EXPECT_NE(result.out.find("mapspec_script"), std::string::npos) << result.out;
  const CommandResult none =
      Mapspec({"fuzz", "--ops", "500", "--seed", "1", "--out", "/dev/null/f"});
  EXPECT_EQ(none.status, 2) << none.err;
}

TEST(Fuzz, CtrlCEndsItWithASummary) {
  const Directory directory;
  Command command(MapspecArgv({"fuzz", "--out", directory / "f", "--seed", "1"}));
  ASSERT_TRUE(command.WaitForError("until Ctrl-C"));
  command.Signal(SIGINT);
  const CommandResult result = command.Wait();
  EXPECT_EQ(result.status, 130) << result.err;
  EXPECT_NE(result.out.find("interrupted"), std::string::npos) << result.out;
  EXPECT_TRUE(std::filesystem::exists(directory / "f/state.json"));
}

TEST(Fuzz, ALibraryThatDiesIsAFinding) {
  const Directory directory;
  const CommandResult result =
      Command({"env", "MAPSPEC_OPERATION_TIMEOUT_MS=300", MAPSPEC_COMMAND, "fuzz", "--backend",
               std::string("library:") + MAPSPEC_TEST_MISBEHAVING_LIBRARY, "--ops", "2000",
               "--seed", "1", "--out", directory / "f", "--no-shrink"})
          .Wait();
  EXPECT_EQ(result.status, 1) << result.err << result.out;
  const CommandResult unusable = Fuzz(
      directory, {"--backend", std::string("library:") + MAPSPEC_TEST_EMPTY_LIBRARY, "--ops", "9"});
  EXPECT_NE(unusable.status, 0);
}

}  // namespace
}  // namespace mapspec
