// SPDX-License-Identifier: MIT
#include "properties/shrink.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "properties/script_generator.h"
#include "properties/simplify.h"

namespace mapspec {
namespace {

Script Random(uint64_t seed, uint32_t operations) {
  GeneratorOptions options;
  options.min_operations = operations;
  options.max_operations = operations;
  SeededEntropy entropy(seed);
  Script script;
  ScriptGenerator(options).Generate(entropy, &script);
  return script;
}

constexpr ShrinkBudget kPlenty{.executions = 1'000'000, .time = std::chrono::minutes(2)};

TEST(Shrink, EveryStepIsLighterThanTheScriptItCameFrom) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const Script script = Random(seed, 60);
    ShrinkCursor cursor;
    size_t steps = 0;
    while (const auto step = NextShrinkStep(script, &cursor)) {
      ++steps;
      ASSERT_LT(Weight(step->script), Weight(script));
    }
    EXPECT_GT(steps, 60u);
  }
}

TEST(Shrink, SimplerFormsAreLessComplexAndOfTheSameKindOrOfNoProgram) {
  const Script script = Random(3, 3000);
  for (const Operation& operation : script.operations) {
    for (const Operation& form : SimplerForms(operation)) {
      ASSERT_LT(Complexity(form), Complexity(operation)) << OperationName(operation.call);
      if (form.call.index() == operation.call.index()) continue;
      ASSERT_TRUE(IsProgramPath(operation.call)) << OperationName(operation.call);
      ASSERT_FALSE(IsProgramPath(form.call)) << OperationName(form.call);
      ASSERT_EQ(form.cpu, operation.cpu);
      ASSERT_EQ(form.thread, operation.thread);
    }
  }
}

TEST(Shrink, TheResultIsOneOperationWhenOneIsEnough) {
  const Script script = Random(5, 400);
  const auto has_freeze = [](const Script& candidate) {
    return std::any_of(
        candidate.operations.begin(), candidate.operations.end(),
        [](const Operation& operation) { return std::holds_alternative<Freeze>(operation.call); });
  };
  Script with = script;
  with.operations.insert(with.operations.begin() + 200,
                         Operation{Freeze{Handle{7}}, Caller::kUnprivileged});
  const ShrinkResult result = Shrink(with, has_freeze, kPlenty);
  EXPECT_TRUE(result.complete);
  ASSERT_EQ(result.script.operations.size(), 1u);
  EXPECT_EQ(result.script.operations[0], Operation{Freeze{Handle{0}}});
}

TEST(Shrink, OperationsThatNeedEachOtherAllStay) {
  // Fails when a creation of m, an update through m and a lookup through m come in this order.
  const auto fails = [](const Script& candidate) {
    int stage = 0;
    uint16_t slot = 0;
    for (const Operation& operation : candidate.operations) {
      if (const auto* create = std::get_if<MapCreate>(&operation.call);
          create != nullptr && stage == 0) {
        slot = create->result.slot;
        stage = 1;
      } else if (const auto* update = std::get_if<Update>(&operation.call);
                 update != nullptr && stage == 1 && update->map.slot == slot &&
                 update->key.bytes.size() >= 2) {
        stage = 2;
      } else if (const auto* lookup = std::get_if<Lookup>(&operation.call);
                 lookup != nullptr && stage == 2 && lookup->map.slot == slot &&
                 (lookup->flags & BPF_F_LOCK) != 0) {
        return true;
      }
    }
    return false;
  };
  size_t tried = 0;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    const Script script = Random(seed, 500);
    if (!fails(script)) continue;
    ++tried;
    const ShrinkResult result = Shrink(script, fails, kPlenty);
    ASSERT_TRUE(result.complete);
    ASSERT_TRUE(fails(result.script));
    ASSERT_EQ(result.script.operations.size(), 3u);
    const auto& create = std::get<MapCreate>(result.script.operations[0].call);
    EXPECT_EQ(create.result.slot, 0);
    EXPECT_EQ(create.map_flags, 0u);
    EXPECT_EQ(create.max_entries, 1u);
    EXPECT_EQ(create.name, "");
    const auto& update = std::get<Update>(result.script.operations[1].call);
    EXPECT_EQ(update.key.bytes, Bytes(2));
    EXPECT_TRUE(update.value.bytes.empty());
    EXPECT_EQ(update.flags, 0u);
    EXPECT_EQ(std::get<Lookup>(result.script.operations[2].call).flags, BPF_F_LOCK);
  }
  EXPECT_GT(tried, 5u);
}

TEST(Shrink, NothingSuperfluousStaysWhenNoFieldMayChange) {
  const Script script = Random(6, 200);
  const Operation first = script.operations[40];
  const Operation second = script.operations[163];
  const auto fails = [&](const Script& candidate) {
    const auto at = std::find(candidate.operations.begin(), candidate.operations.end(), first);
    return std::find(at, candidate.operations.end(), second) != candidate.operations.end();
  };
  const ShrinkResult result = Shrink(script, fails, kPlenty);
  EXPECT_TRUE(result.complete);
  EXPECT_EQ(result.script.operations, (std::vector<Operation>{first, second}));
}

TEST(Shrink, EqualKeysAreRewrittenTogether) {
  const Bytes key = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x12};
  Script script;
  script.operations.push_back(
      {Update{Handle{3}, {Pointer::kValid, key}, {Pointer::kValid, Bytes(9, 7)}, 0}});
  script.operations.push_back({Delete{Handle{3}, {Pointer::kValid, Bytes(9, 1)}}});
  script.operations.push_back({Lookup{Handle{3}, {Pointer::kValid, key}}});
  const auto fails = [](const Script& candidate) {
    if (candidate.operations.size() != 3) return false;
    const Bytes& written = std::get<Update>(candidate.operations[0].call).key.bytes;
    const Bytes& deleted = std::get<Delete>(candidate.operations[1].call).key.bytes;
    const Bytes& read = std::get<Lookup>(candidate.operations[2].call).key.bytes;
    return written == read && written != deleted && written.size() == deleted.size();
  };
  const ShrinkResult result = Shrink(script, fails, kPlenty);
  EXPECT_TRUE(result.complete);
  const Bytes& shrunk = std::get<Update>(result.script.operations[0].call).key.bytes;
  EXPECT_EQ(shrunk, Bytes(9));
  EXPECT_EQ(std::get<Lookup>(result.script.operations[2].call).key.bytes, shrunk);
  EXPECT_EQ(std::get<Update>(result.script.operations[0].call).map, Handle{0});
}

// Every field of every helper away from its plainest value.
std::vector<Operation> ElaborateHelpers() {
  const Bytes key = {9, 8, 7, 6, 5}, value = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  const Handle map{5};
  std::vector<Operation> operations;
  for (Call call :
       {Call(HelperLookup{map, key, true, value, true}),
        Call(HelperUpdate{map, key, value, ~uint64_t{0}, true}), Call(HelperDelete{map, key, true}),
        Call(HelperPush{map, value, 77}), Call(HelperPop{map}), Call(HelperPeek{map}),
        Call(HelperLookupPercpu{map, key, 0xffffffffu}),
        Call(HelperForEach{map, 1000, uint64_t{5} << 40})}) {
    operations.push_back({std::move(call), Caller::kPrivileged, 3, 6});
  }
  return operations;
}

TEST(Shrink, EveryFieldOfAHelperBecomesPlain) {
  for (const Operation& operation : ElaborateHelpers()) {
    const auto fails = [&](const Script& candidate) {
      return candidate.operations.size() == 1 &&
             candidate.operations[0].call.index() == operation.call.index();
    };
    const ShrinkResult result = Shrink(Script{"", {operation}}, fails, kPlenty);
    ASSERT_TRUE(result.complete);
    Call plain = operation.call;
    std::visit([](auto& op) { op = {}; }, plain);
    EXPECT_EQ(result.script.operations[0], Operation{plain}) << OperationName(plain);
    EXPECT_EQ(Complexity(Operation{plain}), Complexity(result.script.operations[0]));
  }
}

TEST(Shrink, AHelperBecomesTheSystemCallThatDoesTheSame) {
  const std::vector<Operation> helpers = ElaborateHelpers();
  const auto shrunk = [](const Operation& operation) {
    const auto anything = [](const Script& candidate) { return candidate.operations.size() == 1; };
    return Shrink(Script{"", {operation}}, anything, kPlenty).script.operations[0];
  };
  const InBuffer no_key{Pointer::kValid, {}};
  EXPECT_EQ(shrunk(helpers[0]), Operation{(Update{Handle{0}, no_key, no_key, 0})});
  EXPECT_EQ(shrunk(helpers[1]), Operation{(Update{Handle{0}, no_key, no_key, 0})});
  EXPECT_EQ(shrunk(helpers[2]), Operation{(Delete{Handle{0}, no_key})});
  EXPECT_TRUE(std::holds_alternative<Update>(shrunk(helpers[3]).call));
  EXPECT_TRUE(std::holds_alternative<LookupAndDelete>(shrunk(helpers[4]).call));
  EXPECT_TRUE(std::holds_alternative<Lookup>(shrunk(helpers[5]).call));
  EXPECT_TRUE(std::holds_alternative<Lookup>(shrunk(helpers[6]).call));
  // No system call visits the elements of a map.
  EXPECT_EQ(shrunk(helpers[7]), Operation{HelperForEach{}});
}

TEST(Shrink, WhereACallIsMadeStaysWhenItMatters) {
  Operation update{Update{Handle{0}, {}, {}, BPF_EXIST}};
  update.cpu = 3;
  update.thread = 6;
  const auto fails = [](const Script& candidate) {
    return candidate.operations.size() == 1 && candidate.operations[0].cpu != kAnyCpu &&
           candidate.operations[0].thread != 0;
  };
  const ShrinkResult result = Shrink(Script{"", {update}}, fails, kPlenty);
  EXPECT_EQ(result.script.operations[0].cpu, 0);
  EXPECT_EQ(result.script.operations[0].thread, 1);
}

TEST(Shrink, EqualKeysOfBothPathsAreRewrittenTogether) {
  const Bytes key = {0xff, 0xee, 0xdd, 0xcc, 0xbb};
  Script script;
  script.operations.push_back({HelperUpdate{Handle{1}, key, Bytes(4, 9), 0, false}});
  script.operations.push_back({Lookup{Handle{1}, {Pointer::kValid, key}}});
  const auto fails = [](const Script& candidate) {
    const auto* update = std::get_if<HelperUpdate>(&candidate.operations.front().call);
    const auto* lookup = std::get_if<Lookup>(&candidate.operations.back().call);
    return update != nullptr && lookup != nullptr && update->key == lookup->key.bytes &&
           update->key.size() == 5;
  };
  const ShrinkResult result = Shrink(script, fails, kPlenty);
  EXPECT_EQ(std::get<Lookup>(result.script.operations[1].call).key.bytes, Bytes(5));
}

TEST(Shrink, ABudgetOfExecutionsIsKept) {
  size_t calls = 0;
  const ShrinkResult result = Shrink(Random(1, 1000),
                                     [&](const Script&) {
                                       ++calls;
                                       return false;
                                     },
                                     {.executions = 17, .time = std::chrono::minutes(1)});
  EXPECT_EQ(calls, 17u);
  EXPECT_EQ(result.executions, 17u);
  EXPECT_FALSE(result.complete);
  EXPECT_EQ(result.script, Random(1, 1000));
}

TEST(Shrink, ACancelledSearchKeepsTheBestSoFar) {
  std::atomic<bool> cancel = false;
  size_t progress = 0;
  const ShrinkResult result = Shrink(
      Random(2, 1000), [](const Script& candidate) { return candidate.operations.size() >= 3; },
      kPlenty,
      [&](const ShrinkProgress& now) {
        ++progress;
        if (now.operations < 300) cancel = true;
      },
      &cancel);
  EXPECT_FALSE(result.complete);
  EXPECT_GE(progress, 2u);
  EXPECT_LT(result.script.operations.size(), 300u);
}

TEST(Shrink, ALongScriptNeedsFewExecutions) {
  // The culprit is one operation among two thousand: some tens of steps, not thousands.
  Script script = Random(4, 2000);
  script.operations[1234] = {MemRead{3, 77, 1}};
  size_t calls = 0;
  const auto fails = [&](const Script& candidate) {
    ++calls;
    return std::any_of(candidate.operations.begin(), candidate.operations.end(),
                       [](const Operation& operation) {
                         const auto* read = std::get_if<MemRead>(&operation.call);
                         return read != nullptr && read->offset == 77;
                       });
  };
  const ShrinkResult result = Shrink(script, fails, kPlenty);
  EXPECT_EQ(result.script.operations.size(), 1u);
  EXPECT_LT(calls, 150u);
}

}  // namespace
}  // namespace mapspec
