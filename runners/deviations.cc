// SPDX-License-Identifier: MIT
#include "runners/deviations.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "oracle/profile.h"
#include "oracle/uapi.h"
#include "runners/glob.h"
#include "specs/field_reader.h"
#include "specs/yaml_tree.h"

namespace mapspec {
namespace {

const std::vector<std::string>& FieldNames() {
  static const std::vector<std::string> names = {"clause",   "backend", "profile",
                                                 "symptoms", "reason",  "link"};
  return names;
}

// Every kind of selector that a run accepts (backends/backend.cc; guests: runners/guest/), hidden
// ones included, as patterns.
const std::vector<std::string>& SelectorPatterns() {
  static const std::vector<std::string> patterns = {
      "userspace", "kernel", "library:*",   "vm",          "vm:*",   "exec:*",
      "qemu:*",    "uml:*",  "faulty-vm:*", "kernel-of:*", "null:*", "in-process-library:*"};
  return patterns;
}

// Adds a problem when a pattern, which stands at `node`, matches none of what is `known`.
bool CheckPattern(const YamlNode& node, std::string_view field, const std::string& pattern,
                  bool (*matches)(std::string_view, std::string_view),
                  const std::vector<std::string>& known, Problems* problems) {
  const bool found = std::any_of(known.begin(), known.end(),
                                 [&](const std::string& name) { return matches(pattern, name); });
  if (found) return true;
  const std::string nearest = Nearest(pattern, known);
  return problems->Add(node.position,
                       fmt::format("no {} matches `{}`; {}", field, pattern,
                                   nearest.empty() ? fmt::format("see mapspec list {}s", field)
                                                   : fmt::format("did you mean `{}`?", nearest)));
}

bool ReadSymptoms(const YamlNode& mapping, const std::vector<std::string>& clauses,
                  std::vector<std::string>* symptoms, Problems* problems) {
  const YamlNode* const list = mapping.Find("symptoms");
  if (list == nullptr) return true;
  if (!list->IsList()) {
    return problems->Add(list->position,
                         "`symptoms` must be a list of clauses, not " + list->Describe());
  }
  for (const YamlNode& item : list->items) {
    if (!item.IsScalar()) {
      return problems->Add(item.position, "a symptom must be a clause, not " + item.Describe());
    }
    if (!CheckPattern(item, "clause", item.text, GlobMatches, clauses, problems)) return false;
    symptoms->push_back(item.text);
  }
  return true;
}

bool ParseEntry(const YamlNode& node, const std::vector<std::string>& clauses, Deviation* deviation,
                Problems* problems) {
  if (!CheckFields(node, "a deviation", FieldNames(), problems)) return false;
  if (!ReadText(node, "clause", &deviation->clause, problems) ||
      !ReadText(node, "backend", &deviation->backend, problems) ||
      !ReadText(node, "profile", &deviation->profile, problems) ||
      !ReadText(node, "reason", &deviation->reason, problems) ||
      !ReadText(node, "link", &deviation->link, problems)) {
    return false;
  }
  if (deviation->clause.empty()) {
    return problems->Add(node.position, "a deviation needs `clause`, a clause id or a pattern");
  }
  if (deviation->reason.empty()) {
    return problems->Add(node.position, "a deviation needs `reason`: why it is accepted");
  }
  std::vector<std::string> profiles;
  for (const Profile& profile : AllProfiles()) profiles.push_back(profile.name);
  const auto check = [&](std::string_view field, const std::string& pattern, auto matches,
                         const std::vector<std::string>& known) {
    const YamlNode* const there = node.Find(field);
    return there == nullptr || CheckPattern(*there, field, pattern, matches, known, problems);
  };
  if (!check("clause", deviation->clause, GlobMatches, clauses) ||
      !check("backend", deviation->backend, GlobsOverlap, SelectorPatterns()) ||
      !check("profile", deviation->profile, GlobMatches, profiles) ||
      !ReadSymptoms(node, clauses, &deviation->symptoms, problems)) {
    return false;
  }
  deviation->place = fmt::format("{}:{}", problems->file(), node.position.line);
  return true;
}

bool AnyMatches(const std::string& pattern, const std::vector<std::string>& violated) {
  return std::any_of(violated.begin(), violated.end(),
                     [&](const std::string& clause) { return GlobMatches(pattern, clause); });
}

bool Explains(const Deviation& deviation, const TestResult& test) {
  if (AnyMatches(deviation.clause, test.violated)) return true;
  return test.property() && std::any_of(deviation.symptoms.begin(), deviation.symptoms.end(),
                                        [&](const std::string& symptom) {
                                          return AnyMatches(symptom, test.violated);
                                        });
}

}  // namespace

bool Deviation::AppliesTo(std::string_view backend_selector, std::string_view profile_name) const {
  return GlobMatches(backend, backend_selector) && GlobMatches(profile, profile_name);
}

bool ParseDeviations(std::string_view file, std::string_view text,
                     const std::vector<std::string>& clauses, std::vector<Deviation>* deviations,
                     std::vector<std::string>* errors) {
  SpecError error;
  const std::optional<YamlNode> root = ParseYaml(file, text, &error);
  if (!root) {
    errors->push_back(error.ToString());
    return false;
  }
  Problems problems{std::string(file)};
  if (root->IsList()) {
    for (const YamlNode& item : root->items) {
      Deviation deviation;
      if (ParseEntry(item, clauses, &deviation, &problems)) deviations->push_back(deviation);
    }
  } else if (!root->IsNull()) {
    problems.Add(
        root->position,
        "expected a list of deviations, each {clause: …, reason: …}, found " + root->Describe());
  }
  for (const SpecError& problem : problems.errors()) errors->push_back(problem.ToString());
  return problems.errors().empty();
}

bool LoadDeviations(const std::string& path, const std::vector<std::string>& clauses,
                    std::vector<Deviation>* deviations, std::vector<std::string>* errors) {
  std::ifstream in(path, std::ios::binary);
  std::string text;
  if (in) text.assign(std::istreambuf_iterator<char>(in), {});
  if (!in || in.bad()) {
    errors->push_back(path + ": cannot be read");
    return false;
  }
  return ParseDeviations(path, text, clauses, deviations, errors);
}

void ApplyDeviations(const std::vector<Deviation>& deviations, std::string_view backend,
                     std::string_view profile, TestResult* test) {
  if (test->status != Status::kFail) return;
  for (const Deviation& deviation : deviations) {
    if (!deviation.AppliesTo(backend, profile) || !Explains(deviation, *test)) continue;
    test->status = Status::kDeviation;
    test->reason = deviation.link.empty()
                       ? deviation.reason
                       : fmt::format("{} ({})", deviation.reason, deviation.link);
    return;
  }
}

bool Vanished(const Deviation& deviation, const BackendResults& results) {
  if (!deviation.AppliesTo(results.backend, results.profile)) return false;
  bool ran = false, happened = false;
  for (const TestResult& test : results.tests) {
    happened |= (test.status == Status::kDeviation || test.status == Status::kFail) &&
                AnyMatches(deviation.clause, test.violated);
    // Only a scenario that came to a verdict shows that the clause was looked at.
    ran |= !test.property() && (test.status == Status::kPass || test.status == Status::kFail) &&
           GlobMatches(deviation.clause, test.clause);
  }
  return ran && !happened;
}

std::vector<std::string> VanishedDeviations(const std::vector<Deviation>& deviations,
                                            const BackendResults& results) {
  std::vector<std::string> messages;
  for (const Deviation& deviation : deviations) {
    if (!Vanished(deviation, results)) continue;
    messages.push_back(
        fmt::format("{}: the deviation from `{}` no longer happens on {} ({}): remove it",
                    deviation.place, deviation.clause, results.backend, results.profile));
  }
  return messages;
}

}  // namespace mapspec
