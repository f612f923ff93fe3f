// SPDX-License-Identifier: MIT
#include "runners/backport.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "oracle/checker.h"

namespace mapspec {
namespace {

bool Keeps(const Trace& trace, size_t index, const Profile& profile) {
  Checker checker(profile, trace.environment);
  const size_t count = std::min(trace.operations.size(), trace.outcomes.size());
  for (size_t i = 0; i < count; ++i) {
    const Judgement::Kind kind = checker.Step(trace.operations[i], trace.outcomes[i]).kind;
    if (kind == Judgement::Kind::kViolation) return false;
    if (i == index && kind != Judgement::Kind::kConforms) return false;
  }
  return index < count;
}

struct OtherVersion {
  const Profile* profile;
  bool newer;
};

// Newer versions, the nearest first, then older ones.
std::vector<OtherVersion> OtherVersions(const Profile& judged_by) {
  std::vector<OtherVersion> newer, older;
  bool passed = false;
  for (const Profile& profile : AllProfiles()) {
    if (profile.name == judged_by.name) {
      passed = true;
    } else if (profile.observed) {
      (passed ? newer : older).push_back({&profile, passed});
    }
  }
  newer.insert(newer.end(), older.rbegin(), older.rend());
  return newer;
}

// The one trait that, by itself, turns `from` into something that keeps its promises, as it is in
// `to`: "name", or "!name" where the trait is absent there. "" where there are several or none.
std::string DecidingTrait(const Profile& from, const Profile& to,
                          const std::function<bool(const Profile&)>& keeps) {
  std::string deciding;
  for (const std::string& name : TraitNames()) {
    const bool value = TraitValue(to.traits, name).value_or(false);
    Profile changed = from;
    changed.traits = WithTrait(from.traits, name, value);
    if (changed.traits == from.traits || !keeps(changed)) continue;
    if (!deciding.empty()) return "";
    deciding = (value ? "" : "!") + name;
  }
  return deciding;
}

}  // namespace

std::string BackportNote(const Trace& trace, size_t index, const Profile& judged_by,
                         const std::function<bool(const Profile&)>& also) {
  const std::string& release = trace.environment.kernel_release;
  if (release.empty() || !judged_by.observed) return "";
  const auto keeps = [&](const Profile& profile) {
    return Keeps(trace, index, profile) && (!also || also(profile));
  };
  const Profile& by_release = ProfileForRelease(release);
  std::vector<OtherVersion> others = OtherVersions(judged_by);
  // Held to another version than its own: that is the first explanation.
  std::stable_partition(others.begin(), others.end(),
                        [&](const OtherVersion& other) { return other.profile == &by_release; });
  const auto found = std::find_if(others.begin(), others.end(),
                                  [&](const OtherVersion& other) { return keeps(*other.profile); });
  if (found == others.end()) return "";
  const Profile& like = *found->profile;
  std::string note = fmt::format("conforms to {}", like.name);
  if (like.name == by_release.name) {
    note += fmt::format(", as its release, {}, says", release);
  } else if (judged_by.name == by_release.name) {
    note += fmt::format(": the release, {}, says {}; perhaps {}", release, judged_by.name,
                        found->newer ? "backported" : "taken back");
  }
  const std::string trait = DecidingTrait(judged_by, like, keeps);
  if (!trait.empty()) note += fmt::format(" (trait {})", trait);
  return note;
}

}  // namespace mapspec
