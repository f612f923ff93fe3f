// SPDX-License-Identifier: MIT
//
// The fuzzer's own loop (fuzz_worker.h): everything it can do on the userspace library, and scripts
// over HASH maps on the kernel against a bare loop of the same bpf(2) calls. main() is in
// run_benchmark.cc.
#include <benchmark/benchmark.h>

#include <memory>

#include "backends/backend.h"
#include "backends/libbpf_api/allocation_count.h"
#include "properties/map_kinds.h"
#include "runners/bare_script.h"
#include "runners/fuzz_worker.h"

namespace mapspec {
namespace {

constexpr uint64_t kScripts = 64;
constexpr uint64_t kScriptsOfAShape = 16;
// So many that all shapes are among them about as often as in a long run: ten million operations.
constexpr uint64_t kScriptsOfAMix = 8192;

FuzzBackend Under(const std::string& selector) {
  FuzzBackend backend;
  backend.selector = selector;
  backend.make = [selector](std::string* error) {
    bool usage = false;
    return MakeBackend(selector, error, &usage);
  };
  return backend;
}

// What BareScript covers, on HASH maps.
ScriptShapes::Options ElementsOfHashes() {
  ScriptShapes::Options options;
  options.seed = 1;
  options.capabilities.reset();
  for (const Capability capability :
       {Capability::kMapCreate, Capability::kMapLookupElem, Capability::kMapLookupElemFlags,
        Capability::kMapUpdateElem, Capability::kMapDeleteElem, Capability::kMapGetNextKey,
        Capability::kMapLookupAndDeleteElem, Capability::kMapLookupAndDeleteElemFlags}) {
    Add(&options.capabilities, capability);
  }
  for (const MapKind& kind : MapKinds()) {
    if (kind.type != MapType::HASH) options.lacking.push_back(kind.type);
  }
  return options;
}

// Runs the first scripts that there are (of a shape, if one is given), again and again.
void FuzzLoop(benchmark::State& state, const std::string& selector, bool hashes_only,
              uint64_t scripts, const std::string& shape = "") {
  std::vector<FuzzBackend> backends{Under(selector)};
  std::string error;
  const std::unique_ptr<Backend> backend = backends[0].make(&error);
  if (backend == nullptr) {
    state.SkipWithError(error.c_str());
    return;
  }
  backends[0].profile = FindProfile(backend->default_profile());
  const ScriptShapes shapes(hashes_only ? ElementsOfHashes() : CommonGround({backend.get()}, 1));
  FuzzWorker worker(backends, shapes);
  if (!worker.Open()) {
    state.SkipWithError(worker.error().c_str());
    return;
  }
  std::vector<ScriptPlan> plans;
  for (uint64_t index = 0; plans.size() < scripts; ++index) {
    const ScriptPlan plan = shapes.Plan(index);
    if (shape.empty() || plan.shape->name == shape) plans.push_back(plan);
  }
  const auto run = [&](uint64_t index) {
    worker.Run(plans[index % plans.size()], nullptr, [](const std::string&) { return true; });
  };
  for (uint64_t index = 0; index < kScripts; ++index) run(index);  // Buffers grow.
  worker.Clear();
  uint64_t index = 0;
  const uint64_t allocations = AllocationCount();
  for (auto _ : state) run(index++);
  const uint64_t allocated = AllocationCount() - allocations;
  if (!worker.findings().empty()) {
    state.SkipWithError("a violation: nothing to measure");
    return;
  }
  state.SetItemsProcessed(static_cast<int64_t>(worker.counts().judged));
  state.counters["allocations_per_operation"] =
      static_cast<double>(allocated) / static_cast<double>(worker.counts().judged);
}
BENCHMARK_CAPTURE(FuzzLoop, userspace, "userspace", false, kScriptsOfAMix)
    ->Iterations(kScriptsOfAMix);
BENCHMARK_CAPTURE(FuzzLoop, userspace_hashes, "userspace", true, kScripts);
BENCHMARK_CAPTURE(FuzzLoop, userspace_short, "userspace", false, kScriptsOfAShape, "short");
BENCHMARK_CAPTURE(FuzzLoop, userspace_objects, "userspace", false, kScriptsOfAShape, "objects");
BENCHMARK_CAPTURE(FuzzLoop, userspace_one_type, "userspace", false, kScriptsOfAShape, "one-type");
BENCHMARK_CAPTURE(FuzzLoop, userspace_programs, "userspace", false, kScriptsOfAShape, "programs");
BENCHMARK_CAPTURE(FuzzLoop, userspace_short_mixed, "userspace", false, kScriptsOfAShape,
                  "short-mixed");
BENCHMARK_CAPTURE(FuzzLoop, userspace_mixed, "userspace", false, kScriptsOfAShape, "mixed");
BENCHMARK_CAPTURE(FuzzLoop, userspace_large_maps, "userspace", false, kScriptsOfAShape,
                  "large-maps");
BENCHMARK_CAPTURE(FuzzLoop, userspace_long, "userspace", false, kScriptsOfAShape, "long");
BENCHMARK_CAPTURE(FuzzLoop, userspace_history, "userspace", false, kScriptsOfAShape, "history");
BENCHMARK_CAPTURE(FuzzLoop, kernel, "kernel", false, kScripts);
BENCHMARK_CAPTURE(FuzzLoop, kernel_hashes, "kernel", true, kScripts);

void FuzzBareLoop(benchmark::State& state) {
  std::string error;
  bool usage = false;
  if (MakeBackend("kernel", &error, &usage) == nullptr) {
    state.SkipWithError(error.c_str());
    return;
  }
  const ScriptShapes shapes(ElementsOfHashes());
  std::vector<std::unique_ptr<BareScript>> bare;
  for (uint64_t index = 0; index < kScripts; ++index) {
    Script script, piece;
    ShapedScript pieces(shapes, shapes.Plan(index));
    while (pieces.Next(&piece)) {
      for (const Operation& operation : piece.operations) {
        if (CanRunBare(operation)) script.operations.push_back(operation);
      }
    }
    bare.push_back(std::make_unique<BareScript>(script));
  }
  int64_t operations = 0;
  uint64_t index = 0;
  for (auto _ : state) {
    BareScript& script = *bare[index++ % kScripts];
    script.Run();
    operations += static_cast<int64_t>(script.size());
  }
  state.SetItemsProcessed(operations);
}
BENCHMARK(FuzzBareLoop);

}  // namespace
}  // namespace mapspec
