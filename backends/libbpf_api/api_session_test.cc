// SPDX-License-Identifier: MIT
//
// Sessions over a table of fakes that record what they are given and answer what the test wants.
#include "backends/libbpf_api/api_session.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "backends/libbpf_api/allocation_count.h"

namespace mapspec {
namespace {

// What the fakes saw and shall answer. Reset by every test.
struct Fake {
  int result = 0;
  int set_errno = 0;
  int fd = -1;  // Of the last call.
  const void* key = nullptr;
  const void* in_batch = nullptr;
  Bytes key_bytes;
  Bytes value_bytes;
  uint32_t id = 0;
  bool opts_used = false;
  size_t key_size = 4;
  size_t value_size = 8;
  size_t in_batch_size = 4;
  std::function<void(uint8_t* output)> write = [](uint8_t*) {};
};
Fake fake;

int Answer() {
  if (fake.set_errno != 0) errno = fake.set_errno;
  return fake.result;
}

int Create(::bpf_map_type, const char*, __u32, __u32, __u32, const struct ::bpf_map_create_opts*) {
  return fake.result < 0 ? Answer() : eventfd(0, EFD_CLOEXEC);
}
int LookupElem(int fd, const void* key, void* value) {
  fake.fd = fd;
  fake.key = key;
  if (value != nullptr) fake.write(static_cast<uint8_t*>(value));
  return Answer();
}
int UpdateElem(int fd, const void* key, const void* value, __u64) {
  fake.fd = fd;
  fake.key_bytes.Assign(key, fake.key_size);
  fake.value_bytes.Assign(value, fake.value_size);
  return Answer();
}
int QuickUpdate(int, const void*, const void*, __u64) { return 0; }
int QuickLookup(int, const void*, void*) { return 0; }
int NextKey(int, const void* key, void* next_key) {
  fake.key = key;
  fake.write(static_cast<uint8_t*>(next_key));
  return Answer();
}
int LookupMany(int, void* in_batch, void* out_batch, void* keys, void*, __u32* count,
               const struct ::bpf_map_batch_opts*) {
  fake.in_batch = in_batch;
  if (in_batch != nullptr) fake.key_bytes.Assign(in_batch, fake.in_batch_size);
  if (out_batch != nullptr) fake.write(static_cast<uint8_t*>(out_batch));
  if (keys != nullptr) std::memset(keys, 0x22, fake.key_size);
  *count = 1;
  return Answer();
}
int UpdateMany(int, const void* keys, const void* values, __u32* count,
               const struct ::bpf_map_batch_opts*) {
  fake.key_bytes.Assign(keys, fake.key_size * *count);
  fake.value_bytes.Assign(values, fake.value_size * *count);
  *count = 2;
  return Answer();
}
int Info(int fd, void* info, __u32* length) {
  fake.fd = fd;
  if (*length >= sizeof(::bpf_map_info)) {
    fake.value_bytes.Assign(info, *length);
    ::bpf_map_info told{};
    told.id = 77;
    told.key_size = 2;
    told.value_size = 3;
    told.max_entries = 9;
    std::memcpy(told.name, "sixteen letters!", sizeof(told.name));
    std::memcpy(info, &told, sizeof(told));
  }
  return Answer();
}
int FdById(__u32 id) {
  fake.id = id;
  return fake.result < 0 ? Answer() : eventfd(0, EFD_CLOEXEC);
}
int NextId(__u32 start, __u32* next) {
  fake.id = start;
  *next = 78;
  return 0;
}

std::shared_ptr<ApiSetup> FakeSetup() {
  fake = Fake{};
  auto setup = std::make_shared<ApiSetup>();
  setup->api.map_create = &Create;
  setup->api.map_lookup_elem = &LookupElem;
  setup->api.map_update_elem = &UpdateElem;
  setup->api.map_get_next_key = &NextKey;
  setup->api.map_lookup_batch = &LookupMany;
  setup->api.map_update_batch = &UpdateMany;
  setup->api.obj_get_info_by_fd = &Info;
  setup->api.map_get_fd_by_id = &FdById;
  setup->api.map_get_next_id = &NextId;
  setup->capabilities = CapabilitiesOf(setup->api);
  Add(&setup->capabilities, Capability::kMmap);
  Add(&setup->capabilities, Capability::kBadPointers);
  return setup;
}

class ApiSessionTest : public testing::Test {
 protected:
  Outcome Run(Call call) {
    const Operation operation{std::move(call)};
    std::vector<Outcome> outcomes;
    session_.Run({&operation, 1}, &outcomes);
    EXPECT_EQ(outcomes.size(), 1u);
    return outcomes.at(0);
  }
  void CreateMap(uint16_t slot = 0, MapType type = MapType::HASH) {
    MapCreate create;
    create.result = {slot};
    create.type = type;
    create.key_size = 4;
    create.value_size = 8;
    create.max_entries = 3;
    ASSERT_TRUE(Run(create).ok());
  }

  std::shared_ptr<ApiSetup> setup_ = FakeSetup();
  ApiSession session_{setup_};
};

TEST_F(ApiSessionTest, AnOutputThatNobodyWritesIsPoison) {
  CreateMap();
  const Outcome outcome = Run(Lookup{});
  EXPECT_TRUE(outcome.ok());
  const Bytes& value = std::get<Bytes>(outcome.output);
  EXPECT_EQ(value.size(), 8u);
  EXPECT_TRUE(IsPoison(value));
}

TEST_F(ApiSessionTest, WhatIsWrittenIsRecordedAndTheRestStaysPoison) {
  CreateMap();
  fake.write = [](uint8_t* value) { value[0] = 1; };
  const Outcome outcome = Run(Lookup{});
  const Bytes& value = std::get<Bytes>(outcome.output);
  EXPECT_EQ(value[0], 1);
  EXPECT_EQ(value[1], PoisonByte(1));
}

TEST_F(ApiSessionTest, AWriteBehindTheBufferIsAnOverrun) {
  CreateMap();
  fake.write = [](uint8_t* value) { value[8] ^= 1; };
  const Outcome outcome = Run(Lookup{});
  EXPECT_EQ(outcome.completion, Completion::kOverran);
  EXPECT_NE(outcome.detail.find("byte 0 behind"), std::string::npos) << outcome.detail;
  EXPECT_EQ(std::get<Bytes>(outcome.output).size(), 8u);
}

TEST_F(ApiSessionTest, AWriteInFrontOfTheBufferIsAnOverrun) {
  CreateMap();
  fake.write = [](uint8_t* next_key) { next_key[-64] ^= 1; };
  EXPECT_EQ(Run(GetNextKey{}).completion, Completion::kOverran);
}

TEST_F(ApiSessionTest, InputsThatAreTooShortGetZeros) {
  CreateMap();
  ASSERT_TRUE(Run(Update{{0}, {Pointer::kValid, {1, 2}}, {Pointer::kValid, {}}}).ok());
  EXPECT_EQ(fake.key_bytes, Bytes({1, 2, 0, 0}));
  EXPECT_EQ(fake.value_bytes, Bytes(8));
}

TEST_F(ApiSessionTest, ABatchGetsRoomForEveryElement) {
  CreateMap();
  UpdateBatch batch;
  batch.count = 3;
  batch.keys.bytes = {1, 0, 0, 0, 2};
  const Outcome outcome = Run(batch);
  EXPECT_EQ(fake.key_bytes, Bytes({1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(fake.value_bytes, Bytes(24));
  EXPECT_EQ(std::get<Boxed<BatchOutput>>(outcome.output)->count, 2u);
}

TEST_F(ApiSessionTest, PointersAreWhatTheScriptSays) {
  CreateMap();
  ASSERT_TRUE(Run(Lookup{{0}, {Pointer::kNull, {}}}).ok());
  EXPECT_EQ(fake.key, nullptr);
  const Outcome no_output = Run(Lookup{{0}, {}, Pointer::kNull});
  EXPECT_TRUE(std::get<Bytes>(no_output.output).empty());
  ASSERT_TRUE(Run(Lookup{{0}, {Pointer::kBad, {}}}).ok());
  // The kernel is asked whether the address can be read.
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  EXPECT_EQ(write(ends[1], fake.key, 1), -1);
  EXPECT_EQ(errno, EFAULT);
  close(ends[0]);
  close(ends[1]);
}

TEST_F(ApiSessionTest, AFunctionThatIsMissingIsNotRun) {
  CreateMap();
  const Outcome outcome = Run(Delete{});
  EXPECT_EQ(outcome.completion, Completion::kNotRun);
  EXPECT_EQ(outcome.detail, "no bpf_map_delete_elem");
}

TEST_F(ApiSessionTest, ErrorsComeByReturnValueOrByErrno) {
  CreateMap();
  fake.result = -ENOENT;
  EXPECT_EQ(Run(Lookup{}).error, Errno::kENOENT);
  fake.result = -524;
  EXPECT_EQ(Run(Lookup{}).error, Errno::kENOTSUPP);
  fake.result = -1;
  EXPECT_EQ(Run(Lookup{}).error, Errno::kEPERM);
  fake.set_errno = ENOSPC;
  EXPECT_EQ(Run(Lookup{}).error, Errno::kENOSPC);
}

TEST_F(ApiSessionTest, APositiveResultIsNoSuccess) {
  CreateMap();
  fake.result = 5;
  const Outcome outcome = Run(Lookup{});
  EXPECT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.detail, "returned 5");
}

TEST_F(ApiSessionTest, SlotsWithoutADescriptorAreMinusOne) {
  Run(Lookup{{3}, {}});
  EXPECT_EQ(fake.fd, -1);
  CreateMap(3);
  Run(Lookup{{3}, {}});
  EXPECT_GE(fake.fd, 0);
  ASSERT_TRUE(Run(Close{{3}}).ok());
  const Outcome closed = Run(Lookup{{3}, {}});
  EXPECT_EQ(fake.fd, -1);
  EXPECT_EQ(std::get<Bytes>(closed.output).size(), 8u) << "a closed slot keeps its sizes";
  EXPECT_EQ(Run(Close{{3}}).error, Errno::kEBADF);
  CreateMap(3);
  fake.result = -ENOMEM;
  MapCreate create;
  create.result = {3};
  EXPECT_EQ(Run(create).error, Errno::kENOMEM);
  fake.result = 0;
  Run(Lookup{{3}, {}});
  EXPECT_EQ(fake.fd, -1) << "a filling that failed";
}

TEST_F(ApiSessionTest, NotAMapIsADescriptorThatIsOpen) {
  Run(Lookup{kNotAMap, {}});
  EXPECT_GE(fcntl(fake.fd, F_GETFD), 0);
  Run(Lookup{kBadFd, {}});
  EXPECT_EQ(fake.fd, -1);
}

TEST_F(ApiSessionTest, APerCpuMapHasAValueForEachPossibleCpu) {
  setup_->possible_cpus = 3;
  MapCreate create;
  create.type = MapType::PERCPU_ARRAY;
  create.value_size = 5;
  ASSERT_TRUE(Run(create).ok());
  EXPECT_EQ(std::get<Bytes>(Run(Lookup{}).output).size(), 24u);
}

TEST_F(ApiSessionTest, ABatchGoesOnWhereTheLastOneOfTheMapEnded) {
  CreateMap();
  LookupBatch batch;
  batch.count = 2;
  batch.start = LookupBatch::Start::kLast;
  ASSERT_TRUE(Run(batch).ok());
  EXPECT_EQ(fake.key_bytes, Bytes(4)) << "zeros before any batch";
  fake.write = [](uint8_t* out_batch) { std::memset(out_batch, 9, 4); };
  const Outcome first = Run(batch);
  const BatchOutput& output = *std::get<Boxed<BatchOutput>>(first.output);
  EXPECT_EQ(output.count, 1u);
  EXPECT_EQ(output.keys.size(), 8u);
  EXPECT_EQ(output.values.size(), 16u);
  EXPECT_TRUE(IsPoison(output.values));
  fake.write = [](uint8_t*) {};
  ASSERT_TRUE(Run(batch).ok());
  EXPECT_EQ(fake.key_bytes, Bytes(4, 9));
  ASSERT_TRUE(Run(batch).ok());
  EXPECT_EQ(fake.key_bytes, Bytes(4, 9)) << "a batch that wrote no token changes nothing";
  batch.start = LookupBatch::Start::kNull;
  ASSERT_TRUE(Run(batch).ok());
  EXPECT_EQ(fake.in_batch, nullptr);
}

TEST_F(ApiSessionTest, CountsBeyondAllMemoryAreBoundedByTheMap) {
  CreateMap();
  LookupBatch batch;
  batch.count = UINT32_MAX;
  const Outcome outcome = Run(batch);
  ASSERT_TRUE(outcome.ok()) << outcome.detail;
  EXPECT_EQ(std::get<Boxed<BatchOutput>>(outcome.output)->keys.size(), (3u + 16) * 4);
  UpdateBatch update;
  update.count = UINT32_MAX;
  EXPECT_EQ(Run(update).completion, Completion::kNotRun);
}

TEST_F(ApiSessionTest, InfoIsReadIntoZerosAndTellsTheId) {
  CreateMap();
  const Outcome outcome = Run(GetInfo{{0}});
  const MapInfo& info = *std::get<Boxed<MapInfo>>(outcome.output);
  EXPECT_EQ(fake.value_bytes, Bytes(info.info_len));
  EXPECT_EQ(info.id, 77u);
  EXPECT_EQ(info.name, "sixteen letters!");
  ASSERT_TRUE(Run(GetFdById{{1}, {0}}).ok());
  EXPECT_EQ(fake.id, 77u);
  EXPECT_EQ(std::get<Bytes>(Run(Lookup{{1}, {}}).output).size(), 8u)
      << "the new slot is known to be the same map";
  EXPECT_EQ(std::get<uint32_t>(Run(GetNextId{{0}}).output), 78u);
  EXPECT_EQ(fake.id, 77u);
  Run(GetNextId{{2}});
  EXPECT_EQ(fake.id, 0u) << "a slot without a known id";
  Run(GetNextId{kBadFd, 5});
  EXPECT_EQ(fake.id, 5u);
}

TEST_F(ApiSessionTest, AMapThatTheScriptDidNotMakeIsAskedForItsSizes) {
  ASSERT_TRUE(Run(GetFdById{{0}, kBadFd, 123}).ok());
  EXPECT_EQ(std::get<Bytes>(Run(Lookup{}).output).size(), 3u);
}

TEST_F(ApiSessionTest, ViewsAreTouchedOnlyWhereTheyHaveMemory) {
  static int memory;
  memory = memfd_create("view", MFD_CLOEXEC);
  ASSERT_EQ(ftruncate(memory, 100), 0);
  setup_->api.map_create = [](::bpf_map_type, const char*, __u32, __u32, __u32,
                              const struct ::bpf_map_create_opts*) { return memory; };
  CreateMap();
  Mmap map;
  map.length = 3 * 4096;
  map.prot_write = true;
  ASSERT_TRUE(Run(map).ok());
  EXPECT_TRUE(Run(MemWrite{0, 4095, {7}}).ok());
  EXPECT_EQ(std::get<Bytes>(Run(MemRead{0, 4094, 2}).output), Bytes({0, 7}));
  EXPECT_EQ(Run(MemRead{0, 4095, 2}).error, Errno::kEFAULT) << "that page has no memory";
  EXPECT_EQ(Run(MemRead{0, UINT64_MAX, 2}).error, Errno::kEFAULT);
  EXPECT_EQ(Run(MemRead{1, 0, 1}).error, Errno::kEFAULT) << "no such view";
  map.prot_write = false;
  map.result = 1;
  ASSERT_TRUE(Run(map).ok());
  EXPECT_EQ(Run(MemWrite{1, 0, {1}}).error, Errno::kEFAULT) << "not mapped for writing";
  EXPECT_TRUE(Run(Munmap{1}).ok());
  EXPECT_EQ(Run(Munmap{1}).error, Errno::kEINVAL);
}

TEST(ApiSession, PathsStayInTheDirectoryOfTheScript) {
  EXPECT_TRUE(StaysInside("a"));
  EXPECT_TRUE(StaysInside("a/b..c"));
  EXPECT_FALSE(StaysInside("/etc/passwd"));
  EXPECT_FALSE(StaysInside(".."));
  EXPECT_FALSE(StaysInside("a/../../b"));
  EXPECT_FALSE(StaysInside(std::string("a\0b", 3)));
}

TEST(ApiSession, LeavesNoDescriptorBehind) {
  const auto open_descriptors = [] {
    size_t count = 0;
    for ([[maybe_unused]] const auto& entry :
         std::filesystem::directory_iterator("/proc/self/fd")) {
      ++count;
    }
    return count;
  };
  const size_t before = open_descriptors();
  {
    ApiSession session(FakeSetup());
    std::vector<Operation> operations;
    for (uint16_t i = 0; i < 100; ++i) {
      MapCreate create;
      create.result = {static_cast<uint16_t>(i % 7)};
      operations.push_back({create});
      operations.push_back({Lookup{kNotAMap, {}}});
    }
    std::vector<Outcome> outcomes;
    session.Run(operations, &outcomes);
    EXPECT_EQ(open_descriptors(), before + 8) << "a slot that is filled again closes what it held";
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST(ApiSession, ElementOperationsAllocateNothingOnceTheyHaveRun) {
  auto setup = FakeSetup();
  setup->api.map_update_elem = &QuickUpdate;
  setup->api.map_lookup_elem = &QuickLookup;
  ApiSession session(setup);
  MapCreate create;
  create.key_size = 64;
  create.value_size = 64;
  const std::vector<Operation> operations = {
      {create},
      {Update{{0}, {Pointer::kValid, Bytes(64, 1)}, {Pointer::kValid, {1}}}},
      {Lookup{{0}, {Pointer::kValid, {2}}}}};
  std::vector<Outcome> outcomes;
  session.Run(operations, &outcomes);
  outcomes.clear();
  outcomes.reserve(2);
  const uint64_t before = AllocationCount();
  for (int i = 0; i < 1000; ++i) {
    outcomes.clear();
    session.Run({operations.data() + 1, 2}, &outcomes);
  }
  EXPECT_EQ(AllocationCount(), before);
}

}  // namespace
}  // namespace mapspec
