// SPDX-License-Identifier: MIT
//
// What judging costs, printed as rates and, below them, as the ratios that DESIGN speaks of, each
// with its goal:
//   - operations on a HASH judged in memory, and heap allocations for each;
//   - generate + execute + judge on the kernel, against a bare loop of the same bpf(2) calls;
//   - the same scripts on the userspace library, against the kernel;
//   - the loop of the fuzzer (fuzz_benchmark.cc);
//   - helper calls of programs (helper_benchmark.cc);
//   - sessions a second, and what a million operations leave in memory (session_benchmark.cc).
// Where bpf(2) is refused, the kernel's part is left out, with the reason.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cmath>
#include <map>
#include <memory>

#include "backends/backend.h"
#include "backends/libbpf_api/allocation_count.h"
#include "oracle/checker.h"
#include "runners/bare_script.h"
#include "runners/benchmark_scripts.h"
#include "runners/freed_memory.h"

namespace mapspec {
namespace {

constexpr uint64_t kHashScripts = 32;
constexpr uint32_t kScriptOperations = 2000;  // Of a script.

// A cycle of operations that ends in the state it began in, so that it can be judged again and
// again: every key of a full hash is overwritten, looked up, deleted, missed and inserted again.
Script HashCycle(uint32_t keys) {
  Script script;
  for (uint32_t i = 0; i < keys; ++i) {
    const InBuffer key{Pointer::kValid, Bytes::LittleEndian(i, 8)};
    const InBuffer value{Pointer::kValid, Bytes(16, static_cast<uint8_t>(i))};
    script.operations.push_back({Update{{0}, key, value, BPF_EXIST}});
    script.operations.push_back({Lookup{{0}, key}});
    script.operations.push_back({Delete{{0}, key}});
    script.operations.push_back({Lookup{{0}, key}});
    script.operations.push_back({Update{{0}, key, value, BPF_NOEXIST}});
    script.operations.push_back({Update{{0}, key, value, BPF_NOEXIST}});
  }
  return script;
}

void JudgeHash(benchmark::State& state) {
  constexpr uint32_t kKeys = 64;
  std::string error;
  bool usage = false;
  const std::unique_ptr<Backend> backend = MakeBackend("userspace", &error, &usage);
  MapCreate create;
  create.key_size = 8;
  create.value_size = 16;
  create.max_entries = kKeys;
  Script script{"hash", {{create}}};
  for (uint32_t i = 0; i < kKeys; ++i) {
    script.operations.push_back({Update{{0},
                                        {Pointer::kValid, Bytes::LittleEndian(i, 8)},
                                        {Pointer::kValid, Bytes(16, static_cast<uint8_t>(i))},
                                        BPF_ANY}});
  }
  const size_t prologue = script.operations.size();
  const Script cycle = HashCycle(kKeys);
  script.operations.insert(script.operations.end(), cycle.operations.begin(),
                           cycle.operations.end());
  const Trace trace = Execute(*backend, script, &error);
  Checker checker(NewestLinuxProfile(), trace.environment);
  size_t violations = 0;
  const auto judge = [&](size_t i) {
    violations +=
        checker.Step(trace.operations[i], trace.outcomes[i]).kind == Judgement::Kind::kViolation;
  };
  for (size_t i = 0; i < trace.outcomes.size(); ++i) judge(i);
  const size_t length = trace.outcomes.size() - prologue;
  int64_t operations = 0;
  const uint64_t allocations = AllocationCount();
  for (auto _ : state) {
    for (size_t i = prologue; i < trace.outcomes.size(); ++i) judge(i);
    operations += static_cast<int64_t>(length);
  }
  const uint64_t allocated = AllocationCount() - allocations;
  if (violations != 0) {
    state.SkipWithError("the userspace library does not conform: nothing to measure");
    return;
  }
  state.SetItemsProcessed(operations);
  state.counters["allocations_per_operation"] =
      static_cast<double>(allocated) / static_cast<double>(operations);
}
BENCHMARK(JudgeHash);

void GenerateExecuteJudge(benchmark::State& state, const std::string& selector, bool judge) {
  std::string error;
  bool usage = false;
  const std::unique_ptr<Backend> backend = MakeBackend(selector, &error, &usage);
  if (backend == nullptr) {
    state.SkipWithError(error.c_str());
    return;
  }
  const HashScripts scripts(kScriptOperations);
  const Profile& profile = *FindProfile(backend->default_profile());
  Script script;
  std::vector<Outcome> outcomes;
  std::vector<Script> made(kHashScripts);
  for (uint64_t i = 0; i < kHashScripts; ++i) scripts.Make(i, &made[i]);
  int64_t operations = 0;
  uint64_t seed = 0;
  for (auto _ : state) {
    const uint64_t i = seed++ % kHashScripts;
    if (judge) scripts.Make(i, &script);
    const Script& run = judge ? script : made[i];
    outcomes.clear();
    backend->NewSession(&error)->Run(run.operations, &outcomes);
    if (judge) {
      Checker checker(profile, backend->environment());
      for (size_t k = 0; k < outcomes.size(); ++k) {
        if (checker.Step(run.operations[k], outcomes[k]).kind != Judgement::Kind::kViolation)
          continue;
        state.SkipWithError("a violation: nothing to measure");
        return;
      }
    }
    operations += static_cast<int64_t>(run.operations.size());
  }
  state.SetItemsProcessed(operations);
}
BENCHMARK_CAPTURE(GenerateExecuteJudge, kernel, "kernel", true);
BENCHMARK_CAPTURE(GenerateExecuteJudge, userspace, "userspace", true);
BENCHMARK_CAPTURE(GenerateExecuteJudge, userspace_execute_only, "userspace", false);
BENCHMARK_CAPTURE(GenerateExecuteJudge, kernel_execute_only, "kernel", false);

void BareLoop(benchmark::State& state) {
  std::string error;
  bool usage = false;
  if (MakeBackend("kernel", &error, &usage) == nullptr) {
    state.SkipWithError(error.c_str());
    return;
  }
  const HashScripts scripts(kScriptOperations);
  std::vector<std::unique_ptr<BareScript>> bare;
  for (uint64_t i = 0; i < kHashScripts; ++i) {
    Script script;
    scripts.Make(i, &script);
    bare.push_back(std::make_unique<BareScript>(script));
  }
  int64_t operations = 0;
  uint64_t seed = 0;
  for (auto _ : state) {
    BareScript& script = *bare[seed++ % kHashScripts];
    script.Run();
    operations += static_cast<int64_t>(script.size());
  }
  state.SetItemsProcessed(operations);
}
BENCHMARK(BareLoop);

// Prints what GoogleBenchmark prints, keeps the figures, and says how they stand to their goals.
class Goals : public benchmark::ConsoleReporter {
 public:
  Goals() : ConsoleReporter(OO_Tabular) {}
  void ReportRuns(const std::vector<Run>& runs) override {
    ConsoleReporter::ReportRuns(runs);
    for (const Run& run : runs) {
      // Without what GoogleBenchmark appends, such as "/iterations:1".
      std::string name = run.run_name.function_name;
      // None where it was skipped. (What says so has another name in each version.)
      if (!run.counters.empty()) figures_[name] = run.counters;
    }
  }
  void Print() const {
    fmt::print("\n{:<58}{:>10}  {}\n", "", "measured", "goal");
    const double million = 1e6;
    Say("a HASH judged in memory, million operations/s", Rate("JudgeHash") / million, ">= 10");
    Say("  heap allocations for each", Figure("JudgeHash", "allocations_per_operation"), "0");
    Say("generate + execute + judge, userspace, million operations/s",
        Rate("GenerateExecuteJudge/userspace") / million, ">= 2");
    Say("generate + execute + judge, kernel, times the bare loop",
        Rate("BareLoop") / Rate("GenerateExecuteJudge/kernel"), "<= 1.25");
    Say("execute, userspace, times the kernel's rate",
        Rate("GenerateExecuteJudge/userspace_execute_only") /
            Rate("GenerateExecuteJudge/kernel_execute_only"));
    Say("the fuzzer, userspace, hashes, million operations/s",
        Rate("FuzzLoop/userspace_hashes") / million, ">= 2");
    // Both goals are of one machine: this is what they make of any other.
    Say("  times a HASH judged in memory", Rate("FuzzLoop/userspace_hashes") / Rate("JudgeHash"),
        ">= 0.2");
    Say("the fuzzer, userspace, all types, million operations/s",
        Rate("FuzzLoop/userspace") / million, ">= 2");
    Say("the fuzzer, kernel, hashes, times the bare loop",
        Rate("FuzzBareLoop") / Rate("FuzzLoop/kernel_hashes"), "<= 1.25");
    Say("sessions of 10 operations/s, userspace, thousand", Rate("ShortScripts/userspace") / 1e3);
    Say("sessions of 10 operations/s, kernel, thousand", Rate("ShortScripts/kernel") / 1e3);
    const std::string left = "bytes_per_million";
    Say("KiB left by 10^6 operations on the maps of one session",
        Figure("LongHistory/userspace", left) / 1024, "<= 1024");
    Say("KiB left by 10^6 operations with maps made anew",
        Figure("LongHistory/userspace_creates", left) / 1024);
    Say("KiB left by 10^6 operations in sessions of 10",
        Figure("ShortScripts/userspace", left) / 1024, "<= 1024");
    Say("helpers on the kernel, many in one test run, times one by one",
        Rate("JudgeHelpers/kernel_batched") / Rate("JudgeHelpers/kernel_one_by_one"));
    Say("helpers in the VM, compiled, times the kernel's rate",
        Rate("JudgeHelpers/vm_jit") / Rate("JudgeHelpers/kernel_batched"));
  }

 private:
  // NaN for what was not measured.
  double Figure(const std::string& name, const std::string& counter) const {
    const auto run = figures_.find(name);
    if (run == figures_.end()) return std::nan("");
    const auto figure = run->second.find(counter);
    return figure == run->second.end() ? std::nan("") : figure->second.value;
  }
  double Rate(const std::string& name) const { return Figure(name, "items_per_second"); }
  static void Say(std::string_view what, double number, std::string_view goal = "") {
    if (std::isfinite(number)) fmt::print("{:<62}{:>10.2f}  {}\n", what, number, goal);
  }
  std::map<std::string, benchmark::UserCounters> figures_;
};

}  // namespace
}  // namespace mapspec

int main(int argc, char** argv) {
  mapspec::KeepFreedMemory();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  mapspec::Goals goals;
  benchmark::RunSpecifiedBenchmarks(&goals);
  goals.Print();
  return 0;
}
