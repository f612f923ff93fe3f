// SPDX-License-Identifier: MIT
#include "properties/script_shapes.h"

#include <algorithm>

#include "properties/map_kinds.h"

namespace mapspec {
namespace {

// Many short scripts find what is wrong with one call; long ones what takes a state to show. A
// script costs a session, hence few are very short. Of all operations, about a third belong to
// scripts of a few hundred, a tenth each to large maps and long histories.
constexpr ScriptShape kShapes[] = {
    {"short", 18000, 20, 120},
    {"objects", 6000, 20, 300, false, false, false, false, true},
    {"one-type", 20420, 200, 1500},
    {"programs", 9000, 100, 1000, false, true},
    {"short-mixed", 6000, 30, 200, true},
    {"mixed", 6000, 300, 2000, true},
    {"large-maps", 80, 20'000, 60'000, false, false, true},
    {"long", 32, 30'000, 100'000, false, false, false, true},
    {"history", 4, 1'000'000, 1'000'000, false, false, false, true},
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
    generator.mostly_programs = shape.mostly_programs;
    generator.large_maps = shape.large_maps;
    generator.one_history = shape.one_history;
    generator.mostly_objects = shape.mostly_objects;
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
