// SPDX-License-Identifier: MIT
//
// The helpers of programs, one thread. The expected answers are those of Linux 6.18.
#include "backends/userspace/usermaps_prog.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <set>
#include <utility>
#include <vector>

#include "backends/userspace/usermaps_prog_test_support.h"
#include "backends/userspace/usermaps_test_support.h"

namespace usermaps::testing {
namespace {

constexpr long kHelperNotSupported = -524;

TEST(Program, AHandleKeepsItsMapAlive) {
  InProgram array(MakeArray(2));
  const uint32_t id = Info(array.fd()).id;
  *array.Find(1) = 5;
  array.CloseFd();
  const Fd again(usermaps_map_get_fd_by_id(id));
  EXPECT_EQ(Get(again, 1), 5);
  EXPECT_EQ(*array.Find(1), 5U);
}

TEST(Program, AMapGoesWithItsLastHandle) {
  uint32_t id = 0;
  {
    InProgram array(MakeArray(2));
    id = Info(array.fd()).id;
  }
  EXPECT_EQ(usermaps_map_get_fd_by_id(id), -ENOENT);
}

TEST(Program, OnlyMapsHaveHandles) {
  errno = 0;
  EXPECT_EQ(usermaps_prog_map_get(-1), nullptr);
  EXPECT_EQ(errno, EBADF);
  EXPECT_EQ(usermaps_prog_map_get(STDERR_FILENO), nullptr);
  EXPECT_EQ(errno, EINVAL);
  usermaps_prog_map_put(nullptr);
}

TEST(Program, ALookupGivesTheMemoryOfTheMap) {
  for (const bpf_map_type type : {BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_ARRAY}) {
    const InProgram map(MakeMap(type, 4, 4, 4));
    ASSERT_EQ(map.Set(1, 10), 0);
    uint32_t* value = map.Find(1);
    ASSERT_NE(value, nullptr);
    EXPECT_EQ(*value, 10U);
    *value = 11;
    EXPECT_EQ(Get(map.fd(), 1), 11);
    EXPECT_EQ(map.Find(1), value);
    EXPECT_EQ(map.Find(9), nullptr);
  }
}

TEST(Program, NeitherDescriptorNorFreezeLimitIt) {
  const InProgram read_only(MakeArray(2, BPF_F_RDONLY));
  EXPECT_EQ(Put(read_only.fd(), 0, 1), -EPERM);
  EXPECT_EQ(read_only.Set(0, 1), 0);
  ASSERT_EQ(usermaps_map_freeze(read_only.fd()), -EPERM) << "a read-only descriptor cannot";
  const InProgram frozen(MakeHash(2));
  ASSERT_EQ(usermaps_map_freeze(frozen.fd()), 0);
  EXPECT_EQ(Put(frozen.fd(), 0, 1), -EPERM);
  EXPECT_EQ(frozen.Set(0, 1), 0);
  *frozen.Find(0) = 2;
  EXPECT_EQ(Get(frozen.fd(), 0), 2);
  EXPECT_EQ(frozen.Remove(0), 0);
}

TEST(Program, HashAnswersAsLinux) {
  const InProgram hash(MakeHash(2));
  EXPECT_EQ(hash.Set(1, 1, BPF_EXIST), -ENOENT);
  EXPECT_EQ(hash.Set(1, 1, BPF_NOEXIST), 0);
  EXPECT_EQ(hash.Set(1, 1, BPF_NOEXIST), -EEXIST);
  EXPECT_EQ(hash.Set(1, 1, 3), -EINVAL);
  EXPECT_EQ(hash.Set(1, 1, uint64_t{1} << 32), -EINVAL);
  EXPECT_EQ(hash.Set(9, 1, BPF_F_LOCK | BPF_EXIST), -EINVAL) << "no lock, before no element";
  EXPECT_EQ(hash.Set(2, 2), 0);
  EXPECT_EQ(hash.Set(3, 3), -E2BIG);
  EXPECT_EQ(hash.Set(2, 4, BPF_EXIST), 0) << "a full map can be updated";
  EXPECT_EQ(hash.Remove(3), -ENOENT);
  EXPECT_EQ(hash.Remove(2), 0);
  EXPECT_EQ(hash.Set(3, 3), 0);
}

TEST(Program, ArrayAnswersAsLinux) {
  const InProgram array(MakeArray(2));
  EXPECT_EQ(array.Set(0, 1, BPF_NOEXIST), -EEXIST);
  EXPECT_EQ(array.Set(9, 1, BPF_NOEXIST), -E2BIG);
  EXPECT_EQ(array.Set(9, 1, 3), -EINVAL);
  // The missing lock comes last here; on the syscall path it comes first.
  EXPECT_EQ(array.Set(0, 1, BPF_F_LOCK), -EINVAL);
  EXPECT_EQ(array.Set(0, 1, BPF_F_LOCK | BPF_NOEXIST), -EEXIST);
  EXPECT_EQ(array.Set(9, 1, BPF_F_LOCK), -E2BIG);
  EXPECT_EQ(Put(array.fd(), 9, 1, BPF_F_LOCK), -EINVAL);
  EXPECT_EQ(array.Remove(0), -EINVAL);
}

TEST(Program, QueueAndStackAnswerAsLinux) {
  for (const bool is_stack : {false, true}) {
    const InProgram map(is_stack ? MakeStack(2) : MakeQueue(2));
    uint32_t value = 77;
    EXPECT_EQ(usermaps_prog_map_peek_elem(map.map(), &value), -ENOENT);
    EXPECT_EQ(value, 0U) << "what was not found is zero";
    value = 77;
    EXPECT_EQ(usermaps_prog_map_pop_elem(map.map(), &value), -ENOENT);
    EXPECT_EQ(value, 0U);
    for (const uint64_t flags : {uint64_t{1}, uint64_t{3}, uint64_t{4}, uint64_t{1} << 32}) {
      EXPECT_EQ(map.Push(1, flags), -EINVAL) << flags;
    }
    EXPECT_EQ(map.Push(1), 0);
    EXPECT_EQ(map.Push(2), 0);
    EXPECT_EQ(map.Push(3), -E2BIG);
    EXPECT_EQ(map.Push(3, BPF_EXIST), 0);
    EXPECT_EQ(usermaps_prog_map_peek_elem(map.map(), &value), 0);
    EXPECT_EQ(value, is_stack ? 3U : 2U);
    EXPECT_EQ(usermaps_prog_map_pop_elem(map.map(), &value), 0);
    EXPECT_EQ(value, is_stack ? 3U : 2U);
    EXPECT_EQ(usermaps_prog_map_pop_elem(map.map(), &value), 0);
    EXPECT_EQ(value, is_stack ? 2U : 3U);
  }
}

TEST(Program, HelpersOfOtherTypesAreRefused) {
  const InProgram hash(MakeHash(2));
  uint32_t word = 1;
  EXPECT_EQ(hash.Push(1), kHelperNotSupported);
  EXPECT_EQ(usermaps_prog_map_pop_elem(hash.map(), &word), kHelperNotSupported);
  EXPECT_EQ(usermaps_prog_map_peek_elem(hash.map(), &word), kHelperNotSupported);
  EXPECT_EQ(word, 1U);
  EXPECT_EQ(usermaps_prog_map_lookup_percpu_elem(hash.map(), &word, 0), nullptr);
  const InProgram queue(MakeQueue(2));
  EXPECT_EQ(queue.Push(1), 0);
  EXPECT_EQ(queue.Find(0), nullptr);
  EXPECT_EQ(queue.Set(0, 1), -EINVAL);
  EXPECT_EQ(queue.Remove(0), -EINVAL);
  const auto never = [](usermaps_prog_map*, void*, void*, void*) -> long { return 1; };
  EXPECT_EQ(usermaps_prog_for_each_map_elem(queue.map(), never, nullptr, 0), kHelperNotSupported);
}

TEST(Program, APointerKeepsTheOldValueOfAHashElement) {
  for (const uint32_t flags : {0U, uint32_t{BPF_F_NO_PREALLOC}}) {
    const InProgram hash(MakeHash(4, flags));
    ASSERT_EQ(hash.Set(1, 10), 0);
    uint32_t* old = hash.Find(1);
    ASSERT_EQ(hash.Set(1, 11), 0);
    EXPECT_EQ(*old, 10U);
    EXPECT_NE(hash.Find(1), old);
    *old = 99;
    EXPECT_EQ(Get(hash.fd(), 1), 11) << "what is written to a replaced element is lost";
    uint32_t* deleted = hash.Find(1);
    ASSERT_EQ(Put(hash.fd(), 1, 12), 0) << "bpf(2) swaps as well";
    EXPECT_EQ(*deleted, 11U);
    deleted = hash.Find(1);
    ASSERT_EQ(hash.Remove(1), 0);
    EXPECT_EQ(*deleted, 12U);
    EXPECT_EQ(hash.Find(1), nullptr);
  }
}

TEST(Program, AnArrayElementNeverMoves) {
  const InProgram array(MakeArray(2));
  uint32_t* value = array.Find(1);
  ASSERT_EQ(array.Set(1, 11), 0);
  EXPECT_EQ(*value, 11U);
  EXPECT_EQ(array.Find(1), value);
}

TEST(Program, AnUpdateUnderTheLockIsInPlace) {
  const InProgram hash(MakeLockedMap(BPF_MAP_TYPE_HASH));
  const uint32_t key = 1;
  const uint32_t first[4] = {7, 1, 2, 3};  // The word of the lock is not taken over.
  const uint32_t second[4] = {8, 4, 5, 6};
  ASSERT_EQ(usermaps_prog_map_update_elem(hash.map(), &key, first, BPF_F_LOCK), 0);
  const uint32_t* value = hash.Find(key);
  EXPECT_EQ(value[0], 0U);
  ASSERT_EQ(usermaps_prog_map_update_elem(hash.map(), &key, second, BPF_F_LOCK), 0);
  EXPECT_EQ(hash.Find(key), value);
  EXPECT_EQ(value[1], 4U);
  ASSERT_EQ(usermaps_prog_map_update_elem(hash.map(), &key, first, BPF_ANY), 0);
  EXPECT_EQ(value[1], 4U) << "without the flag it is replaced";
}

TEST(Program, ALongRunNeverWantsForElements) {
  for (const uint32_t flags : {0U, uint32_t{BPF_F_NO_PREALLOC}}) {
    const InProgram hash(MakeHash(2, flags));
    for (uint32_t i = 0; i < 10'000; ++i) {
      ASSERT_EQ(hash.Set(1, i), 0);
      ASSERT_EQ(hash.Set(2, i), 0);
      ASSERT_EQ(hash.Remove(2), 0);
    }
    EXPECT_EQ(*hash.Find(1), 9'999U);
  }
}

TEST(Program, UpdatesKeepAnElementsPlaceInAWalk) {
  const InProgram hash(MakeHash(8));
  for (uint32_t key = 0; key < 8; ++key) ASSERT_EQ(hash.Set(key, key), 0);
  const auto keys = [&] {
    std::vector<uint32_t> found;
    uint32_t key = 0;
    for (int err = usermaps_map_get_next_key(hash.fd(), nullptr, &key); err == 0;
         err = usermaps_map_get_next_key(hash.fd(), &key, &key)) {
      found.push_back(key);
    }
    return found;
  };
  const auto before = keys();
  ASSERT_EQ(before.size(), 8U);
  for (uint32_t key = 0; key < 8; ++key) ASSERT_EQ(hash.Set(key, 100 + key), 0);
  EXPECT_EQ(keys(), before);
}

// What a callback of for_each noted.
struct Noted {
  std::multiset<uint32_t> keys;
  size_t limit = SIZE_MAX;
  bool deletes = false;

  static long Callback(usermaps_prog_map* map, void* key, void* value, void* context) {
    auto* noted = static_cast<Noted*>(context);
    uint32_t number = 0;
    std::memcpy(&number, key, sizeof number);
    noted->keys.insert(number);
    EXPECT_EQ(*static_cast<uint32_t*>(value), number + 100);
    if (noted->deletes) {
      EXPECT_EQ(usermaps_prog_map_delete_elem(map, key), 0);
    }
    return noted->keys.size() >= noted->limit ? 1 : 0;
  }
};

TEST(Program, ForEachVisitsEveryElementOnce) {
  for (const bpf_map_type type : {BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_ARRAY}) {
    const InProgram map(MakeMap(type, 4, 4, 6));
    for (uint32_t key = 0; key < 6; ++key) ASSERT_EQ(map.Set(key, key + 100), 0);
    Noted all;
    EXPECT_EQ(usermaps_prog_for_each_map_elem(map.map(), &Noted::Callback, &all, 0), 6);
    EXPECT_EQ(all.keys, (std::multiset<uint32_t>{0, 1, 2, 3, 4, 5}));
    Noted some;
    some.limit = 4;
    EXPECT_EQ(usermaps_prog_for_each_map_elem(map.map(), &Noted::Callback, &some, 0), 4);
    EXPECT_EQ(some.keys.size(), 4U);
    Noted none;
    EXPECT_EQ(usermaps_prog_for_each_map_elem(map.map(), &Noted::Callback, &none, 1), -EINVAL);
    EXPECT_TRUE(none.keys.empty());
  }
}

TEST(Program, ACallbackMayDeleteWhatItVisits) {
  for (const uint32_t flags : {0U, uint32_t{BPF_F_NO_PREALLOC}}) {
    const InProgram map(MakeHash(64, flags));
    for (uint32_t key = 0; key < 64; ++key) ASSERT_EQ(map.Set(key, key + 100), 0);
    Noted all;
    all.deletes = true;
    EXPECT_EQ(usermaps_prog_for_each_map_elem(map.map(), &Noted::Callback, &all, 0), 64);
    EXPECT_EQ(all.keys.size(), 64U);
    Noted none;
    EXPECT_EQ(usermaps_prog_for_each_map_elem(map.map(), &Noted::Callback, &none, 0), 0);
  }
}

TEST(Program, WhatIsDeletedAheadOfAWalkIsNotVisited) {
  const InProgram map(MakeHash(64));
  for (uint32_t key = 0; key < 64; ++key) ASSERT_EQ(map.Set(key, key), 0);
  const auto clear = [](usermaps_prog_map* self, void*, void*, void*) -> long {
    for (uint32_t key = 0; key < 64; ++key) usermaps_prog_map_delete_elem(self, &key);
    return 0;
  };
  EXPECT_EQ(usermaps_prog_for_each_map_elem(map.map(), clear, nullptr, 0), 1);
}

TEST(Program, RunsNest) {
  const InProgram hash(MakeHash(4, BPF_F_NO_PREALLOC));
  ASSERT_EQ(hash.Set(1, 10), 0);
  const uint32_t* old = hash.Find(1);
  usermaps_prog_enter();
  usermaps_prog_exit();
  for (uint32_t i = 0; i < 1000; ++i) ASSERT_EQ(hash.Set(1, i), 0);
  EXPECT_EQ(*old, 10U) << "still inside the outer run";
}

TEST(Program, AFreezeDoesNotWaitForARun) {
  const InProgram hash(MakeHash(4));
  EXPECT_EQ(usermaps_map_freeze(hash.fd()), 0);
}

TEST(Program, ALockAtAnOddPlaceIsALock) {
  alignas(4) uint8_t memory[8] = {};
  usermaps_prog_spin_lock(memory + 1);
  usermaps_prog_spin_unlock(memory + 1);
  usermaps_prog_spin_lock(memory + 1);
  usermaps_prog_spin_unlock(memory + 1);
  EXPECT_EQ(std::count(std::begin(memory), std::end(memory), 0), 8);
}

}  // namespace
}  // namespace usermaps::testing
