// SPDX-License-Identifier: MIT
//
// `inherits:` of a file, and the values that only some types have: those of per-CPU maps, and
// descriptors.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "specs/spec_loader.h"

namespace mapspec {
namespace {

constexpr char kBase[] =
    "map_type: HASH\n"
    "defaults: {key_size: 4, value_size: 1, max_entries: 2}\n"
    "clauses:\n"
    "  - {id: hash.a.b, level: observed, claim: c, path: both, source: {document: d}, "
    "ledger: [HASH-1]}\n"
    "  - {id: hash.a.c, level: observed, claim: c, path: syscall, source: {document: d}}\n"
    "scenarios:\n"
    "  - {clause: hash.a.b, map: {}, steps: [update: {key: 1, value: 2}]}\n"
    "  - {clause: hash.a.b, name: two, map: {}, steps: [update: {key: 1, value: 2}]}\n"
    "  - {clause: hash.a.c, map: {}, steps: [delete: {key: 1}]}\n";

LoadedSpecs LoadBoth(const std::string& inherits, uint32_t possible_cpus = 2,
                     const std::string& more = "") {
  const std::vector<SpecText> texts = {
      {"heir.yaml", "map_type: PERCPU_HASH\ninherits: " + inherits + "\n" + more},
      {"hash.yaml", kBase}};
  return LoadSpecTexts(texts, {.traits = {}, .possible_cpus = possible_cpus});
}

std::vector<std::string> ScenarioIds(const SpecFile& file) {
  std::vector<std::string> ids;
  for (const Scenario& scenario : file.scenarios) ids.push_back(scenario.id);
  std::sort(ids.begin(), ids.end());
  return ids;
}

std::string Told(const LoadedSpecs& loaded) {
  std::string all;
  for (const SpecError& error : loaded.errors) all += error.ToString() + "\n";
  return all;
}

TEST(InheritedSpec, ATraitMayBeAConditionForTheHeirOnly) {
  const LoadedSpecs loaded = LoadBoth("{from: HASH, traits: {some_trait: [a.c]}}");
  ASSERT_TRUE(loaded.ok()) << Told(loaded);
  EXPECT_EQ(loaded.specs.files.at(0).clauses.at(0).trait, "");
  EXPECT_EQ(loaded.specs.files.at(0).clauses.at(1).trait, "some_trait");
  EXPECT_EQ(loaded.specs.files.at(1).clauses.at(1).trait, "");
  for (const Scenario& scenario : loaded.specs.files.at(0).scenarios) {
    EXPECT_EQ(scenario.trait, scenario.clause == "percpu_hash.a.c" ? "some_trait" : "");
  }
  const LoadedSpecs wrong = LoadBoth("{from: HASH, traits: {some_trait: [a.z]}}");
  EXPECT_NE(Told(wrong).find("names `a.z`"), std::string::npos) << Told(wrong);
}

TEST(InheritedSpec, ClausesAndScenariosAreTakenOverForTheOtherType) {
  const LoadedSpecs loaded = LoadBoth("{from: HASH, ledger: {a.b: [PERCPU-7]}}");
  ASSERT_TRUE(loaded.ok()) << Told(loaded);
  const SpecFile& heir = loaded.specs.files.at(0);
  ASSERT_EQ(heir.clauses.size(), 2u);
  EXPECT_EQ(heir.clauses[0].id, "percpu_hash.a.b");
  EXPECT_EQ(heir.clauses[0].ledger, std::vector<std::string>{"PERCPU-7"});
  EXPECT_TRUE(heir.clauses[1].ledger.empty());
  EXPECT_EQ(ScenarioIds(heir),
            (std::vector<std::string>{"percpu_hash.a.b", "percpu_hash.a.b/two",
                                      "percpu_hash.a.b/two[program]", "percpu_hash.a.b[program]",
                                      "percpu_hash.a.c"}));
  for (const Scenario& scenario : heir.scenarios) {
    EXPECT_EQ(std::get<MapCreate>(scenario.steps.at(0).operation.call).type, MapType::PERCPU_HASH);
    EXPECT_TRUE(scenario.clause.starts_with("percpu_hash."));
  }
  EXPECT_EQ(ScenarioIds(loaded.specs.files.at(1)).at(0), "hash.a.b");
}

TEST(InheritedSpec, WhatIsExceptedStaysBehind) {
  const LoadedSpecs loaded = LoadBoth("{from: HASH, except: [a.c, a.b/two, \"a.b[program]\"]}");
  ASSERT_TRUE(loaded.ok()) << Told(loaded);
  const SpecFile& heir = loaded.specs.files.at(0);
  EXPECT_EQ(heir.clauses.size(), 1u);
  EXPECT_EQ(ScenarioIds(heir), std::vector<std::string>{"percpu_hash.a.b"});
}

TEST(InheritedSpec, WhatNamesNothingIsAnError) {
  EXPECT_NE(
      Told(LoadBoth("{from: HASH, except: [a.x]}")).find("`except` of `inherits` names `a.x`"),
      std::string::npos);
  EXPECT_NE(Told(LoadBoth("{from: HASH, ledger: {a.x: [R]}}")).find("`ledger` of `inherits` names"),
            std::string::npos);
  EXPECT_NE(Told(LoadBoth("{from: QUEUE}")).find("`from` needs a map type"), std::string::npos);
  EXPECT_NE(Told(LoadBoth("{from: PERCPU_HASH}")).find("`from` needs a map type"),
            std::string::npos);
  EXPECT_NE(Told(LoadBoth("{except: [a.b]}")).find("`from` of `inherits` is missing"),
            std::string::npos);
}

TEST(InheritedSpec, OfSeveralFilesEachGivesWhatStandsInIt) {
  const std::vector<SpecText> texts = {
      {"heir.yaml",
       "map_type: LRU_PERCPU_HASH\n"
       "inherits: [{from: HASH, except: [a.c]}, {from: LRU_HASH, ledger: {a.d: [LRU-1]}}]\n"},
      {"hash.yaml", kBase},
      {"lru.yaml",
       "map_type: LRU_HASH\ninherits: {from: HASH}\n"
       "clauses:\n"
       "  - {id: lru_hash.a.d, level: observed, claim: c, path: syscall, source: {document: d}}\n"
       "scenarios:\n"
       "  - {clause: lru_hash.a.d, map: {max_entries: 1}, steps: [delete: {key: 1}]}\n"}};
  const LoadedSpecs loaded = LoadSpecTexts(texts, {});
  ASSERT_TRUE(loaded.ok()) << Told(loaded);
  EXPECT_EQ(ScenarioIds(loaded.specs.files.at(0)),
            (std::vector<std::string>{"lru_percpu_hash.a.b", "lru_percpu_hash.a.b/two",
                                      "lru_percpu_hash.a.b/two[program]",
                                      "lru_percpu_hash.a.b[program]", "lru_percpu_hash.a.d"}));
  EXPECT_EQ(loaded.specs.files.at(0).clauses.at(1).ledger, std::vector<std::string>{"LRU-1"});
  EXPECT_EQ(loaded.specs.files.at(2).clauses.size(), 3u);
}

TEST(InheritedSpec, AClauseCannotBeBothInheritedAndWritten) {
  const std::string own =
      "clauses:\n  - {id: percpu_hash.a.b, level: observed, claim: c, path: syscall, "
      "source: {document: d}}\n";
  EXPECT_NE(Told(LoadBoth("{from: HASH}", 2, own)).find("is already there"), std::string::npos);
  EXPECT_EQ(Told(LoadBoth("{from: HASH, except: [a.b]}", 2, own)), "");
}

// The value of the first update of a file's first scenario by system calls.
Bytes FirstValue(const std::string& value, uint32_t possible_cpus) {
  const LoadedSpecs loaded = LoadBoth(
      "{from: HASH, except: [a.b]}", possible_cpus,
      "defaults: {key_size: 4, value_size: 1}\n"
      "clauses:\n  - {id: percpu_hash.a.b, level: observed, claim: c, path: syscall, "
      "source: {document: d}}\n"
      "scenarios:\n  - {clause: percpu_hash.a.b, map: {}, steps: [update: {key: 1, value: " +
          value + "}]}\n");
  EXPECT_TRUE(loaded.ok()) << Told(loaded);
  for (const Scenario& scenario : loaded.specs.files.at(0).scenarios) {
    if (scenario.id != "percpu_hash.a.b") continue;
    return std::get<Update>(scenario.steps.at(1).operation.call).value.bytes;
  }
  return {};
}

TEST(PerCpuValue, ANumberStandsForEveryCpuAndAListForTheFirst) {
  const Bytes one = {7, 0, 0, 0, 0, 0, 0, 0};
  Bytes two = one;
  two.Append(one);
  EXPECT_EQ(FirstValue("7", 1), one);
  EXPECT_EQ(FirstValue("7", 2), two);
  EXPECT_EQ(FirstValue("{fill: 7}", 1), one);
  EXPECT_EQ(FirstValue("{cpus: [7, 7]}", 1), one);
  EXPECT_EQ(FirstValue("{cpus: [7, 7]}", 2), two);
  Bytes first = one;
  first.Append(Bytes(8));
  EXPECT_EQ(FirstValue("{cpus: [7]}", 2), first);
}

TEST(PerCpuValue, QuotedBytesMayGoOnIntoThePadding) {
  const Bytes one = {7, 8, 0, 0, 0, 0, 0, 0};
  const Bytes padded = {1, 2, 3, 4, 5, 6, 7, 8};
  Bytes two = padded;
  two.Append(padded);
  EXPECT_EQ(FirstValue("\"0x0708\"", 1), one);
  EXPECT_EQ(FirstValue("\"0x0102030405060708\"", 2), two);
  // More than a slot is all of it.
  EXPECT_EQ(FirstValue("\"0x010203040506070809\"", 2), (Bytes{1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST(PerCpuValue, OtherMapsHaveNoCpus) {
  const SpecText text{"t.yaml",
                      "map_type: HASH\nclauses:\n  - {id: hash.a.b, level: observed, claim: c, "
                      "path: syscall, source: {document: d}}\nscenarios:\n  - {clause: hash.a.b, "
                      "map: {}, steps: [update: {key: 1, value: {cpus: [1]}}]}\n"};
  EXPECT_NE(Told(LoadSpecTexts({&text, 1}, {})).find("`cpus` is for values of per-CPU maps"),
            std::string::npos);
}

TEST(DescriptorValue, IsASlotThatWasFilled) {
  const auto load = [](const std::string& step) {
    const SpecText text{"t.yaml",
                        "map_type: HASH\nclauses:\n  - {id: hash.a.b, level: observed, claim: c, "
                        "path: syscall, source: {document: d}}\nscenarios:\n  - {clause: hash.a.b, "
                        "map: {}, steps: [" +
                            step + "]}\n"};
    return LoadSpecTexts({&text, 1}, {});
  };
  const auto call = [&](const std::string& step) {
    const LoadedSpecs loaded = load(step);
    EXPECT_TRUE(loaded.ok()) << Told(loaded);
    return loaded.specs.files.at(0).scenarios.at(0).steps.back().operation.call;
  };
  EXPECT_EQ(std::get<Update>(call("update: {key: 1, value: {fd: m0}}")).value_fd, Handle{0});
  EXPECT_EQ(std::get<Update>(call("update: {key: 1, value: {fd: bad}}")).value_fd, kBadFd);
  EXPECT_EQ(std::get<Update>(call("update: {key: 1, value: 1}")).value_fd, kNoFd);
  const auto batch = std::get<UpdateBatch>(
      call("update_batch: {keys: [1, 2], values: [{fd: m0}, {fd: not_a_map}]}"));
  EXPECT_EQ(batch.value_fds, (std::vector<Handle>{{0}, kNotAMap}));
  EXPECT_EQ(batch.count, 2u);
  const auto socket = std::get<SocketOpen>(call("socket: {as: m1, kind: xdp_bare, queue: 1}"));
  EXPECT_EQ(socket, (SocketOpen{Handle{1}, SocketOpen::Kind::kXdpBare, 0, 1}));
  EXPECT_NE(Told(load("update: {key: 1, value: {fd: m7}}")).find("nothing fills m7"),
            std::string::npos);
  EXPECT_NE(Told(load("send_frames: {count: 65}")).find("count"), std::string::npos);
}

}  // namespace
}  // namespace mapspec
