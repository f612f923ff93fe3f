// SPDX-License-Identifier: MIT
#include "specs/spec_loader.h"

#include <algorithm>
#include <cctype>
#include <deque>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <system_error>
#include <utility>

#include "specs/clause_parser.h"
#include "specs/field_reader.h"
#include "specs/scenario_parser.h"

namespace mapspec {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

// Reads one file; what concerns several files is checked in Loader.
class FileReader {
 public:
  FileReader(const std::string& name, const LoadOptions& options)
      : options_(options), problems_(name) {
    file_.name = name;
    defaults_.possible_cpus = options.possible_cpus;
  }

  void ReadClauses(const std::string& text) {
    SpecError error;
    root_ = ParseYaml(file_.name, text, &error);
    if (!root_) {
      problems_.Add(error.position, error.message);
      return;
    }
    static const Words kFields = {"map_type", "inherits", "defaults", "clauses", "scenarios"};
    CheckFields(*root_, "a specification", kFields, &problems_);
    if (!root_->IsMapping() || !ReadMapType(*root_)) {
      root_.reset();
      return;
    }
    ParseDefaults(root_->Find("defaults"), file_.map_type, &defaults_, &problems_);
    ForEach(*root_, "clauses", [&](const YamlNode& node) { ReadClause(node); });
    own_clauses_ = file_.clauses.size();
    if (const YamlNode* node = root_->Find("inherits")) {
      if (!node->IsList()) return ReadInherits(*node);
      for (const YamlNode& item : node->items) ReadInherits(item);
    }
  }

  // Takes over the clauses of the files that it inherits from: those that they have written
  // themselves, and that are not in `except`.
  void InheritClauses(const std::deque<FileReader>& readers) {
    for (Inheritance& inherited : inherited_) {
      const auto base = std::find_if(readers.begin(), readers.end(), [&](const FileReader& other) {
        return other.file_.map_type == inherited.from && &other != this;
      });
      if (base == readers.end()) {
        problems_.Add(inherited.position, "`from` needs a map type that has a file of its own");
      } else {
        InheritClauses(*base, &inherited);
      }
    }
  }

  // After the clauses of every file: their paths tell who carries a scenario out.
  void ReadScenarios(const PathOf& path_of) {
    if (!root_) return;
    ForEach(*root_, "scenarios", [&](const YamlNode& node) {
      ParseScenario(node, defaults_, path_of, &file_.scenarios, &problems_);
    });
    for (Scenario& scenario : file_.scenarios) scenario.file = file_.name;
    for (Inheritance& inherited : inherited_) {
      if (inherited.base != nullptr) InheritScenarios(path_of, &inherited);
    }
  }

  const SpecFile& file() const { return file_; }
  SpecFile TakeFile() { return std::move(file_); }
  const std::vector<SpecError>& errors() const { return problems_.errors(); }

 private:
  // An entry of `inherits`.
  struct Inheritance {
    MapType from = MapType::UNSPEC;
    const FileReader* base = nullptr;
    Position position;
    std::map<std::string, bool> except;  // Whether there was something to except.
    std::map<std::string, std::vector<std::string>> ledger;
    std::set<std::string> used_ledger;
    std::map<std::string, std::string> traits;
    std::set<std::string> used_traits;

    bool IsExcepted(const std::string& what) {
      const auto found = except.find(what);
      if (found == except.end()) return false;
      found->second = true;
      return true;
    }
  };

  template <typename Function>
  void ForEach(const YamlNode& root, std::string_view name, Function function) {
    const YamlNode* list = root.Find(name);
    if (list == nullptr || list->IsNull()) return;
    if (!list->IsList()) {
      problems_.Add(list->position,
                    "`" + std::string(name) + "` must be a list, not " + list->Describe());
      return;
    }
    for (const YamlNode& item : list->items) function(item);
  }

  void Unknown(const Inheritance& inherited, std::string_view where, const std::string& what) {
    problems_.Add(inherited.position, "`" + std::string(where) + "` of `inherits` names `" +
                                          what.substr(0, 100) +
                                          "`, which is nothing that would be inherited");
  }

  void InheritClauses(const FileReader& base, Inheritance* inherited) {
    inherited->base = &base;
    for (size_t i = 0; i < base.own_clauses_; ++i) {
      const ClauseSpec& clause = base.file_.clauses[i];
      const std::string rest = clause.id.substr(base.file_.prefix.size() + 1);
      if (inherited->IsExcepted(rest)) continue;
      ClauseSpec taken = clause;
      taken.id = file_.prefix + "." + rest;
      taken.ledger.clear();
      taken.position = inherited->position;
      if (const auto rows = inherited->ledger.find(rest); rows != inherited->ledger.end()) {
        taken.ledger = rows->second;
        inherited->used_ledger.insert(rest);
      }
      if (const auto trait = inherited->traits.find(rest); trait != inherited->traits.end()) {
        taken.trait = trait->second;
        inherited->used_traits.insert(rest);
      }
      file_.clauses.push_back(std::move(taken));
    }
    for (const auto& [rest, rows] : inherited->ledger) {
      if (!inherited->used_ledger.contains(rest)) Unknown(*inherited, "ledger", rest);
    }
    for (const auto& [rest, trait] : inherited->traits) {
      if (!inherited->used_traits.contains(rest)) Unknown(*inherited, "traits", rest);
    }
  }

  // One, or a list: {from: BPF_MAP_TYPE_HASH, except: [create.flags, "update.full/program"],
  //            ledger: {create.zero-sizes: [ROW]}, traits: {a_trait: [lookup.present]}}; names are
  // without the type in front.
  void ReadInherits(const YamlNode& node) {
    static const Words kFields = {"from", "except", "ledger", "traits"};
    if (!CheckFields(node, "inherits", kFields, &problems_)) return;
    Inheritance inherited;
    inherited.position = node.position;
    const YamlNode* from = node.Find("from");
    if (from == nullptr || !file_.map_type) {
      problems_.Add(node.position, from == nullptr ? "`from` of `inherits` is missing"
                                                   : "a GENERIC file inherits nothing");
      return;
    }
    if (!ParseMapTypeNode(*from, &inherited.from, &problems_)) return;
    ForEach(node, "except", [&](const YamlNode& item) { inherited.except[item.text] = false; });
    if (const YamlNode* ledger = node.Find("ledger")) {
      if (!ledger->IsMapping()) {
        problems_.Add(ledger->position, "`ledger` of `inherits` is a mapping of clauses to rows");
        return;
      }
      for (const YamlField& field : ledger->fields) {
        for (const YamlNode& row : field.value.items) {
          inherited.ledger[field.name].push_back(row.text);
        }
      }
    }
    if (const YamlNode* traits = node.Find("traits")) ReadInheritedTraits(*traits, &inherited);
    inherited_.push_back(std::move(inherited));
  }

  // Traits, each with the clauses that it is a condition of for this type.
  void ReadInheritedTraits(const YamlNode& node, Inheritance* inherited) {
    if (!node.IsMapping()) {
      problems_.Add(node.position, "`traits` of `inherits` is a mapping of traits to clauses");
      return;
    }
    for (const YamlField& field : node.fields) {
      const std::string& name = field.name;
      const std::string bare = name.starts_with('!') ? name.substr(1) : name;
      if (!options_.traits.empty() && std::find(options_.traits.begin(), options_.traits.end(),
                                                bare) == options_.traits.end()) {
        problems_.Add(field.value.position, "`" + name + "` is no trait");
        continue;
      }
      for (const YamlNode& clause : field.value.items) inherited->traits[clause.text] = name;
    }
  }

  void InheritScenarios(const PathOf& path_of, Inheritance* inherited) {
    const FileReader& base = *inherited->base;
    ScenarioDefaults defaults = base.defaults_;
    defaults.map.type = *file_.map_type;
    defaults.possible_cpus = options_.possible_cpus;
    defaults.replaced_prefix = base.file_.prefix + ".";
    defaults.prefix = file_.prefix + ".";
    // What is wrong with a scenario is told once more where it is written.
    Problems problems(base.file_.name);
    std::vector<Scenario> taken;
    ForEach(*base.root_, "scenarios", [&](const YamlNode& node) {
      const YamlNode* clause = node.Find("clause");
      const std::string& id = clause != nullptr ? clause->text : file_.prefix;
      if (!id.starts_with(defaults.replaced_prefix)) return;
      const std::string rest = id.substr(defaults.replaced_prefix.size());
      if (inherited->IsExcepted(rest)) return;
      const YamlNode* name = node.Find("name");
      if (name != nullptr && inherited->IsExcepted(rest + "/" + name->text)) return;
      ParseScenario(node, defaults, path_of, &taken, &problems);
    });
    for (const SpecError& error : problems.errors()) {
      problems_.Add(inherited->position, "inherited from " + base.file_.name + ":" +
                                             std::to_string(error.position.line) + ": " +
                                             error.message);
    }
    for (Scenario& scenario : taken) {
      if (inherited->IsExcepted(scenario.id.substr(defaults.prefix.size()))) continue;
      scenario.file = base.file_.name;
      file_.scenarios.push_back(std::move(scenario));
    }
    for (const auto& [what, used] : inherited->except) {
      if (!used) Unknown(*inherited, "except", what);
    }
  }

  bool ReadMapType(const YamlNode& root) {
    const YamlNode* node = root.Find("map_type");
    if (node == nullptr) return problems_.Add({1, 1}, "`map_type` is missing");
    if (node->IsWord("GENERIC")) {
      file_.prefix = "generic";
      return true;
    }
    MapType type;
    if (!ParseMapTypeNode(*node, &type, &problems_)) return false;
    std::string name = MapTypeName(type);
    if (!name.starts_with("BPF_MAP_TYPE_")) {
      return problems_.Add(node->position, "`map_type` needs a named type or GENERIC");
    }
    name.erase(0, std::string_view("BPF_MAP_TYPE_").size());
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    file_.map_type = type;
    file_.prefix = name;
    return true;
  }

  void ReadClause(const YamlNode& node) {
    ClauseSpec clause;
    if (!ParseClause(node, file_.prefix, options_.traits, &clause, &problems_)) return;
    file_.clauses.push_back(std::move(clause));
  }

  const LoadOptions& options_;
  Problems problems_;
  SpecFile file_;
  ScenarioDefaults defaults_;
  std::optional<YamlNode> root_;  // Nothing when it could not be read.
  size_t own_clauses_ = 0;  // Of the file's clauses: those that stand in it, which come first.
  std::vector<Inheritance> inherited_;
};

std::string Place(const std::string& file, Position position) {
  return file + ":" + std::to_string(position.line);
}

// What can be said only when all files are there: unique ids, scenarios' clauses and traits.
void CrossCheck(LoadedSpecs* loaded) {
  std::map<std::string, const ClauseSpec*> clauses;
  std::map<std::string, std::string> clause_places, constants, scenario_places;
  // The variants of a scenario share its place: what is wrong with all is told once.
  std::set<std::string> told;
  for (const SpecFile& file : loaded->specs.files) {
    const auto add = [&](Position position, std::string message) {
      loaded->errors.push_back({file.name, position, std::move(message)});
    };
    for (const ClauseSpec& clause : file.clauses) {
      const std::string place = Place(file.name, clause.position);
      if (!clauses.try_emplace(clause.id, &clause).second) {
        add(clause.position,
            "clause `" + clause.id + "` is already there: " + clause_places[clause.id]);
        continue;
      }
      clause_places[clause.id] = place;
      const ClauseConstant constant = ConstantOf(clause.id);
      const std::string name = "clause::" + constant.scope + "::" + constant.identifier;
      const auto [other, fresh] = constants.try_emplace(name, clause.id);
      if (!fresh) {
        add(clause.position,
            "`" + clause.id + "` and `" + other->second + "` would both be the constant " + name);
      }
    }
  }
  std::vector<std::string> known;
  for (const auto& [id, clause] : clauses) known.push_back(id);
  for (SpecFile& file : loaded->specs.files) {
    const auto add = [&](Position position, std::string message) {
      loaded->errors.push_back({file.name, position, std::move(message)});
    };
    for (Scenario& scenario : file.scenarios) {
      const std::string place = Place(file.name, scenario.position);
      const auto clause = clauses.find(scenario.clause);
      if (clause == clauses.end()) {
        if (!told.insert(place).second) continue;
        std::string nearest = Nearest(scenario.clause.substr(0, 100), known);
        if (!nearest.empty()) nearest = "; did you mean `" + nearest + "`?";
        add(scenario.position,
            "scenario for an unknown clause `" + scenario.clause + "`" + nearest);
      } else {
        scenario.trait = clause->second->trait;
      }
      const auto [other, fresh] = scenario_places.try_emplace(scenario.id, place);
      if (!fresh && told.insert(place).second) {
        add(scenario.position, "scenario `" + scenario.id + "` is already there: " + other->second +
                                   "; scenarios of one clause need a `name` each");
      }
    }
  }
  for (const SpecFile& file : loaded->specs.files) {
    for (const ClauseSpec& clause : file.clauses) {
      if (!clause.divergence || clause.divergence->scenario.empty() ||
          loaded->specs.ScenarioOfDivergence(clause) != nullptr) {
        continue;
      }
      loaded->errors.push_back({file.name, clause.position,
                                "the divergence of `" + clause.id + "` is shown by `" +
                                    clause.divergence->scenario +
                                    "`, but the clause has no scenario of that name"});
    }
  }
}

}  // namespace

LoadedSpecs LoadSpecTexts(std::span<const SpecText> texts, const LoadOptions& options) {
  LoadedSpecs loaded;
  std::deque<FileReader> readers;  // Some point to others.
  std::map<std::string, Path> paths;
  for (const SpecText& text : texts) {
    FileReader& reader = readers.emplace_back(text.name, options);
    reader.ReadClauses(text.text);
  }
  for (FileReader& reader : readers) reader.InheritClauses(readers);
  for (FileReader& reader : readers) {
    for (const ClauseSpec& clause : reader.file().clauses) paths.emplace(clause.id, clause.path);
  }
  for (FileReader& reader : readers) {
    reader.ReadScenarios([&](const std::string& clause) -> std::optional<Path> {
      const auto found = paths.find(clause);
      if (found == paths.end()) return std::nullopt;
      return found->second;
    });
  }
  for (FileReader& reader : readers) {
    loaded.errors.insert(loaded.errors.end(), reader.errors().begin(), reader.errors().end());
    loaded.specs.files.push_back(reader.TakeFile());
  }
  // A file that could not be read whole would make its clauses look missing.
  if (loaded.ok()) CrossCheck(&loaded);
  return loaded;
}

LoadedSpecs LoadSpecPaths(std::span<const std::string> paths, const LoadOptions& options) {
  LoadedSpecs failed;
  std::vector<SpecText> texts;
  const auto read = [&](const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    SpecText text{path, ""};
    // One byte over the limit suffices for ParseYaml to refuse; a device never ends.
    text.text.resize(kMaxYamlBytes + 1);
    in.read(text.text.data(), static_cast<std::streamsize>(text.text.size()));
    text.text.resize(static_cast<size_t>(std::max<std::streamsize>(in.gcount(), 0)));
    if (!in.is_open() || in.bad()) {
      failed.errors.push_back({path, {}, "cannot be read"});
    } else {
      texts.push_back(std::move(text));
    }
  };
  for (const std::string& path : paths) {
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      read(path);
      continue;
    }
    std::vector<std::string> names;
    for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
      if (it->path().extension() == ".yaml") names.push_back(it->path().string());
    }
    if (error) failed.errors.push_back({path, {}, "cannot be listed: " + error.message()});
    if (names.empty()) failed.errors.push_back({path, {}, "holds no *.yaml file"});
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) read(name);
  }
  if (!failed.ok()) return failed;
  return LoadSpecTexts(texts, options);
}

}  // namespace mapspec
