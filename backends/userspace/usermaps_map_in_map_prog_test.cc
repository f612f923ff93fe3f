// SPDX-License-Identifier: MIT
//
// Programs that find maps in maps, one thread. The expected answers are those of Linux 6.18.
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdint>

#include "backends/userspace/usermaps_map_in_map_test_support.h"
#include "backends/userspace/usermaps_prog_test_support.h"
#include "backends/userspace/usermaps_test_support.h"

namespace usermaps::testing {
namespace {

class MapInMapProgram : public OuterMapTest {};

INSTANTIATE_TEST_SUITE_P(Types, MapInMapProgram,
                         ::testing::Values(BPF_MAP_TYPE_ARRAY_OF_MAPS, BPF_MAP_TYPE_HASH_OF_MAPS),
                         OuterName);

// The map that a program finds in an outer one.
usermaps_prog_map* FindMap(const InProgram& program, uint32_t key) {
  return static_cast<usermaps_prog_map*>(usermaps_prog_map_lookup_elem(program.map(), &key));
}

TEST_P(MapInMapProgram, AProgramUsesAnInnerMapAsAnyOther) {
  const InProgram program(MakeOuter());
  const Fd inner = MakeArray(2);
  EXPECT_EQ(FindMap(program, 1), nullptr);
  EXPECT_EQ(FindMap(program, 9), nullptr);
  ASSERT_EQ(PutMap(program.fd(), 1, inner), 0);
  usermaps_prog_map* found = FindMap(program, 1);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(FindMap(program, 1), found) << "one map, one pointer";
  uint32_t key = 1;
  uint32_t value = 10;
  EXPECT_EQ(usermaps_prog_map_update_elem(found, &key, &value, BPF_ANY), 0);
  EXPECT_EQ(Get(inner, 1), 10);
  *static_cast<uint32_t*>(usermaps_prog_map_lookup_elem(found, &key)) = 11;
  EXPECT_EQ(Get(inner, 1), 11);
  EXPECT_EQ(usermaps_prog_map_update_elem(found, &key, &value, BPF_NOEXIST), -EEXIST);
  EXPECT_EQ(usermaps_prog_map_delete_elem(found, &key), -EINVAL);
  key = 2;
  EXPECT_EQ(usermaps_prog_map_lookup_elem(found, &key), nullptr);
  const auto count = [](usermaps_prog_map* map, void*, void*, void* seen) -> long {
    *static_cast<usermaps_prog_map**>(seen) = map;
    return 0;
  };
  usermaps_prog_map* seen = nullptr;
  EXPECT_EQ(usermaps_prog_for_each_map_elem(found, count, &seen, 0), 2);
  EXPECT_EQ(seen, found);
}

TEST_P(MapInMapProgram, AProgramUsesInnerQueues) {
  const InProgram program(outer().Make(MakeQueue(1)));
  ASSERT_EQ(PutMap(program.fd(), 1, MakeQueue(1)), 0);
  usermaps_prog_map* found = FindMap(program, 1);
  uint32_t value = 5;
  EXPECT_EQ(usermaps_prog_map_push_elem(found, &value, BPF_ANY), 0);
  EXPECT_EQ(usermaps_prog_map_push_elem(found, &value, BPF_ANY), -E2BIG);
  value = 0;
  EXPECT_EQ(usermaps_prog_map_pop_elem(found, &value), 0);
  EXPECT_EQ(value, 5U);
  EXPECT_EQ(usermaps_prog_map_pop_elem(found, &value), -ENOENT);
}

TEST_P(MapInMapProgram, AProgramOnlyLooksIntoTheOuterMap) {
  const InProgram program(MakeOuter());
  const uint32_t id = PutNew(program.fd(), 1);
  const Fd other = MakeArray(2);
  EXPECT_EQ(program.Set(1, static_cast<uint32_t>(int{other})), -EINVAL);
  EXPECT_EQ(program.Remove(1), -EINVAL);
  EXPECT_EQ(program.Push(1), kNoSuchCommand);
  const uint32_t key = 1;
  EXPECT_EQ(usermaps_prog_map_lookup_percpu_elem(program.map(), &key, 0), nullptr);
  const auto visit = [](usermaps_prog_map*, void*, void*, void*) -> long { return 0; };
  EXPECT_EQ(usermaps_prog_for_each_map_elem(program.map(), visit, nullptr, 0), kNoSuchCommand);
  EXPECT_EQ(Get(program.fd(), 1), id);
}

TEST_P(MapInMapProgram, AnInnerMapOutlivesItsRemovalForTheRunThatFoundIt) {
  for (const bpf_map_type type : {BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_HASH}) {
    const InProgram program(outer().Make(MakeMap(type, 4, 4, 2)));
    const uint32_t key = 1;
    {
      const Fd inner = MakeMap(type, 4, 4, 2);
      ASSERT_EQ(Put(inner, key, 42), 0);
      ASSERT_EQ(PutMap(program.fd(), 1, inner), 0);
    }
    const auto id = static_cast<uint32_t>(Get(program.fd(), 1));
    usermaps_prog_map* found = FindMap(program, 1);
    auto* value = static_cast<uint32_t*>(usermaps_prog_map_lookup_elem(found, &key));
    ASSERT_EQ(Remove(program.fd(), 1), 0);
    EXPECT_FALSE(Exists(id)) << "nobody else finds it";
    EXPECT_EQ(FindMap(program, 1), nullptr);
    for (int i = 0; i < 100; ++i) MakeArray(2);  // Whatever collects garbage had its chance.
    EXPECT_EQ(*value, 42U);
    const uint32_t next = 43;
    EXPECT_EQ(usermaps_prog_map_update_elem(found, &key, &next, BPF_ANY), 0);
    value = static_cast<uint32_t*>(usermaps_prog_map_lookup_elem(found, &key));
    EXPECT_EQ(*value, 43U);
  }
}

TEST_P(MapInMapProgram, AProgramKeepsTheOuterMapAndItsInnerMaps) {
  uint32_t id = 0;
  {
    InProgram program(MakeOuter());
    id = PutNew(program.fd(), 1);
    program.CloseFd();
    EXPECT_TRUE(Exists(id));
    EXPECT_NE(FindMap(program, 1), nullptr);
  }
  EXPECT_FALSE(Exists(id));
}

TEST_P(MapInMapProgram, AnElementOfAnInnerHashKeepsItsOldValueForWhoHoldsIt) {
  const InProgram program(outer().Make(MakeHash(2)));
  const Fd inner = MakeHash(2);
  ASSERT_EQ(Put(inner, 1, 10), 0);
  ASSERT_EQ(PutMap(program.fd(), 1, inner), 0);
  const uint32_t key = 1;
  const auto* value =
      static_cast<uint32_t*>(usermaps_prog_map_lookup_elem(FindMap(program, 1), &key));
  ASSERT_EQ(Put(inner, 1, 11), 0);
  EXPECT_EQ(*value, 10U);
}

}  // namespace
}  // namespace usermaps::testing
