// SPDX-License-Identifier: MIT
#include "runners/run_plan.h"

#include <algorithm>
#include <map>

namespace mapspec {

Level LevelOf(const Specs& specs, std::string_view clause) {
  const ClauseSpec* spec = specs.FindClauseSpec(clause);
  return spec != nullptr ? spec->level : Level::kObserved;
}

std::vector<PlannedTest> MakePlan(const Specs& specs, const Filter& filter,
                                  const RunOptions& options) {
  std::vector<PlannedTest> plan;
  // Shards take turns with clauses, then with properties: both kinds are spread evenly.
  std::map<std::string, size_t> clause_number;
  for (const Scenario* scenario : specs.AllScenarios()) {
    const size_t number =
        clause_number.try_emplace(scenario->clause, clause_number.size()).first->second;
    if (number % options.shards != options.shard - 1) continue;
    if (!filter.Selects(scenario->id, scenario->clause)) continue;
    PlannedTest test;
    test.id = scenario->id;
    test.clause = scenario->clause;
    test.scenario = scenario;
    test.level = LevelOf(specs, scenario->clause);
    test.file = scenario->file;
    test.line = static_cast<int>(scenario->position.line);
    plan.push_back(std::move(test));
  }
  size_t number = 0;
  for (const Property& property : AllProperties()) {
    if (number++ % options.shards != options.shard - 1) continue;
    if (!filter.Selects(property.id, "")) continue;
    PlannedTest test;
    test.id = property.id;
    test.property = &property;
    test.file = "properties/property.h";
    plan.push_back(std::move(test));
  }
  return plan;
}

unsigned WorkersFor(const RunOptions& options, const std::string& backend) {
  if (options.jobs != 0) return options.jobs;
  // Several processes cannot share one file of GoogleTest's own.
  const bool one_file =
      std::any_of(options.gtest_flags.begin(), options.gtest_flags.end(),
                  [](const std::string& flag) { return flag.starts_with("--gtest_output"); });
  const bool kernel = backend == "kernel" || backend.starts_with("kernel-of:") ||
                      backend.starts_with("qemu:") || backend.starts_with("uml:");
  return kernel && !one_file ? 8 : 1;
}

std::vector<std::string> ClauseIds(const Specs& specs) {
  std::vector<std::string> ids;
  for (const SpecFile& file : specs.files) {
    for (const ClauseSpec& clause : file.clauses) ids.push_back(clause.id);
  }
  for (const Clause& clause : AllClauses()) ids.emplace_back(clause.id);
  return ids;
}

std::vector<std::string> AllIds(const Specs& specs) {
  std::vector<std::string> ids;
  for (const SpecFile& file : specs.files) {
    for (const ClauseSpec& clause : file.clauses) ids.push_back(clause.id);
    for (const Scenario& scenario : file.scenarios) ids.push_back(scenario.id);
  }
  for (const Property& property : AllProperties()) ids.emplace_back(property.id);
  return ids;
}

}  // namespace mapspec
