// SPDX-License-Identifier: MIT
#include "runners/fuzz_schedule.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace mapspec {
namespace {

const ScriptShapes& Shapes() {
  static const ScriptShapes shapes{ScriptShapes::Options{}};
  return shapes;
}

RawFinding At(uint64_t script, std::string kind = "k") {
  RawFinding finding;
  finding.script = script;
  finding.kind = std::move(kind);
  return finding;
}

TEST(ScriptSet, IsASetOfNumbers) {
  ScriptSet ranges;
  std::set<uint64_t> numbers;
  std::mt19937 random(1);
  for (int i = 0; i < 5000; ++i) {
    const uint64_t number = random() % 60;
    if (random() % 3 != 0) {
      ranges.Add(number);
      numbers.insert(number);
    } else {
      ranges.Remove(number);
      numbers.erase(number);
    }
    for (uint64_t n = 0; n < 62; ++n) ASSERT_EQ(ranges.Has(n), numbers.contains(n)) << n;
  }
}

TEST(FuzzSchedule, HandsOutAllScriptsOnceUntilTheOperationsAreUsedUp) {
  FuzzSchedule schedule(Shapes(), 10'000, {});
  uint64_t operations = 0, index = 0;
  while (const auto plan = schedule.Next()) {
    EXPECT_EQ(plan->index, index++);
    operations += plan->operations;
  }
  EXPECT_EQ(operations, 10'000u);
}

TEST(FuzzSchedule, GoesOnBehindWhatIsDone) {
  ScriptSet done;
  done.AddRange(0, 5);
  done.Add(6);
  FuzzSchedule schedule(Shapes(), std::nullopt, done);
  EXPECT_EQ(schedule.Next()->index, 5u);
  EXPECT_EQ(schedule.Next()->index, 7u);
}

TEST(FuzzSchedule, AFindingWaitsForTheScriptsBeforeIt) {
  FuzzSchedule schedule(Shapes(), std::nullopt, {});
  const ScriptPlan first = *schedule.Next(), second = *schedule.Next();
  std::vector<RawFinding> later{At(1)}, none, earlier{At(0)};
  schedule.Done(second, true, &later);
  EXPECT_FALSE(schedule.TakeFinding());
  EXPECT_EQ(schedule.Settled(), ScriptSet());
  schedule.Done(first, true, &earlier);
  EXPECT_EQ(schedule.TakeFinding()->script, 0u);
  EXPECT_FALSE(schedule.TakeFinding());  // One at a time.
  schedule.LookedInto();
  EXPECT_TRUE(schedule.Settled().Has(0));
  EXPECT_FALSE(schedule.Settled().Has(1));
  EXPECT_EQ(schedule.TakeFinding()->script, 1u);
  schedule.LookedInto();
  EXPECT_TRUE(schedule.Settled().Has(1));
}

TEST(FuzzSchedule, OfAKindTheFirstFewAreLookedIntoInWhateverOrderTheyCome) {
  std::vector<uint64_t> order(12);
  for (uint64_t i = 0; i < order.size(); ++i) order[i] = i;
  std::mt19937 random(7);
  for (int round = 0; round < 20; ++round) {
    std::shuffle(order.begin(), order.end(), random);
    FuzzSchedule schedule(Shapes(), std::nullopt, {});
    std::vector<ScriptPlan> plans;
    for (size_t i = 0; i < order.size(); ++i) plans.push_back(*schedule.Next());
    std::vector<uint64_t> taken;
    for (const uint64_t script : order) {
      std::vector<RawFinding> findings{At(script)};
      schedule.Done(plans[script], true, &findings);
      while (const auto finding = schedule.TakeFinding()) {
        taken.push_back(finding->script);
        schedule.LookedInto();
      }
    }
    EXPECT_EQ(taken, (std::vector<uint64_t>{0, 1, 2}));
    EXPECT_EQ(schedule.Kinds().at("k").seen, 12u);
    EXPECT_FALSE(schedule.Wants("k"));
  }
}

TEST(FuzzSchedule, OfAClauseThereIsAnEndToo) {
  FuzzSchedule schedule(Shapes(), std::nullopt, {});
  size_t taken = 0;
  for (uint64_t i = 0; i < 2 * FuzzSchedule::kPerClause; ++i) {
    std::vector<RawFinding> findings{At(i, "kind " + std::to_string(i))};
    schedule.Done(*schedule.Next(), true, &findings);
    if (!schedule.TakeFinding()) continue;
    ++taken;
    schedule.LookedInto();
  }
  EXPECT_EQ(taken, FuzzSchedule::kPerClause);
}

}  // namespace
}  // namespace mapspec
