// SPDX-License-Identifier: MIT
//
// What a session costs beside its operations, and what stays of them: short scripts, each in a
// session and before a checker of its own, and how much memory a million operations leave behind,
// in one session that goes on and over sessions that end. Backends that are not there are left out,
// with the reason.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <fstream>
#include <memory>

#include "backends/backend.h"
#include "properties/script_runner.h"
#include "runners/benchmark_scripts.h"

namespace mapspec {
namespace {

// Resident memory of this process, in bytes: what the library maps counts as what is allocated.
double ResidentBytes() {
  uint64_t size = 0;
  uint64_t resident = 0;
  std::ifstream("/proc/self/statm") >> size >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

std::unique_ptr<Backend> Make(const std::string& selector, benchmark::State& state) {
  std::string error;
  bool usage = false;
  std::unique_ptr<Backend> backend = MakeBackend(selector, &error, &usage);
  if (backend == nullptr) state.SkipWithError(error.c_str());
  return backend;
}

// Generates, executes and judges scripts of ten operations; the items are sessions. The first
// kSettled scripts are for memory that is kept for reuse, what is measured of memory is the rest.
void ShortScripts(benchmark::State& state, const std::string& selector) {
  constexpr uint64_t kSettled = 2'000;
  const std::unique_ptr<Backend> backend = Make(selector, state);
  if (backend == nullptr) return;
  const HashScripts scripts(10);
  ScriptRunner runner(*backend, *FindProfile(backend->default_profile()));
  Script script;
  uint64_t seed = 0;
  const auto run = [&] {
    scripts.Make(seed++, &script);
    return runner.Run(script.operations).end == ScriptRunner::End::kConforms;
  };
  bool fine = true;
  while (seed < kSettled) fine = fine && run();
  const double before = ResidentBytes();
  uint64_t operations = 0;
  for (auto _ : state) {
    fine = fine && run();
    operations += script.operations.size();
  }
  if (!fine) state.SkipWithError("no session, or a violation: nothing to measure");
  state.SetItemsProcessed(static_cast<int64_t>(seed - kSettled));
  state.counters["bytes_per_million"] =
      (ResidentBytes() - before) * 1e6 / static_cast<double>(operations);
}
BENCHMARK_CAPTURE(ShortScripts, userspace, "userspace");
BENCHMARK_CAPTURE(ShortScripts, kernel, "kernel");

// One session and one checker over ten times a hundred thousand operations, given to them in
// pieces: on the maps that the first piece made, or on maps made anew in each (`creates`).
void LongHistory(benchmark::State& state, const std::string& selector, bool creates) {
  constexpr uint64_t kOperations = 1'000'000;
  const std::unique_ptr<Backend> backend = Make(selector, state);
  if (backend == nullptr) return;
  const HashScripts scripts(2'000);
  std::string error;
  uint64_t operations = 0;
  double left = 0;
  for (auto _ : state) {
    const std::unique_ptr<Session> session = backend->NewSession(&error);
    Checker checker(*FindProfile(backend->default_profile()), backend->environment());
    Script script;
    std::vector<Outcome> outcomes;
    uint64_t done = 0;
    double before = 0;
    for (uint64_t seed = 0; done < kOperations * 11 / 10; ++seed) {
      if (before == 0 && done > kOperations / 10) before = ResidentBytes();
      scripts.Make(seed, &script);
      if (!creates && seed != 0) KeepMaps(&script);
      outcomes.clear();
      session->Run(script.operations, &outcomes);
      for (size_t i = 0; i < outcomes.size(); ++i) {
        if (checker.Step(script.operations[i], outcomes[i]).kind != Judgement::Kind::kViolation)
          continue;
        state.SkipWithError("a violation: nothing to measure");
        return;
      }
      done += outcomes.size();
    }
    left = ResidentBytes() - before;
    operations += done;
  }
  state.SetItemsProcessed(static_cast<int64_t>(operations));
  state.counters["bytes_per_million"] = left;
}
BENCHMARK_CAPTURE(LongHistory, userspace, "userspace", false)->Iterations(1);
BENCHMARK_CAPTURE(LongHistory, userspace_creates, "userspace", true)->Iterations(1);

}  // namespace
}  // namespace mapspec
