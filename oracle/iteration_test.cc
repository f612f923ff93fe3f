// SPDX-License-Identifier: MIT
#include "oracle/iteration.h"

#include <gtest/gtest.h>

namespace mapspec {
namespace {

using Finding = IterationOrder::Finding;
constexpr uint32_t kStart = IterationOrder::kStart;
constexpr uint32_t kEnd = IterationOrder::kEnd;

// A table with the keys 0 … n-1, whose indices are their numbers.
class Iteration : public testing::Test {
 protected:
  uint32_t Add(uint64_t key) {
    const uint32_t index = table_.Insert(Bytes::LittleEndian(key, 4), Bytes{0});
    order_.Unsettle(&table_, index);
    return index;
  }
  void Remove(uint32_t index) {
    order_.Removed(&table_, index);
    table_.Erase(index);
  }
  Finding See(uint32_t from, uint32_t to) { return order_.Observe(&table_, from, to); }

  ElementTable table_;
  IterationOrder order_;
};

TEST_F(Iteration, AWalkThatVisitsEveryKeyOnceIsPossible) {
  const uint32_t a = Add(0), b = Add(1), c = Add(2);
  EXPECT_EQ(See(kStart, b), Finding::kPossible);
  EXPECT_EQ(See(b, c), Finding::kPossible);
  EXPECT_EQ(See(c, a), Finding::kPossible);
  EXPECT_EQ(See(a, kEnd), Finding::kPossible);
  EXPECT_EQ(See(kStart, b), Finding::kPossible);
}

TEST_F(Iteration, AKeyIsNotVisitedTwice) {
  const uint32_t a = Add(0), b = Add(1);
  Add(2);
  ASSERT_EQ(See(kStart, a), Finding::kPossible);
  ASSERT_EQ(See(a, b), Finding::kPossible);
  EXPECT_EQ(See(b, a), Finding::kOrderChanged);
}

TEST_F(Iteration, AnAnswerSeenOnceStays) {
  const uint32_t a = Add(0), b = Add(1);
  ASSERT_EQ(See(kStart, a), Finding::kPossible);
  EXPECT_EQ(See(kStart, b), Finding::kOrderChanged);
}

TEST_F(Iteration, AWalkMayNotEndBeforeEveryKeyWasVisited) {
  const uint32_t a = Add(0), b = Add(1);
  Add(2);
  ASSERT_EQ(See(kStart, a), Finding::kPossible);
  ASSERT_EQ(See(a, b), Finding::kPossible);
  EXPECT_EQ(See(b, kEnd), Finding::kMissedKeys);
}

TEST_F(Iteration, ADoubtfulKeyMayBeMissed) {
  const uint32_t a = Add(0), b = Add(1);
  table_[b].certain = false;
  ASSERT_EQ(See(kStart, a), Finding::kPossible);
  EXPECT_EQ(See(a, kEnd), Finding::kPossible);
}

TEST_F(Iteration, NeighboursCloseUpWhenAKeyIsDeleted) {
  const uint32_t a = Add(0), b = Add(1), c = Add(2), d = Add(3);
  ASSERT_EQ(See(kStart, a), Finding::kPossible);
  ASSERT_EQ(See(a, b), Finding::kPossible);
  ASSERT_EQ(See(b, c), Finding::kPossible);
  Remove(b);
  EXPECT_TRUE(order_.remembers_across_changes());
  IterationOrder copy = order_;
  ElementTable table = table_;
  EXPECT_EQ(copy.Observe(&table, a, d), Finding::kOrderChanged);
  EXPECT_EQ(See(a, c), Finding::kPossible);
}

TEST_F(Iteration, ANewKeyMayStandAnywhereButMovesNoOther) {
  const uint32_t a = Add(0), b = Add(1), c = Add(2);
  ASSERT_EQ(See(kStart, a), Finding::kPossible);
  ASSERT_EQ(See(a, b), Finding::kPossible);
  ASSERT_EQ(See(b, c), Finding::kPossible);
  ASSERT_EQ(See(c, kEnd), Finding::kPossible);
  const uint32_t d = Add(3);
  IterationOrder copy = order_;
  ElementTable table = table_;
  EXPECT_EQ(copy.Observe(&table, a, c), Finding::kOrderChanged) << "b may not be passed over";
  EXPECT_EQ(See(a, d), Finding::kPossible);
  EXPECT_EQ(See(d, b), Finding::kPossible);
  EXPECT_EQ(See(c, kEnd), Finding::kPossible);
  EXPECT_EQ(See(a, b), Finding::kOrderChanged) << "d was seen between them";
}

TEST_F(Iteration, AKeyWhosePlaceIsUnknownMayBeTheLast) {
  const uint32_t a = Add(0), b = Add(1);
  ASSERT_EQ(See(kStart, a), Finding::kPossible);
  EXPECT_EQ(See(b, kEnd), Finding::kPossible);
  EXPECT_EQ(See(a, kEnd), Finding::kOrderChanged);
}

TEST_F(Iteration, ForgettingLeavesEverythingPossible) {
  const uint32_t a = Add(0), b = Add(1);
  ASSERT_EQ(See(kStart, a), Finding::kPossible);
  ASSERT_EQ(See(a, b), Finding::kPossible);
  order_.Forget(&table_);
  EXPECT_EQ(See(kStart, b), Finding::kPossible);
  EXPECT_EQ(See(b, a), Finding::kPossible);
  EXPECT_EQ(See(a, kEnd), Finding::kPossible);
}

TEST(ElementTable, FindsWhatWasInsertedThroughGrowthAndDeletion) {
  ElementTable table;
  for (uint64_t i = 0; i < 1000; ++i) {
    table.Insert(Bytes::LittleEndian(i, 4), Bytes::LittleEndian(i * 3, 8));
  }
  for (uint64_t i = 0; i < 1000; i += 2) table.Erase(table.Find(Bytes::LittleEndian(i, 4)));
  EXPECT_EQ(table.size(), 500u);
  for (uint64_t i = 0; i < 1000; ++i) {
    const uint32_t index = table.Find(Bytes::LittleEndian(i, 4));
    ASSERT_EQ(index != ElementTable::kNone, i % 2 == 1) << i;
    if (index != ElementTable::kNone) {
      EXPECT_EQ(table[index].value.ToNumber(), i * 3);
    }
  }
}

TEST(ElementTable, ManyInsertionsAndDeletionsOfAFewKeysStayFast) {
  ElementTable table;
  for (uint64_t i = 0; i < 100000; ++i) {
    const uint32_t index = table.Insert(Bytes::LittleEndian(i, 8), Bytes{1});
    ASSERT_EQ(table.Find(Bytes::LittleEndian(i, 8)), index);
    if (i >= 4) table.Erase(table.Find(Bytes::LittleEndian(i - 4, 8)));
  }
  EXPECT_EQ(table.size(), 4u);
}

}  // namespace
}  // namespace mapspec
