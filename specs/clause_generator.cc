// SPDX-License-Identifier: MIT
#include "specs/clause_generator.h"

#include <map>
#include <set>

namespace mapspec {
namespace {

constexpr std::string_view kNotice =
    "// SPDX-License-Identifier: MIT\n"
    "// Generated from specs/*.yaml by specs/generate_clauses.cc; changes here are lost.\n";

// A string literal. Octal escapes, unlike hexadecimal ones, end after three digits whatever
// follows.
std::string Literal(std::string_view text) {
  std::string literal = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      literal += '\\';
      literal += c;
    } else if (byte >= 0x20 && byte < 0x7f && c != '?') {
      literal += c;
    } else {
      literal += '\\';
      for (int shift = 6; shift >= 0; shift -= 3) {
        literal += static_cast<char>('0' + ((byte >> shift) & 7));
      }
    }
  }
  return literal + '"';
}

std::vector<const ClauseSpec*> InOrder(const Specs& specs) {
  std::vector<const ClauseSpec*> clauses;
  for (const SpecFile& file : specs.files) {
    for (const ClauseSpec& clause : file.clauses) clauses.push_back(&clause);
  }
  return clauses;
}

std::string_view Enumerator(Level level) {
  return level == Level::kDocumented ? "Level::kDocumented" : "Level::kObserved";
}

std::string_view Enumerator(Path path) {
  switch (path) {
    case Path::kSyscall:
      return "Path::kSyscall";
    case Path::kProgram:
      return "Path::kProgram";
    case Path::kBoth:
      break;
  }
  return "Path::kBoth";
}

}  // namespace

std::string ClausesHeader(const Specs& specs) {
  std::map<std::string, std::string> structs;
  size_t index = 0;
  for (const ClauseSpec* clause : InOrder(specs)) {
    const ClauseConstant constant = ConstantOf(clause->id);
    structs[constant.scope] += "  static constexpr ClauseId " + constant.identifier + "{" +
                               std::to_string(index++) + "};\n";
  }
  std::string header(kNotice);
  header +=
      "#ifndef ORACLE_CLAUSES_GEN_H_\n#define ORACLE_CLAUSES_GEN_H_\n\n"
      "#include \"oracle/clause.h\"\n\nnamespace mapspec::clause {\n\n";
  for (const auto& [scope, constants] : structs) {
    header += "struct " + scope + " {\n" + constants + "};\n\n";
  }
  return header + "}  // namespace mapspec::clause\n\n#endif  // ORACLE_CLAUSES_GEN_H_\n";
}

std::string ClausesTable(const Specs& specs) {
  const std::vector<const ClauseSpec*> clauses = InOrder(specs);
  std::set<std::string> traits;
  std::string rows;
  for (const ClauseSpec* clause : clauses) {
    rows += "    {" + Literal(clause->id) + ", " + std::string(Enumerator(clause->level)) + ", " +
            std::string(Enumerator(clause->path)) + ",\n     " + Literal(clause->claim) +
            ",\n     " + Literal(clause->document) + ", " + Literal(clause->section) + ", " +
            Literal(clause->since) + ", " + Literal(clause->until) + ", " + Literal(clause->trait) +
            "},\n";
    if (!clause->trait.empty()) {
      traits.insert(clause->trait.substr(clause->trait.starts_with('!') ? 1 : 0));
    }
  }
  std::string table(kNotice);
  table +=
      "#include \"oracle/clause.h\"\n\n#include <type_traits>\n\n#include "
      "\"oracle/profile.h\"\n\nnamespace mapspec "
      "{\nnamespace {\n\n";
  for (const std::string& trait : traits) {
    table += "static_assert(std::is_same_v<decltype(Traits::" + trait + "), bool>);\n";
  }
  if (!clauses.empty()) {
    table += "constexpr Clause kClauses[] = {\n" + rows + "};\n";
    table +=
        "static_assert(sizeof(kClauses) / sizeof(kClauses[0]) < "
        "static_cast<uint16_t>(kNoClause));\n";
  }
  table += "\n}  // namespace\n\nstd::span<const Clause> AllClauses() { return ";
  table += clauses.empty() ? "{}" : "kClauses";
  return table + "; }\n\n}  // namespace mapspec\n";
}

std::string EmbeddedSpecs(std::span<const SpecText> texts) {
  std::string source(kNotice);
  source += "#include \"specs/embedded_specs.h\"\n\nnamespace mapspec {\n\n";
  source += "std::vector<SpecText> EmbeddedSpecTexts() {\n  std::vector<SpecText> texts;\n";
  for (const SpecText& text : texts) {
    source += "  texts.push_back({" + Literal(text.name) + ",\n";
    std::string_view rest = text.text;
    if (rest.empty()) source += "      \"\"";
    while (!rest.empty()) {
      const size_t end = rest.find('\n');
      const size_t line = end == std::string_view::npos ? rest.size() : end + 1;
      source += "      " + Literal(rest.substr(0, line));
      rest.remove_prefix(line);
      if (!rest.empty()) source += '\n';
    }
    source += "});\n";
  }
  return source + "  return texts;\n}\n\n}  // namespace mapspec\n";
}

}  // namespace mapspec
