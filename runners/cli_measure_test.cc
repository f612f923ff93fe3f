// SPDX-License-Identifier: MIT
//
// measure: figures of what is no promise.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "runners/cli_harness.h"

namespace mapspec {
namespace {

using Json = nlohmann::json;

TEST(Measure, EvictionOfTheUserspaceLibraryIsNearToExactLru) {
  const Directory directory;
  const CommandResult result = Mapspec({"measure", "eviction", "--cpus", "1", "--max-entries", "64",
                                        "--requests", "4000", "--json", directory / "m.json"});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_NE(result.out.find("LRU_PERCPU_HASH"), std::string::npos) << result.out;
  const Json json = Json::parse(ReadFile(directory / "m.json"), nullptr, false);
  ASSERT_TRUE(json.is_object());
  EXPECT_EQ(json["backend"], "userspace");
  size_t common = 0;
  for (const Json& figures : json["eviction"]) {
    EXPECT_EQ(figures["cpus"], 1);
    EXPECT_GT(figures["victims"], 0);
    if (figures["no_common_lru"] == true) continue;
    ++common;
    EXPECT_EQ(figures["first_eviction"], 1.0) << figures;
    EXPECT_LT(figures["rank_median"], 0.5) << figures;
    EXPECT_NEAR(figures["hits"].get<double>(), figures["lru_hits"].get<double>(), 0.15) << figures;
  }
  EXPECT_GE(common, 2u);
}

TEST(Measure, WhatCannotBeMeasuredIsSaidWithTheReason) {
  const CommandResult nothing = Mapspec({"measure", "eviction", "--backend", "null:einval",
                                         "--max-entries", "4", "--requests", "10"});
  EXPECT_EQ(nothing.status, 3);
  EXPECT_NE(nothing.out.find("not measured: BPF_MAP_CREATE: EINVAL"), std::string::npos)
      << nothing.out;
  // Answers that cannot be true end too.
  EXPECT_NE(Mapspec({"measure", "eviction", "--backend", "null:success"}).status, 1);
  EXPECT_EQ(Mapspec({"measure", "speed"}).status, 2);
  EXPECT_EQ(Mapspec({"measure", "eviction", "--cpus", "4000"}).status, 2);
  EXPECT_EQ(Mapspec({"measure"}).status, 2);
}

}  // namespace
}  // namespace mapspec
