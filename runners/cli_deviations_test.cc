// SPDX-License-Identifier: MIT
//
// run --write-deviations: from the violations of a run to a list with which it passes; and what a
// failure says of a kernel that does what another version promises.
#include <gtest/gtest.h>

#include <filesystem>

#include "runners/cli_harness.h"

namespace mapspec {
namespace {

const std::string kLibrary = std::string("library:") + MAPSPEC_TEST_MUTANT_LIBRARY;

// Queues and stacks of a library with this deliberate fault; "" for none.
CommandResult RunMutant(const std::string& mutant, const Directory& directory,
                        const std::vector<std::string>& more) {
  std::vector<std::string> words = {"env", "USERMAPS_MUTANT=" + mutant};
  if (mutant.empty()) words = {"env", "-u", "USERMAPS_MUTANT"};
  for (const std::string& word : MapspecArgv(
           {"run", "--backend", kLibrary, "--profile", "linux-6.18", "--effort", "quick", "--seed",
            "7", "--filter", "queue.pop.*:queue.push.*:stack.pop.*", "--out", directory / "out"})) {
    words.push_back(word);
  }
  words.insert(words.end(), more.begin(), more.end());
  return Command(words).Wait();
}

TEST(WriteDeviations, MakesAListWithWhichTheSameRunPasses) {
  const Directory directory;
  const std::string list = directory / "known.yaml";
  const std::string mutant = "queue.pop.empty-errno/wrong-errno";
  const CommandResult first = RunMutant(mutant, directory, {"--write-deviations", list});
  EXPECT_EQ(first.status, 1) << first.err;
  const std::string text = ReadFile(list);
  EXPECT_EQ(text.rfind("# Known deviations, written by mapspec ", 0), 0u) << text;
  EXPECT_NE(text.find("--seed 7"), std::string::npos) << text;
  EXPECT_NE(text.find("- clause: \"queue.pop.empty-errno\"\n  backend: \"" + kLibrary +
                      "\"\n  profile: \"linux-6.18\"\n  reason: \"not yet looked into: operation "),
            std::string::npos)
      << text;
  const CommandResult again =
      RunMutant(mutant, directory, {"--deviations", list, "--write-deviations", list});
  EXPECT_EQ(again.status, 0) << again.err << again.out;
  EXPECT_EQ(ReadFile(list), text);
  // Mended: the list is what fails the run, and the next list has nothing in it.
  const CommandResult mended =
      RunMutant("", directory, {"--deviations", list, "--write-deviations", list});
  EXPECT_EQ(mended.status, 1) << mended.err << mended.out;
  EXPECT_NE(mended.out.find("known.yaml:6"), std::string::npos) << mended.out;
  EXPECT_EQ(RunMutant("", directory, {"--deviations", list}).status, 0) << ReadFile(list);
}

TEST(WriteDeviations, KeepsTheReasonsOfTheListItWasGivenAndAddsWhatIsNew) {
  const Directory directory;
  const std::string known = directory.Write(
      "known.yaml",
      "# Ours.\n- {clause: queue.push.full, reason: never mind, link: 'https://example.org/1'}\n"
      "- {clause: stack.pop.empty, backend: 'qemu:*', reason: of another backend}\n");
  const std::string list = directory / "new.yaml";
  const CommandResult result =
      Mapspec({"run", "--backend", "null:success", "--profile", "linux-6.18", "--filter",
               "queue.push.full*:queue.pop.empty/new", "--deviations", known, "--write-deviations",
               list, "--out", directory / "out"});
  EXPECT_EQ(result.status, 1) << result.err;
  const std::string text = ReadFile(list);
  EXPECT_NE(text.find("reason: \"never mind\"\n  link: \"https://example.org/1\"\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("- clause: \"stack.pop.empty\"\n  backend: \"qemu:*\"\n"), std::string::npos)
      << text;
  EXPECT_EQ(CountOf(text, "clause: \"queue.push.full\""), 1u) << text;
  EXPECT_EQ(CountOf(text, "clause: \"queue.pop.empty\""), 1u) << text;
}

TEST(WriteDeviations, SaysWhatNoListCanExcuse) {
  const Directory directory;
  const std::string list = directory / "known.yaml";
  const std::string empty = std::string("library:") + MAPSPEC_TEST_EMPTY_LIBRARY;
  const CommandResult result = Mapspec({"run", "--backend", empty, "--filter", "queue.pop.empty",
                                        "--write-deviations", list, "--out", directory / "out"});
  EXPECT_EQ(result.status, 3) << result.err;
  EXPECT_NE(result.err.find(list + ": without 1 failure that no clause names: " + empty),
            std::string::npos)
      << result.err;
  EXPECT_NE(ReadFile(list).find("\n[]\n"), std::string::npos) << ReadFile(list);
}

TEST(WriteDeviations, APlaceThatCannotBeWrittenIsRefusedBeforeAnythingRuns) {
  const Directory directory;
  const CommandResult result =
      Mapspec({"run", "--filter", "queue.pop.empty", "--write-deviations",
               directory / "no/such/known.yaml", "--out", directory / "out"});
  EXPECT_EQ(result.status, 2);
  EXPECT_EQ(result.err, "mapspec: " + (directory / "no/such/known.yaml") + ": cannot be written\n");
}

TEST(WriteDeviations, ListsWhatTheOracleObjectsToUnderASpecificationWithoutThatClause) {
  const Directory directory;
  const std::string specs = directory.Write("my.yaml", R"(map_type: BPF_MAP_TYPE_QUEUE
defaults: {key_size: 0, value_size: 4, max_entries: 2}
clauses:
  - id: queue.pop.mine
    level: documented
    claim: A value comes out.
    source: {document: map_queue_stack.rst, section: bpf_map_pop_elem()}
    path: syscall
scenarios:
  - clause: queue.pop.mine
    map: {}
    steps:
      - push: {value: 1}
      - pop: {expect: {value: 1}}
)");
  const std::string list = directory / "known.yaml";
  const std::vector<std::string> words = {"run",
                                          "--backend",
                                          "null:einval",
                                          "--profile",
                                          "linux-6.18",
                                          "--specs",
                                          specs,
                                          "--seed",
                                          "1",
                                          "--filter",
                                          "queue.pop.mine*",
                                          "--out",
                                          directory / "out"};
  std::vector<std::string> first = words, second = words;
  first.insert(first.end(), {"--write-deviations", list});
  second.insert(second.end(), {"--deviations", list});
  EXPECT_EQ(Mapspec(first).status, 1);
  EXPECT_EQ(ReadFile(list).find("queue.pop.mine"), std::string::npos) << ReadFile(list);
  const CommandResult again = Mapspec(second);
  EXPECT_EQ(again.status, 0) << again.err << again.out << ReadFile(list);
}

TEST(Backports, AFailureSaysWhichOtherVersionTheKernelConformsTo) {
  const Directory directory;
  const CommandResult result =
      Mapspec({"run", "--backend", "kernel", "--profile", "linux-6.1", "--filter",
               "generic.freeze.again-ebusy*", "--json", directory / "r.json", "--junit",
               directory / "r.xml", "--out", directory / "out"});
  if (result.status == 3) GTEST_SKIP() << result.out;
  if (result.status == 0) GTEST_SKIP() << "this kernel is as old as the profile";
  EXPECT_EQ(result.status, 1);
  const std::string said = "conforms to linux-";
  EXPECT_NE(result.err.find("\n  hint     " + said), std::string::npos) << result.err;
  for (const char* report : {"r.json", "r.xml"}) {
    const std::string text = ReadFile(directory / report);
    EXPECT_NE(text.find("; " + said), std::string::npos) << text;
    EXPECT_NE(text.find("(trait freeze_again_eperm)"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace mapspec
