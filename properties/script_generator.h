// SPDX-License-Identifier: MIT
//
// Generates scripts over the whole vocabulary of oracle/operation.h, biased towards edges: few
// keys, tiny maps, flags that are mostly sensible and now and then anything, NULL and unmapped
// pointers, closed and wrong handles, several handles to one map with different rights, attributes
// that must be refused. System calls and helpers called by programs take turns on the same maps.
// Outcomes are not known when a script is generated; the generator keeps a rough idea of what
// exists, so that most operations reach a live map, and is wrong now and then, which does no harm:
// the oracle judges whatever happens.
//
// Bounds: what a script makes an implementation allocate stays below
// GeneratorOptions::max_map_bytes a map, unless the creation must be refused on any machine. Cost:
// below 100 ns for an ordinary operation; the script's storage is reused. Thread-safety: a
// ScriptGenerator is constant after construction and may be shared. No errors.
#ifndef PROPERTIES_SCRIPT_GENERATOR_H_
#define PROPERTIES_SCRIPT_GENERATOR_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "backends/capability.h"
#include "oracle/operation.h"
#include "properties/entropy.h"
#include "properties/map_kinds.h"

namespace mapspec {

// What a script does more often than it would.
enum class Focus : uint8_t {
  kNone,
  // Calls on elements: few maps are made, they live longer, and what is done to whole maps
  // (descriptors, ids, pins, mappings) is a quarter as frequent.
  kElements,
  // What is done to whole maps: as frequent as calls on elements.
  kObjects,
  // Of the calls on elements, four in five come from programs instead of one in three.
  kPrograms,
};

struct GeneratorOptions {
  // Types to make maps of, each with a row in MapKinds(); empty: all of them. Several: mixed
  // scripts.
  std::vector<MapType> types;
  // Of which none can be made, not even to stand in a map of maps.
  std::vector<MapType> lacking;
  // Only operations that these allow.
  CapabilitySet capabilities = CapabilitySet().set();
  uint32_t min_operations = 1;
  uint32_t max_operations = 200;
  uint32_t page_size = 4096;
  uint32_t possible_cpus = 2;
  Focus focus = Focus::kNone;
  // What one map may take, in bytes; at most 64 MiB are used.
  uint64_t max_map_bytes = uint64_t{9} << 20;
  // Most maps have thousands of elements, and are filled, or values as long as may be.
  bool large_maps = false;
  // The first map stays as long as the script lasts, and nothing takes its place.
  bool one_history = false;
  // Maps of maps hold PERCPU_ARRAYs too, of any size: no kernel runs the script (see
  // operation_writer_inner.cc).
  bool any_inner_percpu_array = false;
};

// Whether there is a program path at all.
bool CallsHelpers(const CapabilitySet& capabilities);
// What is said of a backend without one.
inline constexpr std::string_view kNoProgramPath = "the backend runs no programs that call helpers";

class OperationWriter;

class ScriptGenerator {
 public:
  explicit ScriptGenerator(const GeneratorOptions& options);
  // Replaces the operations of *script. The same entropy gives the same script.
  void Generate(Entropy& entropy, Script* script) const;
  // The same with a given number of operations, instead of one between the options' bounds. Runs of
  // operations are not broken off in the middle of a map's creation: there may be one or two more.
  void Generate(Entropy& entropy, size_t operations, Script* script) const;
  const GeneratorOptions& options() const { return options_; }

  // A choice among weighted actions in one draw below kDrawBound.
  static constexpr uint32_t kDrawBound = 1024;
  using ActionTable = std::array<Action, kDrawBound>;
  struct Kind {
    const MapKind* kind;
    ActionTable actions;
  };

 private:
  GeneratorOptions options_;
  bool all_capabilities_;
  std::vector<Kind> kinds_;
  std::vector<Kind> inner_kinds_;  // Of what maps of maps hold, where there are such.
  friend class ScriptStream;
};

// A script made piece by piece, for one that is too long to be held at once. The generator and the
// entropy must outlive it. Thread-safety: one thread at a time for each object.
class ScriptStream {
 public:
  ScriptStream(const ScriptGenerator& generator, Entropy& entropy, size_t operations);
  ~ScriptStream();
  // Replaces script->operations by the next piece, of `most` operations or one or two more, fewer
  // at the end; false, and no operations, when the script is at its end. The same entropy and the
  // same `most` give the same script.
  bool Next(size_t most, Script* script);

 private:
  const ScriptGenerator& generator_;
  Entropy& entropy_;
  size_t left_;
  std::unique_ptr<OperationWriter> writer_;
};

}  // namespace mapspec

#endif  // PROPERTIES_SCRIPT_GENERATOR_H_
