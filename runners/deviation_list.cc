// SPDX-License-Identifier: MIT
#include "runners/deviation_list.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>

#include "runners/glob.h"
#include "runners/report.h"
#include "runners/text.h"

namespace mapspec {
namespace {

auto Key(const Deviation& deviation) {
  return std::tie(deviation.clause, deviation.backend, deviation.profile);
}

void AddOnce(Deviation deviation, std::vector<Deviation>* entries) {
  const bool there = std::any_of(entries->begin(), entries->end(), [&](const Deviation& entry) {
    return Key(entry) == Key(deviation);
  });
  if (!there) entries->push_back(std::move(deviation));
}

// The entry with what it lists on this one backend by name, for each clause that was broken there.
void AddNarrowed(const Deviation& deviation, const BackendResults& results,
                 std::vector<Deviation>* entries) {
  if (!deviation.AppliesTo(results.backend, results.profile)) return;
  for (const TestResult& test : results.tests) {
    if (test.status != Status::kDeviation && test.status != Status::kFail) continue;
    for (const std::string& clause : test.violated) {
      if (!GlobMatches(deviation.clause, clause)) continue;
      Deviation narrowed = deviation;
      narrowed.clause = clause;
      narrowed.backend = results.backend;
      narrowed.profile = results.profile;
      AddOnce(std::move(narrowed), entries);
    }
  }
}

void AddFailures(const BackendResults& results, DeviationList* list) {
  if (!results.unusable.empty()) list->unnamed.push_back(results.backend);
  for (const TestResult& test : results.tests) {
    const bool failed = test.status == Status::kFail;
    if (test.status == Status::kDied || (failed && test.violated.empty())) {
      list->unnamed.push_back(results.backend + ": " + test.id);
    }
    if (!failed) continue;
    for (const std::string& clause : test.violated) {
      Deviation deviation;
      deviation.clause = clause;
      deviation.backend = results.backend;
      deviation.profile = results.profile;
      deviation.reason = "not yet looked into: " + OneLine(test.reason);
      AddOnce(std::move(deviation), &list->entries);
    }
  }
}

// A string of JSON is one of YAML too.
std::string InQuotes(const std::string& text) {
  return nlohmann::json(ReplaceInvalidUtf8(text)).dump();
}

}  // namespace

DeviationList DeviationsOf(const std::vector<BackendResults>& results,
                           const std::vector<Deviation>& known, bool whole) {
  DeviationList list;
  for (const Deviation& deviation : known) {
    const auto vanished = [&](const BackendResults& backend) {
      return whole && !backend.interrupted && backend.unusable.empty() &&
             Vanished(deviation, backend);
    };
    if (std::none_of(results.begin(), results.end(), vanished)) {
      AddOnce(deviation, &list.entries);
      continue;
    }
    for (const BackendResults& backend : results) AddNarrowed(deviation, backend, &list.entries);
  }
  for (const BackendResults& backend : results) AddFailures(backend, &list);
  std::sort(list.entries.begin(), list.entries.end(),
            [](const Deviation& a, const Deviation& b) { return Key(a) < Key(b); });
  return list;
}

void WriteDeviations(const DeviationList& list, const std::vector<BackendResults>& results,
                     std::ostream& out) {
  out << fmt::format("# Known deviations, written by mapspec {}", kMapspecVersion);
  if (!results.empty()) {
    out << fmt::format(" after a run with --effort {} --seed {}", results[0].effort,
                       results[0].seed);
  }
  out << ".\n"
         "# Each entry is a promise that was broken. Write as its reason why that is accepted,\n"
         "# with a link: if there is one; or mend the cause and delete the entry: one that no\n"
         "# longer happens fails the run. A * in clause, backend or profile stands for anything.\n"
         "# Use: mapspec run … --deviations THIS-FILE\n";
  if (list.entries.empty()) out << "[]\n";
  for (const Deviation& entry : list.entries) {
    out << fmt::format("- clause: {}\n  backend: {}\n  profile: {}\n  reason: {}\n",
                       InQuotes(entry.clause), InQuotes(entry.backend), InQuotes(entry.profile),
                       InQuotes(entry.reason));
    if (!entry.symptoms.empty()) {
      std::vector<std::string> symptoms;
      for (const std::string& symptom : entry.symptoms) symptoms.push_back(InQuotes(symptom));
      out << fmt::format("  symptoms: [{}]\n", fmt::join(symptoms, ", "));
    }
    if (!entry.link.empty()) out << fmt::format("  link: {}\n", InQuotes(entry.link));
  }
}

}  // namespace mapspec
