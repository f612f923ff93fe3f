// SPDX-License-Identifier: MIT
//
// The properties against the userspace library and against implementations that are wrong in one
// way.
#include "properties/property.h"

#include <gtest/gtest.h>

#include <set>

#include "properties/alphabets.h"
#include "properties/false_backend.h"
#include "properties/reachable_coverage.h"

namespace mapspec {
namespace {

void DeleteAlwaysSucceeds(const Operation& operation, Outcome* outcome) {
  if (std::holds_alternative<Delete>(operation.call) && outcome->error == Errno::kENOENT) {
    outcome->error = Errno::kNone;
  }
}

std::string_view ViolatedClause(const PropertyResult& result) {
  return GetClause(result.verdict.judgement.violated).id;
}

TEST(Properties, IdsAreUniqueAndEveryTypeHasItsOwn) {
  std::set<std::string_view> ids;
  for (const Property& property : AllProperties()) {
    EXPECT_TRUE(ids.insert(property.id).second) << property.id;
    EXPECT_FALSE(property.description.empty());
    EXPECT_FALSE(property.map_types.empty());
  }
  for (const std::string_view id :
       {"hash.random-scripts", "array.exhaustive", "coverage.queue", "stack.random-scripts",
        "mixed.random-scripts", "hash.exhaustive-program", "queue.random-program-scripts"}) {
    EXPECT_TRUE(ids.contains(id)) << id;
  }
}

TEST(Properties, EffortsHaveNames) {
  for (const Effort effort : {Effort::kQuick, Effort::kNormal, Effort::kThorough}) {
    EXPECT_EQ(ParseEffort(EffortName(effort)), effort);
  }
  EXPECT_EQ(ParseEffort("much"), std::nullopt);
}

TEST(RandomScripts, AnHonestImplementationPassesAndAllOperationsAreDone) {
  FalseBackend backend(nullptr);
  for (const Property& property : AllProperties()) {
    if (!property.id.ends_with(".random-scripts")) continue;
    const PropertyResult result = RunProperty(property.id, backend, Operations(20'000));
    if (property.id.starts_with("xskmap.")) {  // The one type that the library lacks.
      EXPECT_TRUE(result.skipped);
      EXPECT_EQ(result.reason, "the backend has no BPF_MAP_TYPE_XSKMAP");
      continue;
    }
    EXPECT_TRUE(result.passed) << property.id << ": " << result.reason;
    EXPECT_TRUE(result.complete);
    EXPECT_GE(result.operations, 18'000u);
    EXPECT_LE(result.operations, 23'000u);
    EXPECT_LT(result.unjudged * 20, result.operations) << property.id;
  }
}

TEST(RandomScripts, AFalseOutcomeIsFoundAndShrunkToWhatMatters) {
  FalseBackend backend(DeleteAlwaysSucceeds);
  const PropertyResult result = RunProperty("hash.random-scripts", backend, Operations(20'000));
  ASSERT_FALSE(result.passed);
  ASSERT_TRUE(result.counterexample.has_value());
  ASSERT_EQ(result.counterexample->operations.size(), 2u) << result.reason;
  EXPECT_TRUE(std::holds_alternative<MapCreate>(result.counterexample->operations[0].call));
  EXPECT_TRUE(std::holds_alternative<Delete>(result.counterexample->operations[1].call));
  EXPECT_TRUE(result.verdict.violation);
  EXPECT_EQ(result.verdict.index, 1u);
  EXPECT_TRUE(ViolatedClause(result).starts_with("hash.delete")) << ViolatedClause(result);
  EXPECT_NE(result.reason.find(ViolatedClause(result)), std::string::npos);
}

TEST(RandomScripts, ShrinkingStaysWithTheClauseThatWasBroken) {
  // Two lies: the long scripts break either first, and what is left of them could show the other.
  FalseBackend backend([](const Operation& operation, Outcome* outcome) {
    DeleteAlwaysSucceeds(operation, outcome);
    if (std::holds_alternative<Freeze>(operation.call) && outcome->ok())
      outcome->error = Errno::kEBUSY;
    if (std::holds_alternative<LookupAndDelete>(operation.call) &&
        outcome->error == Errno::kENOENT) {
      outcome->error = Errno::kEPERM;
    }
  });
  std::set<std::string_view> clauses;
  for (uint64_t seed = 0; seed < 12; ++seed) {
    PropertyOptions options = Operations(20'000, seed);
    options.shrink = false;
    const PropertyResult found = RunProperty("hash.random-scripts", backend, options);
    options.shrink = true;
    const PropertyResult shrunk = RunProperty("hash.random-scripts", backend, options);
    ASSERT_TRUE(found.counterexample && shrunk.counterexample);
    EXPECT_EQ(ViolatedClause(found), ViolatedClause(shrunk));
    clauses.insert(ViolatedClause(found));
  }
  EXPECT_GE(clauses.size(), 2u);
}

TEST(RandomScripts, WithoutShrinkingTheTraceEndsAtTheViolation) {
  FalseBackend backend(DeleteAlwaysSucceeds);
  PropertyOptions options = Operations(20'000);
  options.shrink = false;
  const PropertyResult result = RunProperty("hash.random-scripts", backend, options);
  ASSERT_TRUE(result.counterexample.has_value());
  EXPECT_EQ(result.shrink_executions, 0u);
  EXPECT_EQ(result.verdict.index + 1, result.counterexample->operations.size());
}

TEST(RandomScripts, AStateThatIsWrongOnlyLaterIsFound) {
  // The second of two pops of a row gives what the first gave: needs two pushes and two pops.
  Bytes previous;
  FalseBackend backend([&](const Operation& operation, Outcome* outcome) {
    if (std::holds_alternative<MapCreate>(operation.call)) previous = Bytes();
    if (!std::holds_alternative<LookupAndDelete>(operation.call) || !outcome->ok()) return;
    auto* popped = std::get_if<Bytes>(&outcome->output);
    if (popped == nullptr) return;
    const Bytes honest = *popped;
    if (previous.size() == popped->size()) *popped = previous;
    previous = honest;
  });
  const PropertyResult result = RunProperty("queue.random-scripts", backend, Operations(20'000));
  ASSERT_FALSE(result.passed);
  // Nothing can be left out of it, yet it need not be the shortest of all.
  EXPECT_LE(result.counterexample->operations.size(), 6u);
}

TEST(RandomScripts, ACrashIsAViolationAndIsShrunk) {
  FalseBackend backend([](const Operation& operation, Outcome* outcome) {
    const auto* batch = std::get_if<LookupBatch>(&operation.call);
    if (batch == nullptr || batch->count < 2) return;
    outcome->output.emplace<std::monostate>();
    outcome->completion = Completion::kCrashed;
    outcome->detail = "signal 11";
  });
  const PropertyResult result = RunProperty("array.random-scripts", backend, Operations(20'000));
  ASSERT_FALSE(result.passed);
  ASSERT_TRUE(result.counterexample.has_value());
  EXPECT_LE(result.counterexample->operations.size(), 2u);
  EXPECT_EQ(result.counterexample->outcomes.back().completion, Completion::kCrashed);
}

TEST(RandomScripts, TheSameSeedGivesTheSameRun) {
  FalseBackend backend(DeleteAlwaysSucceeds);
  const PropertyResult first = RunProperty("hash.random-scripts", backend, Operations(20'000, 7));
  const PropertyResult second = RunProperty("hash.random-scripts", backend, Operations(20'000, 7));
  const PropertyResult other = RunProperty("hash.random-scripts", backend, Operations(20'000, 8));
  EXPECT_EQ(first.seed, second.seed);
  EXPECT_EQ(first.operations, second.operations);
  EXPECT_EQ(first.counterexample->operations, second.counterexample->operations);
  EXPECT_NE(first.seed, other.seed);
}

TEST(RandomScripts, ABackendThatGivesNoSessionIsNeitherPassedNorAViolation) {
  FalseBackend backend(nullptr);
  backend.sessions_left = 5;
  const PropertyResult result = RunProperty("hash.random-scripts", backend, Operations(20'000));
  EXPECT_TRUE(result.backend_failed);
  EXPECT_FALSE(result.passed);
  EXPECT_FALSE(result.counterexample.has_value());
  EXPECT_EQ(result.reason, "no session today");
}

TEST(RandomScripts, StoppingIsToldAndDoesNotFail) {
  FalseBackend backend(nullptr);
  std::atomic<bool> stop = true;
  PropertyOptions options = Operations(20'000);
  options.stop = &stop;
  const PropertyResult result = RunProperty("hash.random-scripts", backend, options);
  EXPECT_TRUE(result.passed);
  EXPECT_FALSE(result.complete);
  EXPECT_EQ(result.operations, 0u);
  EXPECT_NE(result.reason.find("stopped"), std::string::npos);
}

TEST(RandomScripts, ATimeLimitIsTold) {
  FalseBackend backend(nullptr);
  PropertyOptions options = Operations(2'000'000'000);
  options.time_limit = std::chrono::milliseconds(200);
  const PropertyResult result = RunProperty("hash.random-scripts", backend, options);
  EXPECT_FALSE(result.complete);
  EXPECT_NE(result.reason.find("time limit"), std::string::npos) << result.reason;
}

TEST(RandomScripts, WithoutMapCreateThereIsNothingToTry) {
  FalseBackend backend(nullptr);
  backend.Lose(Capability::kMapCreate);
  for (const std::string_view id : {"hash.random-scripts", "hash.exhaustive"}) {
    const PropertyResult result = RunProperty(id, backend, Operations(1000));
    EXPECT_TRUE(result.skipped);
    EXPECT_NE(result.reason.find("bpf_map_create"), std::string::npos);
  }
}

TEST(Exhaustive, AnHonestImplementationPassesEverySequence) {
  FalseBackend backend(nullptr);
  for (const std::string_view id :
       {"hash.exhaustive", "array.exhaustive", "queue.exhaustive", "stack.exhaustive"}) {
    const PropertyResult result = RunProperty(id, backend, Operations(0));
    EXPECT_TRUE(result.passed) << id << ": " << result.reason;
    EXPECT_GT(result.cases, 500u);
    EXPECT_NE(result.detail.find(std::to_string(result.cases) + " sequences"), std::string::npos);
  }
}

TEST(Exhaustive, EverySequenceOfTheAlphabetIsCounted) {
  FalseBackend backend(nullptr);
  const Alphabet& alphabet = *FindAlphabet(MapType::STACK);
  const uint64_t words =
      ForEachWord(alphabet.letters, alphabet.keys_interchangeable, alphabet.Length(Effort::kQuick),
                  [](std::span<const uint8_t>) { return true; });
  const PropertyResult result = RunProperty("stack.exhaustive", backend, Operations(0));
  EXPECT_EQ(result.cases, words * alphabet.maps.size());
  EXPECT_EQ(result.operations, result.cases * (alphabet.Length(Effort::kQuick) + 2));
}

TEST(Exhaustive, TheCounterexampleIsTheShortestSequence) {
  FalseBackend backend(DeleteAlwaysSucceeds);
  const PropertyResult result = RunProperty("hash.exhaustive", backend, Operations(0));
  ASSERT_FALSE(result.passed);
  EXPECT_EQ(result.counterexample->operations.size(), 2u);
  EXPECT_TRUE(ViolatedClause(result).starts_with("hash.delete"));
}

TEST(Exhaustive, WhatDependsOnEarlierSequencesIsFoundToo) {
  // The 500th push is lost: no sequence alone shows it.
  uint64_t pushes = 0;
  FalseBackend backend([&](const Operation& operation, Outcome* outcome) {
    if (std::holds_alternative<Update>(operation.call) && outcome->ok() && ++pushes == 500) {
      outcome->error = Errno::kEINVAL;
    }
  });
  const PropertyResult result = RunProperty("queue.exhaustive", backend, Operations(0));
  ASSERT_FALSE(result.passed);
  ASSERT_TRUE(result.counterexample.has_value());
  EXPECT_TRUE(result.verdict.violation);
}

TEST(CoverageProperty, QuickEffortLeavesItOut) {
  FalseBackend backend(nullptr);
  EXPECT_TRUE(RunProperty("coverage.hash", backend, Operations(1000)).skipped);
}

TEST(CoverageProperty, AProfileWithoutAListIsSkippedWithTheReason) {
  FalseBackend backend(nullptr);
  PropertyOptions options = Operations(1000);
  options.effort = Effort::kNormal;
  const PropertyResult result =
      Find("coverage.hash").run(backend, *FindProfile("documented"), options);
  EXPECT_TRUE(result.skipped);
  EXPECT_NE(result.reason.find("documented"), std::string::npos);
}

TEST(CoverageProperty, AnHonestImplementationReachesEveryRequiredCell) {
  FalseBackend backend(nullptr);
  PropertyOptions options;
  options.seed = 99;
  for (const std::string_view id :
       {"coverage.hash", "coverage.array", "coverage.queue", "coverage.stack",
        "coverage.percpu_hash", "coverage.percpu_array", "coverage.lru_hash",
        "coverage.lru_percpu_hash", "coverage.array_of_maps", "coverage.hash_of_maps"}) {
    const PropertyResult result = RunProperty(id, backend, options);
    EXPECT_TRUE(result.passed) << id << ": " << result.reason;
    EXPECT_FALSE(result.skipped) << result.reason;
  }
}

TEST(CoverageProperty, ATypeWithoutAListIsSkippedWithTheReason) {
  FalseBackend backend(nullptr);
  const Profile* profile = FindProfile(backend.default_profile());
  PropertyOptions options = Operations(1000);
  options.effort = Effort::kNormal;
  const PropertyResult result =
      RunReachableCoverage("coverage.ringbuf", MapType::RINGBUF, backend, *profile, options);
  EXPECT_TRUE(result.skipped);
  EXPECT_NE(result.reason.find("RINGBUF"), std::string::npos) << result.reason;
  EXPECT_FALSE(HasRequiredCells(ReachableCells(profile->name), "RINGBUF"));
}

TEST(CoverageProperty, AnOperationThatIsNeverMadeIsMissed) {
  FalseBackend backend(nullptr);
  const std::vector<ReachableCell> cells = ReachableCells(backend.profile().name);
  ASSERT_FALSE(cells.empty());
  // Everything but freezing.
  const CoverageGaps gaps = CompareCoverage(Coverage(), "QUEUE", cells, CapabilitySet().set());
  EXPECT_GT(gaps.empty.size(), 50u);
  EXPECT_TRUE(gaps.unknown.empty());
}

}  // namespace
}  // namespace mapspec
