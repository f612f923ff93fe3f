// SPDX-License-Identifier: MIT
//
// The properties of the program path.
#include <gtest/gtest.h>

#include <algorithm>

#include "properties/alphabets.h"
#include "properties/false_backend.h"
#include "properties/map_kinds.h"
#include "properties/script_generator.h"

namespace mapspec {
namespace {

// The userspace library with programs, run by the interpreter of instructions that is always built.
class FalseProgramBackend : public FalseBackend {
 public:
  explicit FalseProgramBackend(Falsify falsify) : FalseBackend(std::move(falsify), "vm:plain") {}
};

TEST(ProgramProperties, WithoutAProgramPathTheyAreSkippedWithTheReason) {
  FalseBackend backend(nullptr);
  for (size_t i = static_cast<size_t>(Capability::kHelperLookupElem);
       i < static_cast<size_t>(Capability::kCount); ++i) {
    backend.Lose(static_cast<Capability>(i));
  }
  for (const MapKind& kind : MapKinds()) {
    for (const std::string_view suffix : {".exhaustive-program", ".random-program-scripts"}) {
      const PropertyResult result =
          RunProperty(std::string(kind.name) + std::string(suffix), backend, Operations(1000));
      EXPECT_TRUE(result.skipped) << result.id;
      EXPECT_EQ(result.reason,
                kind.of_sockets ? "the backend has no BPF_MAP_TYPE_XSKMAP" : kNoProgramPath);
      EXPECT_EQ(result.operations, 0u);
    }
  }
}

TEST(ProgramProperties, AnHonestImplementationPasses) {
  FalseProgramBackend backend(nullptr);
  // One queue for many sequences: emptied with a pop for each place of the largest.
  for (const std::string_view id :
       {"queue.exhaustive-program", "stack.exhaustive-program", "hash.exhaustive-program",
        "array.exhaustive-program", "queue.random-program-scripts", "mixed.random-scripts"}) {
    const PropertyResult result = RunProperty(id, backend, Operations(20'000));
    EXPECT_TRUE(result.passed) << id << ": " << result.reason;
    EXPECT_FALSE(result.skipped);
    EXPECT_GT(result.cases, 30u);
  }
}

TEST(ProgramProperties, EverySequenceWithAProgramIsTriedOnAMapUsedAgain) {
  uint64_t creations = 0, sequences = 0;
  FalseProgramBackend backend(nullptr);
  const Alphabet alphabet = FindProgramAlphabet(MapType::STACK)->Restricted(backend.capabilities());
  ForEachWord(alphabet.letters, alphabet.keys_interchangeable, alphabet.Length(Effort::kQuick),
              [&](std::span<const uint8_t> word) {
                sequences += std::any_of(word.begin(), word.end(), [&](uint8_t letter) {
                  return IsProgramPath(alphabet.operations[letter].call);
                });
                return true;
              });
  Coverage coverage;
  PropertyOptions options = Operations(0);
  options.coverage = &coverage;
  const PropertyResult result = RunProperty("stack.exhaustive-program", backend, options);
  EXPECT_EQ(result.cases, sequences * alphabet.maps.size());
  for (const auto& [name, count] : coverage.Counts()) {
    if (name.find("BPF_MAP_CREATE") != std::string::npos) creations += count;
  }
  EXPECT_LT(creations * 100, result.cases);
}

TEST(ProgramProperties, ALieOfTheProgramPathAloneIsFoundAndShrunkToAHelper) {
  for (const std::string_view id : {"queue.exhaustive-program", "queue.random-program-scripts",
                                    "queue.random-scripts", "mixed.random-scripts"}) {
    FalseProgramBackend backend([](const Operation& operation, Outcome* outcome) {
      if (std::holds_alternative<HelperPop>(operation.call) && outcome->error == Errno::kENOENT) {
        outcome->error = Errno::kEINVAL;
      }
    });
    const PropertyResult result = RunProperty(id, backend, Operations(20'000));
    ASSERT_FALSE(result.passed) << id;
    ASSERT_TRUE(result.counterexample.has_value());
    ASSERT_EQ(result.counterexample->operations.size(), 2u) << id;
    EXPECT_TRUE(std::holds_alternative<HelperPop>(result.counterexample->operations[1].call));
  }
}

TEST(ProgramProperties, OnlyTheSequenceThatShowsALieIsShrunk) {
  // It takes a full queue, hence two operations of one sequence among hundreds.
  FalseProgramBackend backend([](const Operation& operation, Outcome* outcome) {
    if (std::holds_alternative<HelperPush>(operation.call) && outcome->error == Errno::kE2BIG) {
      outcome->error = Errno::kENOSPC;
    }
  });
  const PropertyResult result = RunProperty("queue.exhaustive-program", backend, Operations(0));
  ASSERT_TRUE(result.counterexample.has_value());
  EXPECT_EQ(result.counterexample->operations.size(), 3u);
  EXPECT_GT(result.operations, 30u);
  EXPECT_LT(result.shrink_executions, 30u);  // All that came before would take more.
}

TEST(ProgramProperties, ProgramScriptsConsistOfHelpersMostly) {
  FalseProgramBackend backend(nullptr);
  const auto share = [&](std::string_view id) {
    Coverage coverage;
    PropertyOptions options = Operations(20'000);
    options.coverage = &coverage;
    EXPECT_TRUE(RunProperty(id, backend, options).passed);
    uint64_t helpers = 0;
    for (const auto& [name, count] : coverage.Counts()) {
      if (name.find(" bpf_") != std::string::npos) helpers += count;
    }
    return static_cast<double>(helpers) / static_cast<double>(coverage.operations());
  };
  EXPECT_GT(share("stack.random-program-scripts"), 0.6);
  EXPECT_LT(share("stack.random-scripts"), 0.45);
}

TEST(ProgramProperties, ALieOfBothPathsIsShownBySystemCalls) {
  FalseProgramBackend backend([](const Operation&, Outcome* outcome) {
    if (outcome->error == Errno::kE2BIG) outcome->error = Errno::kENOSPC;
  });
  const PropertyResult result =
      RunProperty("stack.random-program-scripts", backend, Operations(20'000));
  ASSERT_TRUE(result.counterexample.has_value());
  for (const Operation& operation : result.counterexample->operations) {
    EXPECT_FALSE(IsProgramPath(operation.call)) << OperationName(operation.call);
  }
}

TEST(ProgramProperties, WhatOneSequenceLeavesBehindIsFoundInTheNext) {
  // A delete by program leaves the element where it is: emptying the map shows it, or the next
  // word.
  FalseProgramBackend backend([](const Operation& operation, Outcome* outcome) {
    if (std::holds_alternative<HelperDelete>(operation.call) && outcome->ok()) {
      outcome->error = Errno::kENOENT;
    }
  });
  const PropertyResult result = RunProperty("hash.exhaustive-program", backend, Operations(0));
  ASSERT_FALSE(result.passed);
  EXPECT_LE(result.counterexample->operations.size(), 3u);
  EXPECT_TRUE(std::holds_alternative<MapCreate>(result.counterexample->operations[0].call));
}

}  // namespace
}  // namespace mapspec
