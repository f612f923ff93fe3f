// SPDX-License-Identifier: MIT
//
// LRU maps as the checker judges them: what may have been evicted, and what each answer then says
// of the others.
#include <gtest/gtest.h>

#include "oracle/checker.h"
#include "oracle/clauses.gen.h"
#include "oracle/outcome_test_support.h"

namespace mapspec {
namespace {

using Kind = Judgement::Kind;

class EvictionTest : public testing::Test {
 protected:
  void Make(uint32_t max_entries, uint32_t map_flags = 0, MapType type = MapType::LRU_HASH) {
    Environment environment;
    environment.possible_cpus = 2;
    checker_ = Checker(*profile_, environment);
    MapCreate create;
    create.type = type;
    create.key_size = 4;
    create.value_size = type == MapType::LRU_HASH ? 4 : 8;
    create.max_entries = max_entries;
    create.map_flags = map_flags;
    ASSERT_EQ(checker_.Step({create}, Ok()).kind, Kind::kConforms);
  }
  Kind Update(uint32_t key, uint16_t cpu = 0, uint64_t flags = BPF_ANY, Errno error = Errno::kNone,
              uint32_t more = 100) {
    mapspec::Update update;
    update.key = {Pointer::kValid, Key(key)};
    update.value = {Pointer::kValid, Bytes::LittleEndian(key + more, 4)};
    update.flags = flags;
    return checker_.Step({update, Caller::kPrivileged, cpu, 0}, Error(error)).kind;
  }
  void Fill(uint32_t keys) {
    for (uint32_t key = 1; key <= keys; ++key) ASSERT_EQ(Update(key), Kind::kConforms);
  }
  Kind Remove(uint32_t key) {
    return checker_.Step({Delete{Handle{0}, {Pointer::kValid, Key(key)}}}, Ok()).kind;
  }
  Judgement Lookup(uint32_t key, const Outcome& outcome) {
    mapspec::Lookup lookup;
    lookup.key = {Pointer::kValid, Key(key)};
    return checker_.Step({lookup}, outcome);
  }
  Kind Found(uint32_t key) { return Lookup(key, Value(Bytes::LittleEndian(key + 100, 4))).kind; }
  Kind Missing(uint32_t key) {
    Outcome outcome = Error(Errno::kENOENT);
    outcome.output = Poison(4);
    return Lookup(key, outcome).kind;
  }
  // What the next lookup would be judged, without making it.
  Kind WouldBeMissing(uint32_t key) {
    const Checker before = checker_;
    const Kind kind = Missing(key);
    checker_ = before;
    return kind;
  }
  Kind WouldBeFound(uint32_t key) {
    const Checker before = checker_;
    const Kind kind = Found(key);
    checker_ = before;
    return kind;
  }

  const Profile* profile_ = FindProfile("linux-6.18");
  Checker checker_{*profile_, Environment{}};
};

TEST_F(EvictionTest, WhatOneCpuAddsStaysUntilTheMapIsFull) {
  Make(4);
  Fill(4);
  for (uint32_t key = 1; key <= 4; ++key) EXPECT_EQ(WouldBeMissing(key), Kind::kViolation);
  ASSERT_EQ(Update(5), Kind::kConforms);
  EXPECT_EQ(WouldBeMissing(5), Kind::kViolation);
  EXPECT_EQ(WouldBeMissing(1), Kind::kConforms);
  EXPECT_EQ(WouldBeFound(1), Kind::kConforms);
}

TEST_F(EvictionTest, TheOneThatIsMissingSpeaksForTheOthers) {
  Make(4);
  Fill(5);
  ASSERT_EQ(Missing(2), Kind::kConforms);
  for (const uint32_t key : {1, 3, 4, 5}) EXPECT_EQ(WouldBeMissing(key), Kind::kViolation);
  EXPECT_EQ(WouldBeFound(2), Kind::kViolation);
}

TEST_F(EvictionTest, TheOnesThatAreThereLeaveNoRoomForTheOther) {
  Make(4);
  Fill(5);
  for (const uint32_t key : {1, 2, 4}) ASSERT_EQ(Found(key), Kind::kConforms);
  EXPECT_EQ(WouldBeFound(3), Kind::kViolation);
  EXPECT_EQ(Missing(3), Kind::kConforms);
}

TEST_F(EvictionTest, AnUnknownOrSecondCpuMayFindNothingLeftBeforeTheMapIsFull) {
  Make(8);
  Fill(4);
  EXPECT_EQ(Update(5, 1), Kind::kConforms);
  EXPECT_EQ(WouldBeMissing(1), Kind::kViolation);
  EXPECT_EQ(Update(6, kAnyCpu), Kind::kConforms);
  EXPECT_EQ(WouldBeMissing(1), Kind::kConforms);
}

TEST_F(EvictionTest, KernelsThatSetMoreAsideMayEvictSooner) {
  profile_ = FindProfile("linux-6.1");
  Make(8);
  Fill(2);
  EXPECT_EQ(Update(3, 1), Kind::kConforms);
  EXPECT_EQ(WouldBeMissing(1), Kind::kConforms);
  Make(8);
  Fill(8);
  EXPECT_EQ(WouldBeMissing(1), Kind::kViolation);
}

TEST_F(EvictionTest, OneCpuTakesNothingFromTheListOfAnother) {
  Make(2, BPF_F_NO_COMMON_LRU);
  ASSERT_EQ(Update(1, 0), Kind::kConforms);
  ASSERT_EQ(Update(2, 1), Kind::kConforms);
  ASSERT_EQ(Update(3, 1), Kind::kConforms);
  EXPECT_EQ(WouldBeMissing(1), Kind::kViolation);
  EXPECT_EQ(WouldBeFound(2), Kind::kViolation);
  EXPECT_EQ(WouldBeMissing(3), Kind::kViolation);
}

TEST_F(EvictionTest, AListHasNoRoomBesideItsShareThoughTheMapHas) {
  Make(4, BPF_F_NO_COMMON_LRU);
  for (const uint32_t key : {1, 2, 3}) ASSERT_EQ(Update(key, 1), Kind::kConforms);
  EXPECT_EQ(WouldBeFound(2), Kind::kConforms);
  ASSERT_EQ(Found(1), Kind::kConforms);
  EXPECT_EQ(WouldBeFound(2), Kind::kViolation);
  EXPECT_EQ(WouldBeMissing(2), Kind::kConforms);
}

TEST_F(EvictionTest, AnUpdateThatFailsMayHaveEvictedEvenItsOwnKey) {
  Make(2);
  Fill(2);
  EXPECT_EQ(Update(1, 0, BPF_EXIST, Errno::kENOENT), Kind::kConforms);
  EXPECT_EQ(WouldBeFound(1), Kind::kViolation);
  EXPECT_EQ(WouldBeMissing(2), Kind::kViolation);
  Make(2);
  Fill(2);
  EXPECT_EQ(Update(1, 0, BPF_NOEXIST, Errno::kEEXIST), Kind::kConforms);
  EXPECT_EQ(WouldBeMissing(1), Kind::kViolation);
  EXPECT_EQ(WouldBeMissing(2), Kind::kConforms);
}

TEST_F(EvictionTest, ExistChangesAPerCpuElementWhereItIs) {
  Make(2, 0, MapType::LRU_PERCPU_HASH);
  Fill(2);
  EXPECT_EQ(Update(1, 0, BPF_EXIST), Kind::kConforms);
  const Checker full = checker_;
  EXPECT_EQ(Update(2, 0, BPF_EXIST, Errno::kENOENT), Kind::kViolation);
  checker_ = full;
  EXPECT_EQ(Update(3, 0, BPF_EXIST, Errno::kENOENT), Kind::kConforms);
  EXPECT_EQ(Update(2, 0, BPF_EXIST), Kind::kConforms);
}

TEST_F(EvictionTest, AddingNeverFailsForLackOfRoom) {
  Make(1);
  Fill(3);
  const Checker full = checker_;
  for (const Errno error : {Errno::kE2BIG, Errno::kENOMEM, Errno::kENOSPC}) {
    checker_ = full;
    EXPECT_EQ(Update(4, 0, BPF_ANY, error), Kind::kViolation);
  }
}

TEST_F(EvictionTest, AnEvictedKeyIsAbsentForEveryCallUntilItIsAddedAnew) {
  Make(4);
  Fill(5);
  ASSERT_EQ(Missing(2), Kind::kConforms);
  // Neither room nor the eviction of another brings it back.
  ASSERT_EQ(Remove(5), Kind::kConforms);
  EXPECT_EQ(WouldBeFound(2), Kind::kViolation);
  ASSERT_EQ(Update(6), Kind::kConforms);
  ASSERT_EQ(Update(7), Kind::kConforms);
  EXPECT_EQ(WouldBeFound(2), Kind::kViolation);
  const Checker evicted = checker_;
  EXPECT_EQ(Remove(2), Kind::kViolation);
  checker_ = evicted;
  EXPECT_EQ(checker_.Step({GetNextKey{Handle{0}, {Pointer::kNull, {}}}}, Value(Key(2))).kind,
            Kind::kViolation);
  checker_ = evicted;
  EXPECT_EQ(Update(2, 0, BPF_EXIST), Kind::kViolation);
  checker_ = evicted;
  EXPECT_EQ(Update(2, 0, BPF_NOEXIST, Errno::kEEXIST), Kind::kViolation);
  checker_ = evicted;
  ASSERT_EQ(Update(2, 0, BPF_NOEXIST, Errno::kNone, 300), Kind::kConforms);
  EXPECT_EQ(WouldBeFound(2), Kind::kViolation);  // With the value of before.
  EXPECT_EQ(Lookup(2, Value(Bytes::LittleEndian(302, 4))).kind, Kind::kConforms);
}

TEST_F(EvictionTest, UnderDocumentedAnEvictionMayTakeAnyNumber) {
  profile_ = FindProfile("documented");
  Make(4);
  Fill(5);
  for (const uint32_t key : {1, 2, 3, 4}) EXPECT_EQ(Missing(key), Kind::kConforms);
  EXPECT_EQ(WouldBeMissing(5), Kind::kViolation);
}

}  // namespace
}  // namespace mapspec
