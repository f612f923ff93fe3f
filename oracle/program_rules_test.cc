// SPDX-License-Identifier: MIT
//
// Helpers as the checker judges them; what scenarios cannot say: programs that are loaded though
// they should not be, odd return values, kernels that give half of one, lifetimes.
#include <gtest/gtest.h>

#include "oracle/checker.h"
#include "oracle/clauses.gen.h"
#include "oracle/outcome_test_support.h"

namespace mapspec {
namespace {

using Kind = Judgement::Kind;

Outcome Refused(Errno error) {
  Outcome outcome = Error(error);
  outcome.completion = Completion::kRefused;
  return outcome;
}
Outcome Result(int64_t result) {
  Outcome outcome;
  outcome.result = result;
  return outcome;
}

class ProgramRulesTest : public testing::Test {
 protected:
  Judgement See(Call call, const Outcome& outcome) {
    return checker_.Step({std::move(call)}, outcome);
  }
  void Make(MapType type, uint32_t map_flags = 0) {
    MapCreate create;
    create.type = type;
    create.key_size = type == MapType::QUEUE ? 0 : 4;
    create.map_flags = map_flags;
    ASSERT_EQ(See(create, Ok()).kind, Kind::kConforms);
  }

  Checker checker_{NewestLinuxProfile(), Environment{}};
};

TEST_F(ProgramRulesTest, ARefusalOfWhatMustBeLoadedIsAViolation) {
  Make(MapType::HASH);
  const Judgement judgement = See(HelperLookup{{}, Key(1), false, {}}, Refused(Errno::kEINVAL));
  EXPECT_EQ(judgement.kind, Kind::kViolation);
  EXPECT_EQ(judgement.violated, clause::generic::program_loads);
}

TEST_F(ProgramRulesTest, ALoadOfWhatMustBeRefusedIsAViolationEvenWhenTheHelperFails) {
  Make(MapType::HASH);
  EXPECT_EQ(See(HelperPush{{}, Key(1)}, Error(Errno::kEINVAL)).violated,
            clause::hash::program_no_queue_helpers);
}

TEST_F(ProgramRulesTest, AnotherErrnoAtLoadBreaksTheExactClauseOnly) {
  Make(MapType::QUEUE);
  EXPECT_EQ(See(HelperLookup{{}, {}, false, {}}, Refused(Errno::kEPERM)).violated,
            clause::queue::program_no_key_helpers_errno);
}

TEST_F(ProgramRulesTest, AReturnValueThatIsNeitherZeroNorANegativeErrnoIsAViolation) {
  Make(MapType::HASH);
  EXPECT_EQ(See(HelperUpdate{{}, Key(1), Key(7)}, Result(1)).violated,
            clause::generic::program_result);
}

TEST_F(ProgramRulesTest, HalfAnErrnoIsWhatOldKernelsGive) {
  constexpr int64_t kHalfEnoent = 0xfffffffe;
  Make(MapType::HASH);
  EXPECT_EQ(See(HelperDelete{{}, Key(1)}, Result(kHalfEnoent)).violated,
            clause::generic::program_result);
  checker_ = Checker(*FindProfile("linux-6.1"), Environment{});
  Make(MapType::HASH);
  EXPECT_EQ(See(HelperDelete{{}, Key(1)}, Result(kHalfEnoent)).kind, Kind::kConforms);
  EXPECT_EQ(See(HelperDelete{{}, Key(1)}, Result(0xffffffea)).violated,
            clause::hash::delete_absent);
}

TEST_F(ProgramRulesTest, AStoreThroughThePointerIsSeenByTheSyscall) {
  Make(MapType::ARRAY);
  EXPECT_EQ(See(HelperLookup{{}, Key(0), true, Key(5)}, Value(Key(0))).kind, Kind::kConforms);
  EXPECT_EQ(See(Lookup{{}, {{}, Key(0)}}, Value(Key(0))).kind, Kind::kViolation);
}

TEST_F(ProgramRulesTest, AHeldPointerShowsTheOldElementOfAHashAndTheNewOneOfAnArray) {
  for (const MapType type : {MapType::HASH, MapType::ARRAY}) {
    Make(type);
    ASSERT_EQ(See(HelperUpdate{{}, Key(0), Key(5)}, Ok()).kind, Kind::kConforms);
    const bool array = type == MapType::ARRAY;
    Checker copy = checker_;
    EXPECT_EQ(See(HelperUpdate{{}, Key(0), Key(6), 0, true}, Value(Key(array ? 6 : 5))).kind,
              Kind::kConforms);
    EXPECT_EQ(
        copy.Step({HelperUpdate{{}, Key(0), Key(6), 0, true}}, Value(Key(array ? 5 : 6))).violated,
        array ? clause::array::program_update_in_place : clause::hash::program_replace_swaps);
  }
}

TEST_F(ProgramRulesTest, AnEmptyPopMustZeroTheBuffer) {
  Make(MapType::QUEUE);
  Outcome outcome = Value(Poison(4));
  outcome.error = Errno::kENOENT;
  EXPECT_EQ(See(HelperPop{}, outcome).violated, clause::queue::program_empty_zeroes);
}

TEST_F(ProgramRulesTest, NotesThatDoNotFitTheirBuffersAreAViolationAndNotRead) {
  Make(MapType::HASH);
  ASSERT_EQ(See(HelperUpdate{{}, Key(1), Key(7)}, Ok()).kind, Kind::kConforms);
  Outcome outcome = Result(1);
  outcome.output = Boxed<BatchOutput>({1, {}, Key(1), {}});
  EXPECT_EQ(See(HelperForEach{}, outcome).violated, clause::hash::for_each_visits);
}

TEST_F(ProgramRulesTest, AMapThatAProgramUsedMayOutliveItsDescriptor) {
  Make(MapType::HASH);
  Boxed<MapInfo> info;
  info->type = 1;
  info->id = 5;
  info->key_size = info->value_size = 4;
  info->max_entries = 1;
  info->info_len = 80;
  Outcome told;
  told.output = info;
  ASSERT_EQ(See(GetInfo{}, told).kind, Kind::kConforms);
  Checker unused = checker_;
  ASSERT_EQ(See(HelperUpdate{{}, Key(1), Key(7)}, Ok()).kind, Kind::kConforms);
  ASSERT_EQ(See(Close{}, Ok()).kind, Kind::kConforms);
  EXPECT_NE(See(GetFdById{.result = {1}, .of = {0}}, Ok()).kind, Kind::kViolation);
  ASSERT_EQ(unused.Step({Close{}}, Ok()).kind, Kind::kConforms);
  EXPECT_EQ(unused.Step({GetFdById{.result = {1}, .of = {0}}}, Ok()).violated,
            clause::generic::close_deletes_map);
}

}  // namespace
}  // namespace mapspec
