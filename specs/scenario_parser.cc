// SPDX-License-Identifier: MIT
#include "specs/scenario_parser.h"

#include <algorithm>
#include <utility>

#include "specs/step_parser.h"
#include "specs/step_words.h"

namespace mapspec {
namespace {

std::string ShortTypeName(MapType type) {
  std::string name = MapTypeName(type);
  constexpr std::string_view kPrefix = "BPF_MAP_TYPE_";
  if (name.starts_with(kPrefix)) name.erase(0, kPrefix.size());
  return name;
}

bool CheckName(const YamlNode& node, const std::string& name, Problems* problems) {
  const bool letters =
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
  if (letters && !name.empty() && name.size() <= 80) return true;
  return problems->Add(node.Find("name")->position,
                       "a scenario's `name` is made of [a-z0-9-], at most 80 of them, not " +
                           node.Find("name")->Describe());
}

// Who carries the scenario out: `via`, else what the path of its clause asks for.
bool ReadPaths(const YamlNode& node, const std::optional<Path>& of_clause, std::vector<Path>* out,
               Problems* problems) {
  const YamlNode* via = node.Find("via");
  if (via == nullptr) {
    if (of_clause != Path::kProgram) out->push_back(Path::kSyscall);
    if (of_clause == Path::kProgram || of_clause == Path::kBoth) out->push_back(Path::kProgram);
    return true;
  }
  const std::vector<YamlNode> words = via->IsList() ? via->items : std::vector<YamlNode>{*via};
  bool syscall = false, program = false;
  for (const YamlNode& word : words) {
    bool& said = word.IsWord("program") ? program : syscall;
    if ((!word.IsWord("program") && !word.IsWord("syscall")) || said) {
      return problems->Add(word.position, "`via` is syscall, program or [syscall, program], not " +
                                              word.Describe() + (said ? " twice" : ""));
    }
    said = true;
  }
  if (!syscall && !program) return problems->Add(via->position, "`via` is an empty list");
  if (syscall) out->push_back(Path::kSyscall);
  if (program) out->push_back(Path::kProgram);
  return true;
}

// The steps, for one type of map.
bool ParseSteps(const YamlNode& node, const ScenarioDefaults& defaults, Scenario* scenario,
                Problems* problems) {
  StepParser parser(defaults, scenario->via, problems);
  if (const YamlNode* map = node.Find("map")) {
    Step create;
    if (defaults.inner) {
      if (!parser.ParseTemplate(*map, &create)) return false;
      scenario->steps.push_back(std::move(create));
      create = Step();
    }
    if (!parser.ParseMap(map, map->position, &create)) return false;
    scenario->steps.push_back(std::move(create));
  }
  const YamlNode* steps = node.Find("steps");
  if (steps == nullptr || !steps->IsList() || steps->items.empty()) {
    return problems->Add(steps == nullptr ? node.position : steps->position,
                         "a scenario needs `steps`, a list of at least one operation");
  }
  bool good = true;
  for (const YamlNode& item : steps->items) {
    Step step;
    if (parser.ParseStep(item, &step)) {
      scenario->steps.push_back(std::move(step));
    } else {
      good = false;
    }
  }
  return good;
}

// The scenario, once for each path. A problem on one path is not told again on the other.
bool ParseVariants(const YamlNode& node, const ScenarioDefaults& defaults,
                   const std::vector<Path>& paths, const Scenario& scenario,
                   std::vector<Scenario>* out, Problems* problems) {
  for (const Path path : paths) {
    Scenario variant = scenario;
    variant.via = path;
    if (path == Path::kProgram) variant.id += "[program]";
    if (!ParseSteps(node, defaults, &variant, problems)) return false;
    if (path == Path::kProgram && !HasProgramStep(variant)) {
      // Without a word of its own, a scenario in which there is nothing for a program to do is one
      // of system calls.
      if (paths.size() == 2 && node.Find("via") == nullptr) continue;
      return problems->Add(scenario.position, "no step of this scenario is made by a program");
    }
    out->push_back(std::move(variant));
  }
  return true;
}

}  // namespace

bool ParseDefaults(const YamlNode* node, std::optional<MapType> map_type, ScenarioDefaults* out,
                   Problems* problems) {
  if (map_type) {
    out->map.type = *map_type;
    out->has_type = true;
  }
  if (node == nullptr || node->IsNull()) return true;
  std::vector<std::string> known(MapAttributeWords().begin(), MapAttributeWords().end());
  known.push_back("inner");
  if (!CheckFields(*node, "defaults", known, problems)) return false;
  if (!ParseAttributes(*node, &out->map, problems)) return false;
  if (const YamlNode* inner = node->Find("inner")) {
    out->inner.emplace();
    out->inner->result = Handle{kTemplateSlot};
    if (!CheckFields(*inner, "inner", MapAttributeWords(), problems) ||
        !ParseAttributes(*inner, &*out->inner, problems)) {
      return false;
    }
  }
  out->has_type = out->has_type || node->Find("type") != nullptr;
  return true;
}

bool ParseScenario(const YamlNode& node, const ScenarioDefaults& defaults, const PathOf& path_of,
                   std::vector<Scenario>* out, Problems* problems) {
  static const std::vector<std::string> kFields = {"clause", "name", "via", "map", "steps"};
  if (!CheckFields(node, "a scenario", kFields, problems)) return false;
  if (node.Find("clause") == nullptr) return problems->Add(node.position, "`clause` is missing");
  Scenario scenario;
  std::string name;
  if (!ReadText(node, "clause", &scenario.clause, problems) ||
      !ReadText(node, "name", &name, problems)) {
    return false;
  }
  if (node.Find("name") != nullptr && !CheckName(node, name, problems)) return false;
  if (!defaults.replaced_prefix.empty() && scenario.clause.starts_with(defaults.replaced_prefix)) {
    scenario.clause.replace(0, defaults.replaced_prefix.size(), defaults.prefix);
  }
  scenario.id = name.empty() ? scenario.clause : scenario.clause + "/" + name;
  scenario.position = node.Find("clause")->position;
  std::vector<Path> paths;
  if (!ReadPaths(node, path_of(scenario.clause), &paths, problems)) return false;

  const YamlNode* map = node.Find("map");
  const YamlNode* type = map != nullptr && map->IsMapping() ? map->Find("type") : nullptr;
  if (type == nullptr || !type->IsList()) {
    MapType only = defaults.map.type;
    if (type != nullptr && !ParseMapTypeNode(*type, &only, problems)) return false;
    if (type != nullptr || defaults.has_type) scenario.map_type = only;
    return ParseVariants(node, defaults, paths, scenario, out, problems);
  }
  if (type->items.empty()) return problems->Add(type->position, "an empty list of map types");
  // One scenario for each type; what the list stands for is put in its place.
  YamlNode expanded = node;
  const auto field = [](YamlNode& mapping, std::string_view wanted) -> YamlNode& {
    return std::find_if(mapping.fields.begin(), mapping.fields.end(),
                        [&](const YamlField& each) { return each.name == wanted; })
        ->value;
  };
  if (type->items.size() > kMaxMapType + 1) {
    return problems->Add(type->position, "more map types than there are");
  }
  for (const YamlNode& item : type->items) {
    ScenarioDefaults one = defaults;
    if (!ParseMapTypeNode(item, &one.map.type, problems)) return false;
    one.has_type = true;
    field(field(expanded, "map"), "type") = item;
    Scenario copy = scenario;
    copy.id += "[" + ShortTypeName(one.map.type) + "]";
    copy.map_type = one.map.type;
    if (!ParseVariants(expanded, one, paths, copy, out, problems)) return false;
  }
  return true;
}

}  // namespace mapspec
