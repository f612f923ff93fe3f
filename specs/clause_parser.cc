// SPDX-License-Identifier: MIT
#include "specs/clause_parser.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace mapspec {
namespace {

using Words = std::vector<std::string>;

constexpr std::string_view kIdLetters = "abcdefghijklmnopqrstuvwxyz0123456789_.-";

bool IsRelease(std::string_view text) {
  const size_t dot = text.find('.');
  const auto digits = [](std::string_view part) {
    return !part.empty() && part.size() <= 3 &&
           part.find_first_not_of("0123456789") == std::string_view::npos;
  };
  return dot != std::string_view::npos && digits(text.substr(0, dot)) &&
         digits(text.substr(dot + 1));
}

class ClauseReader {
 public:
  ClauseReader(std::string_view prefix, std::span<const std::string> traits, Problems* problems)
      : prefix_(prefix), traits_(traits), problems_(*problems) {}

  bool Read(const YamlNode& node, ClauseSpec* clause) {
    static const Words kRequired = {"id", "level", "claim", "source", "path"};
    static const Words kLevels = {"documented", "observed"};
    static const Words kPaths = {"syscall", "program", "both"};
    const bool known = CheckFields(node, "a clause", ClauseWords(), &problems_);
    if (!node.IsMapping() || !Required(node, "a clause", kRequired) || !known) return false;
    size_t level = 0;
    size_t path = 0;
    Citation source;
    const bool good = ReadText(node, "id", &clause->id, &problems_) && CheckId(*node.Find("id")) &&
                      ReadWord(node, "level", kLevels, &level, &problems_) &&
                      ReadProse(node, "claim", &clause->claim) &&
                      ReadCitation(*node.Find("source"), "a source", &source) &&
                      ReadRelease(node, "since", &clause->since) &&
                      ReadRelease(node, "until", &clause->until) &&
                      ReadWord(node, "path", kPaths, &path, &problems_) &&
                      ReadTrait(node, clause) && ReadAlso(node, clause) && ReadLedger(node, clause);
    if (!good) return false;
    clause->document = std::move(source.document);
    clause->section = std::move(source.section);
    clause->level = level == 0 ? Level::kDocumented : Level::kObserved;
    clause->path = path == 0 ? Path::kSyscall : path == 1 ? Path::kProgram : Path::kBoth;
    clause->position = node.Find("id")->position;
    return ReadDivergence(node, clause);
  }

 private:
  bool Required(const YamlNode& node, std::string_view what, const Words& names) {
    for (const std::string& name : names) {
      if (node.Find(name) == nullptr) {
        return problems_.Add(node.position,
                             "`" + name + "` of " + std::string(what) + " is missing");
      }
    }
    return true;
  }

  bool CheckId(const YamlNode& node) {
    const std::string& id = node.text;
    const size_t bad = id.find_first_not_of(kIdLetters);
    if (bad != std::string::npos) {
      return problems_.Add(
          {node.position.line, node.position.column + bad},
          "`" + id.substr(bad, 1) + "` in a clause id; ids are made of [a-z0-9_.-]");
    }
    if (id.size() > 100)
      return problems_.Add(node.position, "a clause id of more than 100 letters");
    const auto dots = std::count(id.begin(), id.end(), '.');
    if (dots < 2 || id.find("..") != std::string::npos || id.ends_with('.')) {
      return problems_.Add(node.position,
                           "`" + id + "` is no clause id; ids are TYPE.OPERATION.WHAT");
    }
    if (!id.starts_with(std::string(prefix_) + ".")) {
      return problems_.Add(node.position, "`" + id + "` must begin with `" + std::string(prefix_) +
                                              ".`, the map type of this file");
    }
    if (const std::string why = WhyNotConstant(ConstantOf(id)); !why.empty()) {
      return problems_.Add(node.position, "`" + id + "` cannot become a C++ constant: " + why);
    }
    return true;
  }

  // Text that may not be empty, without the newline that a block of YAML ends with.
  bool ReadProse(const YamlNode& node, std::string_view name, std::string* out) {
    if (!ReadText(node, name, out, &problems_)) return false;
    while (!out->empty() && out->back() == '\n') out->pop_back();
    if (!out->empty()) return true;
    return problems_.Add(node.Find(name)->position, "`" + std::string(name) + "` is empty");
  }

  bool ReadCitation(const YamlNode& node, std::string_view what, Citation* out) {
    static const Words kFields = {"document", "section"};
    if (!CheckFields(node, what, kFields, &problems_)) return false;
    return Required(node, what, {"document"}) &&
           ReadText(node, "document", &out->document, &problems_) &&
           ReadText(node, "section", &out->section, &problems_);
  }

  bool ReadAlso(const YamlNode& node, ClauseSpec* clause) {
    const YamlNode* also = node.Find("also");
    if (also == nullptr) return true;
    if (!also->IsList()) {
      return problems_.Add(also->position,
                           "`also` must be a list of {document: …, section: …}, "
                           "not " +
                               also->Describe());
    }
    for (const YamlNode& item : also->items) {
      if (!ReadCitation(item, "an entry of `also`", &clause->also.emplace_back())) return false;
    }
    return true;
  }

  bool ReadDivergence(const YamlNode& node, ClauseSpec* clause) {
    const YamlNode* field = node.Find("divergence");
    if (field == nullptr) return true;
    if (!CheckFields(*field, "a divergence", DivergenceWords(), &problems_) ||
        !Required(*field, "a divergence", {"says", "kernels"})) {
      return false;
    }
    const bool placed = field->Find("document") != nullptr;
    if (!placed && field->Find("section") != nullptr) {
      return problems_.Add(field->position, "`section` of a divergence without its `document`");
    }
    if (!placed && clause->level == Level::kObserved) {
      return problems_.Add(field->position,
                           "`document` of a divergence is missing: the source of an observed "
                           "clause is not what kernels disagree with");
    }
    if (field->Find("scenario") != nullptr && field->Find("shown_by") != nullptr) {
      return problems_.Add(field->position,
                           "`scenario` and `shown_by` of a divergence exclude each other");
    }
    Divergence divergence;
    divergence.where = {clause->document, clause->section};
    if (placed) divergence.where = {};
    const bool good = ReadProse(*field, "says", &divergence.says) &&
                      ReadText(*field, "document", &divergence.where.document, &problems_) &&
                      ReadText(*field, "section", &divergence.where.section, &problems_) &&
                      ReadProse(*field, "kernels", &divergence.kernels) &&
                      ReadText(*field, "scenario", &divergence.scenario, &problems_) &&
                      ReadText(*field, "shown_by", &divergence.shown_by, &problems_);
    if (good) clause->divergence = std::move(divergence);
    return good;
  }

  bool ReadRelease(const YamlNode& node, std::string_view name, std::string* out) {
    if (!ReadText(node, name, out, &problems_)) return false;
    const YamlNode* release = node.Find(name);
    if (release == nullptr) return true;
    // Without quotes, 5.10 is the number 5.1 to most readers of YAML.
    if (release->quoted && IsRelease(*out)) return true;
    return problems_.Add(release->position,
                         "`" + std::string(name) +
                             "` must be a release in quotes, such as \"5.10\", not " +
                             release->Describe());
  }

  bool ReadTrait(const YamlNode& node, ClauseSpec* clause) {
    if (!ReadText(node, "trait", &clause->trait, &problems_)) return false;
    const YamlNode* trait = node.Find("trait");
    if (trait == nullptr || traits_.empty()) return true;
    std::string name = clause->trait;
    if (name.starts_with('!')) name.erase(0, 1);
    if (std::find(traits_.begin(), traits_.end(), name) != traits_.end()) return true;
    return problems_.Add(trait->position, "unknown trait `" + name + "`" + Suggest(name, traits_));
  }

  bool ReadLedger(const YamlNode& node, ClauseSpec* clause) {
    const YamlNode* ledger = node.Find("ledger");
    if (ledger == nullptr || ledger->IsNull()) return true;
    if (!ledger->IsList()) {
      return problems_.Add(ledger->position,
                           "`ledger` must be a list of row names, not " + ledger->Describe());
    }
    for (const YamlNode& row : ledger->items) {
      if (!row.IsScalar()) {
        return problems_.Add(row.position,
                             "a row of `ledger` must be a name, not " + row.Describe());
      }
      clause->ledger.push_back(row.text);
    }
    return true;
  }

  const std::string_view prefix_;
  const std::span<const std::string> traits_;
  Problems& problems_;
};

}  // namespace

bool ParseClause(const YamlNode& node, std::string_view prefix, std::span<const std::string> traits,
                 ClauseSpec* out, Problems* problems) {
  return ClauseReader(prefix, traits, problems).Read(node, out);
}

const std::vector<std::string>& ClauseWords() {
  static const Words words = {"id",   "level", "claim", "source",     "since", "until",
                              "path", "trait", "also",  "divergence", "ledger"};
  return words;
}

const std::vector<std::string>& DivergenceWords() {
  static const Words words = {"says", "document", "section", "kernels", "scenario", "shown_by"};
  return words;
}

}  // namespace mapspec
