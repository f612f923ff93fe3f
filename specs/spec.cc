// SPDX-License-Identifier: MIT
#include "specs/spec.h"

#include <algorithm>
#include <iterator>

namespace mapspec {
namespace {

// Words of C++20 that cannot be identifiers and consist of [a-z0-9_], sorted.
constexpr std::string_view kKeywords[] = {
    "alignas",       "alignof",     "and",
    "and_eq",        "asm",         "auto",
    "bitand",        "bitor",       "bool",
    "break",         "case",        "catch",
    "char",          "char16_t",    "char32_t",
    "char8_t",       "class",       "co_await",
    "co_return",     "co_yield",    "compl",
    "concept",       "const",       "const_cast",
    "consteval",     "constexpr",   "constinit",
    "continue",      "decltype",    "default",
    "delete",        "do",          "double",
    "dynamic_cast",  "else",        "enum",
    "explicit",      "export",      "extern",
    "false",         "float",       "for",
    "friend",        "goto",        "if",
    "inline",        "int",         "long",
    "mutable",       "namespace",   "new",
    "noexcept",      "not",         "not_eq",
    "nullptr",       "operator",    "or",
    "or_eq",         "private",     "protected",
    "public",        "register",    "reinterpret_cast",
    "requires",      "return",      "short",
    "signed",        "sizeof",      "static",
    "static_assert", "static_cast", "struct",
    "switch",        "template",    "this",
    "thread_local",  "throw",       "true",
    "try",           "typedef",     "typeid",
    "typename",      "union",       "unsigned",
    "using",         "virtual",     "void",
    "volatile",      "wchar_t",     "while",
    "xor",           "xor_eq",
};

std::string WhyNotIdentifier(std::string_view word) {
  const std::string shown = "`" + std::string(word) + "`";
  if (word.empty()) return "the id has nothing after its first component";
  if (word[0] < 'a' || word[0] > 'z') return shown + " does not begin with a letter";
  if (word.find("__") != std::string_view::npos) {
    return shown + " has two underscores in a row, which C++ reserves";
  }
  if (std::binary_search(std::begin(kKeywords), std::end(kKeywords), word)) {
    return shown + " is a keyword of C++";
  }
  return "";
}

}  // namespace

const ClauseSpec* Specs::FindClauseSpec(std::string_view id) const {
  for (const SpecFile& file : files) {
    for (const ClauseSpec& clause : file.clauses) {
      if (clause.id == id) return &clause;
    }
  }
  return nullptr;
}

std::vector<const Scenario*> Specs::AllScenarios() const {
  std::vector<const Scenario*> all;
  for (const SpecFile& file : files) {
    for (const Scenario& scenario : file.scenarios) all.push_back(&scenario);
  }
  return all;
}

const Scenario* Specs::ScenarioOfDivergence(const ClauseSpec& clause) const {
  if (!clause.divergence || !clause.divergence->shown_by.empty()) return nullptr;
  const std::string& name = clause.divergence->scenario;
  const std::string id = clause.id + "/" + name;
  for (const SpecFile& file : files) {
    for (const Scenario& scenario : file.scenarios) {
      if (scenario.clause != clause.id) continue;
      // A variant's id goes on with the type or the path in brackets.
      if (name.empty() || scenario.id == id || scenario.id.starts_with(id + "[")) return &scenario;
    }
  }
  return nullptr;
}

ClauseConstant ConstantOf(std::string_view id) {
  const size_t dot = id.find('.');
  ClauseConstant constant{std::string(id.substr(0, dot)), ""};
  if (dot != std::string_view::npos) constant.identifier = std::string(id.substr(dot + 1));
  std::replace_if(
      constant.identifier.begin(), constant.identifier.end(),
      [](char c) { return c == '.' || c == '-'; }, '_');
  return constant;
}

std::string WhyNotConstant(const ClauseConstant& constant) {
  if (std::string why = WhyNotIdentifier(constant.scope); !why.empty()) return why;
  if (constant.identifier == constant.scope) {
    return "`" + constant.identifier + "` is also the name of the struct it would be in";
  }
  return WhyNotIdentifier(constant.identifier);
}

}  // namespace mapspec
