// SPDX-License-Identifier: MIT
//
// Which helper calls a session gives to the program engine together, and when programs go.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/eventfd.h>

#include <memory>
#include <string>
#include <vector>

#include "backends/libbpf_api/api_session.h"
#include "backends/program/test_interpreter.h"

namespace mapspec {
namespace {

// A function that returns a new descriptor, with the signature that the installed libbpf gives its
// own (versions differ in where they say const).
template <typename... Arguments>
auto NewDescriptor(int (*)(Arguments...)) -> int (*)(Arguments...) {
  return [](Arguments...) { return eventfd(0, EFD_CLOEXEC); };
}

class ApiSessionProgramsTest : public testing::Test {
 protected:
  ApiSessionProgramsTest() {
    map_.helper = [](HelperId, const uint64_t*) -> uint64_t { return 0; };
    setup_->api.map_create = NewDescriptor(setup_->api.map_create);
    setup_->api.btf_load = NewDescriptor(setup_->api.btf_load);
    setup_->capabilities.set();
    setup_->make_program_engine = [this] { return MakeTestInterpreter(&map_); };
  }
  std::vector<Outcome> Run(const std::vector<Operation>& operations) {
    std::vector<Outcome> outcomes;
    if (session_ == nullptr) session_ = std::make_unique<ApiSession>(setup_);
    session_->Run(operations, &outcomes);
    EXPECT_EQ(outcomes.size(), operations.size());
    for (const std::string& fault : map_.faults) ADD_FAILURE() << fault;
    return outcomes;
  }
  static Operation Map(uint16_t slot = 0) {
    MapCreate create;
    create.result = {slot};
    return {create};
  }
  static Operation Delete(uint16_t slot = 0, uint8_t thread = 0) {
    Operation operation{HelperDelete{{slot}, {1}}};
    operation.thread = thread;
    return operation;
  }

  TestMap map_;
  std::shared_ptr<ApiSetup> setup_ = std::make_shared<ApiSetup>();
  std::unique_ptr<ApiSession> session_;
};

TEST_F(ApiSessionProgramsTest, CallsOnOneMapFromOneThreadGoTogether) {
  Run({Map(0), Map(1), Delete(0), Delete(0), Delete(0)});
  EXPECT_EQ(map_.runs, 1u);
  Run({Delete(0), Delete(1), Delete(0)});
  EXPECT_EQ(map_.runs, 4u);
  Run({Delete(0), Delete(0, 2), Delete(0, 2), Delete(0)});
  EXPECT_EQ(map_.runs, 7u);
  EXPECT_EQ(map_.calls.size(), 10u);
}

TEST_F(ApiSessionProgramsTest, AClosedOrRefilledSlotHasNoProgramsLeft) {
  Run({Map(0), Delete(0)});
  EXPECT_EQ(map_.unloads, 0u);
  Run({{Close{{0}}}});
  EXPECT_EQ(map_.unloads, 1u);
  Run({Map(0), Delete(0), Map(0)});
  EXPECT_EQ(map_.unloads, 2u);
}

TEST_F(ApiSessionProgramsTest, AFrozenMapHasItsProgramsLoadedAnew) {
  setup_->api.map_freeze = [](int) { return 0; };
  Run({Map(0), Delete(0), {Freeze{{0}}}, Delete(0)});
  EXPECT_EQ(map_.loads, 2u);
}

TEST_F(ApiSessionProgramsTest, TheThreadHasItsCpusBackAfterwards) {
  cpu_set_t before, after;
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  Operation pinned = Delete(0);
  for (pinned.cpu = 0; pinned.cpu < CPU_SETSIZE && !CPU_ISSET(pinned.cpu, &before); ++pinned.cpu) {
  }
  EXPECT_TRUE(Run({Map(0), pinned})[1].ok());
  ASSERT_EQ(sched_getaffinity(0, sizeof(after), &after), 0);
  EXPECT_TRUE(CPU_EQUAL(&before, &after));
  Run({Delete(0), pinned, Delete(0)});
  EXPECT_EQ(map_.runs, 4u) << "calls on several CPUs do not go together";
}

TEST_F(ApiSessionProgramsTest, WhatTheBackendCannotDoPartsTheOthers) {
  setup_->capabilities.reset(static_cast<size_t>(Capability::kHelperPushElem));
  setup_->no_programs = "for a reason";
  const auto outcomes = Run({Map(0), Delete(0), {HelperPush{{0}, {1}, 0}}, Delete(0), Delete(0)});
  EXPECT_EQ(map_.runs, 2u);
  EXPECT_TRUE(outcomes[1].ok());
  EXPECT_EQ(outcomes[2].completion, Completion::kNotRun);
  EXPECT_EQ(outcomes[2].detail, "no bpf_map_push_elem(): for a reason");
  EXPECT_TRUE(outcomes[4].ok());
}

TEST_F(ApiSessionProgramsTest, CallersWithoutPrivilegesHaveNoPrograms) {
  Operation unprivileged = Delete(0);
  unprivileged.caller = Caller::kUnprivileged;
  const auto outcomes = Run({Map(0), Delete(0), unprivileged});
  EXPECT_TRUE(outcomes[1].ok());
  EXPECT_EQ(outcomes[2].completion, Completion::kNotRun);
  EXPECT_EQ(map_.calls.size(), 1u);
}

TEST_F(ApiSessionProgramsTest, ProgramsKnowWhereTheLockOfAMapIs) {
  const auto shape_of = [this](uint16_t btf, uint32_t value_type) {
    MapShape shape;
    map_.refused = [&shape](const Program& program) {
      shape = program.subject;
      return Errno::kNone;
    };
    MapCreate create;
    create.value_size = 16;
    create.btf = btf;
    create.btf_key_type_id = kBtfKeyTypeId;
    create.btf_value_type_id = value_type;
    Run({{BtfLoad{0, 4, 16, 12}}, {create}, Delete(0)});
    return shape;
  };
  EXPECT_EQ(shape_of(0, kBtfValueTypeId), (MapShape{MapType::HASH, 4, 16, 12}));
  EXPECT_EQ(shape_of(0, kBtfIntTypeId).lock_offset, -1);
  EXPECT_EQ(shape_of(kNoBtf, kBtfValueTypeId).lock_offset, -1);
}

TEST_F(ApiSessionProgramsTest, ABackendWithoutAnEngineRunsNoProgram) {
  setup_->make_program_engine = nullptr;
  EXPECT_EQ(Run({Map(0), Delete(0)})[1].completion, Completion::kNotRun);
}

TEST_F(ApiSessionProgramsTest, ACpuThatIsNotThereIsNotRunOnEitherPath) {
  Operation helper = Delete(0), call{Close{{0}}};
  helper.cpu = call.cpu = 60000;
  const auto outcomes = Run({Map(0), helper, call, Delete(0)});
  EXPECT_EQ(outcomes[1].completion, Completion::kNotRun);
  EXPECT_EQ(outcomes[2].completion, Completion::kNotRun);
  EXPECT_TRUE(outcomes[3].ok());
}

}  // namespace
}  // namespace mapspec
