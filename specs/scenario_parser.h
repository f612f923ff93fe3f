// SPDX-License-Identifier: MIT
//
// One entry of `scenarios:` into Scenarios (several when `map: {type: [...]}` lists types).
// Thread-safety: any thread.
#ifndef SPECS_SCENARIO_PARSER_H_
#define SPECS_SCENARIO_PARSER_H_

#include <optional>
#include <vector>

#include "oracle/operation.h"
#include "specs/field_reader.h"
#include "specs/scenario.h"
#include "specs/yaml_tree.h"

namespace mapspec {

// What a file says for all its scenarios.
struct ScenarioDefaults {
  MapCreate map;
  bool has_type = false;  // Else a map must name its type.
};

// Reads `defaults:`; `map_type` is the file's, nothing for GENERIC.
bool ParseDefaults(const YamlNode* node, std::optional<MapType> map_type, ScenarioDefaults* out,
                   Problems* problems);

// Appends to *out. Trait is left empty and the clause unchecked: they are known when all files are
// read.
bool ParseScenario(const YamlNode& node, const ScenarioDefaults& defaults,
                   std::vector<Scenario>* out, Problems* problems);

}  // namespace mapspec

#endif  // SPECS_SCENARIO_PARSER_H_
