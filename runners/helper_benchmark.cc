// SPDX-License-Identifier: MIT
//
// Helper calls carried out and judged, per second: each in a BPF_PROG_TEST_RUN of its own, and as
// many in one as fit. Backends that are not there are left out, with the reason.
#include <benchmark/benchmark.h>

#include <memory>

#include "backends/backend.h"
#include "oracle/checker.h"

namespace mapspec {
namespace {

// On a full HASH; the map ends as it began.
Script HelperCycle(uint32_t keys) {
  Script script;
  for (uint32_t i = 0; i < keys; ++i) {
    const Bytes key = Bytes::LittleEndian(i, 8);
    const Bytes value(16, static_cast<uint8_t>(i));
    script.operations.push_back({HelperUpdate{{0}, key, value, BPF_EXIST}});
    script.operations.push_back({HelperLookup{{0}, key, false, {}}});
    script.operations.push_back({HelperDelete{{0}, key}});
    script.operations.push_back({HelperLookup{{0}, key, false, {}}});
    script.operations.push_back({HelperUpdate{{0}, key, value, BPF_NOEXIST}});
    script.operations.push_back({HelperLookup{{0}, key, true, value}});
  }
  return script;
}

void JudgeHelpers(benchmark::State& state, const std::string& selector, bool batched) {
  std::string error;
  bool usage = false;
  const std::unique_ptr<Backend> backend = MakeBackend(selector, &error, &usage);
  if (backend == nullptr) {
    state.SkipWithError(error.c_str());
    return;
  }
  constexpr uint32_t kKeys = 64;
  MapCreate create;
  create.key_size = 8;
  create.value_size = 16;
  create.max_entries = kKeys;
  Script script{"start", {{create}}};
  for (uint32_t i = 0; i < kKeys; ++i) {
    script.operations.push_back(
        {HelperUpdate{{0}, Bytes::LittleEndian(i, 8), Bytes(16, static_cast<uint8_t>(i)), 0}});
  }
  const auto session = backend->NewSession(&error);
  Checker checker(*FindProfile(backend->default_profile()), backend->environment());
  std::vector<Outcome> outcomes;
  // False when an outcome is not what it has to be.
  const auto run = [&](const std::vector<Operation>& operations) {
    outcomes.clear();
    if (batched) session->Run(operations, &outcomes);
    for (size_t i = 0; i < operations.size(); ++i) {
      if (!batched) session->Run({&operations[i], 1}, &outcomes);
      if (outcomes[i].completion != Completion::kReturned) return false;
      if (checker.Step(operations[i], outcomes[i]).kind == Judgement::Kind::kViolation)
        return false;
    }
    return true;
  };
  bool fine = run(script.operations);
  script = HelperCycle(kKeys);
  int64_t operations = 0;
  for (auto _ : state) {
    fine = fine && run(script.operations);
    operations += static_cast<int64_t>(script.operations.size());
  }
  if (!fine) return state.SkipWithError("not carried out, or a violation: nothing to measure");
  state.SetItemsProcessed(operations);
}
BENCHMARK_CAPTURE(JudgeHelpers, kernel_one_by_one, "kernel", false);
BENCHMARK_CAPTURE(JudgeHelpers, kernel_batched, "kernel", true);
BENCHMARK_CAPTURE(JudgeHelpers, vm, "vm", true);
BENCHMARK_CAPTURE(JudgeHelpers, vm_jit, "vm:jit", true);

}  // namespace
}  // namespace mapspec
