// SPDX-License-Identifier: MIT
//
// The checker as its callers meet it: operations with outcomes go in, judgements come out. What
// each model says of each case is held by the scenarios (specs/oracle_selfcheck_test.cc); here
// stands what scenarios cannot say: sets of outcomes, what is learned from them, damaged traces,
// profiles.
#include "oracle/checker.h"

#include <gtest/gtest.h>

#include "oracle/clauses.gen.h"
#include "oracle/outcome_test_support.h"

namespace mapspec {
namespace {

using Kind = Judgement::Kind;

Outcome Batch(Errno error, std::vector<uint64_t> keys, uint32_t capacity, uint32_t token) {
  Boxed<BatchOutput> batch;
  batch->count = static_cast<uint32_t>(keys.size());
  batch->keys = Poison(capacity * 4);
  batch->values = Poison(capacity * 4);
  for (size_t i = 0; i < keys.size() * 4; ++i) {
    batch->keys[i] = Key(keys[i / 4])[i % 4];
    batch->values[i] = Key(keys[i / 4] + 100)[i % 4];
  }
  batch->out_batch = Key(token);
  Outcome outcome = Error(error);
  outcome.output = batch;
  return outcome;
}

class CheckerTest : public testing::Test {
 protected:
  Judgement See(Call call, const Outcome& outcome) {
    return checker_.Step({std::move(call)}, outcome);
  }
  // A hash m0 with these keys, each with the value key + 100.
  void MakeHash(uint32_t max_entries, std::vector<uint64_t> keys, uint32_t map_flags = 0) {
    MapCreate create;
    create.max_entries = max_entries;
    create.map_flags = map_flags;
    ASSERT_EQ(See(create, Ok()).kind, Kind::kConforms);
    for (const uint64_t key : keys) {
      ASSERT_EQ(See(Update{{}, {{}, Key(key)}, {{}, Key(key + 100)}}, Ok()).kind, Kind::kConforms);
    }
  }

  Checker checker_{NewestLinuxProfile(), Environment{}};
};

TEST_F(CheckerTest, AWrongValueIsAViolationThatNamesTheClauseAndBothValues) {
  MakeHash(4, {1});
  const Judgement judgement = See(Lookup{{}, {{}, Key(1)}}, Value(Key(7)));
  EXPECT_EQ(judgement.kind, Kind::kViolation);
  EXPECT_EQ(judgement.violated, clause::hash::lookup_present);
  EXPECT_EQ(judgement.expected, "0x65000000");
  EXPECT_EQ(judgement.got, "0x07000000");
  EXPECT_EQ(judgement.expected_bytes, Key(101));
}

TEST_F(CheckerTest, AFailureThatWritesItsOutputIsAViolation) {
  MakeHash(4, {});
  Outcome outcome = Value(Key(0));
  outcome.error = Errno::kENOENT;
  EXPECT_EQ(See(Lookup{{}, {{}, Key(1)}}, outcome).violated,
            clause::generic::call_failure_leaves_outputs);
}

TEST_F(CheckerTest, MissingOutputsInADamagedTraceAreViolationsAndNoCrash) {
  MakeHash(4, {1});
  Checker copy = checker_;
  EXPECT_EQ(copy.Step({Lookup{{}, {{}, Key(1)}}}, Ok()).kind, Kind::kViolation);
  copy = checker_;
  LookupBatch batch;
  batch.count = 4;
  EXPECT_EQ(copy.Step({batch}, Ok()).kind, Kind::kViolation);
  copy = checker_;
  Outcome huge = Batch(Errno::kENOENT, {}, 4, 1);
  std::get<Boxed<BatchOutput>>(huge.output)->count = 0xffffffff;
  EXPECT_EQ(copy.Step({batch}, huge).kind, Kind::kViolation);
}

TEST_F(CheckerTest, ACrashAHangAndAnOverrunAreViolationsOfTheCallItself) {
  MakeHash(4, {1});
  for (const Completion completion :
       {Completion::kCrashed, Completion::kHung, Completion::kOverran}) {
    Checker copy = checker_;
    Outcome outcome;
    outcome.completion = completion;
    EXPECT_EQ(copy.Step({Delete{{}, {{}, Key(1)}}}, outcome).violated,
              clause::generic::call_returns);
  }
}

TEST_F(CheckerTest, AnOperationThatWasNotRunChangedNothing) {
  MakeHash(4, {1});
  Outcome not_run;
  not_run.completion = Completion::kNotRun;
  EXPECT_EQ(See(Delete{{}, {{}, Key(1)}}, not_run).kind, Kind::kUnjudged);
  EXPECT_EQ(See(Lookup{{}, {{}, Key(1)}}, Value(Key(101))).kind, Kind::kConforms);
}

TEST_F(CheckerTest, AMappingThatNothingPromisesAndThatFailedLeavesTheMapJudged) {
  MakeHash(4, {1});
  Mmap beyond;
  beyond.length = uint64_t{1} << 50;
  EXPECT_EQ(See(beyond, Error(Errno::kENOMEM)).kind, Kind::kUnjudged);
  EXPECT_EQ(See(Lookup{{}, {{}, Key(1)}}, Value(Key(9))).kind, Kind::kViolation);
}

TEST_F(CheckerTest, WithoutPreallocationAnInsertMayLackMemoryButNotOtherwise) {
  MakeHash(4, {}, BPF_F_NO_PREALLOC);
  const Update update{{}, {{}, Key(1)}, {{}, Key(2)}};
  EXPECT_EQ(See(update, Error(Errno::kENOMEM)).kind, Kind::kConforms);
  EXPECT_EQ(See(Lookup{{}, {{}, Key(1)}},
                [] {
                  Outcome outcome = Value(Poison(4));
                  outcome.error = Errno::kENOENT;
                  return outcome;
                }())
                .kind,
            Kind::kConforms);
  Checker preallocated(NewestLinuxProfile(), Environment{});
  preallocated.Step({MapCreate{}}, Ok());
  EXPECT_EQ(preallocated.Step({update}, Error(Errno::kENOMEM)).kind, Kind::kViolation);
}

TEST_F(CheckerTest, ABatchDeletionThatFaultedLeavesDoubtUntilALookupSettlesIt) {
  MakeHash(4, {1, 2});
  LookupBatch batch;
  batch.and_delete = true;
  batch.count = 4;
  batch.values = Pointer::kNull;
  Outcome faulted = Batch(Errno::kEFAULT, {}, 4, 0);
  ASSERT_EQ(See(batch, faulted).kind, Kind::kConforms);
  Outcome absent = Value(Poison(4));
  absent.error = Errno::kENOENT;
  // Either answer will do, but it binds the next.
  EXPECT_EQ(See(Lookup{{}, {{}, Key(1)}}, absent).kind, Kind::kConforms);
  EXPECT_EQ(See(Lookup{{}, {{}, Key(2)}}, Value(Key(102))).kind, Kind::kConforms);
  Checker copy = checker_;
  EXPECT_EQ(copy.Step({Lookup{{}, {{}, Key(1)}}}, Value(Key(101))).kind, Kind::kViolation);
  EXPECT_EQ(See(Lookup{{}, {{}, Key(2)}}, absent).kind, Kind::kViolation);
}

TEST_F(CheckerTest, PagesOfABatchWalkAreDisjointAndTogetherComplete) {
  MakeHash(4, {1, 2, 3});
  LookupBatch first;
  first.count = 2;
  LookupBatch next = first;
  next.start = LookupBatch::Start::kLast;
  ASSERT_EQ(See(first, Batch(Errno::kNone, {3, 1}, 2, 2)).kind, Kind::kConforms);
  Checker copy = checker_;
  EXPECT_EQ(copy.Step({next}, Batch(Errno::kENOENT, {1}, 2, 4)).violated,
            clause::hash::lookup_batch_walk);
  copy = checker_;
  EXPECT_EQ(copy.Step({next}, Batch(Errno::kENOENT, {}, 2, 4)).violated,
            clause::hash::lookup_batch_walk);
  copy = checker_;
  EXPECT_EQ(copy.Step({next}, Batch(Errno::kNone, {2}, 2, 4)).kind, Kind::kViolation)
      << "nothing is left, so the walk ends";
  EXPECT_EQ(See(next, Batch(Errno::kENOENT, {2}, 2, 4)).kind, Kind::kConforms);
}

TEST_F(CheckerTest, AKeyAddedDuringABatchWalkMayOrMayNotBeReturned) {
  MakeHash(4, {1, 2, 3});
  LookupBatch batch;
  batch.count = 2;
  ASSERT_EQ(See(batch, Batch(Errno::kNone, {3, 1}, 2, 2)).kind, Kind::kConforms);
  ASSERT_EQ(See(Update{{}, {{}, Key(4)}, {{}, Key(104)}}, Ok()).kind, Kind::kConforms);
  batch.start = LookupBatch::Start::kLast;
  Checker copy = checker_;
  EXPECT_EQ(copy.Step({batch}, Batch(Errno::kENOENT, {2, 4}, 2, 4)).kind, Kind::kConforms);
  EXPECT_EQ(See(batch, Batch(Errno::kENOENT, {2}, 2, 4)).kind, Kind::kConforms);
}

TEST(CheckerProfiles, UnderDocumentedAnotherErrnoWillDoWhereTheDocumentsNameNone) {
  Checker checker(*FindProfile("documented"), Environment{});
  MapCreate create;
  create.type = MapType::QUEUE;
  create.key_size = 0;
  checker.Step({create}, Ok());
  LookupAndDelete pop;
  pop.key.pointer = Pointer::kNull;
  Outcome odd = Value(Poison(4));
  odd.error = Errno::kEAGAIN;
  EXPECT_EQ(checker.Step({pop}, odd).kind, Kind::kConforms);
  EXPECT_EQ(checker.Step({pop}, Value(Key(0))).violated, clause::queue::pop_empty);
}

TEST(CheckerProfiles, UnderDocumentedASuccessThatNobodyForbidsLeavesTheMapUnjudged) {
  Checker checker(*FindProfile("documented"), Environment{});
  checker.Step({MapCreate{}}, Ok());
  Update update{{}, {{}, Key(1)}, {{}, Key(2)}, /*flags=*/uint64_t{1} << 40};
  EXPECT_EQ(checker.Step({update}, Ok()).kind, Kind::kUnjudged);
  EXPECT_EQ(checker.Step({Lookup{{}, {{}, Key(1)}}}, Value(Key(99))).kind, Kind::kUnjudged);
}

TEST(CheckerLifetimes, AMapLivesAsLongAsADescriptorAPinOrAMappingRefersToIt) {
  Checker checker(NewestLinuxProfile(), Environment{});
  MapCreate create;
  create.type = MapType::ARRAY;
  create.map_flags = BPF_F_MMAPABLE;
  checker.Step({create}, Ok());
  Boxed<MapInfo> info;
  info->type = 2;
  info->id = 77;
  info->key_size = info->value_size = 4;
  info->max_entries = 1;
  info->map_flags = BPF_F_MMAPABLE;
  info->info_len = 88;
  Outcome told;
  told.output = info;
  ASSERT_EQ(checker.Step({GetInfo{}}, told).kind, Kind::kConforms);
  Mmap view;
  view.prot_write = true;
  ASSERT_EQ(checker.Step({view}, Ok()).kind, Kind::kConforms);
  ASSERT_EQ(checker.Step({Close{}}, Ok()).kind, Kind::kConforms);
  const GetFdById by_id{{1}, {0}, 0, 0};
  Checker copy = checker;
  EXPECT_EQ(copy.Step({by_id}, Error(Errno::kENOENT)).kind, Kind::kViolation);
  ASSERT_EQ(checker.Step({Munmap{}}, Ok()).kind, Kind::kConforms);
  EXPECT_EQ(checker.Step({by_id}, Error(Errno::kENOENT)).kind, Kind::kConforms);
}

TEST(Judge, StopsAtTheFirstViolationAndCountsWhatItCited) {
  Trace trace;
  trace.operations = {{MapCreate{}}, {Delete{{}, {{}, Key(1)}}}, {Delete{{}, {{}, Key(1)}}}};
  trace.outcomes = {Ok(), Ok(), Error(Errno::kENOENT)};
  const Verdict verdict = Judge(trace, NewestLinuxProfile());
  EXPECT_TRUE(verdict.violation);
  EXPECT_EQ(verdict.index, 1u);
  EXPECT_EQ(verdict.judged, 2u);
  EXPECT_EQ(verdict.judgement.violated, clause::hash::delete_absent);
  EXPECT_EQ(verdict.citations[static_cast<size_t>(clause::hash::create_creates)], 1u);
}

}  // namespace
}  // namespace mapspec
