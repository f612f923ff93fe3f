// SPDX-License-Identifier: MIT
#include "specs/spec_loader.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace mapspec {
namespace {

const LoadOptions kOptions = {{"freeze_again_eperm", "hash_large_keys"}};

LoadedSpecs Load(const std::string& text) {
  const SpecText file{"t.yaml", text};
  return LoadSpecTexts({&file, 1}, kOptions);
}

std::string ErrorsOf(const LoadedSpecs& loaded) {
  std::string all;
  for (const SpecError& error : loaded.errors) {
    all += (all.empty() ? "" : "\n") + error.ToString();
  }
  return all;
}
std::string ErrorsOf(const std::string& text) { return ErrorsOf(Load(text)); }

constexpr char kHead[] =
    "map_type: BPF_MAP_TYPE_HASH\n"                                         // 1
    "defaults: {key_size: 4, value_size: 1, max_entries: 2}\n"              // 2
    "clauses:\n"                                                            // 3
    "  - id: hash.update.noexist\n"                                         // 4
    "    level: documented\n"                                               // 5
    "    claim: A key that is there is not added again.\n"                  // 6
    "    source: {document: map_hash.rst, section: bpf_map_update_elem}\n"  // 7
    "    path: both\n";                                                     // 8

std::string Scenario(const std::string& steps) {
  return std::string(kHead) +
         "scenarios:\n"                       // 9
         "  - clause: hash.update.noexist\n"  // 10
         "    map: {}\n"                      // 11
         "    steps:\n" +                     // 12
         steps;
}

TEST(SpecLoader, AClauseKeepsWhatItsFileSays) {
  const LoadedSpecs loaded = Load(std::string(kHead) +
                                  "    since: \"5.10\"\n"
                                  "    trait: \"!freeze_again_eperm\"\n"
                                  "    ledger: [HASH-1, HASH-2]\n");
  ASSERT_TRUE(loaded.ok()) << ErrorsOf(loaded);
  const ClauseSpec* clause = loaded.specs.FindClauseSpec("hash.update.noexist");
  ASSERT_NE(clause, nullptr);
  EXPECT_EQ(clause->level, Level::kDocumented);
  EXPECT_EQ(clause->path, Path::kBoth);
  EXPECT_EQ(clause->claim, "A key that is there is not added again.");
  EXPECT_EQ(clause->document, "map_hash.rst");
  EXPECT_EQ(clause->section, "bpf_map_update_elem");
  EXPECT_EQ(clause->since, "5.10");
  EXPECT_EQ(clause->trait, "!freeze_again_eperm");
  EXPECT_EQ(clause->ledger, (std::vector<std::string>{"HASH-1", "HASH-2"}));
  EXPECT_EQ(clause->position, (Position{4, 9}));
}

TEST(SpecLoader, AClauseMayCiteSeveralPlaces) {
  const LoadedSpecs loaded =
      Load(std::string(kHead) + "    also: [{document: bpf(2), section: S}, {document: d}]\n");
  ASSERT_TRUE(loaded.ok()) << ErrorsOf(loaded);
  const ClauseSpec* clause = loaded.specs.FindClauseSpec("hash.update.noexist");
  EXPECT_EQ(clause->also, (std::vector<Citation>{{"bpf(2)", "S"}, {"d", ""}}));
  EXPECT_EQ(ErrorsOf(std::string(kHead) + "    also: {document: d}\n"),
            "t.yaml:9:11: `also` must be a list of {document: …, section: …}, not a mapping");
  EXPECT_EQ(ErrorsOf(std::string(kHead) + "    also: [{section: s}]\n"),
            "t.yaml:9:12: `document` of an entry of `also` is missing");
}

std::string Diverging(const std::string& fields) {
  return std::string(kHead) + "    divergence: {" + fields + "}\n" +
         "scenarios:\n"
         "  - {clause: hash.update.noexist, name: first, via: syscall, map: {}, steps: [poll: "
         "{}]}\n"
         "  - {clause: hash.update.noexist, name: x, via: program, map: {}, steps: [lookup: {key: "
         "1}]}\n";
}

TEST(SpecLoader, ADivergenceIsThatOfTheSourceOrOfAnotherPlace) {
  LoadedSpecs loaded = Load(Diverging("says: It is., kernels: They do not."));
  ASSERT_TRUE(loaded.ok()) << ErrorsOf(loaded);
  const ClauseSpec* clause = loaded.specs.FindClauseSpec("hash.update.noexist");
  ASSERT_TRUE(clause->divergence.has_value());
  EXPECT_EQ(clause->divergence->says, "It is.");
  EXPECT_EQ(clause->divergence->kernels, "They do not.");
  EXPECT_EQ(clause->divergence->where, (Citation{"map_hash.rst", "bpf_map_update_elem"}));
  ASSERT_NE(loaded.specs.ScenarioOfDivergence(*clause), nullptr);
  EXPECT_EQ(loaded.specs.ScenarioOfDivergence(*clause)->id, "hash.update.noexist/first");

  loaded = Load(Diverging("says: a, document: d, kernels: b, scenario: x"));
  ASSERT_TRUE(loaded.ok()) << ErrorsOf(loaded);
  clause = loaded.specs.FindClauseSpec("hash.update.noexist");
  EXPECT_EQ(clause->divergence->where, (Citation{"d", ""}));
  ASSERT_NE(loaded.specs.ScenarioOfDivergence(*clause), nullptr);
  EXPECT_EQ(loaded.specs.ScenarioOfDivergence(*clause)->id, "hash.update.noexist/x[program]");

  loaded = Load(Diverging("says: a, kernels: b, shown_by: Much memory."));
  ASSERT_TRUE(loaded.ok()) << ErrorsOf(loaded);
  clause = loaded.specs.FindClauseSpec("hash.update.noexist");
  EXPECT_EQ(clause->divergence->shown_by, "Much memory.");
  EXPECT_EQ(loaded.specs.ScenarioOfDivergence(*clause), nullptr);

  loaded = Load(kHead);
  clause = loaded.specs.FindClauseSpec("hash.update.noexist");
  EXPECT_FALSE(clause->divergence.has_value());
  EXPECT_EQ(loaded.specs.ScenarioOfDivergence(*clause), nullptr);
}

TEST(SpecLoader, ADivergenceThatSaysTooLittleIsRefused) {
  EXPECT_EQ(ErrorsOf(Diverging("says: a")), "t.yaml:9:17: `kernels` of a divergence is missing");
  EXPECT_EQ(ErrorsOf(Diverging("kernels: a")), "t.yaml:9:17: `says` of a divergence is missing");
  EXPECT_EQ(ErrorsOf(Diverging("says: '', kernels: a")), "t.yaml:9:24: `says` is empty");
  EXPECT_EQ(ErrorsOf(Diverging("says: a, kernels: ''")), "t.yaml:9:36: `kernels` is empty");
  EXPECT_EQ(ErrorsOf(Diverging("say: a, kernels: b")),
            "t.yaml:9:18: unknown field `say` of a divergence; did you mean `says`?");
  EXPECT_EQ(ErrorsOf(Diverging("says: a, kernels: b, section: s")),
            "t.yaml:9:17: `section` of a divergence without its `document`");
  EXPECT_EQ(ErrorsOf(Diverging("says: a, kernels: b, scenario: y")),
            "t.yaml:4:9: the divergence of `hash.update.noexist` is shown by `y`, but the clause "
            "has no scenario of that name");
  EXPECT_EQ(ErrorsOf(Diverging("says: a, kernels: b, scenario: x, shown_by: y")),
            "t.yaml:9:17: `scenario` and `shown_by` of a divergence exclude each other");
  EXPECT_EQ(ErrorsOf(std::string(kHead) + "    divergence: yes\n"),
            "t.yaml:9:17: a divergence must be a mapping with field names, not `yes`");
  std::string observed = Diverging("says: a, kernels: b");
  observed.replace(observed.find("documented"), std::string_view("documented").size(), "observed");
  EXPECT_EQ(ErrorsOf(observed),
            "t.yaml:9:17: `document` of a divergence is missing: the source of an observed clause "
            "is not what kernels disagree with");
}

TEST(SpecLoader, AnUnknownFieldNamesTheNearestRightOne) {
  EXPECT_EQ(ErrorsOf("map_type: HASH\nclause:\n"),
            "t.yaml:2:1: unknown field `clause` of a specification; did you mean `clauses`?");
  EXPECT_EQ(ErrorsOf(std::string(kHead) + "    levle: observed\n"),
            "t.yaml:9:5: unknown field `levle` of a clause; did you mean `level`?");
}

TEST(SpecLoader, AWrongWordNamesTheNearestRightOne) {
  EXPECT_EQ(ErrorsOf("map_type: BPF_MAP_TYPE_HAHS\n"),
            "t.yaml:1:11: unknown map type `BPF_MAP_TYPE_HAHS`; did you mean `BPF_MAP_TYPE_HASH`?");
  EXPECT_EQ(ErrorsOf(std::string(kHead) + "    trait: freeze_agian_eperm\n"),
            "t.yaml:9:12: unknown trait `freeze_agian_eperm`; did you mean `freeze_again_eperm`?");
  EXPECT_EQ(ErrorsOf(Scenario("      - update: {key: 1, value: 1, flags: BPF_NOEXISTS}\n")),
            "t.yaml:13:43: unknown flag `BPF_NOEXISTS` in `flags`; did you mean `BPF_NOEXIST`?");
  EXPECT_EQ(ErrorsOf(Scenario("      - lookup: {key: 1, expect: ENONET}\n")),
            "t.yaml:13:34: unknown errno `ENONET`; did you mean `ENOENT`?");
  EXPECT_EQ(ErrorsOf(Scenario("      - lookpu: {key: 1}\n")),
            "t.yaml:13:9: unknown operation `lookpu`; did you mean `lookup`?");
  EXPECT_EQ(ErrorsOf(Scenario("      - lookup: {kye: 1}\n")),
            "t.yaml:13:18: unknown field `kye` of lookup; did you mean `key`?");
  EXPECT_EQ(ErrorsOf(Scenario("      - lookup: {key: 1, expect: {vlaue: 1}}\n")),
            "t.yaml:13:35: unknown field `vlaue` of expect of lookup; did you mean `value`?");
}

TEST(SpecLoader, AWrongTypeIsNamedWithWhatWasFound) {
  EXPECT_EQ(ErrorsOf("[1]"),
            "t.yaml:1:1: a specification must be a mapping with field names, not a list");
  EXPECT_EQ(ErrorsOf("map_type: HASH\nclauses: yes\n"),
            "t.yaml:2:10: `clauses` must be a list, not `yes`");
  EXPECT_EQ(ErrorsOf("map_type: HASH\ndefaults: {key_size: four}\n"),
            "t.yaml:2:22: `key_size` must be a number, not `four`");
  EXPECT_EQ(ErrorsOf("map_type: HASH\ndefaults: {key_size: \"4\"}\n"),
            "t.yaml:2:22: `key_size` must be a number, not the text \"4\"; leave out the quotes");
  EXPECT_EQ(ErrorsOf(std::string(kHead) + "    since: 5.10\n"),
            "t.yaml:9:12: `since` must be a release in quotes, such as \"5.10\", not `5.10`");
  EXPECT_EQ(
      ErrorsOf(Scenario("      - lookup: {key: [1]}\n")),
      "t.yaml:13:23: `key` must be a number, bytes as \"0x0a0b\" or {fill: 0xAA}, not a list");
}

TEST(SpecLoader, ANameIsTextOrBytesAndAtMostSixteenOfThem) {
  EXPECT_EQ(ErrorsOf("map_type: HASH\ndefaults: {name: [a]}\n"),
            "t.yaml:2:18: `name` must be text, not a list");
  EXPECT_EQ(ErrorsOf("map_type: HASH\ndefaults: {name: {bytes: 0xc0}}\n"),
            "t.yaml:2:26: `bytes` of a name must be written as \"0x61c0\", not `0xc0`");
  EXPECT_EQ(ErrorsOf("map_type: HASH\ndefaults: {name: {bytes: \"0xc\"}}\n"),
            "t.yaml:2:26: `bytes` of a name must be written as \"0x61c0\", not the text \"0xc\"");
  EXPECT_EQ(ErrorsOf("map_type: HASH\ndefaults: {name: seventeen_letters}\n"),
            "t.yaml:2:18: `name` has 17 bytes, more than 16, the most it can have");
}

TEST(SpecLoader, ANumberThatDoesNotFitIsNamedWithItsLimit) {
  EXPECT_EQ(ErrorsOf("map_type: HASH\ndefaults: {key_size: 4294967296}\n"),
            "t.yaml:2:22: `key_size` is 4294967296, more than 4294967295, the most it can be");
  EXPECT_EQ(ErrorsOf("map_type: HASH\ndefaults: {key_size: 99999999999999999999}\n"),
            "t.yaml:2:22: `key_size` is 99999999999999999999, more than 4294967295, the most it "
            "can be");
  EXPECT_EQ(ErrorsOf(Scenario("      - update: {key: 1, value: 256}\n")),
            "t.yaml:13:33: `value` is 256, which does not fit the 1 bytes it has in this map");
  EXPECT_EQ(ErrorsOf(Scenario("      - lookup: {key: 1, expect: {value: \"0x0102\"}}\n")),
            "t.yaml:13:42: `value` has 2 bytes; this output has 1");
}

TEST(SpecLoader, AClauseIdMustBelongToItsFileAndFitCpp) {
  const auto with_id = [](const std::string& id) {
    std::string text = kHead;
    return text.replace(text.find("hash.update.noexist"), 19, id);
  };
  EXPECT_EQ(
      ErrorsOf(with_id("array.update.noexist")),
      "t.yaml:4:9: `array.update.noexist` must begin with `hash.`, the map type of this file");
  EXPECT_EQ(ErrorsOf(with_id("hash.update")),
            "t.yaml:4:9: `hash.update` is no clause id; ids are TYPE.OPERATION.WHAT");
  EXPECT_EQ(ErrorsOf(with_id("hash.Update.x")),
            "t.yaml:4:14: `U` in a clause id; ids are made of [a-z0-9_.-]");
  EXPECT_EQ(
      ErrorsOf(with_id("hash.2.x")),
      "t.yaml:4:9: `hash.2.x` cannot become a C++ constant: `2_x` does not begin with a letter");
  EXPECT_EQ(ErrorsOf(with_id("hash.and.eq")),
            "t.yaml:4:9: `hash.and.eq` cannot become a C++ constant: `and_eq` is a keyword of C++");
}

TEST(SpecLoader, IdsAreUniqueAcrossFiles) {
  const std::vector<SpecText> files = {{"a.yaml", kHead}, {"b.yaml", kHead}};
  EXPECT_EQ(ErrorsOf(LoadSpecTexts(files, kOptions)),
            "b.yaml:4:9: clause `hash.update.noexist` is already there: a.yaml:4");
}

TEST(SpecLoader, IdsThatWouldBeOneConstantAreRefused) {
  std::string second = kHead;
  second = second.substr(second.find("  - id"));
  second.replace(second.find("update.noexist"), 14, "update-noexist.x");
  std::string first = kHead;
  first.replace(first.find("update.noexist"), 14, "update.noexist-x");
  EXPECT_EQ(ErrorsOf(first + second),
            "t.yaml:9:9: `hash.update-noexist.x` and `hash.update.noexist-x` would both be the "
            "constant clause::hash::update_noexist_x");
}

TEST(SpecLoader, AScenarioForAnUnknownClauseNamesTheNearest) {
  EXPECT_EQ(
      ErrorsOf(std::string(kHead) +
               "scenarios:\n  - clause: hash.update.no-exist\n    map: {}\n    steps: [freeze:]\n"),
      "t.yaml:10:13: scenario for an unknown clause `hash.update.no-exist`; did you mean "
      "`hash.update.noexist`?");
}

TEST(SpecLoader, ScenariosOfOneClauseNeedNames) {
  const std::string one = "  - clause: hash.update.noexist\n    map: {}\n    steps: [freeze:]\n";
  EXPECT_EQ(
      ErrorsOf(std::string(kHead) + "scenarios:\n" + one + one),
      "t.yaml:13:13: scenario `hash.update.noexist` is already there: t.yaml:10; scenarios of "
      "one clause need a `name` each");
}

TEST(SpecLoader, ASlotThatNothingFillsIsRefused) {
  EXPECT_EQ(ErrorsOf(Scenario("      - lookup: {map: m1, key: 1}\n")),
            "t.yaml:13:23: nothing fills m1 before this step");
  EXPECT_EQ(ErrorsOf(Scenario("      - create: {as: m1, btf: b0}\n")),
            "t.yaml:13:31: nothing fills b0 before this step");
  EXPECT_EQ(ErrorsOf(Scenario("      - load: {view: v2, length: 1}\n")),
            "t.yaml:13:22: nothing fills v2 before this step");
  EXPECT_EQ(ErrorsOf(std::string(kHead) +
                     "scenarios:\n  - clause: hash.update.noexist\n    steps:\n      - freeze:\n"),
            "t.yaml:12:9: nothing fills m0 before this step; give the scenario a `map:`");
  EXPECT_EQ(ErrorsOf(Scenario("      - freeze: {map: m1024}\n")),
            "t.yaml:13:23: a slot is written m0 to m1023, not `m1024`");
}

TEST(SpecLoader, EveryProblemOfAFileIsReported) {
  EXPECT_EQ(ErrorsOf(Scenario("      - lookpu: {key: 1}\n      - lookup: {kye: 1}\n")),
            "t.yaml:13:9: unknown operation `lookpu`; did you mean `lookup`?\n"
            "t.yaml:14:18: unknown field `kye` of lookup; did you mean `key`?");
}

TEST(SpecLoader, ThousandsOfProblemsEndInFifty) {
  std::string steps;
  for (int i = 0; i < 5000; ++i) steps += "      - lookpu: {key: 1}\n";
  EXPECT_EQ(Load(Scenario(steps)).errors.size(), 51u);
}

TEST(SpecLoader, AMapOfAGenericFileNeedsAType) {
  const std::string head =
      "map_type: GENERIC\nclauses:\n  - {id: generic.freeze.x, level: observed, claim: c, path: "
      "syscall, source: {document: d}}\nscenarios:\n  - clause: generic.freeze.x\n";
  EXPECT_EQ(ErrorsOf(head + "    map: {max_entries: 2}\n    steps: [freeze:]\n"),
            "t.yaml:6:10: the map needs a `type`; the file's map_type is GENERIC");
  EXPECT_EQ(ErrorsOf(head + "    steps: [create: {key_size: 4}]\n"),
            "t.yaml:6:21: `type` is missing");
}

class SpecFilesTest : public ::testing::Test {
 protected:
  SpecFilesTest()
      : directory_(::testing::TempDir() + "mapspec_loader_" + std::to_string(::getpid())) {
    std::filesystem::create_directory(directory_);
  }
  ~SpecFilesTest() override { std::filesystem::remove_all(directory_); }
  const std::string directory_;
};

TEST_F(SpecFilesTest, ADirectoryIsReadInTheOrderOfItsNames) {
  std::ofstream(directory_ + "/b.yaml") << "map_type: STACK\n";
  std::ofstream(directory_ + "/a.yaml") << "map_type: QUEUE\n";
  std::ofstream(directory_ + "/notes.txt") << "[";
  const LoadedSpecs loaded = LoadSpecPaths({&directory_, 1}, kOptions);
  ASSERT_TRUE(loaded.ok()) << ErrorsOf(loaded);
  ASSERT_EQ(loaded.specs.files.size(), 2u);
  EXPECT_EQ(loaded.specs.files[0].prefix, "queue");
  EXPECT_EQ(loaded.specs.files[1].name, directory_ + "/b.yaml");
}

TEST_F(SpecFilesTest, WhatCannotBeReadIsAnError) {
  const std::string missing = directory_ + "/missing.yaml";
  EXPECT_EQ(ErrorsOf(LoadSpecPaths({&missing, 1}, kOptions)), missing + ": cannot be read");
  EXPECT_EQ(ErrorsOf(LoadSpecPaths({&directory_, 1}, kOptions)),
            directory_ + ": holds no *.yaml file");
}

TEST_F(SpecFilesTest, AFileWithoutEndIsReadNoFurtherThanTheLimit) {
  const std::string endless = "/dev/zero";
  EXPECT_EQ(ErrorsOf(LoadSpecPaths({&endless, 1}, kOptions)), "/dev/zero: larger than 1 MiB");
}

}  // namespace
}  // namespace mapspec
