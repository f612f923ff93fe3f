// SPDX-License-Identifier: MIT
#include "backends/userspace/lru_lists.h"

#include <gtest/gtest.h>

#include <vector>

namespace usermaps {
namespace {

std::vector<uint32_t> TakeAll(LruLists& lists, uint32_t list = 0) {
  std::vector<uint32_t> taken;
  for (uint32_t element = lists.TakeOldest(list); element != LruLists::kNone;
       element = lists.TakeOldest(list)) {
    taken.push_back(element);
  }
  return taken;
}

TEST(LruLists, TheOldestGoesFirst) {
  LruLists lists;
  ASSERT_EQ(lists.Init(8, 1, 8), 0);
  for (const uint32_t element : {3, 1, 7, 0}) lists.Add(0, element);
  EXPECT_TRUE(lists.IsLinked(3));
  EXPECT_EQ(TakeAll(lists), (std::vector<uint32_t>{3, 1, 7, 0}));
  EXPECT_FALSE(lists.IsLinked(3));
}

TEST(LruLists, WhatWasUsedGetsASecondChanceAndNoThird) {
  LruLists lists;
  ASSERT_EQ(lists.Init(8, 1, 8), 0);
  for (const uint32_t element : {3, 1, 7, 0}) lists.Add(0, element);
  lists.Mark(3);
  lists.Mark(7);
  EXPECT_EQ(TakeAll(lists), (std::vector<uint32_t>{1, 0, 3, 7}));
}

TEST(LruLists, WhenAllWereUsedTheOldestGoesAllTheSame) {
  LruLists lists;
  ASSERT_EQ(lists.Init(8, 1, 8), 0);
  for (const uint32_t element : {3, 1, 7}) {
    lists.Add(0, element);
    lists.Mark(element);
  }
  EXPECT_EQ(lists.TakeOldest(0), 3U);
  EXPECT_FALSE(lists.IsMarked(3)) << "a mark that it has now is newer than the taking";
}

TEST(LruLists, ASearchThroughMarksEnds) {
  constexpr uint32_t kMany = 100'000;
  LruLists lists;
  ASSERT_EQ(lists.Init(kMany, 1, kMany), 0);
  for (uint32_t element = 0; element < kMany; ++element) {
    lists.Add(0, element);
    lists.Mark(element);
  }
  const uint32_t taken = lists.TakeOldest(0);
  EXPECT_GT(taken, 0U) << "after a whole turn it would be the first";
  EXPECT_FALSE(lists.IsMarked(taken));
}

TEST(LruLists, RemovingIsPossibleAnywhereAndTwice) {
  LruLists lists;
  ASSERT_EQ(lists.Init(8, 1, 8), 0);
  for (const uint32_t element : {0, 1, 2, 3, 4}) lists.Add(0, element);
  for (const uint32_t element : {2, 3, 2}) lists.Remove(element);
  lists.Add(0, 2);
  EXPECT_EQ(TakeAll(lists), (std::vector<uint32_t>{0, 1, 4, 2}));
}

TEST(LruLists, ListsAreApart) {
  LruLists lists;
  ASSERT_EQ(lists.Init(8, 2, 2), 0);
  EXPECT_TRUE(lists.CountIn(1));
  EXPECT_TRUE(lists.CountIn(1));
  EXPECT_FALSE(lists.CountIn(1));
  EXPECT_TRUE(lists.CountIn(0));
  lists.CountOut(1);
  EXPECT_TRUE(lists.CountIn(1));
  lists.Add(1, 5);
  lists.Add(0, 6);
  EXPECT_EQ(lists.ListOf(5), 1U);
  EXPECT_EQ(TakeAll(lists, 0), (std::vector<uint32_t>{6}));
  EXPECT_EQ(TakeAll(lists, 1), (std::vector<uint32_t>{5}));
}

}  // namespace
}  // namespace usermaps
