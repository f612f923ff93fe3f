// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "oracle/trace_json.h"
#include "runners/commands.h"
#include "runners/failure_report.h"
#include "runners/glob.h"
#include "runners/list_sources.h"
#include "runners/text.h"
#include "specs/scenario.h"
#include "specs/source_index.h"

namespace mapspec {
namespace {

// Clauses that say the same: a file that inherits another's clauses has its divergences too.
using Dispute = std::vector<const ClauseSpec*>;

bool SaysTheSame(const Divergence& a, const Divergence& b) {
  return a.says == b.says && a.where == b.where && a.kernels == b.kernels;
}

std::vector<Dispute> Disputes(const Specs& specs, const Filter& filter) {
  std::vector<Dispute> disputes;
  for (const SpecFile& file : specs.files) {
    for (const ClauseSpec& clause : file.clauses) {
      if (!clause.divergence || !filter.Selects(clause.id, "")) continue;
      const auto same = std::find_if(disputes.begin(), disputes.end(), [&](const Dispute& each) {
        return SaysTheSame(*each[0]->divergence, *clause.divergence);
      });
      if (same == disputes.end()) {
        disputes.push_back({&clause});
      } else {
        same->push_back(&clause);
      }
    }
  }
  return disputes;
}

void PrintScenario(const Scenario& scenario) {
  fmt::print("  script   {}\n", scenario.id);
  for (const Step& step : scenario.steps) {
    fmt::print("             {}\n               -> {}\n",
               Shortened(OperationToJson(step.operation)),
               Shortened(Describe(step.expected, step.operation)));
  }
  fmt::print("  run      mapspec run --backend kernel --filter {}\n", ShellQuote(scenario.id));
}

}  // namespace

int ListDivergences(const Specs& specs, const std::string& filter) {
  const std::vector<Dispute> disputes = Disputes(specs, Filter(filter));
  if (disputes.empty() && !filter.empty()) {
    return UsageError(fmt::format("--filter {}: no clause with a divergence matches", filter));
  }
  for (const Dispute& dispute : disputes) {
    const ClauseSpec& clause = *dispute[0];
    const Divergence& divergence = *clause.divergence;
    fmt::print("{} ({}{})\n", clause.id, LevelName(clause.level),
               clause.trait.empty() ? "" : ", where " + clause.trait);
    for (size_t i = 1; i < dispute.size(); ++i) fmt::print("{}\n", dispute[i]->id);
    fmt::print("{}{}{}", Folded("source", PlaceName(divergence.where)),
               Folded("says", divergence.says), Folded("kernels", divergence.kernels));
    if (const Scenario* scenario = specs.ScenarioOfDivergence(clause)) {
      PrintScenario(*scenario);
    } else if (!divergence.shown_by.empty()) {
      fmt::print("{}", Folded("script", divergence.shown_by));
    }
    fmt::print("\n");
  }
  fmt::print("{} divergences between documentation and kernels\n", disputes.size());
  return 0;
}

}  // namespace mapspec
