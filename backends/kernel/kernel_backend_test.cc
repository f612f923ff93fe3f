// SPDX-License-Identifier: MIT
//
// Against the running kernel; skipped, with the reason, where it does not let us.
#include "backends/kernel/kernel_backend.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "backends/open_descriptors.h"

namespace mapspec {
namespace {

class KernelBackendTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string reason;
    backend_ = MakeKernelBackend(&reason);
    if (backend_ == nullptr) GTEST_SKIP() << reason;
  }
  std::vector<Outcome> Run(const std::vector<Operation>& operations) {
    std::string error;
    std::vector<Outcome> outcomes;
    backend_->NewSession(&error)->Run(operations, &outcomes);
    EXPECT_EQ(outcomes.size(), operations.size()) << error;
    return outcomes;
  }
  static MapCreate Hash(uint16_t slot = 0) {
    MapCreate create;
    create.result = {slot};
    create.max_entries = 4;
    return create;
  }
  void SkipWithout(Capability capability) {
    if (!Has(backend_->capabilities(), capability)) {
      GTEST_SKIP() << "no " << CapabilityName(capability) << " here";
    }
  }

  std::unique_ptr<Backend> backend_;
};

std::string Mounts() {
  std::ifstream file("/proc/self/mountinfo");
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_F(KernelBackendTest, SaysWhichKernelItIs) {
  EXPECT_FALSE(backend_->environment().kernel_release.empty());
  EXPECT_EQ(backend_->default_profile().substr(0, 6), "linux-");
}

TEST_F(KernelBackendTest, KeepsWhatIsPutIntoAMap) {
  const auto outcomes = Run({{Hash()},
                             {Update{{0}, {Pointer::kValid, {1}}, {Pointer::kValid, {7, 8}}}},
                             {Lookup{{0}, {Pointer::kValid, {1}}}},
                             {Lookup{{0}, {Pointer::kValid, {2}}}},
                             {Lookup{{0}, {Pointer::kBad, {}}}},
                             {Lookup{kNotAMap, {}}}});
  EXPECT_EQ(std::get<Bytes>(outcomes[2].output), Bytes({7, 8, 0, 0}));
  EXPECT_EQ(outcomes[3].error, Errno::kENOENT);
  EXPECT_TRUE(IsPoison(std::get<Bytes>(outcomes[3].output)));
  EXPECT_EQ(outcomes[4].error, Errno::kEFAULT);
  EXPECT_EQ(outcomes[5].error, Errno::kEINVAL);
}

TEST_F(KernelBackendTest, PinsLiveOnABpffsThatTheHostDoesNotSee) {
  SkipWithout(Capability::kBpffs);
  const std::string mounts = Mounts();
  const ptrdiff_t descriptors = OpenDescriptors();
  const auto outcomes = Run({{Hash()},
                             {Update{{0}, {Pointer::kValid, {1}}, {Pointer::kValid, {7}}}},
                             {Pin{{0}, "pin"}},
                             {Pin{{0}, "pin"}},
                             {Pin{{0}, "outside/pin"}},
                             {Close{{0}}},
                             {ObjGet{{1}, "pin"}},
                             {Lookup{{1}, {Pointer::kValid, {1}}}},
                             {Unlink{"pin"}},
                             {ObjGet{{2}, "pin"}}});
  EXPECT_TRUE(outcomes[2].ok());
  EXPECT_EQ(outcomes[3].error, Errno::kEEXIST);
  EXPECT_EQ(outcomes[4].error, Errno::kEPERM);
  EXPECT_TRUE(outcomes[6].ok());
  EXPECT_EQ(std::get<Bytes>(outcomes[7].output), Bytes({7, 0, 0, 0}));
  EXPECT_TRUE(outcomes[8].ok());
  EXPECT_EQ(outcomes[9].error, Errno::kENOENT);
  EXPECT_EQ(Mounts(), mounts);
  EXPECT_EQ(OpenDescriptors(), descriptors);
}

TEST_F(KernelBackendTest, EveryScriptHasABpffsOfItsOwn) {
  SkipWithout(Capability::kBpffs);
  const std::vector<Operation> script = {{Hash()}, {Pin{{0}, "pin"}}};
  EXPECT_TRUE(Run(script)[1].ok());
  EXPECT_TRUE(Run(script)[1].ok());
}

TEST_F(KernelBackendTest, PrivilegesAreDroppedForOneCallAlone) {
  MapCreate queue;
  queue.type = MapType::QUEUE;
  queue.key_size = 0;
  const auto outcomes = Run({{queue, Caller::kUnprivileged}, {queue}});
  EXPECT_EQ(outcomes[0].error, Errno::kEPERM);
  EXPECT_TRUE(outcomes[1].ok());
}

TEST_F(KernelBackendTest, AttributesThatLibbpfCannotPassReachTheKernel) {
  MapCreate long_name = Hash();
  long_name.name = "sixteen_letters_";
  MapCreate long_attributes = Hash();
  long_attributes.attr_size = 1 << 20;
  MapCreate short_attributes = Hash();
  short_attributes.attr_size = 20;
  const auto outcomes =
      Run({{long_name}, {long_attributes}, {short_attributes}, {Pin{{0}, "p", BPF_F_RDONLY}}});
  EXPECT_EQ(outcomes[0].error, Errno::kEINVAL);
  EXPECT_EQ(outcomes[1].error, Errno::kE2BIG);
  EXPECT_TRUE(outcomes[2].ok());
  if (Has(backend_->capabilities(), Capability::kObjPin)) {
    EXPECT_EQ(outcomes[3].error, Errno::kEINVAL);
  }
}

TEST_F(KernelBackendTest, LoadsEveryLayoutOfTypes) {
  for (const int32_t lock : {-1, 0, 4}) {
    for (const uint32_t key : {1, 2, 3, 4, 8, 16, 64}) {
      MapCreate create = Hash();
      create.key_size = key;
      create.value_size = 8;
      create.btf = 0;
      create.btf_key_type_id = kBtfKeyTypeId;
      create.btf_value_type_id = kBtfValueTypeId;
      const auto outcomes = Run({{BtfLoad{0, key, 8, lock}},
                                 {create},
                                 {Lookup{{0}, {}, Pointer::kValid, BPF_F_LOCK}},
                                 {GetInfo{}}});
      EXPECT_TRUE(outcomes[0].ok()) << key << " " << ErrnoName(outcomes[0].error);
      EXPECT_TRUE(outcomes[1].ok()) << key << " " << ErrnoName(outcomes[1].error);
      EXPECT_EQ(outcomes[2].error, lock < 0 ? Errno::kEINVAL : Errno::kENOENT);
      EXPECT_TRUE(std::get<Boxed<MapInfo>>(outcomes[3].output)->has_btf);
    }
  }
}

TEST_F(KernelBackendTest, StoresThroughAViewAreSeenByLookups) {
  MapCreate create = Hash();
  create.type = MapType::ARRAY;
  create.map_flags = BPF_F_MMAPABLE;
  Mmap map;
  map.prot_write = true;
  const auto outcomes = Run({{create},
                             {map},
                             {MemWrite{0, 8, {5}}},
                             {Lookup{{0}, {Pointer::kValid, {1}}}},
                             {MemRead{0, 4090, 8}},
                             {Close{{0}}},
                             {MemRead{0, 8, 1}},
                             {Munmap{0}}});
  EXPECT_EQ(std::get<Bytes>(outcomes[3].output), Bytes({5, 0, 0, 0}));
  EXPECT_EQ(outcomes[4].error, Errno::kEFAULT);
  EXPECT_EQ(std::get<Bytes>(outcomes[6].output), Bytes({5})) << "a view outlives its descriptor";
  EXPECT_TRUE(outcomes[7].ok());
}

}  // namespace
}  // namespace mapspec
