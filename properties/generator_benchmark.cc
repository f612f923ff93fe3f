// SPDX-License-Identifier: MIT
//
// How fast scripts are generated, in operations per second. Fuzzing judges two million operations a
// second, so a generated operation may cost 100 ns at most.
#include <benchmark/benchmark.h>

#include "properties/script_generator.h"

namespace mapspec {
namespace {

void GenerateScripts(benchmark::State& state, std::vector<MapType> types, bool all_capabilities) {
  GeneratorOptions options;
  options.types = std::move(types);
  options.min_operations = 500;
  options.max_operations = 500;
  if (!all_capabilities) options.capabilities.reset(static_cast<size_t>(Capability::kRawAttr));
  const ScriptGenerator generator(options);
  SeededEntropy entropy(1);
  Script script;
  int64_t operations = 0;
  for (auto _ : state) {
    generator.Generate(entropy, &script);
    benchmark::DoNotOptimize(script.operations.data());
    operations += static_cast<int64_t>(script.operations.size());
  }
  state.SetItemsProcessed(operations);
}

BENCHMARK_CAPTURE(GenerateScripts, hash, {MapType::HASH}, true);
BENCHMARK_CAPTURE(GenerateScripts, array, {MapType::ARRAY}, true);
BENCHMARK_CAPTURE(GenerateScripts, queue, {MapType::QUEUE}, true);
BENCHMARK_CAPTURE(GenerateScripts, mixed, {}, true);
BENCHMARK_CAPTURE(GenerateScripts, mixed_filtered, {}, false);

}  // namespace
}  // namespace mapspec

BENCHMARK_MAIN();
