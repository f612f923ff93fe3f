// SPDX-License-Identifier: MIT
//
// One entry of `scenarios:` into Scenarios: several when `map: {type: [...]}` lists types, and one
// more for each where programs carry it out too.
// Thread-safety: any thread.
#ifndef SPECS_SCENARIO_PARSER_H_
#define SPECS_SCENARIO_PARSER_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "oracle/clause.h"
#include "oracle/operation.h"
#include "specs/field_reader.h"
#include "specs/scenario.h"
#include "specs/yaml_tree.h"

namespace mapspec {

// The slot of the map that a map of maps is created with by `map:`.
inline constexpr uint16_t kTemplateSlot = 9;

// What a file says for all its scenarios.
struct ScenarioDefaults {
  MapCreate map;
  bool has_type = false;       // Else a map must name its type.
  // For maps of maps: the map that `map:` creates before m0, as kTemplateSlot, and m0 with.
  std::optional<MapCreate> inner;
  uint32_t possible_cpus = 2;  // How many values an element of a per-CPU map has.
  // Of scenarios that are taken over from another file: "hash." in the ids of their clauses becomes
  // "lru_hash.".
  std::string replaced_prefix;
  std::string prefix;
};

// Reads `defaults:`; `map_type` is the file's, nothing for GENERIC.
bool ParseDefaults(const YamlNode* node, std::optional<MapType> map_type, ScenarioDefaults* out,
                   Problems* problems);

// The path of a clause; nothing when there is no such clause.
using PathOf = std::function<std::optional<Path>(const std::string& clause)>;

// Appends to *out. Trait is left empty and the clause unchecked. `path_of` tells who carries out a
// scenario that does not say it.
bool ParseScenario(const YamlNode& node, const ScenarioDefaults& defaults, const PathOf& path_of,
                   std::vector<Scenario>* out, Problems* problems);

}  // namespace mapspec

#endif  // SPECS_SCENARIO_PARSER_H_
