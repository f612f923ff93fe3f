// SPDX-License-Identifier: MIT
#include "oracle/profile.h"

#include <gtest/gtest.h>

namespace mapspec {
namespace {

TEST(Profiles, ARunningKernelGetsTheNewestProfileThatIsNotNewer) {
  EXPECT_EQ(ProfileForRelease("6.18.44-fc-v595").name, "linux-6.18");
  EXPECT_EQ(ProfileForRelease("6.1.0-28-cloud-amd64").name, "linux-6.1");
  EXPECT_EQ(ProfileForRelease("6.10.3").name, "linux-6.1");
  EXPECT_EQ(ProfileForRelease("6.12.101+deb13").name, "linux-6.12");
  EXPECT_EQ(ProfileForRelease("6.12.118+deb13-cloud-amd64").name, "linux-6.12.117");
  EXPECT_EQ(ProfileForRelease("6.13.1").name, "linux-6.12");
  EXPECT_EQ(ProfileForRelease("6.19.14+deb13-cloud-amd64").name, "linux-6.19");
  EXPECT_EQ(ProfileForRelease("7.0.13+deb13-cloud-amd64").name, "linux-7.0");
  EXPECT_EQ(ProfileForRelease("7.1.13+deb13-cloud-amd64").name, "linux-7.1");
  EXPECT_EQ(ProfileForRelease("7.2.13").name, "linux-7.2");
  EXPECT_EQ(ProfileForRelease("99.0").name, AllProfiles().back().name);
}

TEST(Profiles, OldAndUnreadableReleasesGetTheOldest) {
  EXPECT_EQ(ProfileForRelease("4.19.0").name, "linux-5.10");
  EXPECT_EQ(ProfileForRelease("").name, "linux-5.10");
  EXPECT_EQ(ProfileForRelease("next").name, "linux-5.10");
}

TEST(Profiles, TraitsCanBeAskedForByName) {
  EXPECT_EQ(TraitValue(FindProfile("linux-5.10")->traits, "hash_lookup_and_delete"), false);
  EXPECT_EQ(TraitValue(FindProfile("linux-6.18")->traits, "hash_lookup_and_delete"), true);
  EXPECT_EQ(TraitValue(NewestLinuxProfile().traits, "no_such_trait"), std::nullopt);
  EXPECT_EQ(FindProfile("linux-1.0"), nullptr);
}

TEST(Profiles, OneTraitCanBeSetByName) {
  const Traits traits = NewestLinuxProfile().traits;
  for (const std::string& name : TraitNames()) {
    const bool value = *TraitValue(traits, name);
    const Traits changed = WithTrait(traits, name, !value);
    EXPECT_EQ(TraitValue(changed, name), !value) << name;
    EXPECT_EQ(WithTrait(changed, name, value), traits) << name;
  }
  EXPECT_EQ(WithTrait(traits, "no_such_trait", true), traits);
}

TEST(Profiles, EveryTraitIsToldAndDividesTheVersions) {
  for (const std::string& name : TraitNames()) {
    EXPECT_NE(TraitMeaning(name), "") << name;
    bool seen[2] = {false, false};
    for (const Profile& profile : AllProfiles()) seen[*TraitValue(profile.traits, name)] = true;
    EXPECT_TRUE(seen[0] && seen[1]) << name << " is the same everywhere";
  }
  EXPECT_EQ(TraitMeaning("no_such_trait"), "");
}

TEST(Profiles, EveryTraitIsShownByAClause) {
  for (const std::string& name : TraitNames()) {
    bool shown = false;
    for (const Clause& clause : AllClauses()) {
      shown |= clause.trait == name || clause.trait == "!" + name;
    }
    EXPECT_TRUE(shown) << name;
  }
}

TEST(Profiles, EveryKernelVersionNamesKernelsThatRanUnderIt) {
  for (const Profile& profile : AllProfiles()) {
    EXPECT_EQ(profile.kernels.empty(), !profile.observed) << profile.name;
    std::string_view rest = profile.kernels;
    while (!rest.empty()) {
      const size_t comma = rest.find(", ");
      EXPECT_EQ(ProfileForRelease(rest.substr(0, comma)).name, profile.name) << rest;
      rest = comma == std::string_view::npos ? "" : rest.substr(comma + 2);
    }
  }
}

TEST(Profiles, AHashNeedsABtfKeyTypeButFor70And71) {
  for (const Profile& profile : AllProfiles()) {
    const bool without = profile.name == "linux-7.0" || profile.name == "linux-7.1";
    EXPECT_EQ(profile.traits.hash_btf_needs_key, !without) << profile.name;
  }
}

TEST(Profiles, DocumentedEnforcesOnlyDocumentedClauses) {
  const Profile& documented = *FindProfile("documented");
  const Profile& linux = NewestLinuxProfile();
  for (size_t i = 0; i < AllClauses().size(); ++i) {
    const ClauseId id{static_cast<uint16_t>(i)};
    EXPECT_TRUE(linux.Enforces(id));
    EXPECT_EQ(documented.Enforces(id), GetClause(id).level == Level::kDocumented);
  }
}

TEST(Profiles, EveryClauseNamesATraitThatExists) {
  for (const Clause& clause : AllClauses()) {
    std::string_view trait = clause.trait;
    if (trait.starts_with('!')) trait.remove_prefix(1);
    EXPECT_TRUE(trait.empty() || TraitValue(Traits{}, trait).has_value()) << clause.id;
  }
}

}  // namespace
}  // namespace mapspec
