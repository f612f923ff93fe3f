// SPDX-License-Identifier: MIT
//
// The scripts that benchmarks run: over one HASH or a few, of operations that CanRunBare covers,
// made anew from their seeds. Thread-safety: constant after construction.
#ifndef RUNNERS_BENCHMARK_SCRIPTS_H_
#define RUNNERS_BENCHMARK_SCRIPTS_H_

#include <cstdint>
#include <variant>

#include "properties/entropy.h"
#include "properties/script_generator.h"
#include "runners/bare_script.h"

namespace mapspec {

class HashScripts {
 public:
  explicit HashScripts(uint32_t operations) : generator_(Options(operations)) {}

  void Make(uint64_t seed, Script* script) const {
    SeededEntropy entropy(seed);
    generator_.Generate(entropy, script);
    std::erase_if(script->operations, [](const Operation& o) { return !CanRunBare(o); });
  }

 private:
  static GeneratorOptions Options(uint32_t operations) {
    GeneratorOptions options;
    options.types = {MapType::HASH};
    options.min_operations = options.max_operations = operations;
    options.max_map_bytes = 256 * 1024;
    options.capabilities.reset();
    for (const Capability capability :
         {Capability::kMapCreate, Capability::kMapLookupElem, Capability::kMapLookupElemFlags,
          Capability::kMapUpdateElem, Capability::kMapDeleteElem, Capability::kMapGetNextKey,
          Capability::kMapLookupAndDeleteElem, Capability::kMapLookupAndDeleteElemFlags}) {
      Add(&options.capabilities, capability);
    }
    return options;
  }
  ScriptGenerator generator_;
};

// Leaves the operations on maps that are there already.
inline void KeepMaps(Script* script) {
  std::erase_if(script->operations, [](const Operation& operation) {
    return std::holds_alternative<MapCreate>(operation.call);
  });
}

}  // namespace mapspec

#endif  // RUNNERS_BENCHMARK_SCRIPTS_H_
