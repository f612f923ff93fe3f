// SPDX-License-Identifier: MIT
//
// Writes what stands in properties/reachable_cells.inc:
//   record_reachable_cells RUNS PROFILE TYPES BACKEND...
// Each map type ("all", or some joined by commas: "hash,lru_hash") is run RUNS times with different
// seeds on each backend that has it, all held to the same profile; a cell's hits are the average
// over the runs on the backend where they are fewest. Not part of the tests: run it when
// generators, cells or profiles change, and look at the difference.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "backends/offered_types.h"
#include "oracle/trace_json.h"
#include "properties/map_kinds.h"
#include "properties/random_scripts.h"
#include "properties/reachable_coverage.h"
#include "properties/script_generator.h"
#include "properties/script_runner.h"

namespace mapspec {
namespace {

struct Hits {
  uint64_t average = UINT64_MAX;
  uint64_t least = UINT64_MAX;
  uint64_t scripts = UINT64_MAX;
  size_t backends = 0;
};
using Recorded = std::map<std::string, Hits>;
using Needs = std::map<std::string, CapabilitySet>;

// About the mean of random scripts (random_scripts.cc).
constexpr uint64_t kScriptLength = 500;

// What every operation that fell into a cell needs, and in how many scripts of a run it is seen.
void LearnNeeds(MapType type, Backend& backend, const Profile& profile, Needs* needs,
                Recorded* recorded) {
  GeneratorOptions options;
  options.types = {type};
  for (const MapKind& kind : MapKinds()) {
    if (!OffersMapType(backend, kind.type)) options.lacking.push_back(kind.type);
  }
  options.capabilities = backend.capabilities();
  options.possible_cpus = backend.environment().possible_cpus;
  const ScriptGenerator generator(options);
  ScriptRunner runner(backend, profile);
  SeededEntropy entropy(1);
  Script script;
  std::map<std::string, uint64_t> seen;
  const uint64_t scripts_of_a_run = CoverageOperations(type) / kScriptLength;
  constexpr uint64_t kRuns = 5;
  for (uint64_t i = 0; i < kRuns * scripts_of_a_run; ++i) {
    std::set<std::string> in_script;
    generator.Generate(entropy, kScriptLength, &script);
    const std::vector<Outcome>& outcomes = runner.Run(script.operations).outcomes;
    const auto cells = CellsOf(script.operations, outcomes);
    for (size_t j = 0; j < cells.size(); ++j) {
      if (!cells[j]) continue;
      CapabilitySet required = Required(script.operations[j]);
      const std::string name = CellName(*cells[j]);
      // What a pointer to an inner map shows is the kernel's own: generators ask only a verifier.
      const bool inner_pointer =
          std::holds_alternative<HelperLookup>(script.operations[j].call) &&
          (name.starts_with("ARRAY_OF_MAPS ") || name.starts_with("HASH_OF_MAPS "));
      if (outcomes[j].completion == Completion::kRefused || inner_pointer) {
        Add(&required, Capability::kVerifier);
      }
      const auto [at, fresh] = needs->try_emplace(name, required);
      if (!fresh) at->second &= required;
      if (in_script.insert(name).second) ++seen[name];
    }
  }
  for (const auto& [name, scripts] : seen) {
    const auto at = recorded->find(name);
    if (at != recorded->end()) at->second.scripts = std::min(at->second.scripts, scripts / kRuns);
  }
}

bool Record(MapType type, Backend& backend, const Profile& profile, uint64_t runs,
            Recorded* recorded) {
  std::map<std::string, uint64_t> totals, least, present;
  for (uint64_t run = 0; run < runs; ++run) {
    Coverage coverage;
    PropertyOptions options;
    options.seed = 1000 + run;
    options.operations = CoverageOperations(type);
    options.coverage = &coverage;
    const PropertyResult result =
        RunRandomScripts("record", {type}, Paths::kBoth, backend, profile, options);
    if (!result.passed) {
      std::fprintf(stderr, "%s: %s\n", std::string(backend.name()).c_str(), result.reason.c_str());
      if (result.counterexample) {
        for (const Operation& operation : result.counterexample->operations) {
          std::fprintf(stderr, "%s\n", OperationToJson(operation).c_str());
        }
      }
      return false;
    }
    for (const auto& [name, count] : coverage.Counts()) {
      totals[name] += count;
      ++present[name];
      const auto [at, fresh] = least.try_emplace(name, count);
      if (!fresh) at->second = std::min(at->second, count);
    }
  }
  for (const auto& [name, total] : totals) {
    Hits& hits = (*recorded)[name];
    ++hits.backends;
    hits.average = std::min(hits.average, total / runs);
    hits.least = std::min(hits.least, present[name] == runs ? least[name] : 0);
  }
  return true;
}

// Whether what an operation of this class answers depends on the settings of the machine.
bool DependsOnTheMachine(const std::string& name) {
  return name.find(" unprivileged ") != std::string::npos ||
         name.find(" BPF_MAP_GET_NEXT_ID ") != std::string::npos;
}

int Main(int argc, char** argv) {
  if (argc < 5) {
    std::fprintf(stderr, "usage: record_reachable_cells RUNS PROFILE TYPES BACKEND...\n");
    return 2;
  }
  const uint64_t runs = std::strtoull(argv[1], nullptr, 10);
  const Profile* profile = FindProfile(argv[2]);
  if (profile == nullptr || runs == 0) {
    std::fprintf(stderr, "unknown profile %s, or no runs\n", argv[2]);
    return 2;
  }
  std::printf(
      "// SPDX-License-Identifier: MIT\n"
      "R\"cells(\n# Written by record_reachable_cells: cell, hits in a run of normal effort (or "
      "rare), what it needs.\n");
  std::printf("profile %s\n", profile->name.c_str());
  const std::string types = "," + std::string(argv[3]) + ",";
  for (const MapKind& kind : MapKinds()) {
    if (types != ",all," && types.find("," + std::string(kind.name) + ",") == std::string::npos) {
      continue;
    }
    Recorded recorded;
    Needs needs;
    std::vector<CapabilitySet> capabilities;
    for (int i = 4; i < argc; ++i) {
      std::string error;
      bool usage = false;
      const std::unique_ptr<Backend> backend = MakeBackend(argv[i], &error, &usage);
      if (backend == nullptr) {
        std::fprintf(stderr, "%s: %s\n", argv[i], error.c_str());
        return 3;
      }
      if (!OffersMapType(*backend, kind.type)) continue;
      if (!Record(kind.type, *backend, *profile, runs, &recorded)) return 1;
      LearnNeeds(kind.type, *backend, *profile, &needs, &recorded);
      capabilities.push_back(backend->capabilities());
    }
    const std::string prefix = MapTypeName(kind.type).substr(sizeof("BPF_MAP_TYPE_") - 1) + " ";
    for (const auto& [name, hits] : recorded) {
      if (!name.starts_with(prefix)) continue;
      const auto known = needs.find(name);
      const CapabilitySet set = known == needs.end() ? CapabilitySet() : known->second;
      // Seen on every backend that can do it.
      const auto able = static_cast<size_t>(
          std::count_if(capabilities.begin(), capabilities.end(),
                        [&](const CapabilitySet& can) { return (set & ~can).none(); }));
      const bool required = known != needs.end() && hits.backends == able &&
                            hits.average >= kRequiredHits && hits.least >= kLeastHits &&
                            hits.scripts >= kRequiredScripts && !DependsOnTheMachine(name);
      std::printf("%s, %s%llu", name.c_str(), required ? "" : "rare ",
                  static_cast<unsigned long long>(hits.average));
      for (size_t i = 0; required && i < set.size(); ++i) {
        if (set[i])
          std::printf(",%s", std::string(CapabilityName(static_cast<Capability>(i))).c_str());
      }
      std::printf("\n");
      if (hits.backends != able) {
        std::fprintf(stderr, "not on every backend: %s (%llu)\n", name.c_str(),
                     static_cast<unsigned long long>(hits.average));
      }
    }
  }
  std::printf(")cells\"\n");
  return 0;
}

}  // namespace
}  // namespace mapspec

int main(int argc, char** argv) { return mapspec::Main(argc, argv); }
