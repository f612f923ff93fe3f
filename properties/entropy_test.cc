// SPDX-License-Identifier: MIT
#include "properties/entropy.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace mapspec {
namespace {

TEST(SeededEntropy, EqualSeedsGiveEqualSequences) {
  SeededEntropy a(7), b(7), c(8);
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const uint64_t bits = a.Bits();
    EXPECT_EQ(bits, b.Bits());
    differs |= bits != c.Bits();
  }
  EXPECT_TRUE(differs);
}

TEST(SeededEntropy, BelowStaysBelowAndReachesEveryNumber) {
  SeededEntropy entropy(1);
  std::array<int, 7> seen{};
  for (int i = 0; i < 7000; ++i) {
    const uint64_t number = entropy.Below(7);
    ASSERT_LT(number, 7u);
    ++seen[number];
  }
  for (const int count : seen) EXPECT_GT(count, 800);
}

TEST(ByteEntropy, AnEndedInputGivesZerosAndSaysSo) {
  const std::array<uint8_t, 2> bytes = {5, 6};
  ByteEntropy entropy(bytes);
  EXPECT_FALSE(entropy.exhausted());
  EXPECT_EQ(entropy.Below(256), 5u);
  EXPECT_EQ(entropy.Bits(), 6u);
  EXPECT_TRUE(entropy.exhausted());
  EXPECT_EQ(entropy.Bits(), 0u);
  EXPECT_EQ(entropy.Below(1000), 0u);
  EXPECT_FALSE(entropy.OneIn(2));
}

TEST(ByteEntropy, ADecisionTakesAsManyBytesAsItsBoundNeeds) {
  const std::vector<uint8_t> bytes = {1, 2, 3, 4, 5, 6};
  ByteEntropy entropy(bytes);
  EXPECT_EQ(entropy.Below(256), 1u);
  EXPECT_EQ(entropy.Below(65536), 0x0302u);
  EXPECT_EQ(entropy.Below(257), 0x0504u % 257);
  EXPECT_EQ(entropy.Below(10), 6u);
}

}  // namespace
}  // namespace mapspec
