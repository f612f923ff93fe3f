// SPDX-License-Identifier: MIT
//
// spec.schema.json says to editors what the loader's tables say: the same names everywhere.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "specs/clause_parser.h"
#include "specs/field_reader.h"
#include "specs/step_words.h"

namespace mapspec {
namespace {

using Json = nlohmann::json;
using Names = std::set<std::string>;

const Json& Schema() {
  static const Json* const schema = [] {
    std::ifstream in(MAPSPEC_SOURCE_DIR "/specs/spec.schema.json");
    return new Json(Json::parse(in, nullptr, /*allow_exceptions=*/false));
  }();
  return *schema;
}

const Json& Def(std::string_view name) { return Schema().at("$defs").at(std::string(name)); }

Names ToNames(std::span<const std::string> names) { return {names.begin(), names.end()}; }

Names Properties(const Json& object) {
  EXPECT_EQ(object.value("additionalProperties", true), false);
  Names names;
  for (const auto& [name, value] : object.at("properties").items()) names.insert(name);
  return names;
}

Names Enumeration(const Json& schema) {
  Names names;
  for (const Json& name : schema.at("enum")) names.insert(name.get<std::string>());
  return names;
}

// The alternative of an anyOf that is an object.
const Json& ObjectOf(const Json& schema) {
  for (const Json& alternative : schema.at("anyOf")) {
    if (alternative.value("type", "") == "object") return alternative;
  }
  ADD_FAILURE() << "no object in " << schema.dump();
  return schema;
}

TEST(SpecSchema, NamesTheMapTypesWithAndWithoutPrefix) {
  const std::vector<std::string> full = MapTypeNames();
  EXPECT_EQ(Enumeration(Def("map_type").at("anyOf").at(0)), ToNames(full));
  Names bare;
  for (const std::string& name : full) {
    bare.insert(name.substr(std::string_view("BPF_MAP_TYPE_").size()));
  }
  EXPECT_EQ(Enumeration(Def("map_type").at("anyOf").at(1)), bare);
}

TEST(SpecSchema, NamesTheErrnosAndFlags) {
  EXPECT_EQ(Enumeration(Def("errno")), ToNames(ErrnoNames()));
  for (const auto& [def, flags] :
       {std::pair{"map_flags", MapCreateFlags()}, std::pair{"elem_flags", ElemFlags()}}) {
    EXPECT_EQ(Enumeration(Def(def).at("anyOf").at(0)), ToNames(FlagNames(flags)));
    const std::string pattern = Def(def).at("anyOf").at(1).at("pattern");
    for (const std::string& name : FlagNames(flags)) {
      EXPECT_NE(pattern.find(name + "|"), std::string::npos) << name << " in combinations";
    }
  }
}

TEST(SpecSchema, NamesTheOperationsWithTheirFields) {
  Names words;
  for (const StepWord& word : StepWords()) {
    words.insert(word.word);
    const Json& step = Def("step_" + word.word);
    EXPECT_EQ(Properties(step), ToNames(word.fields)) << word.word;
    Names outputs = ToNames(word.outputs);
    const Json& expected = ObjectOf(Def("expected_" + word.operation));
    EXPECT_EQ(Properties(expected), outputs) << word.word;
    outputs.insert("one_of");
    EXPECT_EQ(Properties(ObjectOf(step.at("properties").at("expect"))), outputs) << word.word;
    if (word.buffers.empty()) continue;
    const Json& untouched = expected.at("properties").at("untouched");
    EXPECT_EQ(Enumeration(untouched.at("anyOf").at(0)), ToNames(word.buffers)) << word.word;
  }
  EXPECT_EQ(Properties(Def("step")), words);
}

TEST(SpecSchema, NamesTheFieldsOfAClauseAndOfItsDivergence) {
  EXPECT_EQ(Properties(Def("clause")), ToNames(ClauseWords()));
  const Json& divergence = Def("clause").at("properties").at("divergence");
  EXPECT_EQ(Properties(divergence), ToNames(DivergenceWords()));
}

TEST(SpecSchema, NamesTheAttributesAndTheInfo) {
  EXPECT_EQ(Properties(Def("attributes")), ToNames(MapAttributeWords()));
  Names with_inner = ToNames(MapAttributeWords());
  with_inner.insert("inner");
  EXPECT_EQ(Properties(ObjectOf(Def("map"))), with_inner);
  EXPECT_EQ(Properties(Def("defaults")), with_inner);
  const Json& info = ObjectOf(Def("expected_info")).at("properties").at("info");
  EXPECT_EQ(Properties(info), ToNames(InfoWords()));
}

}  // namespace
}  // namespace mapspec
