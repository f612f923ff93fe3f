// SPDX-License-Identifier: MIT
#include "properties/script_shapes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

namespace mapspec {
namespace {

ScriptShapes Shapes(uint64_t seed = 1) {
  ScriptShapes::Options options;
  options.seed = seed;
  options.capabilities.reset(static_cast<size_t>(Capability::kAfXdp));
  options.lacking = {MapType::XSKMAP};
  return ScriptShapes(options);
}

std::vector<Operation> Whole(const ScriptShapes& shapes, const ScriptPlan& plan) {
  std::vector<Operation> all;
  Script piece;
  ShapedScript pieces(shapes, plan);
  while (pieces.Next(&piece)) {
    all.insert(all.end(), piece.operations.begin(), piece.operations.end());
  }
  return all;
}

ScriptPlan FirstOf(const ScriptShapes& shapes, std::string_view shape) {
  for (uint64_t index = 0;; ++index) {
    const ScriptPlan plan = shapes.Plan(index);
    if (plan.shape->name == shape) return plan;
  }
}

TEST(ScriptShapes, AScriptIsAFunctionOfSeedAndIndex) {
  const ScriptShapes shapes = Shapes(), again = Shapes(), other = Shapes(2);
  size_t same = 0;
  for (uint64_t index = 0; index < 50; ++index) {
    const std::vector<Operation> script = Whole(shapes, shapes.Plan(index));
    EXPECT_EQ(script, Whole(again, again.Plan(index))) << index;
    same += script == Whole(other, other.Plan(index));
  }
  EXPECT_EQ(same, 0u);
}

TEST(ScriptShapes, HaveAboutAsManyOperationsAsPlanned) {
  const ScriptShapes shapes = Shapes();
  for (uint64_t index = 0; index < 200; ++index) {
    const ScriptPlan plan = shapes.Plan(index);
    const size_t size = Whole(shapes, plan).size();
    EXPECT_GE(size, plan.operations) << index;
    EXPECT_LE(size, plan.operations + 64 + plan.operations / 10) << plan.shape->name << index;
  }
}

TEST(ScriptShapes, WithoutProgramsTheirScriptsAreOnElements) {
  ScriptShapes::Options options;
  const ScriptShapes with(options);
  EXPECT_EQ(with.generator(FirstOf(with, "programs")).options().focus, Focus::kPrograms);
  for (size_t i = static_cast<size_t>(Capability::kHelperLookupElem);
       i <= static_cast<size_t>(Capability::kHelperSpinLock); ++i) {
    options.capabilities.reset(i);
  }
  const ScriptShapes without(options);
  EXPECT_EQ(without.generator(FirstOf(without, "programs")).options().focus, Focus::kElements);
}

TEST(ScriptShapes, AllComeInTheirProportions) {
  const ScriptShapes shapes = Shapes();
  std::map<std::string_view, uint64_t> seen;
  constexpr uint64_t kPlans = 4 * kShapeWeights;
  for (uint64_t index = 0; index < kPlans; ++index) ++seen[shapes.Plan(index).shape->name];
  for (const ScriptShape& shape : AllScriptShapes()) {
    EXPECT_GT(seen[shape.name], 2 * shape.weight) << shape.name;
    EXPECT_LT(seen[shape.name], 8 * shape.weight + 16) << shape.name;
  }
}

TEST(ScriptShapes, ObjectsHaveScriptsOfTheirOwn) {
  const ScriptShapes shapes = Shapes();
  std::map<std::string_view, uint64_t> operations, made;
  for (uint64_t index = 0; index < 1000; ++index) {
    const ScriptPlan plan = shapes.Plan(index);
    if (plan.operations > 2000) continue;
    for (const Operation& operation : Whole(shapes, plan)) {
      ++operations[plan.shape->name];
      made[plan.shape->name] += std::holds_alternative<MapCreate>(operation.call) ||
                                std::holds_alternative<GetFdById>(operation.call) ||
                                std::holds_alternative<ObjGet>(operation.call);
    }
  }
  const auto share = [&](std::string_view name) {
    return static_cast<double>(made[name]) / static_cast<double>(operations[name]);
  };
  EXPECT_GT(share("objects"), 0.1);
  EXPECT_GT(share("short"), 2 * share("one-type"));
  EXPECT_LT(share("one-type"), 0.02);
  EXPECT_LT(share("mixed"), 0.02);
}

TEST(ScriptShapes, ACutScriptIsTheBeginningOfTheWholeOne) {
  const ScriptShapes shapes = Shapes();
  ScriptPlan plan = FirstOf(shapes, "long");
  const std::vector<Operation> whole = Whole(shapes, plan);
  plan.operations = 2 * ScriptShapes::kPiece;
  const std::vector<Operation> cut = Whole(shapes, plan);
  ASSERT_LT(cut.size(), whole.size());
  EXPECT_TRUE(std::equal(cut.begin(), cut.begin() + 2 * ScriptShapes::kPiece, whole.begin()));
}

TEST(ScriptShapes, AHistoryStaysWithItsMap) {
  const ScriptShapes shapes = Shapes();
  for (uint64_t index = 0, found = 0; found < 5; ++index) {
    const ScriptPlan plan = shapes.Plan(index);
    const MapType type = shapes.generator(plan).options().types.empty()
                             ? MapType::UNSPEC
                             : shapes.generator(plan).options().types[0];
    if (plan.shape->name != "long" || type != MapType::HASH) continue;
    ++found;
    const std::vector<Operation> script = Whole(shapes, plan);
    // The first map that is created without a fault is used until the end.
    Handle first = kBadFd;
    size_t last_use = 0;
    for (size_t i = 0; i < script.size(); ++i) {
      if (const auto* create = std::get_if<MapCreate>(&script[i].call)) {
        if (first == kBadFd) first = create->result;
      }
      if (const auto* update = std::get_if<Update>(&script[i].call)) {
        if (update->map == first) last_use = i;
      }
    }
    EXPECT_GT(last_use, script.size() - 1000) << index;
  }
}

TEST(ScriptShapes, LargeMapsAreLargeAndFilled) {
  const ScriptShapes shapes = Shapes();
  uint32_t entries = 0, values = 0;
  size_t longest_fill = 0;
  for (uint64_t index = 0, found = 0; found < 30; ++index) {
    const ScriptPlan plan = shapes.Plan(index);
    if (!plan.shape->large_maps) continue;
    ++found;
    std::set<std::string> keys;
    for (const Operation& operation : Whole(shapes, plan)) {
      if (const auto* create = std::get_if<MapCreate>(&operation.call)) {
        if (create->max_entries < 70'000) entries = std::max(entries, create->max_entries);
        if (create->value_size < (8u << 20)) values = std::max(values, create->value_size);
      } else if (const auto* update = std::get_if<Update>(&operation.call)) {
        keys.insert(std::string(reinterpret_cast<const char*>(update->key.bytes.data()),
                                update->key.bytes.size()));
      }
    }
    longest_fill = std::max(longest_fill, keys.size());
  }
  EXPECT_GT(entries, 10'000u);
  EXPECT_GE(values, 1u << 20);
  EXPECT_GT(longest_fill, 5'000u);
}

}  // namespace
}  // namespace mapspec
