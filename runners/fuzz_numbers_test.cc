// SPDX-License-Identifier: MIT
#include "runners/fuzz_numbers.h"

#include <gtest/gtest.h>

namespace mapspec {
namespace {

using std::chrono::milliseconds;

TEST(FuzzNumbers, CountsAreReadGenerously) {
  EXPECT_EQ(ParseCount("5000"), 5000u);
  EXPECT_EQ(ParseCount("1e6"), 1'000'000u);
  EXPECT_EQ(ParseCount("10M"), 10'000'000u);
  EXPECT_EQ(ParseCount("2.5k"), 2'500u);
  EXPECT_EQ(ParseCount("1_000_000"), 1'000'000u);
  EXPECT_EQ(ParseCount("3 million"), 3'000'000u);
  EXPECT_EQ(ParseCount("1G"), 1'000'000'000u);
}

TEST(FuzzNumbers, WhatIsNoCountIsNotRead) {
  for (const char* text :
       {"", "many", "-1", "0", "0.5", "1.5", "10Q", "1e30", "nan", "inf", "10M5", "0x10", "M"}) {
    EXPECT_EQ(ParseCount(text), std::nullopt) << text;
  }
}

TEST(FuzzNumbers, DurationsAreReadGenerously) {
  EXPECT_EQ(ParseDuration("60"), milliseconds(60'000));
  EXPECT_EQ(ParseDuration("60s"), milliseconds(60'000));
  EXPECT_EQ(ParseDuration("5m"), milliseconds(300'000));
  EXPECT_EQ(ParseDuration("5 min"), milliseconds(300'000));
  EXPECT_EQ(ParseDuration("1h"), milliseconds(3'600'000));
  EXPECT_EQ(ParseDuration("1h30m"), milliseconds(5'400'000));
  EXPECT_EQ(ParseDuration("250ms"), milliseconds(250));
  EXPECT_EQ(ParseDuration("1.5s"), milliseconds(1'500));
}

TEST(FuzzNumbers, WhatIsNoDurationIsNotRead) {
  for (const char* text : {"", "soon", "-5s", "0", "0s", "5x", "s", "1e9d", "5m-", "nan"}) {
    EXPECT_EQ(ParseDuration(text), std::nullopt) << text;
  }
}

TEST(FuzzNumbers, AreWrittenForPeople) {
  EXPECT_EQ(CountText(980), "980");
  EXPECT_EQ(CountText(45'000), "45k");
  EXPECT_EQ(CountText(1'250'000), "1.2M");
  EXPECT_EQ(DurationText(4.24), "4.2 s");
  EXPECT_EQ(DurationText(125), "2m 05s");
  EXPECT_EQ(DurationText(3723), "1h 02m 03s");
}

}  // namespace
}  // namespace mapspec
