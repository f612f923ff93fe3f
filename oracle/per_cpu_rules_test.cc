// SPDX-License-Identifier: MIT
//
// Values of per-CPU maps as the checker judges them: what scenarios cannot say of bytes that
// nothing promises, of programs whose CPU is not known, and of elements that may or may not have
// been there.
#include <gtest/gtest.h>

#include "oracle/checker.h"
#include "oracle/clauses.gen.h"
#include "oracle/outcome_test_support.h"

namespace mapspec {
namespace {

using C = clause::percpu_hash;
using Kind = Judgement::Kind;

// Two slots of four bytes, each with four bytes of padding.
Bytes Slots(uint32_t first, uint32_t first_padding, uint32_t second, uint32_t second_padding) {
  Bytes value;
  for (const uint32_t word : {first, first_padding, second, second_padding}) {
    value.Append(Key(word));
  }
  return value;
}

class PerCpuRules : public testing::Test {
 protected:
  explicit PerCpuRules(const char* profile = "linux-6.18") : checker_(Make(profile)) {}
  static Checker Make(const char* profile) {
    Environment environment;
    environment.possible_cpus = 2;
    return Checker(*FindProfile(profile), environment);
  }
  void SetUp() override {
    MapCreate create;
    create.type = MapType::PERCPU_HASH;
    create.max_entries = 4;
    ASSERT_EQ(See(create, Ok()).kind, Kind::kConforms);
  }
  Judgement See(Call call, const Outcome& outcome, uint16_t cpu = kAnyCpu) {
    Operation operation{std::move(call)};
    operation.cpu = cpu;
    return checker_.Step(operation, outcome);
  }
  Judgement LookUp(const Bytes& value) { return See(Lookup{{}, {{}, Key(1)}}, Value(value)); }
  Judgement Put(const Bytes& value) {
    return See(Update{{}, {{}, Key(1)}, {{}, value}, BPF_ANY}, Ok());
  }
  Judgement PutByProgram(uint32_t value, uint16_t cpu) {
    return See(HelperUpdate{{}, Key(1), Key(value), BPF_ANY, false}, Ok(), cpu);
  }

  Checker checker_;
};

class PerCpuRulesAsDocumented : public PerCpuRules {
 protected:
  PerCpuRulesAsDocumented() : PerCpuRules("documented") {}
};

TEST_F(PerCpuRules, PaddingOfAnElementThatAProgramAddedIsWhatTheFirstAnswerSays) {
  EXPECT_EQ(PutByProgram(7, 0).kind, Kind::kConforms);
  EXPECT_EQ(LookUp(Slots(7, 0xabcd, 0, 0x1234)).kind, Kind::kConforms);
  EXPECT_EQ(LookUp(Slots(7, 0xabcd, 0, 0x1234)).kind, Kind::kConforms);
  const Judgement changed = LookUp(Slots(7, 0xabce, 0, 0x1234));
  EXPECT_EQ(changed.kind, Kind::kViolation);
  EXPECT_EQ(changed.violated, C::lookup_padding);
}

TEST_F(PerCpuRules, TheOtherCpusOfAnElementThatAProgramAddedAreZero) {
  EXPECT_EQ(PutByProgram(7, 1).kind, Kind::kConforms);
  EXPECT_EQ(LookUp(Slots(1, 0, 7, 0)).kind, Kind::kViolation);
}

TEST_F(PerCpuRules, PaddingThatASystemCallWroteComesBackAlsoBesideAProgramsUpdate) {
  EXPECT_EQ(Put(Slots(1, 2, 3, 4)).kind, Kind::kConforms);
  EXPECT_EQ(PutByProgram(7, 1).kind, Kind::kConforms);
  EXPECT_EQ(LookUp(Slots(1, 2, 7, 4)).kind, Kind::kConforms);
  EXPECT_EQ(LookUp(Slots(1, 2, 7, 0)).kind, Kind::kViolation);
}

TEST_F(PerCpuRulesAsDocumented, PaddingIsNobodysPromise) {
  EXPECT_EQ(Put(Slots(1, 2, 3, 4)).kind, Kind::kConforms);
  EXPECT_EQ(LookUp(Slots(1, 0, 3, 0)).kind, Kind::kConforms);
  EXPECT_EQ(LookUp(Slots(1, 5, 3, 6)).kind, Kind::kConforms);
  EXPECT_EQ(LookUp(Slots(2, 5, 3, 6)).violated, C::lookup_present);
}

TEST_F(PerCpuRules, WhatAProgramOnAnUnknownCpuReadsIsNotJudgedAndWhatItWritesSpoilsTheMap) {
  EXPECT_EQ(Put(Slots(1, 0, 3, 0)).kind, Kind::kConforms);
  EXPECT_EQ(See(HelperLookup{{}, Key(1), false, {}, false}, Value(Key(99))).kind, Kind::kConforms);
  EXPECT_EQ(LookUp(Slots(1, 0, 3, 0)).kind, Kind::kConforms);
  EXPECT_EQ(PutByProgram(7, kAnyCpu).kind, Kind::kUnjudged);
  EXPECT_EQ(LookUp(Slots(1, 0, 3, 0)).kind, Kind::kUnjudged);
}

TEST_F(PerCpuRules, AProgramSeesTheSlotOfItsOwnCpu) {
  EXPECT_EQ(Put(Slots(1, 0, 3, 0)).kind, Kind::kConforms);
  const HelperLookup lookup{{}, Key(1), false, {}, false};
  EXPECT_EQ(See(lookup, Value(Key(3)), 1).kind, Kind::kConforms);
  const Judgement wrong = See(lookup, Value(Key(1)), 1);
  EXPECT_EQ(wrong.kind, Kind::kViolation);
  EXPECT_EQ(wrong.violated, C::program_own_slot);
}

// A batch that takes elements and faults leaves it open whether they are there, hence also whether
// an update by a program adds (the other slots zero) or replaces (they stay).
TEST_F(PerCpuRules, OfAnElementThatMayHaveBeenThereTheOtherSlotsAreLearned) {
  EXPECT_EQ(Put(Slots(1, 0, 3, 0)).kind, Kind::kConforms);
  LookupBatch taking;
  taking.and_delete = true;
  taking.count = 4;
  taking.values = Pointer::kNull;
  Boxed<BatchOutput> nothing;
  nothing->keys = Poison(16);
  nothing->out_batch = Poison(4);
  Outcome fault = Error(Errno::kEFAULT);
  fault.output = nothing;
  EXPECT_EQ(See(taking, fault).kind, Kind::kConforms);
  EXPECT_EQ(PutByProgram(7, 0).kind, Kind::kConforms);
  EXPECT_EQ(See(HelperLookup{{}, Key(1), false, {}, false}, Value(Key(3)), 1).kind,
            Kind::kConforms);
  EXPECT_EQ(LookUp(Slots(7, 0, 3, 0)).kind, Kind::kConforms);
  EXPECT_EQ(LookUp(Slots(7, 0, 0, 0)).kind, Kind::kViolation);
}

}  // namespace
}  // namespace mapspec
