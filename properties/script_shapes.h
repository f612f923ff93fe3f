// SPDX-License-Identifier: MIT
//
// The mix of scripts that a fuzzer runs: which shapes there are (short ones on one type, several
// types at once, mostly programs, large maps, long histories of one map), and how often each comes.
// Script `index` of the run with seed `seed` is a function of those two and of what the backends
// can do: runs can be repeated, resumed and divided. Scripts come in pieces of a fixed length, so
// that none has to be held at once.
//
// Thread-safety: ScriptShapes is constant after construction and may be shared; a ShapedScript is
// used by one thread at a time. No errors.
#ifndef PROPERTIES_SCRIPT_SHAPES_H_
#define PROPERTIES_SCRIPT_SHAPES_H_

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "properties/entropy.h"
#include "properties/script_generator.h"

namespace mapspec {

struct ScriptShape {
  std::string_view name;
  uint32_t weight;  // How many of all scripts; the sum is kShapeWeights.
  uint32_t min_operations;
  uint32_t max_operations;
  Focus focus = Focus::kNone;
  bool mixed = false;  // Maps of all types, else of one that is drawn for the script.
  bool large_maps = false;
  bool one_history = false;
};
inline constexpr uint32_t kShapeWeights = 1u << 16;
std::span<const ScriptShape> AllScriptShapes();

// What a script will be, before it is made.
struct ScriptPlan {
  uint64_t index = 0;
  const ScriptShape* shape = nullptr;
  size_t generator = 0;
  uint64_t entropy_seed = 0;
  uint64_t operations = 0;  // There may be one or two more for each piece.
};

class ScriptShapes {
 public:
  struct Options {
    uint64_t seed = 0;
    CapabilitySet capabilities = CapabilitySet().set();
    std::vector<MapType> lacking;
    uint32_t page_size = 4096;
    uint32_t possible_cpus = 2;
    // Whether one of the backends is a kernel. An element of a map of maps that is replaced or
    // deleted costs it a millisecond (their scripts are shorter then), and some inner maps harm it.
    bool kernel = true;
  };
  explicit ScriptShapes(const Options& options);
  ScriptPlan Plan(uint64_t index) const;
  const ScriptGenerator& generator(const ScriptPlan& plan) const {
    return generators_[plan.generator];
  }

  // The length of all pieces but the last.
  static constexpr size_t kPiece = 256;
  // Large maps have to be filled in one piece.
  static constexpr size_t kLargePiece = 32768;

 private:
  // The generators of a shape: one, or one for each type.
  struct Row {
    size_t first = 0;
    size_t count = 0;
  };
  uint64_t seed_;
  bool kernel_;
  std::vector<Row> rows_;
  std::vector<ScriptGenerator> generators_;
};

// One script, piece by piece.
class ShapedScript {
 public:
  ShapedScript(const ScriptShapes& shapes, const ScriptPlan& plan)
      : piece_(plan.shape->large_maps ? ScriptShapes::kLargePiece : ScriptShapes::kPiece),
        entropy_(plan.entropy_seed),
        stream_(shapes.generator(plan), entropy_, plan.operations) {}
  // Replaces script->operations; false, and no operations, at the end.
  bool Next(Script* script) { return stream_.Next(piece_, script); }

 private:
  size_t piece_;
  SeededEntropy entropy_;
  ScriptStream stream_;
};

}  // namespace mapspec

#endif  // PROPERTIES_SCRIPT_SHAPES_H_
