// SPDX-License-Identifier: MIT
#include "backends/program/program_runner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "backends/libbpf_api/allocation_count.h"
#include "backends/program/test_interpreter.h"

namespace mapspec {
namespace {

class ProgramRunnerTest : public testing::Test {
 protected:
  ProgramRunnerTest() {
    map_.helper = [](HelperId, const uint64_t*) -> uint64_t { return 0; };
  }
  std::vector<Outcome> Run(const std::vector<Operation>& operations, int fd = 5,
                           uint16_t slot = 0) {
    std::vector<Outcome> outcomes(operations.size());
    runner_.Run({fd, slot, shape_}, operations, outcomes);
    for (const std::string& fault : map_.faults) ADD_FAILURE() << fault;
    return outcomes;
  }
  static Operation Delete(uint8_t key = 1) { return {HelperDelete{{0}, {key}}}; }
  static Operation Lookup(uint8_t key = 1) { return {HelperLookup{{0}, {key}, false, {}}}; }

  TestMap map_;
  MapShape shape_{MapType::HASH, 4, 4, -1};
  ProgramRunner runner_{MakeTestInterpreter(&map_)};
};

TEST_F(ProgramRunnerTest, CallsThatFollowOneAnotherAreOneRun) {
  const auto outcomes = Run({Delete(), Lookup(), {HelperUpdate{{0}, {1}, {2}, 0}}});
  EXPECT_EQ(map_.loads, 1u);
  EXPECT_EQ(map_.runs, 1u);
  EXPECT_EQ(map_.calls, (std::vector<HelperId>{HelperId::kMapDeleteElem, HelperId::kMapLookupElem,
                                               HelperId::kMapUpdateElem}));
  EXPECT_TRUE(outcomes[0].ok());
  EXPECT_EQ(outcomes[1].error, Errno::kENOENT);
  EXPECT_TRUE(outcomes[2].ok());
}

TEST_F(ProgramRunnerTest, MoreThanTheBlockHoldsAreSeveralRuns) {
  const auto outcomes = Run(std::vector<Operation>(2 * kMaxRecords + 1, Delete()));
  EXPECT_EQ(map_.runs, 3u);
  EXPECT_EQ(map_.calls.size(), outcomes.size());
  EXPECT_TRUE(
      std::all_of(outcomes.begin(), outcomes.end(), [](const Outcome& o) { return o.ok(); }));
}

TEST_F(ProgramRunnerTest, ProgramsAreKeptUntilTheSlotIsForgotten) {
  Run({Delete()});
  Run({Lookup()});
  EXPECT_EQ(map_.loads, 1u);
  EXPECT_EQ(map_.unloads, 0u);
  runner_.Forget(0);
  EXPECT_EQ(map_.unloads, 1u);
  Run({Delete()}, 6);
  EXPECT_EQ(map_.fds, (std::vector<int>{5, 6}));
  EXPECT_EQ(map_.control_maps, 1u) << "the control block serves all programs";
}

TEST_F(ProgramRunnerTest, SlotsHaveProgramsOfTheirOwn) {
  Run({Delete()}, 5, 0);
  Run({Delete()}, 6, 1);
  runner_.Forget(1);
  EXPECT_EQ(map_.loads, 2u);
  EXPECT_EQ(map_.unloads, 1u);
}

TEST_F(ProgramRunnerTest, WhatIsRefusedTogetherIsLoadedAlone) {
  map_.refused = [](const Program& program) {
    const bool deletes = std::any_of(
        program.calls.begin(), program.calls.end(),
        [](const HelperCallSite& site) { return site.helper == HelperId::kMapDeleteElem; });
    return deletes ? Errno::kEACCES : Errno::kNone;
  };
  for (int i = 0; i < 2; ++i) {
    const auto outcomes = Run({Lookup(), Delete(), Delete(), Lookup()});
    EXPECT_EQ(outcomes[0].completion, Completion::kReturned);
    EXPECT_EQ(outcomes[1].completion, Completion::kRefused);
    EXPECT_EQ(outcomes[1].error, Errno::kEACCES);
    EXPECT_EQ(outcomes[1].detail, "refused");
    EXPECT_EQ(outcomes[2].completion, Completion::kRefused);
    EXPECT_EQ(outcomes[3].error, Errno::kENOENT);
  }
  EXPECT_EQ(map_.loads, 3u) << "together, the lookup, the delete: once each";
}

TEST_F(ProgramRunnerTest, NoMapMeansANewVerdictEveryTime) {
  map_.refused = [](const Program&) { return Errno::kEBADF; };
  for (int i = 0; i < 2; ++i) EXPECT_EQ(Run({Delete()}, -1)[0].error, Errno::kEBADF);
  for (int i = 0; i < 2; ++i) Run({Delete()}, 9, kNotAMap.slot);
  EXPECT_GE(map_.loads, 4u);
}

TEST_F(ProgramRunnerTest, AnEngineThatIsUnableSaysNothingAboutTheMap) {
  map_.unable = "out of memory";
  const auto outcomes = Run({Delete()});
  EXPECT_EQ(outcomes[0].completion, Completion::kNotRun);
  EXPECT_NE(outcomes[0].detail.find("out of memory"), std::string::npos);
}

TEST_F(ProgramRunnerTest, InterruptedRunsGoOnWhereTheyWere) {
  map_.runs_before_interrupt = 3;
  const auto outcomes = Run(std::vector<Operation>(8, Delete()));
  EXPECT_EQ(map_.calls.size(), 8u);
  for (const Outcome& outcome : outcomes) EXPECT_TRUE(outcome.ok());
}

TEST_F(ProgramRunnerTest, RunsThatGetNowhereEnd) {
  map_.runs_before_interrupt = 0;
  const auto outcomes = Run({Delete()});
  EXPECT_EQ(outcomes[0].completion, Completion::kNotRun);
  EXPECT_NE(outcomes[0].detail.find("EINTR"), std::string::npos) << outcomes[0].detail;
}

TEST_F(ProgramRunnerTest, KeysAndValuesBeyondTheLimitAreNotRun) {
  shape_.value_size = kMaxValue + 1;
  EXPECT_EQ(Run({Delete()})[0].completion, Completion::kNotRun);
  EXPECT_EQ(map_.loads, 0u);
}

TEST_F(ProgramRunnerTest, CallsWhoseProgramIsLoadedAllocateNothing) {
  const std::vector<Operation> operations(4, Lookup());
  std::vector<Outcome> outcomes(operations.size());
  map_.calls.reserve(100);
  runner_.Run({5, 0, shape_}, operations, outcomes);
  const size_t before = AllocationCount();
  runner_.Run({5, 0, shape_}, operations, outcomes);
  EXPECT_EQ(AllocationCount() - before, 0u);
}

}  // namespace
}  // namespace mapspec
