// SPDX-License-Identifier: MIT
#include "runners/list_traits.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "oracle/profile.h"

namespace mapspec {
namespace {

// The clauses that hold where the trait has this value, and no others.
std::vector<const ClauseSpec*> ClausesShowing(const Specs& specs, const std::string& trait,
                                              bool value) {
  std::vector<const ClauseSpec*> clauses;
  for (const SpecFile& file : specs.files) {
    for (const ClauseSpec& clause : file.clauses) {
      if (clause.trait == (value ? trait : "!" + trait)) clauses.push_back(&clause);
    }
  }
  return clauses;
}

std::string ProfilesWith(const std::string& trait, bool value) {
  std::string names;
  for (const Profile& profile : AllProfiles()) {
    if (!profile.observed || TraitValue(profile.traits, trait) != value) continue;
    names += (names.empty() ? "" : ", ") + profile.name;
  }
  return names;
}

void PrintTrait(const Specs& specs, const std::string& trait) {
  fmt::print("{}: {}\n", trait, TraitMeaning(trait));
  for (const bool value : {true, false}) {
    fmt::print("  {:<6} {}\n", value ? "true" : "false", ProfilesWith(trait, value));
    for (const ClauseSpec* clause : ClausesShowing(specs, trait, value)) {
      fmt::print("         {} [{}, {}]\n", clause->id, clause->document, clause->section);
    }
  }
}

void PrintJson(const Specs& specs, const std::string& trait) {
  nlohmann::ordered_json json = {{"trait", trait}, {"meaning", TraitMeaning(trait)}};
  for (const Profile& profile : AllProfiles()) {
    if (!profile.observed) continue;
    json["profiles"].push_back({{"profile", profile.name},
                                {"value", TraitValue(profile.traits, trait).value_or(false)},
                                {"kernels", profile.kernels}});
  }
  for (const bool value : {true, false}) {
    for (const ClauseSpec* clause : ClausesShowing(specs, trait, value)) {
      json["clauses"].push_back({{"id", clause->id},
                                 {"value", value},
                                 {"document", clause->document},
                                 {"section", clause->section}});
    }
  }
  fmt::print("{}\n", json.dump());
}

}  // namespace

int ListTraits(const Specs& specs, bool json) {
  if (json) {
    for (const std::string& trait : TraitNames()) PrintJson(specs, trait);
    return 0;
  }
  fmt::print("Kernels that ran the suite, each with the clauses that hold in its profile\n");
  for (const Profile& profile : AllProfiles()) {
    if (profile.observed) fmt::print("  {:<15} {}\n", profile.name, profile.kernels);
  }
  fmt::print(
      "\nTraits: the versions in which each is true and false, and the clauses that hold just "
      "there\n\n");
  for (const std::string& trait : TraitNames()) PrintTrait(specs, trait);
  return 0;
}

}  // namespace mapspec
