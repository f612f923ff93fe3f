// SPDX-License-Identifier: MIT
//
// Helper calls through a VM: the answers of a script, what a faulty VM makes of them, and what is
// not run. In this process where nothing crashes.
#include "backends/vm/vm_backend.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "backends/embedded/userspace_backend.h"
#include "backends/vm/vm_faults.h"
#include "backends/vm/vm_in_process.h"
#include "backends/vm/vm_selector.h"
#include "backends/vm/vm_store.h"

namespace mapspec {
namespace {

MapCreate Create(MapType type, uint32_t key_size, uint32_t flags = 0) {
  MapCreate create;
  create.type = type;
  create.key_size = key_size;
  create.value_size = 8;
  create.max_entries = 4;
  create.map_flags = flags;
  return create;
}

Bytes Word(uint8_t first) { return {first, 2, 3, 4, 5, 6, 7, 8}; }
Bytes Key(uint8_t first) { return {first, 0, 0, 0}; }

std::vector<Outcome> RunOn(Backend& backend, const std::vector<Operation>& operations) {
  std::string error;
  std::vector<Outcome> outcomes;
  const auto session = backend.NewSession(&error);
  EXPECT_NE(session, nullptr) << error;
  if (session != nullptr) session->Run(operations, &outcomes);
  return outcomes;
}
std::vector<Outcome> RunIn(std::string_view selector, const std::vector<Operation>& operations) {
  std::string error;
  const auto backend = MakeInProcessVmBackend(selector, &error);
  EXPECT_NE(backend, nullptr) << error;
  return backend == nullptr ? std::vector<Outcome>() : RunOn(*backend, operations);
}

HelperLookup Find(uint8_t key, Handle map = {0}) {
  HelperLookup lookup;
  lookup.map = map;
  lookup.key = Key(key);
  return lookup;
}
HelperUpdate Set(uint8_t key, uint8_t value, uint64_t flags, bool hold = false) {
  return {{0}, Key(key), Word(value), flags, hold};
}
HelperDelete Erase(uint8_t key) { return {{0}, Key(key), false}; }

HelperLookup LookupAndStore(uint8_t key, uint8_t value) {
  HelperLookup lookup;
  lookup.key = Key(key);
  lookup.store = true;
  lookup.value = Word(value);
  return lookup;
}

// Something of everything that HASH, ARRAY, QUEUE and STACK have.
std::vector<Operation> Everything() {
  constexpr uint64_t kHigh = uint64_t{1} << 32;
  return {
      {Create(MapType::HASH, 4)},                // 0
      {Set(1, 10, 1)},                           // creates
      {Set(1, 11, 1)},                           // EEXIST
      {Set(2, 12, 2)},                           // ENOENT
      {Set(1, 13, kHigh)},                       // EINVAL
      {Set(1, 14, 0, true)},                     // holds 10
      {Find(1)},                                 // 14
      {LookupAndStore(1, 20)},                   // 14, stores 20
      {Find(1)},                                 // 20
      {Lookup{{0}, {Pointer::kValid, Key(1)}}},  // 20
      {Erase(1)},                                // 10
      {Erase(1)},                                // ENOENT
      {Find(1)},                                 // ENOENT
      {Create(MapType::ARRAY, 4)},               // 13, again in slot 0
      {Set(9, 1, 0)},                            // E2BIG
      {LookupAndStore(3, 30)},                   // zeros
      {Find(3)},                                 // 30
      {Create(MapType::QUEUE, 0)},               // 17
      {HelperPop{{0}}},                          // ENOENT, zeros
      {HelperPush{{0}, Word(40), 0}},            //
      {HelperPush{{0}, Word(41), 1}},            // EINVAL
      {HelperPush{{0}, Word(41), kHigh}},        // EINVAL
      {HelperPush{{0}, Word(42), 0}},            //
      {HelperPeek{{0}}},                         // 40
      {HelperPop{{0}}},                          // 40
      {HelperPop{{0}}},                          // 42
      {HelperPop{{0}}},                          // ENOENT
  };
}

// What per-CPU, LRU and maps of maps have beside that. Steps run on CPU 0.
std::vector<Operation> PerCpuAndInner() {
  const auto inner = [](uint8_t key, uint8_t inner_key) {
    HelperLookupInner lookup;
    lookup.key = Key(key);
    lookup.inner_key = Key(inner_key);
    return lookup;
  };
  HelperLookupInner store = inner(2, 1);
  store.store = true;
  store.value = Word(70);
  MapCreate outer = Create(MapType::HASH_OF_MAPS, 4);
  outer.value_size = 4;
  outer.inner_map = Handle{1};
  MapCreate of_slot_1 = Create(MapType::ARRAY, 4);
  of_slot_1.result = Handle{1};
  Update put;
  put.key.bytes = Key(2);
  put.value_fd = Handle{1};
  HelperLookupPercpu of_cpu_0;
  of_cpu_0.key = Key(1);
  HelperLookupPercpu of_no_cpu = of_cpu_0;
  of_no_cpu.of_cpu = 9999;
  Lookup of_inner;
  of_inner.map = Handle{1};
  of_inner.key.bytes = Key(1);
  std::vector<Operation> operations = {
      {Create(MapType::PERCPU_HASH, 4)},  // 0
      {Set(1, 10, 0)},                    //
      {Find(1)},                          // 10
      {of_cpu_0},                         // 10
      {of_no_cpu},                        // ENOENT
      {Create(MapType::LRU_HASH, 4)},     // 5
      {Set(1, 20, 0)},                    //
      {Find(1)},                          // 20
      {of_slot_1},                        // 8
      {outer},                            //
      {put},                              //
      {inner(2, 1)},                      // 11: zeros
      {store},                            //
      {inner(2, 1)},                      // 70
      {inner(2, 9)},                      // ENOENT
      {inner(3, 1)},                      // ENOENT
      {of_inner},                         // 70
  };
  for (Operation& operation : operations) operation.cpu = 0;
  return operations;
}

Bytes OutputOf(const Outcome& outcome) {
  const auto* bytes = std::get_if<Bytes>(&outcome.output);
  return bytes == nullptr ? Bytes() : *bytes;
}

TEST(VmBackend, EveryVmOfThisBuildAnswersAsLinux) {
  for (const VmEngineInfo& info : VmEngines()) {
    if (!info.built) continue;
    for (const bool jit : {false, true}) {
      if (jit && !info.has_jit) continue;
      std::string selector = "vm";
      if (!info.word.empty()) selector += ":" + std::string(info.word);
      if (jit) selector += ":jit";
      SCOPED_TRACE(selector);
      const auto outcomes = RunIn(selector, Everything());
      ASSERT_EQ(outcomes.size(), Everything().size());
      for (const Outcome& outcome : outcomes) {
        ASSERT_EQ(outcome.completion, Completion::kReturned) << outcome.detail;
        EXPECT_EQ(outcome.result, 0);
      }
      EXPECT_EQ(outcomes[2].error, Errno::kEEXIST);
      EXPECT_EQ(outcomes[3].error, Errno::kENOENT);
      EXPECT_EQ(outcomes[4].error, Errno::kEINVAL);
      EXPECT_EQ(OutputOf(outcomes[5]), Word(10)) << "what was held is the old value";
      EXPECT_EQ(OutputOf(outcomes[7]), Word(14));
      EXPECT_EQ(OutputOf(outcomes[8]), Word(20));
      EXPECT_EQ(OutputOf(outcomes[9]), Word(20)) << "bpf(2) sees what the program stored";
      EXPECT_TRUE(outcomes[10].ok());
      EXPECT_EQ(outcomes[11].error, Errno::kENOENT);
      EXPECT_EQ(outcomes[12].error, Errno::kENOENT);
      EXPECT_EQ(outcomes[14].error, Errno::kE2BIG);
      EXPECT_EQ(OutputOf(outcomes[16]), Word(30));
      EXPECT_EQ(outcomes[18].error, Errno::kENOENT);
      EXPECT_EQ(OutputOf(outcomes[18]), Bytes(8)) << "an empty pop fills with zeros";
      EXPECT_EQ(outcomes[20].error, Errno::kEINVAL);
      EXPECT_EQ(outcomes[21].error, Errno::kEINVAL);
      EXPECT_EQ(OutputOf(outcomes[23]), Word(40));
      EXPECT_EQ(OutputOf(outcomes[24]), Word(40));
      EXPECT_EQ(OutputOf(outcomes[25]), Word(42));
    }
  }
}

TEST(VmBackend, EveryVmOfThisBuildKnowsPerCpuMapsAndMapsOfMaps) {
  for (const VmEngineInfo& info : VmEngines()) {
    if (!info.built) continue;
    const std::string selector = info.word.empty() ? "vm" : "vm:" + std::string(info.word);
    SCOPED_TRACE(selector);
    const auto outcomes = RunIn(selector, PerCpuAndInner());
    ASSERT_EQ(outcomes.size(), PerCpuAndInner().size());
    for (size_t i = 0; i < outcomes.size(); ++i) {
      ASSERT_EQ(outcomes[i].completion, Completion::kReturned) << i << ": " << outcomes[i].detail;
    }
    EXPECT_EQ(OutputOf(outcomes[2]), Word(10));
    EXPECT_EQ(OutputOf(outcomes[3]), Word(10));
    EXPECT_EQ(outcomes[4].error, Errno::kENOENT);
    EXPECT_EQ(OutputOf(outcomes[7]), Word(20));
    EXPECT_EQ(OutputOf(outcomes[11]), Bytes(8));
    EXPECT_EQ(OutputOf(outcomes[13]), Word(70));
    EXPECT_EQ(outcomes[14].error, Errno::kENOENT) << "not in the inner map";
    EXPECT_EQ(outcomes[15].error, Errno::kENOENT) << "no inner map";
    EXPECT_EQ(OutputOf(outcomes[16]), Word(70)) << "bpf(2) sees what the program stored";
  }
}

TEST(VmBackend, EveryFaultChangesTheTrace) {
  const auto all = [](std::string_view selector) {
    std::vector<Outcome> outcomes = RunIn(selector, Everything());
    const std::vector<Outcome> more = RunIn(selector, PerCpuAndInner());
    outcomes.insert(outcomes.end(), more.begin(), more.end());
    return outcomes;
  };
  const auto right = all("vm:plain");
  for (const VmFault& fault : VmFaults()) {
    if (fault.name == "crashes") continue;
    EXPECT_NE(all("faulty-vm:" + std::string(fault.name)), right)
        << fault.name << ": " << fault.what;
  }
  std::string error;
  EXPECT_EQ(MakeInProcessVmBackend("faulty-vm:none", &error), nullptr);
  EXPECT_EQ(error, "there is no fault \"none\"");
}

TEST(VmBackend, ACrashIsTheOutcomeOfItsOperationAndTheNextSessionWorks) {
  std::string error;
  bool usage = false;
  const auto backend = MakeVmBackend("faulty-vm:crashes", &error, &usage);
  ASSERT_NE(backend, nullptr) << error;
  for (int round = 0; round < 2; ++round) {
    const auto outcomes =
        RunOn(*backend, {{Create(MapType::HASH, 4)}, {Find(1)}, {Set(1, 1, 0)}, {Find(1)}});
    ASSERT_EQ(outcomes.size(), 3u);
    EXPECT_EQ(outcomes[1].error, Errno::kENOENT);
    EXPECT_EQ(outcomes[2].completion, Completion::kCrashed);
    EXPECT_NE(outcomes[2].detail.find("signal"), std::string::npos) << outcomes[2].detail;
  }
}

TEST(VmBackend, CallsBackForEachElementWhereTheVmCan) {
  HelperForEach all;
  HelperForEach two;
  two.limit = 2;
  HelperForEach flags;
  flags.flags = 1;
  const auto outcomes = RunIn(
      "vm:plain", {{Create(MapType::ARRAY, 4)}, {LookupAndStore(2, 50)}, {all}, {two}, {flags}});
  ASSERT_EQ(outcomes.size(), 5u);
  EXPECT_EQ(outcomes[2].result, 4);
  const auto& noted = *std::get<Boxed<BatchOutput>>(outcomes[2].output);
  EXPECT_EQ(noted.count, 4u);
  EXPECT_EQ(outcomes[3].result, 2);
  EXPECT_EQ(outcomes[4].error, Errno::kEINVAL);
}

TEST(VmBackend, WhatLinuxWouldNotLoadIsNotRun) {
  HelperLookup store;
  store.key = Key(0);
  store.store = true;
  store.value = Word(1);
  const auto outcomes = RunIn("vm:plain", {{Create(MapType::HASH, 4)},     // 0
                                           {HelperPush{{0}, Word(1), 0}},  // not of this type
                                           {Create(MapType::QUEUE, 0)},    // 2
                                           {Find(0)},                      // not of this type
                                           {Create(MapType::ARRAY, 4, BPF_F_RDONLY_PROG)},  // 4
                                           {Find(0)},                                       // runs
                                           {Set(0, 1, 0)},  // changes
                                           {store},         // changes
                                           {Freeze{{0}}},   // 8
                                           {Find(0)},       // of several elements
                                           {Create(MapType::ARRAY, 4, BPF_F_WRONLY_PROG)},  // 10
                                           {Set(0, 1, 0)},                                  // runs
                                           {Find(0)},                                       // reads
                                           {Find(0, kBadFd)}});  // no map
  ASSERT_EQ(outcomes.size(), 14u);
  for (const size_t i : {1u, 3u, 6u, 7u, 9u, 12u, 13u}) {
    EXPECT_EQ(outcomes[i].completion, Completion::kNotRun) << i;
    EXPECT_NE(outcomes[i].detail.find("nothing verifies programs here"), std::string::npos)
        << i << ": " << outcomes[i].detail;
  }
  EXPECT_TRUE(outcomes[5].ok());
  EXPECT_TRUE(outcomes[11].ok());
}

TEST(VmBackend, WhatLinuxWouldNotLoadForInnerMapsIsNotRun) {
  const auto run = [](MapType type, uint32_t flags, HelperLookupInner lookup) {
    MapCreate inner = Create(type, type == MapType::QUEUE ? 0 : 4, flags);
    inner.result = Handle{1};
    MapCreate outer = Create(MapType::ARRAY_OF_MAPS, 4);
    outer.value_size = 4;
    outer.inner_map = Handle{1};
    lookup.key = Key(0);
    lookup.inner_key = Key(0);
    return RunIn("vm:plain", {{inner}, {outer}, {lookup}})[2];
  };
  HelperLookupInner store;
  store.store = true;
  store.value = Word(1);
  EXPECT_EQ(run(MapType::ARRAY, 0, store).error, Errno::kENOENT);
  for (const Outcome& outcome :
       {run(MapType::QUEUE, 0, {}), run(MapType::ARRAY, BPF_F_RDONLY_PROG, store),
        run(MapType::ARRAY, BPF_F_WRONLY_PROG, {})}) {
    EXPECT_EQ(outcome.completion, Completion::kNotRun);
    EXPECT_NE(outcome.detail.find("Linux does not load"), std::string::npos) << outcome.detail;
  }
  EXPECT_EQ(run(MapType::ARRAY, BPF_F_RDONLY_PROG, {}).error, Errno::kENOENT);
}

TEST(VmBackend, TakesTheHelpersOfALibraryThatHasThem) {
  const auto outcomes = RunIn("vm:plain:library:" MAPSPEC_TEST_USERMAPS_LIBRARY, Everything());
  EXPECT_EQ(outcomes, RunIn("vm:plain", Everything()));
}

// The library of this test keeps one value and has neither delete nor helpers.
TEST(VmBackend, MakesDoWithTheFunctionsOfALibraryThatHasNoHelpers) {
  std::string error;
  const auto backend =
      MakeInProcessVmBackend("vm:plain:library:" MAPSPEC_TEST_MISBEHAVING_LIBRARY, &error);
  ASSERT_NE(backend, nullptr) << error;
  EXPECT_EQ(backend->default_profile(), "documented");
  EXPECT_FALSE(Has(backend->capabilities(), Capability::kHelperLookupElem));
  EXPECT_FALSE(Has(backend->capabilities(), Capability::kHelperForEachElem));
  EXPECT_FALSE(Has(backend->capabilities(), Capability::kVerifier));
  const auto outcomes = RunOn(*backend, {{Create(MapType::HASH, 4)}, {Find(1)}});
  ASSERT_EQ(outcomes.size(), 2u);
  EXPECT_EQ(outcomes[1].completion, Completion::kNotRun);
  EXPECT_EQ(outcomes[1].detail,
            "no bpf_map_lookup_elem(): the library has no helpers for programs (usermaps_prog.h)");
}

TEST(VmStore, FunctionsOfBpf2ServeAsHelpersAsFarAsTheyGo) {
  const BpfApi api = UserspaceSetup()->api;
  const auto store = MakeLibbpfStore(api);
  const CapabilitySet helpers = store->helpers();
  EXPECT_TRUE(Has(helpers, Capability::kHelperUpdateElem));
  EXPECT_TRUE(Has(helpers, Capability::kHelperPopElem));
  EXPECT_FALSE(Has(helpers, Capability::kHelperLookupElem));
  EXPECT_FALSE(Has(helpers, Capability::kHelperSpinLock));
  std::string error;
  EXPECT_EQ(store->Open(-1, &error), nullptr);
  EXPECT_FALSE(error.empty());
  const int fd = api.map_create(::BPF_MAP_TYPE_QUEUE, "queue", 0, 8, 1, nullptr);
  ASSERT_GE(fd, 0);
  const auto queue = store->Open(fd, &error);
  ASSERT_NE(queue, nullptr) << error;
  uint64_t value = 77;
  EXPECT_EQ(queue->Peek(&value), -ENOENT);
  EXPECT_EQ(value, 0u) << "as programs find it";
  value = 5;
  EXPECT_EQ(queue->Push(&value, 0), 0);
  EXPECT_EQ(queue->Push(&value, 0), -E2BIG);
  value = 0;
  EXPECT_EQ(queue->Pop(&value), 0);
  EXPECT_EQ(value, 5u);
  close(fd);
}

TEST(VmBackend, ALibraryThatIsNotThereIsAMistakeOfTheUser) {
  std::string error;
  bool usage = false;
  EXPECT_EQ(MakeVmBackend("vm:plain:library:./no-such.so", &error, &usage), nullptr);
  EXPECT_TRUE(usage);
  EXPECT_EQ(error, "vm:plain:library:./no-such.so: No such file or directory");
}

}  // namespace
}  // namespace mapspec
