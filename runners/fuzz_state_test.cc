// SPDX-License-Identifier: MIT
#include "runners/fuzz_state.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "runners/cli_harness.h"

namespace mapspec {
namespace {

FuzzState Example() {
  FuzzState state;
  state.seed = 0xfedcba9876543210u;
  state.backends = {{"kernel", "linux-6.18"}, {"library:./x\xff.so", "documented"}};
  state.done.AddRange(0, 17);
  state.done.Add(19);
  state.counts = {18, 4000, 8000, 12, 3};
  state.seconds = 1.5;
  state.coverage.Add(CellsByName().begin()->second, 5'000'000'000u);
  DifferenceKind kind{"kernel | userspace", "HASH BPF_MAP_GET_NEXT_KEY", "hash.next.order",
                      Difference::kOutput};
  state.differences[kind] = {7, {{1, 2, "call", "a", "b"}}};
  state.kinds["a kind"] = {9, 3};
  Finding finding;
  finding.id = "hash.update.any-012345";
  finding.backend = "kernel";
  finding.note = "not repeatable";
  finding.repeatable = false;
  finding.script = 7;
  state.findings = {finding};
  return state;
}

TEST(FuzzState, ComesBackAsItWasWritten) {
  const FuzzState state = Example();
  std::string error;
  const std::string text = StateToJson(state);
  const auto read = StateFromJson(text, "state.json", &error);
  ASSERT_TRUE(read) << error;
  EXPECT_EQ(StateToJson(*read), text);
  EXPECT_EQ(read->seed, state.seed);
  EXPECT_EQ(read->done, state.done);
  EXPECT_EQ(read->coverage.cells(), 1u);
  EXPECT_EQ(read->findings[0].script, 7u);
  EXPECT_EQ(read->differences.begin()->second.count, 7u);
}

TEST(FuzzState, OfADamagedFileTheReasonIsTold) {
  const std::string text = StateToJson(Example());
  std::string error;
  // Whatever is cut off, or turned into something else, is told or read: never a crash.
  for (size_t length = 0; length + 3 < text.size(); length += 7) {
    EXPECT_FALSE(StateFromJson(text.substr(0, length), "DIR/state.json", &error)) << length;
    EXPECT_TRUE(error.starts_with("DIR/state.json: ")) << error;
  }
  for (size_t at = 0; at < text.size(); ++at) {
    std::string damaged = text;
    damaged[at] = "0\"[-x"[at % 5];
    StateFromJson(damaged, "state.json", &error);
  }
  for (const char* other : {"", "[]", "{}", "null", R"({"mapspec_fuzz":99})"}) {
    EXPECT_FALSE(StateFromJson(other, "state.json", &error)) << other;
  }
}

TEST(FuzzState, IsReplacedAsAWhole) {
  const Directory directory;
  std::string error;
  ASSERT_TRUE(SaveState(Example(), directory.path(), &error)) << error;
  FuzzState later = Example();
  later.counts.scripts = 99;
  ASSERT_TRUE(SaveState(later, directory.path(), &error)) << error;
  EXPECT_EQ(ReadFile(StateFile(directory.path())), StateToJson(later));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory.path()), {}), 1);
  // A full disk leaves the one there was.
  ASSERT_EQ(symlink("/dev/full", (StateFile(directory.path()) + ".new").c_str()), 0);
  EXPECT_FALSE(SaveState(Example(), directory.path(), &error));
  EXPECT_NE(error.find("No space left on device"), std::string::npos) << error;
  EXPECT_EQ(ReadFile(StateFile(directory.path())), StateToJson(later));
}

}  // namespace
}  // namespace mapspec
