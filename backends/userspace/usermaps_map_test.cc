// SPDX-License-Identifier: MIT
//
// What maps do, one thread at a time. The conformance suite asks far more; here is what it cannot
// see or would find late.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>
#include <string>
#include <vector>

#include "backends/userspace/usermaps_test_support.h"

namespace usermaps::testing {
namespace {

constexpr int kEnotsuppErrno = 524;

std::vector<uint32_t> Walk(int fd) {
  std::vector<uint32_t> keys;
  uint32_t next = 0;
  while (usermaps_map_get_next_key(fd, keys.empty() ? nullptr : &keys.back(), &next) == 0) {
    keys.push_back(next);
  }
  return keys;
}

class EveryKindOfHash : public ::testing::TestWithParam<uint32_t> {};
INSTANTIATE_TEST_SUITE_P(Flags, EveryKindOfHash, ::testing::Values(0U, uint32_t{BPF_F_NO_PREALLOC}),
                         [](const auto& test) {
                           return test.param == 0 ? std::string("prealloc")
                                                  : std::string("no_prealloc");
                         });

TEST_P(EveryKindOfHash, HoldsExactlyMaxEntriesKeys) {
  const Fd map = MakeHash(5, GetParam());
  for (uint32_t key = 0; key < 5; ++key) ASSERT_EQ(Put(map, key, key), 0);
  EXPECT_EQ(Put(map, 5, 0), -E2BIG);
  EXPECT_EQ(errno, E2BIG);
  EXPECT_EQ(Put(map, 3, 30), 0) << "a key that exists can be updated at capacity";
  EXPECT_EQ(Put(map, 5, 0, BPF_EXIST), -ENOENT);
  const uint32_t gone = 2;
  EXPECT_EQ(usermaps_map_delete_elem(map, &gone), 0);
  EXPECT_EQ(Put(map, 5, 50), 0);
  EXPECT_EQ(Get(map, 3), 30);
  EXPECT_EQ(Get(map, 5), 50);
  EXPECT_EQ(Get(map, 2), -ENOENT);
}

TEST_P(EveryKindOfHash, ReusesElementsForeverWithoutMixingThemUp) {
  const Fd map = MakeHash(3, GetParam());
  for (uint32_t key = 0; key < 1000; ++key) {
    ASSERT_EQ(Put(map, key, ~key, BPF_NOEXIST), 0);
    if (key < 2) continue;
    uint32_t value = 0;
    const uint32_t oldest = key - 2;
    ASSERT_EQ(usermaps_map_lookup_and_delete_elem(map, &oldest, &value), 0);
    ASSERT_EQ(value, ~oldest);
  }
  EXPECT_EQ(Walk(map).size(), 2U);
}

TEST_P(EveryKindOfHash, KeepsTheOrderOfUntouchedKeys) {
  const Fd map = MakeHash(64, GetParam());
  for (uint32_t key = 0; key < 32; ++key) ASSERT_EQ(Put(map, key, 0), 0);
  const std::vector<uint32_t> before = Walk(map);
  ASSERT_EQ(before.size(), 32U);
  for (uint32_t key = 0; key < 32; key += 2) ASSERT_EQ(usermaps_map_delete_elem(map, &key), 0);
  for (uint32_t key = 100; key < 140; ++key) ASSERT_EQ(Put(map, key, 0), 0);
  std::vector<uint32_t> expected = before;
  std::erase_if(expected, [](uint32_t key) { return key % 2 == 0; });
  std::vector<uint32_t> after = Walk(map);
  EXPECT_EQ(after.size(), 56U);
  std::erase_if(after, [](uint32_t key) { return key >= 100; });
  EXPECT_EQ(after, expected);
}

TEST_P(EveryKindOfHash, TakesKeysAndValuesOfAnySizeAndWritesNoByteMore) {
  for (const uint32_t size : {1U, 2U, 3U, 7U, 8U, 9U, 16U, 31U, 600U, 5000U}) {
    const Fd map = MakeMap(BPF_MAP_TYPE_HASH, size, size, 3, GetParam());
    ASSERT_GE(int{map}, 0);
    std::vector<uint8_t> one(size, 1);
    std::vector<uint8_t> two = one;
    two.back() = 2;
    ASSERT_EQ(usermaps_map_update_elem(map, one.data(), one.data(), BPF_ANY), 0);
    ASSERT_EQ(usermaps_map_update_elem(map, two.data(), two.data(), BPF_ANY), 0);
    std::vector<uint8_t> out(size + 1, 0xee);
    ASSERT_EQ(usermaps_map_lookup_elem(map, two.data(), out.data()), 0);
    EXPECT_TRUE(std::equal(two.begin(), two.end(), out.begin()));
    EXPECT_EQ(out.back(), 0xee);
  }
}

TEST_P(EveryKindOfHash, GivesEveryElementOnceInBatches) {
  const Fd map = MakeHash(1000, GetParam());
  for (uint32_t key = 0; key < 1000; ++key) ASSERT_EQ(Put(map, key, key + 7), 0);
  std::set<uint32_t> seen;
  uint32_t token = 0;
  bool first = true;
  for (int result = 0; result == 0; first = false) {
    std::array<uint32_t, 32> keys{};
    std::array<uint32_t, 32> values{};
    uint32_t count = keys.size();
    result = usermaps_map_lookup_batch(map, first ? nullptr : &token, &token, keys.data(),
                                       values.data(), &count, nullptr);
    ASSERT_TRUE(result == 0 || result == -ENOENT) << result;
    for (uint32_t i = 0; i < count; ++i) {
      EXPECT_EQ(values[i], keys[i] + 7);
      EXPECT_TRUE(seen.insert(keys[i]).second);
    }
  }
  EXPECT_EQ(seen.size(), 1000U);
}

TEST(Hash, SaysEnospcWhenTheFirstBucketDoesNotFit) {
  for (int attempt = 0; attempt < 1000; ++attempt) {
    const Fd map = MakeHash(2);  // two buckets: sooner or later a seed puts both keys into one
    Put(map, 1, 1);
    Put(map, 2, 2);
    uint32_t token = 77;
    uint32_t key = 77;
    uint32_t value = 77;
    uint32_t count = 1;
    const int result =
        usermaps_map_lookup_and_delete_batch(map, nullptr, &token, &key, &value, &count, nullptr);
    if (result == 0) continue;
    EXPECT_EQ(result, -ENOSPC);
    EXPECT_EQ(count, 0U);
    EXPECT_EQ(key, 77U);
    EXPECT_EQ(Walk(map).size(), 2U);
    return;
  }
  FAIL() << "no seed in 1000 made two keys collide";
}

TEST(Hash, ZeroSeedMakesTheOrderTheSameForEveryMap) {
  const Fd one = MakeHash(64, BPF_F_ZERO_SEED);
  const Fd two = MakeHash(64, BPF_F_ZERO_SEED);
  for (uint32_t key = 0; key < 64; ++key) {
    Put(one, key, 0);
    Put(two, key, 0);
  }
  EXPECT_EQ(Walk(one), Walk(two));
}

TEST(Queue, IsAQueueOverManyTurnsOfTheRing) {
  const Fd map = MakeQueue(3);
  uint32_t pushed = 0;
  uint32_t popped = 0;
  for (int round = 0; round < 100; ++round) {
    while (Push(map, pushed) == 0) ++pushed;
    EXPECT_EQ(pushed - popped, 3U);
    EXPECT_EQ(Pop(map), popped++);
    EXPECT_EQ(Pop(map), popped++);
  }
  EXPECT_EQ(Push(map, 1000, BPF_EXIST), 0);
}

TEST(Stack, LosesTheOldestWhenForced) {
  const Fd map = MakeStack(3);
  for (uint32_t i = 1; i <= 5; ++i) EXPECT_EQ(Push(map, i, BPF_EXIST), 0);
  EXPECT_EQ(Push(map, 6), -E2BIG);
  EXPECT_EQ(Pop(map), 5);
  EXPECT_EQ(Pop(map), 4);
  EXPECT_EQ(Pop(map), 3);
  EXPECT_EQ(Pop(map), -ENOENT);
}

TEST(Queue, PopWithoutABufferLosesTheElement) {
  const Fd map = MakeQueue(3);
  Push(map, 1);
  Push(map, 2);
  EXPECT_EQ(usermaps_map_lookup_and_delete_elem(map, nullptr, nullptr), -EFAULT);
  EXPECT_EQ(Pop(map), 2);
}

TEST(Queue, HasNoBatches) {
  const Fd map = MakeQueue(3);
  uint32_t count = 1;
  uint32_t value = 1;
  EXPECT_EQ(usermaps_map_update_batch(map, &value, &value, &count, nullptr), -kEnotsuppErrno);
  EXPECT_EQ(count, 1U);
}

TEST(Array, BatchReportsTheEndOnlyWhenItRunsOut) {
  const Fd map = MakeArray(4);
  std::array<uint32_t, 8> keys{};
  std::array<uint32_t, 8> values{};
  uint32_t token = 99;
  uint32_t count = 4;
  EXPECT_EQ(
      usermaps_map_lookup_batch(map, nullptr, &token, keys.data(), values.data(), &count, nullptr),
      0);
  EXPECT_EQ(token, 3U);
  EXPECT_EQ(
      usermaps_map_lookup_batch(map, &token, &token, keys.data(), values.data(), &count, nullptr),
      -ENOENT);
  EXPECT_EQ(count, 0U);
}

TEST(Lock, TheLockWordReadsAsZeroAndTheRestIsKept) {
  for (const bpf_map_type type : {BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_ARRAY}) {
    const Fd map = MakeLockedMap(type);
    ASSERT_GE(int{map}, 0);
    const uint32_t key = 1;
    std::array<uint32_t, 4> value = {0x11, 0x22, 0x33, 0x44};
    for (const uint64_t flags :
         {uint64_t{BPF_ANY}, uint64_t{BPF_F_LOCK}, uint64_t{BPF_F_LOCK | BPF_EXIST}}) {
      ASSERT_EQ(usermaps_map_update_elem(map, &key, value.data(), flags), 0);
      std::array<uint32_t, 4> out = {9, 9, 9, 9};
      ASSERT_EQ(usermaps_map_lookup_elem_flags(map, &key, out.data(), flags & BPF_F_LOCK), 0);
      EXPECT_EQ(out, (std::array<uint32_t, 4>{0, 0x22, 0x33, 0x44}));
    }
    EXPECT_EQ(usermaps_map_freeze(map), -kEnotsuppErrno);
  }
}

TEST(Btf, RefusesWhatIsNotBtf) {
  std::vector<char> blob = LockBtf();
  EXPECT_EQ(usermaps_btf_load(nullptr, 100, nullptr), -EFAULT);
  EXPECT_EQ(usermaps_btf_load(blob.data(), 0, nullptr), -EINVAL);
  // Every cut and every broken byte is either understood or refused; nothing is read beyond the
  // blob.
  for (size_t size = 0; size < blob.size(); ++size) {
    const std::vector<char> cut(blob.begin(), blob.begin() + static_cast<ptrdiff_t>(size));
    EXPECT_LT(usermaps_btf_load(cut.data(), cut.size(), nullptr), 0) << size;
  }
  for (size_t i = 0; i < blob.size(); ++i) {
    for (const char flip : {'\x01', '\x40', '\x7f'}) {
      std::vector<char> broken = blob;
      broken[i] = static_cast<char>(broken[i] ^ flip);
      const Fd btf(usermaps_btf_load(broken.data(), broken.size(), nullptr));
    }
  }
}

TEST(Btf, SizesMustMatchTheMap) {
  const std::vector<char> blob = LockBtf();
  const Fd btf(usermaps_btf_load(blob.data(), blob.size(), nullptr));
  bpf_map_create_opts opts{};
  opts.sz = sizeof opts;
  opts.btf_fd = static_cast<uint32_t>(int{btf});
  opts.btf_key_type_id = kIntType;
  opts.btf_value_type_id = kPointerType;
  EXPECT_EQ(usermaps_map_create(BPF_MAP_TYPE_HASH, "", 4, 4, 1, &opts), -EINVAL);
  const Fd map(usermaps_map_create(BPF_MAP_TYPE_HASH, "", 4, 8, 1, &opts));
  EXPECT_GE(int{map}, 0);
  EXPECT_EQ(Info(map).btf_value_type_id, kPointerType);
}

TEST(Create, AnswersUnknownOptionsLikeLibbpf) {
  struct {
    bpf_map_create_opts opts;
    char beyond[8];
  } longer{};
  longer.opts.sz = sizeof longer;
  EXPECT_GE(int{Fd(usermaps_map_create(BPF_MAP_TYPE_HASH, "", 4, 4, 4, &longer.opts))}, 0);
  longer.beyond[3] = 1;
  EXPECT_EQ(usermaps_map_create(BPF_MAP_TYPE_HASH, "", 4, 4, 4, &longer.opts), -EINVAL);
  bpf_map_create_opts shorter{};
  shorter.sz = sizeof(size_t);
  shorter.map_flags = 0xffff;  // beyond the struct as the caller knows it
  EXPECT_GE(int{Fd(usermaps_map_create(BPF_MAP_TYPE_HASH, "", 4, 4, 4, &shorter))}, 0);
}

TEST(Create, MoreThanTheMachineHasIsNoMemory) {
  EXPECT_EQ(int{MakeMap(BPF_MAP_TYPE_QUEUE, 0, 4U << 20, UINT32_MAX)}, -ENOMEM);
  EXPECT_EQ(int{MakeMap(BPF_MAP_TYPE_ARRAY, 4, INT32_MAX, UINT32_MAX)}, -ENOMEM);
}

}  // namespace
}  // namespace usermaps::testing
