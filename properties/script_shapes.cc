// SPDX-License-Identifier: MIT
#include "properties/script_shapes.h"

#include <algorithm>

#include "properties/map_kinds.h"

namespace mapspec {
namespace {

// Many short scripts find what is wrong with one call; long ones what takes a state to show. A
// script costs a session and an object system calls, hence few are very short, and objects have
// scripts of their own. Of the time, about a half goes to scripts of up to two thousand operations;
// large maps, long scripts and histories are three fifths of all operations, since they cost least.
constexpr ScriptShape kShapes[] = {
    {"short", 18000, 20, 120},
    {"objects", 6000, 20, 300, Focus::kObjects},
    {"one-type", 20200, 200, 1500, Focus::kElements},
    {"programs", 8812, 100, 1000, Focus::kPrograms},
    {"short-mixed", 6000, 30, 200, Focus::kNone, true},
    {"mixed", 6000, 300, 2000, Focus::kElements, true},
    {"large-maps", 340, 20'000, 60'000, Focus::kNone, false, true},
    {"long", 160, 30'000, 100'000, Focus::kNone, false, false, true},
    {"history", 24, 1'000'000, 1'000'000, Focus::kNone, false, false, true},
};

constexpr uint32_t Sum() {
  uint32_t sum = 0;
  for (const ScriptShape& shape : kShapes) sum += shape.weight;
  return sum;
}
static_assert(Sum() == kShapeWeights);

// Where each element of a map of maps takes long.
constexpr uint64_t kShorterOfMaps = 10;

}  // namespace

std::span<const ScriptShape> AllScriptShapes() { return kShapes; }

ScriptShapes::ScriptShapes(const Options& options) : seed_(options.seed), kernel_(options.kernel) {
  std::vector<MapType> types;
  for (const MapKind& kind : MapKinds()) {
    const auto& lacking = options.lacking;
    if (std::find(lacking.begin(), lacking.end(), kind.type) == lacking.end()) {
      types.push_back(kind.type);
    }
  }
  for (const ScriptShape& shape : kShapes) {
    GeneratorOptions generator;
    generator.lacking = options.lacking;
    generator.capabilities = options.capabilities;
    generator.page_size = options.page_size;
    generator.possible_cpus = options.possible_cpus;
    generator.any_inner_percpu_array = !options.kernel;
    generator.focus = shape.focus;
    // Without programs, what is left of such a script is of no other kind than the rest.
    if (shape.focus == Focus::kPrograms && !CallsHelpers(options.capabilities)) {
      generator.focus = Focus::kElements;
    }
    generator.large_maps = shape.large_maps;
    generator.one_history = shape.one_history;
    const size_t first = generators_.size();
    if (shape.mixed) {
      generators_.emplace_back(generator);
    } else {
      for (const MapType type : types) {
        generator.types = {type};
        generators_.emplace_back(generator);
      }
    }
    rows_.push_back({first, generators_.size() - first});
  }
}

ScriptPlan ScriptShapes::Plan(uint64_t index) const {
  uint64_t state = seed_;
  state = SplitMix(&state) ^ index;
  ScriptPlan plan;
  plan.index = index;
  uint64_t draw = SplitMix(&state) % kShapeWeights;
  size_t row = 0;
  while (draw >= kShapes[row].weight) draw -= kShapes[row++].weight;
  plan.shape = &kShapes[row];
  plan.generator = rows_[row].first + SplitMix(&state) % rows_[row].count;
  const ScriptShape& shape = *plan.shape;
  plan.operations =
      shape.min_operations + SplitMix(&state) % (shape.max_operations - shape.min_operations + 1);
  const std::vector<MapType>& types = generators_[plan.generator].options().types;
  if (kernel_ && types.size() == 1 && FindMapKind(types[0])->of_maps) {
    plan.operations = std::max<uint64_t>(1, plan.operations / kShorterOfMaps);
  }
  plan.entropy_seed = SplitMix(&state);
  return plan;
}

}  // namespace mapspec
