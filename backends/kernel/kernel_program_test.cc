// SPDX-License-Identifier: MIT
//
// The program path on the running kernel, through a session of the kernel backend; skipped, with
// the reason, where the kernel does not let us.
#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "backends/kernel/kernel_backend.h"
#include "backends/kernel/kernel_program_engine.h"

namespace mapspec {
namespace {

Bytes Numbered(size_t size, uint8_t first) {
  Bytes bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>(first + i * 7);
  return bytes;
}
const Bytes& BytesOf(const Outcome& outcome) { return std::get<Bytes>(outcome.output); }
const BatchOutput& NotesOf(const Outcome& outcome) {
  return *std::get<Boxed<BatchOutput>>(outcome.output);
}

class KernelProgramTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string reason;
    backend_ = MakeKernelBackend(&reason);
    if (backend_ == nullptr) GTEST_SKIP() << reason;
    if (!Has(backend_->capabilities(), Capability::kVerifier)) GTEST_SKIP() << WhyNoPrograms();
  }
  std::vector<Outcome> Run(const std::vector<Operation>& operations) {
    std::string error;
    std::vector<Outcome> outcomes;
    backend_->NewSession(&error)->Run(operations, &outcomes);
    EXPECT_EQ(outcomes.size(), operations.size()) << error;
    return outcomes;
  }
  // Each operation in a Run of its own: nothing is batched.
  std::vector<Outcome> RunSingly(const std::vector<Operation>& operations) {
    std::string error;
    std::vector<Outcome> outcomes;
    const auto session = backend_->NewSession(&error);
    for (const Operation& operation : operations) session->Run({&operation, 1}, &outcomes);
    return outcomes;
  }
  static MapCreate Map(MapType type, uint32_t key_size, uint32_t value_size,
                       uint32_t max_entries = 4) {
    MapCreate create;
    create.type = type;
    create.key_size = key_size;
    create.value_size = value_size;
    create.max_entries = max_entries;
    return create;
  }

  std::unique_ptr<Backend> backend_;
};

TEST_F(KernelProgramTest, HashesOfAnySizeAreReadAndWritten) {
  std::vector<std::pair<uint32_t, uint32_t>> sizes = {{16, 64},     {64, 16},   {513, 7},
                                                      {4096, 4096}, {3, 65536}, {300, 255}};
  for (uint32_t size = 1; size <= 9; ++size) sizes.emplace_back(size, 10 - size);
  for (const auto& [key_size, value_size] : sizes) {
    SCOPED_TRACE(testing::Message() << key_size << " " << value_size);
    const Bytes key = Numbered(key_size, 1);
    const Bytes first = Numbered(value_size, 10), second = Numbered(value_size, 20),
                third = Numbered(value_size, 30);
    const auto out = Run({{Map(MapType::HASH, key_size, value_size)},
                          {HelperLookup{{0}, key, false, {}}},
                          {HelperUpdate{{0}, key, first, 0}},
                          {HelperLookup{{0}, key, true, second}},
                          {Lookup{{0}, {Pointer::kValid, key}}},
                          {HelperUpdate{{0}, key, third, BPF_EXIST, true}},
                          {HelperLookup{{0}, key, false, {}}},
                          {HelperDelete{{0}, key, true}},
                          {HelperDelete{{0}, key}}});
    if (out[0].error == Errno::kE2BIG && key_size > 512) continue;  // Before Linux 5.11.
    EXPECT_EQ(out[1].error, Errno::kENOENT);
    EXPECT_EQ(BytesOf(out[1]), Poison(value_size));
    EXPECT_TRUE(out[2].ok()) << ErrnoName(out[2].error) << out[2].detail;
    EXPECT_EQ(BytesOf(out[3]), first);
    EXPECT_EQ(BytesOf(out[4]), second) << "through the system call, what the program stored";
    EXPECT_TRUE(out[5].ok());
    EXPECT_EQ(BytesOf(out[6]), third);
    EXPECT_TRUE(out[7].ok());
    EXPECT_EQ(BytesOf(out[7]), third)
        << "the memory of a deleted element stays while a program runs";
    EXPECT_EQ(out[8].error, Errno::kENOENT);
  }
}

TEST_F(KernelProgramTest, ArraysAreReadAndWritten) {
  for (const uint32_t size : {1u, 2u, 3u, 5u, 7u, 9u, 64u, 4096u}) {
    const auto out = Run({{Map(MapType::ARRAY, 4, size)},
                          {HelperUpdate{{0}, {3}, Numbered(size, 1), 0, true}},
                          {HelperLookup{{0}, {3}, true, Numbered(size, 2)}},
                          {HelperLookup{{0}, {3}, false, {}}},
                          {HelperLookup{{0}, {4}, false, {}}},
                          {HelperDelete{{0}, {3}}}});
    EXPECT_EQ(BytesOf(out[1]), Numbered(size, 1)) << "an array changes in place";
    EXPECT_EQ(BytesOf(out[2]), Numbered(size, 1));
    EXPECT_EQ(BytesOf(out[3]), Numbered(size, 2));
    EXPECT_EQ(out[4].error, Errno::kENOENT);
    EXPECT_EQ(out[5].error, Errno::kEINVAL);
  }
}

TEST_F(KernelProgramTest, QueuesAndStacksArePushedPoppedAndPeeked) {
  for (const MapType type : {MapType::QUEUE, MapType::STACK}) {
    for (const uint32_t size : {1u, 3u, 5u, 8u, 9u, 64u, 4096u}) {
      const Bytes first = Numbered(size, 1), second = Numbered(size, 2);
      const bool queue = type == MapType::QUEUE;
      const auto out = Run({{Map(type, 0, size, 2)},
                            {HelperPush{{0}, first, 0}},
                            {HelperPush{{0}, second, 0}},
                            {HelperPush{{0}, second, 0}},
                            {HelperPush{{0}, second, BPF_NOEXIST}},
                            {HelperPeek{{0}}},
                            {HelperPop{{0}}},
                            {HelperPop{{0}}},
                            {HelperPop{{0}}}});
      EXPECT_TRUE(out[1].ok()) << out[1].detail;
      EXPECT_EQ(out[3].error, Errno::kE2BIG);
      EXPECT_EQ(out[4].error, Errno::kEINVAL);
      EXPECT_EQ(BytesOf(out[5]), queue ? first : second);
      EXPECT_EQ(BytesOf(out[6]), queue ? first : second);
      EXPECT_EQ(BytesOf(out[7]), queue ? second : first);
      EXPECT_EQ(out[8].error, Errno::kENOENT);
      EXPECT_EQ(BytesOf(out[8]), Bytes(size)) << "filled with zeros";
    }
  }
}

TEST_F(KernelProgramTest, ValuesWithALockAreAccessedAroundIt) {
  const Bytes value = Numbered(16, 50);
  Bytes seen = value;
  std::fill(seen.data() + 4, seen.data() + 8, uint8_t{0});
  for (const MapType type : {MapType::HASH, MapType::ARRAY}) {
    MapCreate create = Map(type, 4, 16);
    create.btf = 0;
    create.btf_key_type_id = kBtfIntTypeId;
    create.btf_value_type_id = kBtfValueTypeId;
    const auto out = Run({{BtfLoad{0, 4, 16, 4}},
                          {create},
                          {HelperUpdate{{0}, {1}, Bytes(16), 0}},
                          {HelperLookup{{0}, {1}, true, value, true}},
                          {HelperLookup{{0}, {1}, false, {}, true}},
                          {HelperLookup{{0}, {1}, false, {}}},
                          {HelperUpdate{{0}, {1}, Bytes(16), BPF_F_LOCK, true}}});
    ASSERT_TRUE(out[1].ok()) << ErrnoName(out[1].error);
    EXPECT_EQ(BytesOf(out[3]), Bytes(16));
    EXPECT_EQ(BytesOf(out[4]), seen) << out[4].detail;
    EXPECT_EQ(BytesOf(out[5]), seen);
    EXPECT_EQ(BytesOf(out[6]), Bytes(16)) << "BPF_F_LOCK changes in place";
  }
}

TEST_F(KernelProgramTest, AWalkVisitsEveryElement) {
  if (!Has(backend_->capabilities(), Capability::kHelperForEachElem)) {
    GTEST_SKIP() << WhyNoCallbacks();
  }
  for (const uint32_t size : {1u, 9u, 600u}) {
    const auto out = Run({{Map(MapType::HASH, 4, size, 200)},
                          {HelperForEach{{0}, 0, 0}},
                          {HelperUpdate{{0}, {7}, Numbered(size, 1), 0}},
                          {HelperForEach{{0}, 0, 0}},
                          {HelperForEach{{0}, 0, 1}}});
    ASSERT_TRUE(out[1].ok()) << out[1].detail;
    EXPECT_EQ(out[1].result, 0);
    EXPECT_EQ(out[3].result, 1);
    EXPECT_EQ(NotesOf(out[3]).keys, Bytes({7, 0, 0, 0}));
    EXPECT_EQ(NotesOf(out[3]).values, Numbered(size, 1));
    EXPECT_EQ(out[4].error, Errno::kEINVAL);
  }
  const auto out = Run(
      {{Map(MapType::ARRAY, 4, 4, 100)}, {HelperForEach{{0}, 0, 0}}, {HelperForEach{{0}, 3, 0}}});
  EXPECT_EQ(out[1].result, 100);
  EXPECT_EQ(NotesOf(out[1]).count, kMaxForEachNoted);
  EXPECT_EQ(out[2].result, 3);
  EXPECT_EQ(NotesOf(out[2]).keys, Bytes({0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0}));
}

TEST_F(KernelProgramTest, WhatTheVerifierRefusesIsTold) {
  MapCreate read_only = Map(MapType::HASH, 4, 4);
  read_only.map_flags = BPF_F_RDONLY_PROG;
  const auto out = Run({{Map(MapType::QUEUE, 0, 4)},
                        {HelperLookup{{0}, {}, false, {}}},
                        {read_only},
                        {HelperLookup{{0}, {1}, false, {}}},
                        {HelperUpdate{{0}, {1}, {2}, 0}},
                        {Map(MapType::HASH, 4, 4)},
                        {HelperPush{{0}, {1}, 0}},
                        {HelperLookup{kBadFd, {1}, false, {}}},
                        {HelperLookup{kNotAMap, {1}, false, {}}},
                        {Close{{0}}},
                        {HelperLookup{{0}, {1}, false, {}}}});
  const auto refused = [&out](size_t i, Errno error) {
    EXPECT_EQ(out[i].completion, Completion::kRefused) << i;
    EXPECT_EQ(out[i].error, error) << i << ErrnoName(out[i].error);
    EXPECT_FALSE(out[i].detail.empty()) << i;
    EXPECT_EQ(out[i].detail.find("processed"), std::string::npos) << out[i].detail;
  };
  refused(1, Errno::kEACCES);
  EXPECT_EQ(out[3].error, Errno::kENOENT) << "reading stays possible";
  refused(4, Errno::kEACCES);
  refused(6, Errno::kEINVAL);
  refused(7, Errno::kEBADF);
  refused(8, Errno::kEINVAL);
  refused(10, Errno::kEBADF);
}

TEST_F(KernelProgramTest, AVerdictIsThatOfTheMapAsItIs) {
  // The values of a frozen read-only array are constants to the verifier, which then wants to know
  // of which element: a lookup that was fine before is refused.
  MapCreate constant = Map(MapType::ARRAY, 4, 4);
  constant.map_flags = BPF_F_RDONLY_PROG;
  const Operation lookup{HelperLookup{{0}, {1}, false, {}}};
  const auto out = Run({{constant}, lookup, {Freeze{{0}}}, lookup});
  const auto fresh = Run({{constant}, {Freeze{{0}}}, lookup});
  EXPECT_EQ(out[1].completion, Completion::kReturned);
  EXPECT_EQ(out[3].completion, fresh[2].completion);
  EXPECT_EQ(out[3].error, fresh[2].error);
}

TEST_F(KernelProgramTest, BatchedCallsAnswerAsSingleOnes) {
  std::vector<Operation> operations = {{Map(MapType::HASH, 3, 5, 3)}};
  for (uint8_t i = 0; i < 200; ++i) {
    const Bytes key = {static_cast<uint8_t>(i * 7 % 5)};
    const Bytes value = Numbered(5, i);
    switch (i % 6) {
      case 0:
      case 1:
        operations.push_back({HelperUpdate{{0}, key, value, i % 4u, i % 3 == 0}});
        break;
      case 2:
        operations.push_back({HelperDelete{{0}, key, i % 4 == 0}});
        break;
      case 3:
        operations.push_back({HelperLookup{{0}, key, true, value}});
        break;
      case 4:
        operations.push_back({HelperForEach{{0}, i % 3u, 0}});
        break;
      default:
        operations.push_back({HelperLookup{{0}, key, false, {}}});
    }
  }
  const auto together = Run(operations);
  const auto singly = RunSingly(operations);
  ASSERT_EQ(together.size(), singly.size());
  size_t found = 0;
  for (size_t i = 0; i < together.size(); ++i) {
    EXPECT_EQ(together[i].error, singly[i].error) << i;
    EXPECT_EQ(together[i].completion, singly[i].completion) << i;
    found += together[i].ok();
    // In which order a hash is walked is its own affair.
    if (std::holds_alternative<HelperForEach>(operations[i].call)) continue;
    EXPECT_EQ(together[i].output, singly[i].output) << i;
  }
  EXPECT_GT(found, together.size() / 4);
}

TEST_F(KernelProgramTest, ACallIsMadeOnItsCpu) {
  cpu_set_t before, after;
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  std::vector<uint16_t> cpus;
  for (uint16_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &before)) cpus.push_back(cpu);
  }
  // The value of a per-CPU map that a program sees is that of the CPU it runs on.
  std::vector<Operation> operations = {{Map(MapType::PERCPU_ARRAY, 4, 8)}};
  for (const uint8_t thread : {uint8_t{0}, uint8_t{1}}) {
    for (const uint16_t cpu : cpus) {
      operations.push_back({HelperUpdate{{0}, {0}, {static_cast<uint8_t>(cpu + 1 + thread)}, 0},
                            Caller::kPrivileged, cpu, thread});
    }
    operations.push_back({Lookup{{0}, {Pointer::kValid, {0}}}});
  }
  operations.push_back({HelperLookup{{0}, {0}, false, {}}, Caller::kPrivileged, 60000});
  const auto out = Run(operations);
  for (size_t i = 0; i < cpus.size(); ++i) {
    EXPECT_EQ(BytesOf(out[cpus.size() + 1])[size_t{8} * cpus[i]], cpus[i] + 1);
    EXPECT_EQ(BytesOf(out[2 * cpus.size() + 2])[size_t{8} * cpus[i]], cpus[i] + 2);
  }
  EXPECT_EQ(out.back().completion, Completion::kNotRun);
  EXPECT_NE(out.back().detail.find("CPU 60000"), std::string::npos);
  ASSERT_EQ(sched_getaffinity(0, sizeof(after), &after), 0);
  EXPECT_TRUE(CPU_EQUAL(&before, &after)) << "the thread has its CPUs back";
}

TEST_F(KernelProgramTest, ASessionLeavesNothingBehind) {
  const auto count = [](const char* directory) {
    const std::filesystem::directory_iterator entries(directory);
    return std::distance(begin(entries), end(entries));
  };
  Run({{Map(MapType::HASH, 4, 4)},
       {HelperLookup{{0}, {1}, false, {}}}});  // What is made once is made.
  const auto descriptors = count("/proc/self/fd");
  const auto threads = count("/proc/self/task");
  for (int i = 0; i < 3; ++i) {
    Operation elsewhere{HelperForEach{{0}, 0, 0}};
    elsewhere.thread = 3;
    Run({{Map(MapType::HASH, 4, 4)},
         {HelperLookup{{0}, {1}, false, {}}},
         {HelperPush{{0}, {}, 0}},
         elsewhere});
  }
  EXPECT_EQ(count("/proc/self/fd"), descriptors);
  EXPECT_EQ(count("/proc/self/task"), threads);
}

TEST_F(KernelProgramTest, TheSlotsProgramsGoWithItsMap) {
  // As many as there are descriptors to be had would not do if programs stayed.
  std::vector<Operation> operations;
  for (int i = 0; i < 50; ++i) {
    operations.push_back({Map(MapType::HASH, 4, 4)});
    operations.push_back({HelperUpdate{{0}, {1}, {static_cast<uint8_t>(i)}, BPF_NOEXIST}});
  }
  const auto out = Run(operations);
  for (const Outcome& outcome : out) EXPECT_TRUE(outcome.ok()) << "each map is new and empty";
}

}  // namespace
}  // namespace mapspec
