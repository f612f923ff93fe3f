// SPDX-License-Identifier: MIT
//
// What the checker knows of maps in maps: which map an id is, who holds whom, and what is left of
// that when it cannot be known.
#include <gtest/gtest.h>

#include "oracle/checker.h"
#include "oracle/clauses.gen.h"
#include "oracle/outcome_test_support.h"

namespace mapspec {
namespace {

using Kind = Judgement::Kind;

const Handle kOuter{0}, kFirst{1}, kSecond{2}, kFound{3};

Outcome Told(uint32_t id) {
  Outcome outcome;
  MapInfo info;
  info.type = static_cast<uint32_t>(MapType::ARRAY);
  info.id = id;
  info.key_size = info.value_size = 4;
  info.max_entries = 1;
  info.info_len = 88;
  outcome.output = Boxed<MapInfo>(info);
  return outcome;
}

class MapOfMapsTest : public testing::TestWithParam<MapType> {
 protected:
  void SetUp() override {
    for (const Handle inner : {kFirst, kSecond}) {
      MapCreate create;
      create.result = inner;
      create.type = MapType::ARRAY;
      ASSERT_EQ(See(create, Ok()).kind, Kind::kConforms);
    }
    MakeOuter();
  }
  void MakeOuter() {
    MapCreate create;
    create.result = kOuter;
    create.type = GetParam();
    create.max_entries = 2;
    create.inner_map = kFirst;
    ASSERT_EQ(See(create, Ok()).kind, Kind::kConforms);
  }
  Judgement See(Call call, const Outcome& outcome) {
    return checker_.Step({std::move(call)}, outcome);
  }
  Judgement Put(uint32_t key, Handle inner) {
    return See(Update{kOuter, {Pointer::kValid, Key(key)}, {}, BPF_ANY, inner}, Ok());
  }
  Judgement Look(uint32_t key, uint32_t id) {
    return See(Lookup{kOuter, {Pointer::kValid, Key(key)}}, Value(Key(id)));
  }
  Judgement Find(Handle of, const Outcome& outcome) { return See(GetFdById{kFound, of}, outcome); }

  Checker checker_{NewestLinuxProfile(), Environment{}};
};
INSTANTIATE_TEST_SUITE_P(Types, MapOfMapsTest,
                         testing::Values(MapType::ARRAY_OF_MAPS, MapType::HASH_OF_MAPS));

TEST_P(MapOfMapsTest, AnIdThatWasToldBeforeMustBeTheMaps) {
  See(GetInfo{kFirst}, Told(70));
  See(GetInfo{kSecond}, Told(71));
  Put(0, kFirst);
  EXPECT_EQ(Look(0, 70).kind, Kind::kConforms);
  EXPECT_EQ(Look(0, 71).kind, Kind::kViolation);
}

TEST_P(MapOfMapsTest, AnIdThatALookupToldBindsWhatIsToldLater) {
  Put(0, kFirst);
  EXPECT_EQ(Look(0, 70).kind, Kind::kConforms);
  EXPECT_EQ(See(GetInfo{kFirst}, Told(71)).kind, Kind::kViolation);
}

TEST_P(MapOfMapsTest, TwoMapsHaveTwoIds) {
  Put(0, kFirst);
  Put(1, kSecond);
  EXPECT_EQ(Look(0, 70).kind, Kind::kConforms);
  EXPECT_EQ(Look(1, 70).kind, Kind::kViolation);
}

TEST_P(MapOfMapsTest, NothingThatWasWrittenAndZeroAreNoIds) {
  Put(0, kFirst);
  Checker before = checker_;
  EXPECT_EQ(Look(0, 0).kind, Kind::kViolation);
  checker_ = before;
  EXPECT_EQ(See(Lookup{kOuter, {Pointer::kValid, Key(0)}}, Value(Poison(4))).kind,
            Kind::kViolation);
}

TEST_P(MapOfMapsTest, AMapInAnElementOutlivesItsDescriptors) {
  See(GetInfo{kSecond}, Told(71));
  Put(0, kSecond);
  See(Close{kSecond}, Ok());
  EXPECT_EQ(Find(kSecond, Error(Errno::kENOENT)).kind, Kind::kViolation);
}

TEST_P(MapOfMapsTest, TheLastElementLetsItGoAtOnce) {
  See(GetInfo{kSecond}, Told(71));
  Put(0, kSecond);
  Put(1, kSecond);
  See(Close{kSecond}, Ok());
  See(Delete{kOuter, {Pointer::kValid, Key(0)}}, Ok());
  EXPECT_EQ(Find(kSecond, Ok()).kind, Kind::kConforms);
  See(Close{kFound}, Ok());
  Put(1, kFirst);
  const Judgement judgement = Find(kSecond, Ok());
  EXPECT_EQ(judgement.kind, Kind::kViolation);
}

TEST_P(MapOfMapsTest, TheOuterMapMayLetItGoLater) {
  See(GetInfo{kSecond}, Told(71));
  Put(0, kSecond);
  See(Close{kSecond}, Ok());
  See(Close{kOuter}, Ok());
  Checker before = checker_;
  EXPECT_EQ(Find(kSecond, Ok()).kind, Kind::kConforms);
  checker_ = before;
  EXPECT_EQ(Find(kSecond, Error(Errno::kENOENT)).kind, Kind::kConforms);
}

// A map that might have been gone is found by its id, and put into another map of maps: what is
// seen there is its id, whatever else it may be.
TEST_P(MapOfMapsTest, AMapThatWasFoundAfterAllIsKnownByItsId) {
  See(GetInfo{kFirst}, Told(70));
  See(GetInfo{kSecond}, Told(71));
  Put(0, kSecond);
  See(Close{kSecond}, Ok());
  See(Close{kOuter}, Ok());
  ASSERT_EQ(Find(kSecond, Ok()).kind, Kind::kConforms);
  MakeOuter();
  UpdateBatch put;
  put.map = kOuter;
  put.keys.bytes = Key(0);
  put.count = 1;
  put.value_fds = {kFound};
  Outcome done;
  done.output = Boxed<BatchOutput>(BatchOutput{1, {}, {}, {}});
  ASSERT_EQ(See(put, done).kind, Kind::kConforms);
  EXPECT_EQ(Look(0, 71).kind, Kind::kConforms);
  EXPECT_EQ(Look(0, 70).kind, Kind::kViolation);
  EXPECT_EQ(Look(0, 72).kind, Kind::kViolation);
}

TEST_P(MapOfMapsTest, AStoreThroughAnOuterMapIsSeenInTheInnerOne) {
  Put(0, kSecond);
  const HelperLookupInner store{kOuter, Key(0), Key(0), true, Key(9)};
  EXPECT_EQ(See(store, Value(Key(0))).kind, Kind::kConforms);
  EXPECT_EQ(See(Lookup{kSecond, {Pointer::kValid, Key(0)}}, Value(Key(0))).kind, Kind::kViolation);
}

TEST_P(MapOfMapsTest, AStoreThroughAnOuterMapOfWhichNothingIsKnownMayBeAnywhere) {
  Put(0, kSecond);
  // A value whose descriptor the script does not know.
  See(Update{kOuter, {Pointer::kValid, Key(0)}, {Pointer::kValid, Key(5)}, BPF_ANY}, Ok());
  EXPECT_EQ(See(HelperLookupInner{kOuter, Key(0), Key(0), true, Key(9)}, Value(Key(0))).kind,
            Kind::kUnjudged);
  EXPECT_EQ(See(Lookup{kSecond, {Pointer::kValid, Key(0)}}, Value(Key(9))).kind, Kind::kUnjudged);
}

// What a checker of the profile says when a PERCPU_ARRAY of 2 is put where one of 1 was the
// template.
Judgement PutLargerPerCpuArray(const char* profile, MapType outer, const Outcome& outcome) {
  Checker checker(*FindProfile(profile), Environment{});
  uint32_t size = 0;
  for (const Handle inner : {kFirst, kSecond}) {
    MapCreate create;
    create.result = inner;
    create.type = MapType::PERCPU_ARRAY;
    create.max_entries = ++size;
    checker.Step({create}, Ok());
  }
  MapCreate create;
  create.result = kOuter;
  create.type = outer;
  create.inner_map = kFirst;
  checker.Step({create}, Ok());
  return checker.Step({Update{kOuter, {Pointer::kValid, Key(0)}, {}, BPF_ANY, kSecond}}, outcome);
}

TEST_P(MapOfMapsTest, WhetherAPerCpuArrayMayHaveAnotherSizeDependsOnTheVersion) {
  const auto put = [](const char* profile, const Outcome& outcome) {
    return PutLargerPerCpuArray(profile, GetParam(), outcome).kind;
  };
  EXPECT_EQ(put("linux-6.18", Ok()), Kind::kConforms);
  EXPECT_EQ(put("linux-6.18", Error(Errno::kEINVAL)), Kind::kViolation);
  EXPECT_EQ(put("linux-7.2", Ok()), Kind::kViolation);
  EXPECT_EQ(put("linux-7.2", Error(Errno::kEINVAL)), Kind::kConforms);
}

}  // namespace
}  // namespace mapspec
