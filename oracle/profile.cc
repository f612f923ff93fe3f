// SPDX-License-Identifier: MIT
#include "oracle/profile.h"

#include <array>
#include <charconv>

namespace mapspec {
namespace {

struct NamedTrait {
  std::string_view name;
  bool Traits::*field;
  std::string_view meaning;
};
#define MAPSPEC_TRAIT_ENTRY(name, value, meaning) {#name, &Traits::name, meaning},
constexpr NamedTrait kTraits[] = {MAPSPEC_TRAITS(MAPSPEC_TRAIT_ENTRY)};
#undef MAPSPEC_TRAIT_ENTRY

constexpr Traits kLinux618{};

constexpr Traits Linux619() {
  Traits traits = kLinux618;
  traits.lookup_flags_first = false;
  return traits;
}

constexpr Traits Linux70() {
  Traits traits = Linux619();
  traits.update_unknown_flags_first = true;
  traits.percpu_cpu_flags = true;
  traits.percpu_padding_kept = false;
  traits.hash_btf_needs_key = false;
  return traits;
}

constexpr Traits Linux71() {
  Traits traits = Linux70();
  traits.xskmap_bare_sockets = false;
  traits.inner_percpu_array_any_size = false;
  return traits;
}

constexpr Traits Linux72() {
  Traits traits = Linux71();
  traits.access_flags_first = false;
  traits.hash_btf_needs_key = true;
  return traits;
}

constexpr Traits Linux73() {
  Traits traits = Linux72();
  traits.queue_overflow_enomem = false;
  return traits;
}

constexpr Traits Linux612() {
  Traits traits = kLinux618;
  return traits;
}

// What came into 6.12 while it was maintained.
constexpr Traits Linux612Mended() {
  Traits traits = Linux612();
  traits.queue_overflow_enomem = false;
  return traits;
}

constexpr Traits Linux61() {
  Traits traits = Linux612();
  traits.lru_scaled_free_lists = false;
  traits.inner_map_lock = false;
  traits.inner_struct_counts = true;
  traits.freeze_again_eperm = false;
  traits.freeze_needs_write = false;
  traits.lock_refused_eopnotsupp = false;
  traits.unprivileged_after_attributes = false;
  traits.freeze_without_capability = false;
  traits.freeze_refuses_lock = false;
  traits.lock_refuses_wronly_prog = false;
  traits.helper_results_64_bit = false;
  traits.spin_lock_absent_einval = false;
  return traits;
}

constexpr Traits Linux510() {
  Traits traits = Linux61();
  traits.inner_struct_counts = false;
  traits.hash_lookup_and_delete = false;
  traits.unprivileged_descriptors = false;
  traits.hash_large_keys = false;
  traits.array_large_values = false;
  traits.queue_overflow_enomem = false;
  traits.no_prealloc_enomem = false;
  traits.for_each_map_elem = false;
  traits.lookup_percpu_helper = false;
  traits.percpu_array_batches = false;
  traits.map_in_map_batches = false;
  return traits;
}

const Profile kProfiles[] = {
    // The documentation describes the newest kernels; traits only steer what is beyond it.
    {"documented", false, kLinux618, ""},
    {"linux-5.10", true, Linux510(), "5.10.262"},
    {"linux-6.1", true, Linux61(), "6.1.192"},
    {"linux-6.12", true, Linux612(), "6.12.116"},
    {"linux-6.12.117", true, Linux612Mended(), "6.12.117, 6.12.118"},
    {"linux-6.18", true, kLinux618, "6.18.15, 6.18.44"},
    {"linux-6.19", true, Linux619(), "6.19.14"},
    {"linux-7.0", true, Linux70(), "7.0.13"},
    {"linux-7.1", true, Linux71(), "7.1.13"},
    {"linux-7.2", true, Linux72(), "7.2.13"},
    {"linux-7.3", true, Linux73(), "7.3.4"},
};

// "6.12.101-foo" → {6, 12, 101}; what does not begin with a version is {}.
using Version = std::array<int, 3>;
Version VersionOf(std::string_view release) {
  Version version{};
  const char* at = release.data();
  const char* const end = at + release.size();
  for (int& part : version) {
    const auto [after, error] = std::from_chars(at, end, part);
    if (error != std::errc{} || after == end || *after != '.') break;
    at = after + 1;
  }
  return version;
}

}  // namespace

bool Profile::InForce(const Clause& clause) const {
  std::string_view trait = clause.trait;
  if (trait.empty()) return true;
  const bool wanted = !trait.starts_with('!');
  if (!wanted) trait.remove_prefix(1);
  const std::optional<bool> value = TraitValue(traits, trait);
  return value.has_value() && *value == wanted;
}

std::span<const Profile> AllProfiles() { return kProfiles; }

const Profile* FindProfile(std::string_view name) {
  for (const Profile& profile : kProfiles) {
    if (profile.name == name) return &profile;
  }
  return nullptr;
}

const Profile& NewestLinuxProfile() { return *FindProfile("linux-6.18"); }

const Profile& ProfileForRelease(std::string_view release) {
  constexpr std::string_view kPrefix = "linux-";
  const auto version = VersionOf(release);
  const Profile* best = &kProfiles[1];
  for (const Profile& profile : std::span(kProfiles).subspan(1)) {
    const Version known = VersionOf(std::string_view(profile.name).substr(kPrefix.size()));
    const bool backports = known[2] != 0;
    const bool same_series = known[0] == version[0] && known[1] == version[1];
    if (known <= version && (same_series || !backports)) best = &profile;
  }
  return *best;
}

std::optional<bool> TraitValue(const Traits& traits, std::string_view name) {
  for (const NamedTrait& trait : kTraits) {
    if (trait.name == name) return traits.*trait.field;
  }
  return std::nullopt;
}

Traits WithTrait(Traits traits, std::string_view name, bool value) {
  for (const NamedTrait& trait : kTraits) {
    if (trait.name == name) traits.*trait.field = value;
  }
  return traits;
}

std::string_view TraitMeaning(std::string_view name) {
  for (const NamedTrait& trait : kTraits) {
    if (trait.name == name) return trait.meaning;
  }
  return "";
}

std::vector<std::string> TraitNames() {
  std::vector<std::string> names;
  for (const NamedTrait& trait : kTraits) names.emplace_back(trait.name);
  return names;
}

}  // namespace mapspec
