// SPDX-License-Identifier: MIT
//
// One entry of `clauses:` into a ClauseSpec.
// Thread-safety: any thread.
#ifndef SPECS_CLAUSE_PARSER_H_
#define SPECS_CLAUSE_PARSER_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "specs/field_reader.h"
#include "specs/spec.h"
#include "specs/yaml_tree.h"

namespace mapspec {

// False after noting what is wrong. Ids must begin with `prefix` and a dot; `traits` are those that
// a clause may name, empty: any. That ids are unique, and that the scenario which a divergence
// names exists, can be said only when every file is read.
bool ParseClause(const YamlNode& node, std::string_view prefix, std::span<const std::string> traits,
                 ClauseSpec* out, Problems* problems);

// The fields of a clause and of its divergence, for the schema's test.
const std::vector<std::string>& ClauseWords();
const std::vector<std::string>& DivergenceWords();

}  // namespace mapspec

#endif  // SPECS_CLAUSE_PARSER_H_
