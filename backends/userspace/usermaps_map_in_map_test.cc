// SPDX-License-Identifier: MIT
//
// ARRAY_OF_MAPS and HASH_OF_MAPS, one thread. The expected answers are those of Linux 6.18.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "backends/userspace/usermaps_map_in_map_test_support.h"
#include "backends/userspace/usermaps_test_support.h"

namespace usermaps::testing {
namespace {

class MapInMap : public OuterMapTest {};

INSTANTIATE_TEST_SUITE_P(Types, MapInMap,
                         ::testing::Values(BPF_MAP_TYPE_ARRAY_OF_MAPS, BPF_MAP_TYPE_HASH_OF_MAPS),
                         OuterName);

TEST_P(MapInMap, AnUpdateTakesADescriptorAndALookupGivesAnId) {
  const Fd map = MakeOuter();
  const Fd a = MakeArray(2);
  EXPECT_EQ(PutMap(map, 1, a), 0);
  EXPECT_EQ(Get(map, 1), Info(a).id);
  EXPECT_EQ(Get(map, 0), -ENOENT);
  EXPECT_EQ(Get(map, 9), -ENOENT);
  EXPECT_EQ(PutMap(map, 3, a), 0) << "one map in two slots";
  EXPECT_EQ(Get(map, 3), Info(a).id);
}

TEST_P(MapInMap, CreationWantsAnInnerMap) {
  OuterMap spec = outer();
  EXPECT_EQ(int{spec.Make(STDERR_FILENO)}, -EINVAL);
  EXPECT_EQ(int{spec.Make(kClosed)}, -EBADF);
  EXPECT_EQ(int{spec.Make(-1)}, -EBADF);
  for (const bpf_map_type type : {BPF_MAP_TYPE_ARRAY_OF_MAPS, BPF_MAP_TYPE_HASH_OF_MAPS}) {
    OuterMap nested;
    nested.type = type;
    const Fd inner = nested.Make(MakeArray(2));
    ASSERT_GE(inner, 0);
    EXPECT_EQ(int{spec.Make(inner)}, -EINVAL);
  }
  EXPECT_GE(spec.Make(MakeArray(2, BPF_F_RDONLY)), 0);
  EXPECT_GE(spec.Make(MakeArray(2, BPF_F_WRONLY)), 0);
  EXPECT_GE(spec.Make(MakeLockedMap(BPF_MAP_TYPE_HASH)), 0);
  EXPECT_GE(spec.Make(MakeQueue(2)), 0);
}

TEST_P(MapInMap, CreationChecksItsAttributesFirst) {
  for (const uint32_t size : {0U, 1U, 8U}) {
    OuterMap spec = outer();
    spec.value_size = size;
    EXPECT_EQ(int{spec.Make(kClosed)}, -EINVAL) << size;
  }
  OuterMap spec = outer();
  spec.max_entries = 0;
  EXPECT_EQ(int{spec.Make(kClosed)}, -EINVAL);
  spec = outer();
  spec.key_size = 8;
  EXPECT_EQ(int{spec.Make(kClosed)}, hash() ? -EBADF : -EINVAL);
  spec.key_size = 0;
  EXPECT_EQ(int{spec.Make(kClosed)}, -EINVAL);
  spec.key_size = 4U << 20;
  EXPECT_EQ(int{spec.Make(kClosed)}, hash() ? -E2BIG : -EINVAL);
  spec = outer();
  spec.max_entries = 1U << 28;
  EXPECT_EQ(int{spec.Make(kClosed)}, -EBADF) << "before anything is allocated";
  spec = outer();
  spec.name = "a-b";
  EXPECT_EQ(int{spec.Make(kClosed)}, -EBADF);
  EXPECT_EQ(int{spec.Make(MakeArray(2))}, -EINVAL);
}

TEST_P(MapInMap, CreationKnowsFewFlags) {
  uint32_t accepted = BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY;
  if (hash())
    accepted |= BPF_F_NO_PREALLOC | BPF_F_ZERO_SEED | BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG;
  for (uint32_t bit = 0; bit < 32; ++bit) {
    OuterMap spec = outer();
    spec.flags = 1U << bit;
    const Fd map = spec.Make(MakeArray(2));
    if ((accepted & spec.flags) != 0) {
      EXPECT_GE(map, 0) << bit;
    } else {
      EXPECT_EQ(int{map}, -EINVAL) << bit;
    }
  }
}

TEST_P(MapInMap, TypeInformationIsRefusedWhenItIsRight) {
  const std::vector<char> blob = LockBtf();
  const Fd btf(usermaps_btf_load(blob.data(), blob.size(), nullptr));
  const Fd inner = MakeArray(2);
  OuterMap spec = outer();
  spec.btf = kClosed;
  EXPECT_GE(spec.Make(inner), 0) << "not looked at without type ids";
  spec.btf_key = spec.btf_value = kIntType;
  EXPECT_EQ(int{spec.Make(inner)}, -EBADF);
  spec.btf = btf;
  EXPECT_EQ(int{spec.Make(inner)}, kNoSuchCommand);
  spec.btf_key = 0;
  EXPECT_EQ(int{spec.Make(inner)}, kNoSuchCommand);
  spec.btf_value = kLockedType;
  EXPECT_EQ(int{spec.Make(inner)}, -EINVAL) << "another size";
}

TEST_P(MapInMap, TheTemplateIsNotKept) {
  Fd inner = MakeArray(2);
  const uint32_t id = Info(inner).id;
  const Fd map = outer().Make(inner);
  inner.Close();
  EXPECT_FALSE(Exists(id));
  PutNew(map, 1);
  EXPECT_GT(Get(map, 1), 0);
}

TEST_P(MapInMap, WhatFitsTheTemplateIsTaken) {
  const Fd arrays = MakeOuter();
  const auto put = [](int map, const Fd& inner) { return PutMap(map, 1, inner); };
  EXPECT_EQ(put(arrays, MakeArray(2)), 0);
  EXPECT_EQ(put(arrays, MakeArray(2, BPF_F_RDONLY)), 0);
  EXPECT_EQ(put(arrays, MakeArray(2, BPF_F_WRONLY)), 0);
  EXPECT_EQ(put(arrays, MakeArray(3)), -EINVAL);
  EXPECT_EQ(put(arrays, MakeArray(1)), -EINVAL);
  EXPECT_EQ(put(arrays, MakeHash(2)), -EINVAL);
  EXPECT_EQ(put(arrays, MakeMap(BPF_MAP_TYPE_ARRAY, 4, 8, 2)), -EINVAL);
  for (const uint32_t flag :
       {BPF_F_RDONLY_PROG, BPF_F_WRONLY_PROG, BPF_F_MMAPABLE, BPF_F_INNER_MAP, BPF_F_NUMA_NODE}) {
    EXPECT_EQ(put(arrays, MakeArray(2, flag)), -EINVAL) << flag;
  }

  const Fd hashes = outer().Make(MakeHash(2));
  EXPECT_EQ(put(hashes, MakeHash(100)), 0) << "their size does not matter";
  EXPECT_EQ(put(hashes, MakeHash(2, BPF_F_NO_PREALLOC)), -EINVAL);
  EXPECT_EQ(put(hashes, MakeHash(2, BPF_F_ZERO_SEED)), -EINVAL);
  EXPECT_EQ(put(hashes, MakeMap(BPF_MAP_TYPE_HASH, 8, 4, 2)), -EINVAL);
  const Fd queues = outer().Make(MakeQueue(2));
  EXPECT_EQ(put(queues, MakeQueue(3)), 0);
  EXPECT_EQ(put(queues, MakeStack(2)), -EINVAL);

  const Fd any_size = outer().Make(MakeArray(2, BPF_F_INNER_MAP));
  EXPECT_EQ(put(any_size, MakeArray(9, BPF_F_INNER_MAP)), 0);
  EXPECT_EQ(put(any_size, MakeArray(2)), -EINVAL);

  const Fd locked = outer().Make(MakeLockedMap(BPF_MAP_TYPE_HASH));
  EXPECT_EQ(put(locked, MakeLockedMap(BPF_MAP_TYPE_HASH)), 0) << "another BTF object";
  EXPECT_EQ(put(locked, MakeMap(BPF_MAP_TYPE_HASH, 4, 16, 4)), -EINVAL);
  const Fd unlocked = outer().Make(MakeMap(BPF_MAP_TYPE_HASH, 4, 16, 4));
  EXPECT_EQ(put(unlocked, MakeLockedMap(BPF_MAP_TYPE_HASH)), -EINVAL);
}

TEST_P(MapInMap, WhatIsNoFittingMapChangesNothing) {
  const Fd map = MakeOuter();
  const uint32_t id = PutNew(map, 1);
  EXPECT_EQ(PutMap(map, 1, kClosed), -EBADF);
  EXPECT_EQ(PutMap(map, 1, -1), -EBADF);
  EXPECT_EQ(PutMap(map, 1, STDERR_FILENO), -EINVAL);
  EXPECT_EQ(PutMap(map, 1, map), -EINVAL) << "itself";
  EXPECT_EQ(PutMap(map, 1, MakeOuter()), -EINVAL);
  EXPECT_EQ(Get(map, 1), id);
}

TEST(ArrayOfMaps, UpdatesWantNoFlagsThenAnIndexThenAMap) {
  const Fd map = OuterMap().Make(MakeArray(2));
  const Fd a = MakeArray(2);
  for (const uint64_t flags : {uint64_t{BPF_NOEXIST}, uint64_t{BPF_EXIST}, uint64_t{3},
                               uint64_t{BPF_F_LOCK}, uint64_t{8}, uint64_t{1} << 32}) {
    EXPECT_EQ(PutMap(map, 1, a, flags), -EINVAL) << flags;
    EXPECT_EQ(PutMap(map, 9, kClosed, flags), -EINVAL) << flags;
  }
  EXPECT_EQ(PutMap(map, 4, kClosed), -E2BIG);
  EXPECT_EQ(PutMap(map, 3, a), 0);
}

TEST(ArrayOfMaps, DeletesWhatIsThere) {
  const Fd map = OuterMap().Make(MakeArray(2));
  PutMap(map, 1, MakeArray(2));
  EXPECT_EQ(Remove(map, 1), 0);
  EXPECT_EQ(Remove(map, 1), -ENOENT);
  EXPECT_EQ(Remove(map, 4), -E2BIG);
}

TEST(ArrayOfMaps, KeysAreThereWhetherFilledOrNot) {
  const Fd map = OuterMap().Make(MakeArray(2));
  uint32_t key = 77;
  EXPECT_EQ(usermaps_map_get_next_key(map, nullptr, &key), 0);
  EXPECT_EQ(key, 0U);
  key = 2;
  EXPECT_EQ(usermaps_map_get_next_key(map, &key, &key), 0);
  EXPECT_EQ(key, 3U);
  EXPECT_EQ(usermaps_map_get_next_key(map, &key, &key), -ENOENT);
  key = 9;
  EXPECT_EQ(usermaps_map_get_next_key(map, &key, &key), 0);
  EXPECT_EQ(key, 0U);
}

TEST(HashOfMaps, UpdatesWantAMapThenFlagsThenRoom) {
  OuterMap spec;
  spec.type = BPF_MAP_TYPE_HASH_OF_MAPS;
  spec.max_entries = 2;
  const Fd map = spec.Make(MakeArray(2));
  const Fd a = MakeArray(2);
  EXPECT_EQ(PutMap(map, 1, kClosed, 3), -EBADF);
  EXPECT_EQ(PutMap(map, 1, kClosed, BPF_F_LOCK), -EINVAL) << "before the value is read";
  EXPECT_EQ(PutMap(map, 1, a, 3), -EINVAL);
  EXPECT_EQ(PutMap(map, 1, a, BPF_EXIST), -ENOENT);
  EXPECT_EQ(PutMap(map, 1, a, BPF_NOEXIST), 0);
  EXPECT_EQ(PutMap(map, 1, a, BPF_NOEXIST), -EEXIST);
  EXPECT_EQ(PutMap(map, 1, a, BPF_EXIST), 0);
  EXPECT_EQ(PutMap(map, 2, a), 0);
  EXPECT_EQ(PutMap(map, 3, a), -E2BIG);
  EXPECT_EQ(PutMap(map, 3, kClosed), -EBADF);
  const Fd b = MakeArray(2);
  EXPECT_EQ(PutMap(map, 2, b), 0) << "a full map replaces";
  EXPECT_EQ(Get(map, 2), Info(b).id);
  EXPECT_EQ(Remove(map, 2), 0);
  EXPECT_EQ(Remove(map, 2), -ENOENT);
}

TEST_P(MapInMap, AnInnerMapGoesWithItsLastReference) {
  const Fd map = MakeOuter();
  uint32_t id = PutNew(map, 1);
  {
    const Fd again(usermaps_map_get_fd_by_id(id));
    ASSERT_GE(again, 0) << "the outer map keeps it";
    EXPECT_EQ(Put(again, 0, 5), 0);
    EXPECT_EQ(PutMap(map, 2, again), 0);
  }
  EXPECT_EQ(Remove(map, 1), 0);
  EXPECT_TRUE(Exists(id)) << "the second slot keeps it";
  EXPECT_EQ(PutMap(map, 2, Fd(usermaps_map_get_fd_by_id(id))), 0) << "replaced by itself";
  EXPECT_TRUE(Exists(id));
  EXPECT_EQ(Remove(map, 2), 0);
  EXPECT_FALSE(Exists(id)) << "deleted";

  id = PutNew(map, 1);
  EXPECT_EQ(PutMap(map, 1, MakeArray(2)), 0);
  EXPECT_FALSE(Exists(id)) << "replaced";
}

TEST_P(MapInMap, InnerMapsGoWithTheOuterMap) {
  for (const uint32_t flags : {0U, uint32_t{BPF_F_NO_PREALLOC}}) {
    if (flags != 0 && !hash()) continue;
    OuterMap spec = outer();
    spec.flags = flags;
    Fd map = spec.Make(MakeArray(2));
    const uint32_t first = PutNew(map, 0);
    const uint32_t second = PutNew(map, 3);
    Remove(map, 0);
    PutMap(map, 0, Fd(usermaps_map_get_fd_by_id(second)));
    EXPECT_FALSE(Exists(first));
    EXPECT_TRUE(Exists(second));
    map.Close();
    EXPECT_FALSE(Exists(second));
  }
}

TEST_P(MapInMap, AMapThatWasRefusedIsNotKept) {
  const Fd map = MakeOuter();
  PutNew(map, 1);
  Fd refused = MakeArray(2);
  const uint32_t id = Info(refused).id;
  ASSERT_LT(PutMap(map, 1, refused, BPF_NOEXIST), 0);
  refused.Close();
  EXPECT_FALSE(Exists(id));
}

TEST_P(MapInMap, NeitherRightsNorFreezeOfTheInnerMapMatter) {
  const Fd map = MakeOuter();
  Fd inner = MakeArray(2);
  ASSERT_EQ(usermaps_map_freeze(inner), 0);
  EXPECT_EQ(PutMap(map, 1, inner), 0);
  inner = MakeArray(2, BPF_F_RDONLY);
  EXPECT_EQ(PutMap(map, 1, inner), 0);
  const Fd again(usermaps_map_get_fd_by_id(Info(inner).id));
  EXPECT_EQ(Put(again, 0, 1), 0);
}

TEST_P(MapInMap, AFrozenOuterMapKeepsItsSlotsNotItsMaps) {
  const Fd map = MakeOuter();
  const Fd inner = MakeArray(2);
  PutMap(map, 1, inner);
  ASSERT_EQ(usermaps_map_freeze(map), 0);
  EXPECT_EQ(PutMap(map, 1, kClosed), -EPERM);
  EXPECT_EQ(Remove(map, 1), -EPERM);
  EXPECT_EQ(Get(map, 1), Info(inner).id);
  EXPECT_EQ(Put(inner, 0, 1), 0);
}

TEST_P(MapInMap, OtherCommandsAreRefused) {
  const Fd map = MakeOuter();
  PutNew(map, 1);
  uint32_t key = 1;
  uint32_t value = 0;
  EXPECT_EQ(usermaps_map_lookup_and_delete_elem(map, &key, &value), kNoSuchCommand);
  EXPECT_EQ(usermaps_map_lookup_elem_flags(map, &key, &value, BPF_F_LOCK), -EINVAL);
  errno = 0;
  EXPECT_EQ(usermaps_mmap(nullptr, 4096, 1, 1, map, 0), reinterpret_cast<void*>(-1));
  EXPECT_EQ(errno, -kNoSuchCommand);
}

TEST_P(MapInMap, BatchesOfUpdatesTakeDescriptorsAndStopAtTheFirstFailure) {
  const Fd map = MakeOuter();
  const Fd a = MakeArray(2);
  const uint32_t keys[] = {0, 1, 2};
  const uint32_t values[] = {static_cast<uint32_t>(int{a}), kClosed, static_cast<uint32_t>(int{a})};
  uint32_t count = 3;
  EXPECT_EQ(usermaps_map_update_batch(map, keys, values, &count, nullptr), -EBADF);
  EXPECT_EQ(count, 1U);
  EXPECT_EQ(Get(map, 0), Info(a).id);
  EXPECT_EQ(Get(map, 2), -ENOENT);
  EXPECT_EQ(usermaps_map_delete_batch(map, keys, &count, nullptr), hash() ? 0 : kNoSuchCommand);
  EXPECT_EQ(count, 1U);
}

TEST_P(MapInMap, ABatchOfLookupsGivesTheIdsOfWhatIsThere) {
  const Fd map = MakeOuter();
  const uint32_t first = PutNew(map, 1);
  const uint32_t second = PutNew(map, 3);
  uint32_t keys[4] = {};
  uint32_t values[5] = {0, 0, 0, 0, 77};
  uint32_t token[2] = {};
  uint32_t count = 4;
  EXPECT_EQ(usermaps_map_lookup_batch(map, nullptr, token, keys, values, &count, nullptr), -ENOENT);
  EXPECT_EQ(count, 2U);
  const bool ascending = keys[0] == 1;
  EXPECT_EQ(keys[ascending ? 0 : 1], 1U);
  EXPECT_EQ(values[ascending ? 0 : 1], first);
  EXPECT_EQ(keys[ascending ? 1 : 0], 3U);
  EXPECT_EQ(values[ascending ? 1 : 0], second);
  EXPECT_EQ(values[2], 0U);
}

TEST_P(MapInMap, ABatchThatTakesGivesTheIdsOfMapsThatGo) {
  const Fd map = MakeOuter();
  const uint32_t id = PutNew(map, 1);
  uint32_t keys[4] = {};
  uint32_t values[4] = {};
  uint32_t token[2] = {};
  uint32_t count = 4;
  const int result =
      usermaps_map_lookup_and_delete_batch(map, nullptr, token, keys, values, &count, nullptr);
  if (!hash()) {
    EXPECT_EQ(result, kNoSuchCommand);
    EXPECT_TRUE(Exists(id));
    return;
  }
  EXPECT_EQ(result, -ENOENT);
  EXPECT_EQ(count, 1U);
  EXPECT_EQ(values[0], id);
  EXPECT_FALSE(Exists(id));
  EXPECT_EQ(Get(map, 1), -ENOENT);
}

}  // namespace
}  // namespace usermaps::testing
