// SPDX-License-Identifier: MIT
#include "backends/capability.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace mapspec {
namespace {

CapabilitySet Set(std::initializer_list<Capability> capabilities) {
  CapabilitySet set;
  for (const Capability capability : capabilities) Add(&set, capability);
  return set;
}

TEST(Capability, EveryOneHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (size_t i = 0; i < static_cast<size_t>(Capability::kCount); ++i) {
    const std::string_view name = CapabilityName(static_cast<Capability>(i));
    EXPECT_FALSE(name.empty());
    EXPECT_TRUE(names.insert(name).second) << name;
  }
}

TEST(Capability, NamesOfFunctionsAreTheirSymbols) {
  EXPECT_EQ(CapabilityName(Capability::kMapLookupAndDeleteElemFlags),
            "bpf_map_lookup_and_delete_elem_flags");
  EXPECT_EQ(CapabilityName(Capability::kObjGetInfoByFd), "bpf_obj_get_info_by_fd");
  EXPECT_EQ(CapabilityName(Capability::kBtfLoad), "bpf_btf_load");
  EXPECT_EQ(CapabilityName(Capability::kFdOps), "fd-ops");
}

TEST(Capability, FlagsOfALookupTakeTheOtherFunction) {
  Lookup lookup;
  EXPECT_EQ(Required({lookup}), Set({Capability::kMapLookupElem}));
  lookup.flags = BPF_F_LOCK;
  EXPECT_EQ(Required({lookup}), Set({Capability::kMapLookupElemFlags}));
}

TEST(Capability, BadPointersAndMissingPrivilegesAreAskedFor) {
  Update update;
  update.value.pointer = Pointer::kBad;
  EXPECT_EQ(Required({update, Caller::kUnprivileged}),
            Set({Capability::kMapUpdateElem, Capability::kBadPointers, Capability::kUnprivileged}));
  update.value.pointer = Pointer::kNull;
  EXPECT_EQ(Required({update}), Set({Capability::kMapUpdateElem}));
}

TEST(Capability, ANameWithoutRoomForItsNulIsARawAttribute) {
  MapCreate create;
  create.name = "fifteen_letters";
  EXPECT_EQ(Required({create}), Set({Capability::kMapCreate}));
  create.name += "!";
  EXPECT_EQ(Required({create}), Set({Capability::kMapCreate, Capability::kRawAttr}));
  create.name.clear();
  create.attr_size = 20;
  EXPECT_EQ(Required({create}), Set({Capability::kMapCreate, Capability::kRawAttr}));
}

TEST(Capability, OnlyPathsOutsideNeedABpffs) {
  EXPECT_EQ(Required({Pin{Handle{0}, "p"}}), Set({Capability::kObjPin}));
  EXPECT_EQ(Required({Pin{Handle{0}, "outside/p"}}),
            Set({Capability::kObjPin, Capability::kBpffs}));
  EXPECT_EQ(Required({Pin{Handle{0}, "p", BPF_F_RDONLY}}),
            Set({Capability::kObjPin, Capability::kRawAttr}));
}

TEST(Capability, TheFirstMissingOneIsNamed) {
  const CapabilitySet needed = Set({Capability::kMapFreeze, Capability::kBpffs});
  EXPECT_EQ(FirstMissing(needed, needed), Capability::kCount);
  EXPECT_EQ(FirstMissing(needed, Set({Capability::kBpffs})), Capability::kMapFreeze);
  EXPECT_EQ(FirstMissing(needed, Set({Capability::kMapFreeze})), Capability::kBpffs);
}

TEST(Capability, ALinuxProfilePromisesFunctionsAndTheDocumentedOneNothing) {
  const CapabilitySet promised = PromisedBy("linux-5.10");
  EXPECT_TRUE(Has(promised, Capability::kMapCreate));
  EXPECT_TRUE(Has(promised, Capability::kMmap));
  EXPECT_FALSE(Has(promised, Capability::kBadPointers));
  EXPECT_FALSE(Has(promised, Capability::kFdOps));
  EXPECT_TRUE(PromisedBy("documented").none());
}

}  // namespace
}  // namespace mapspec
