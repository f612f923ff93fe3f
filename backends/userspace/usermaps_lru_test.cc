// SPDX-License-Identifier: MIT
//
// LRU maps, one thread. What Linux leaves open (which key goes) is held here to what lru_lists.h
// promises.
#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "backends/userspace/usermaps_prog_test_support.h"
#include "backends/userspace/usermaps_test_support.h"

namespace usermaps::testing {
namespace {

struct LruKind {
  const char* name;
  bpf_map_type type;
  uint32_t flags;
};
void PrintTo(const LruKind& kind, std::ostream* out) { *out << kind.name; }
constexpr LruKind kLruKinds[] = {
    {"common", BPF_MAP_TYPE_LRU_HASH, 0},
    {"apart", BPF_MAP_TYPE_LRU_HASH, BPF_F_NO_COMMON_LRU},
    {"percpu_common", BPF_MAP_TYPE_LRU_PERCPU_HASH, 0},
    {"percpu_apart", BPF_MAP_TYPE_LRU_PERCPU_HASH, BPF_F_NO_COMMON_LRU},
};

class Lru : public ::testing::TestWithParam<LruKind> {
 protected:
  static bool Apart() { return (GetParam().flags & BPF_F_NO_COMMON_LRU) != 0; }
  Fd Make(uint32_t max_entries, uint32_t flags = 0) const {
    return MakeMap(GetParam().type, 4, 8, max_entries, GetParam().flags | flags);
  }
  // A map in which a thread that stays on its CPU has room for `room` keys.
  Fd MakeRoomFor(uint32_t room) const { return Make(Apart() ? room * CpuCount() : room); }

  static int PutKey(int fd, uint32_t key, uint64_t flags = BPF_ANY) {
    const std::vector<uint64_t> value(CpuCount(), key * 3);
    return usermaps_map_update_elem(fd, &key, value.data(), flags);
  }
  // Whether it is there; what is there is its own value.
  static bool Has(int fd, uint32_t key) {
    std::vector<uint64_t> value(CpuCount());
    if (usermaps_map_lookup_elem(fd, &key, value.data()) != 0) return false;
    EXPECT_EQ(value[0], key * 3);
    return true;
  }
  static std::set<uint32_t> Keys(int fd) {
    std::set<uint32_t> keys;
    uint32_t key = 0;
    for (int err = usermaps_map_get_next_key(fd, nullptr, &key); err == 0;
         err = usermaps_map_get_next_key(fd, &key, &key)) {
      if (!keys.insert(key).second) {
        ADD_FAILURE() << key << " twice in one walk";
        break;
      }
    }
    return keys;
  }
  // Evicts in a list of the calling thread's CPU: the thread must not leave it.
  void SetUp() override {
    sched_getaffinity(0, sizeof before_, &before_);
    StayOn(sched_getcpu());
  }
  void StayOn(int cpu) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  }
  void TearDown() override { sched_setaffinity(0, sizeof before_, &before_); }

  cpu_set_t before_;  // where the thread may run
};

TEST_P(Lru, AnUpdateNeverFailsForLackOfRoomAndIsFoundAtOnce) {
  for (const uint32_t room : {1U, 2U, 3U, 64U}) {
    const Fd map = MakeRoomFor(room);
    for (uint32_t key = 0; key < 4 * room + 3; ++key) {
      ASSERT_EQ(PutKey(map, key, key % 2 == 0 ? BPF_ANY : BPF_NOEXIST), 0);
      ASSERT_TRUE(Has(map, key));
      ASSERT_EQ(Keys(map).size(), std::min(key + 1, room)) << "nothing goes before it has to";
    }
  }
}

TEST_P(Lru, TheOldestKeyGoes) {
  const Fd map = MakeRoomFor(4);
  for (uint32_t key = 0; key < 100; ++key) {
    ASSERT_EQ(PutKey(map, key), 0);
    if (key >= 4) {
      EXPECT_EQ(Keys(map), (std::set<uint32_t>{key - 3, key - 2, key - 1, key}));
    }
  }
}

TEST_P(Lru, AKeyThatAProgramLooksUpStays) {
  const InProgram map(MakeRoomFor(64));
  for (uint32_t key = 0; key < 2000; ++key) {
    ASSERT_EQ(PutKey(map.fd(), 10'000 + key), 0);
    ASSERT_EQ(key == 0 ? PutKey(map.fd(), 5) : 0, 0);
    if (key % 8 == 0) {
      ASSERT_NE(map.Find(5), nullptr) << key;
    }
  }
}

TEST_P(Lru, AKeyThatBpfLooksUpGoes) {
  const Fd map = MakeRoomFor(64);
  ASSERT_EQ(PutKey(map, 5), 0);
  for (uint32_t key = 0; key < 64; ++key) {
    ASSERT_TRUE(Has(map, 5));
    ASSERT_EQ(PutKey(map, 10'000 + key), 0);
  }
  EXPECT_FALSE(Has(map, 5));
}

TEST_P(Lru, AKeyThatIsUpdatedStays) {
  for (const bool with_program : {false, true}) {
    const Fd map = MakeRoomFor(64);
    usermaps_prog_map* program = with_program ? usermaps_prog_map_get(map) : nullptr;
    for (uint32_t key = 0; key < 2000; ++key) {
      if (key % 8 == 0) {
        ASSERT_EQ(PutKey(map, 5, key == 0 ? BPF_NOEXIST : BPF_EXIST), 0) << key;
      }
      ASSERT_EQ(PutKey(map, 10'000 + key), 0);
    }
    usermaps_prog_map_put(program);
  }
}

TEST_P(Lru, AnUpdatedKeyGoesAfterThoseThatWereNot) {
  for (const bool with_program : {false, true}) {
    const Fd map = MakeRoomFor(4);
    usermaps_prog_map* program = with_program ? usermaps_prog_map_get(map) : nullptr;
    for (uint32_t key = 0; key < 4; ++key) ASSERT_EQ(PutKey(map, key), 0);
    for (uint32_t round = 0; round < 20; ++round) {
      const uint32_t first = 4 * round;
      ASSERT_EQ(PutKey(map, first, BPF_EXIST), 0);
      for (uint32_t key = first + 4; key < first + 7; ++key) ASSERT_EQ(PutKey(map, key), 0);
      ASSERT_EQ(Keys(map), (std::set<uint32_t>{first, first + 4, first + 5, first + 6}));
      ASSERT_EQ(PutKey(map, first + 7), 0);
      ASSERT_EQ(Keys(map), (std::set<uint32_t>{first + 4, first + 5, first + 6, first + 7}));
    }
    usermaps_prog_map_put(program);
  }
}

TEST_P(Lru, UpdatesThatFailOrFindTheirKeyEvictNothing) {
  const InProgram map(MakeRoomFor(8));
  for (uint32_t key = 0; key < 8; ++key) ASSERT_EQ(PutKey(map.fd(), key), 0);
  const std::set<uint32_t> all = Keys(map.fd());
  for (uint32_t i = 0; i < 200; ++i) {
    ASSERT_EQ(PutKey(map.fd(), i % 8, BPF_NOEXIST), -EEXIST);
    ASSERT_EQ(PutKey(map.fd(), 100, BPF_EXIST), -ENOENT);
    ASSERT_EQ(PutKey(map.fd(), 100, 3), -EINVAL);
    ASSERT_EQ(PutKey(map.fd(), 100, BPF_F_LOCK), -EINVAL);
    ASSERT_EQ(PutKey(map.fd(), i % 8), 0);
  }
  EXPECT_EQ(Keys(map.fd()), all);
}

TEST_P(Lru, DeletedKeysMakeRoom) {
  const Fd map = MakeRoomFor(8);
  for (uint32_t key = 0; key < 8; ++key) ASSERT_EQ(PutKey(map, key), 0);
  for (uint32_t round = 0; round < 100; ++round) {
    const uint32_t gone = 8 * round + 3;
    ASSERT_EQ(usermaps_map_delete_elem(map, &gone), 0);
    ASSERT_EQ(PutKey(map, 8 * round + 8), 0);
    ASSERT_EQ(Keys(map).size(), 8U);
    ASSERT_TRUE(Has(map, 8 * round + 7));
    for (uint32_t key = 8 * round + 9; key < 8 * round + 16; ++key) ASSERT_EQ(PutKey(map, key), 0);
  }
}

TEST_P(Lru, ABatchDeletionMakesRoomForAll) {
  const Fd map = MakeRoomFor(8);
  for (int round = 0; round < 3; ++round) {
    for (uint32_t key = 0; key < 8; ++key) ASSERT_EQ(PutKey(map, key, BPF_NOEXIST), 0);
    EXPECT_EQ(Keys(map).size(), 8U);
    std::vector<uint32_t> keys(16);
    std::vector<uint64_t> values(16 * CpuCount());
    uint32_t token = 0;
    uint32_t count = 16;
    EXPECT_EQ(usermaps_map_lookup_and_delete_batch(map, nullptr, &token, keys.data(), values.data(),
                                                   &count, nullptr),
              -ENOENT);
    EXPECT_EQ(count, 8U);
    EXPECT_TRUE(Keys(map).empty());
  }
}

TEST_P(Lru, CpusTakeRoomFromEachOtherOnlyWhenTheListIsCommon) {
  const Fd map = MakeRoomFor(4);
  std::set<uint32_t> all;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &before_)) continue;
    StayOn(cpu);
    const auto first = static_cast<uint32_t>(cpu) * 1000;
    for (uint32_t key = first; key < first + 20; ++key) ASSERT_EQ(PutKey(map, key), 0);
    if (!Apart()) all.clear();
    for (uint32_t key = first + 16; key < first + 20; ++key) all.insert(key);
    EXPECT_EQ(Keys(map), all);
  }
}

// As in Linux, whose update of a per-CPU value stays where it is.
TEST_P(Lru, AnUpdateTakesAnElementIntoTheListOfItsCpuUnlessItHasAValueForEach) {
  if (!Apart())
    GTEST_SKIP() << "elements move between lists only where each CPU has one (BPF_F_NO_COMMON_LRU)";
  std::vector<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &before_)) cpus.push_back(cpu);
  }
  if (cpus.size() < 2) GTEST_SKIP() << "needs two CPUs; this process may run on one";
  const Fd map = MakeRoomFor(4);
  const auto put_four = [&](int cpu, uint32_t first) {
    StayOn(cpu);
    for (uint32_t key = first; key < first + 4; ++key) ASSERT_EQ(PutKey(map, key), 0);
  };
  put_four(cpus[0], 0);
  put_four(cpus[1], 0);
  put_four(cpus[0], 100);
  const bool moved = GetParam().type == BPF_MAP_TYPE_LRU_HASH;
  EXPECT_EQ(Keys(map).size(), moved ? 8U : 4U);
  put_four(cpus[1], 200);
  for (uint32_t key = 200; key < 204; ++key) EXPECT_TRUE(Has(map, key));
  EXPECT_EQ(Keys(map).size(), 8U);
}

TEST_P(Lru, AProgramsUpdateEvictsToo) {
  const InProgram map(MakeRoomFor(4));
  const uint64_t value = 1;
  for (uint32_t key = 0; key < 50; ++key) {
    ASSERT_EQ(usermaps_prog_map_update_elem(map.map(), &key, &value, BPF_ANY), 0);
    ASSERT_NE(map.Find(key), nullptr);
    ASSERT_LE(Keys(map.fd()).size(), 4U);
  }
}

TEST_P(Lru, Creation) {
  EXPECT_EQ(Make(4, BPF_F_NO_PREALLOC), -524);
  EXPECT_EQ(Make(4, BPF_F_NO_PREALLOC | BPF_F_NUMA_NODE), -524);
  EXPECT_EQ(Make(0, BPF_F_NO_PREALLOC), -524) << "wins over bad sizes";
  EXPECT_EQ(Make(4, BPF_F_NO_PREALLOC | BPF_F_MMAPABLE), -EINVAL) << "but not over bad flags";
  EXPECT_EQ(Make(4, BPF_F_NO_PREALLOC | BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG), -EINVAL);
  EXPECT_EQ(Make(0), -EINVAL);
  EXPECT_EQ(Make(0x80000001), -E2BIG);
  EXPECT_EQ(Make(0xffffffff), -E2BIG);
  const bool numa = GetParam().type == BPF_MAP_TYPE_LRU_HASH && !Apart();
  const Fd on_node = Make(4, BPF_F_NUMA_NODE);
  EXPECT_EQ(on_node < 0 ? int{on_node} : 0, numa ? 0 : -EINVAL);
  EXPECT_EQ(MakeLockedMap(GetParam().type, GetParam().flags), -EOPNOTSUPP);
}

TEST_P(Lru, ListsOfCpusAllHaveTheSameRoom) {
  for (uint32_t asked = 1; asked < 3 * CpuCount(); ++asked) {
    const Fd map = Make(asked);
    const uint32_t rounded = (asked + CpuCount() - 1) / CpuCount() * CpuCount();
    EXPECT_EQ(Info(map).max_entries, Apart() ? rounded : asked);
  }
}

INSTANTIATE_TEST_SUITE_P(Usermaps, Lru, ::testing::ValuesIn(kLruKinds),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(LruFlags, AreForLruMapsOnly) {
  EXPECT_EQ(MakeHash(4, BPF_F_NO_COMMON_LRU), -EINVAL);
  EXPECT_EQ(MakeMap(BPF_MAP_TYPE_PERCPU_HASH, 4, 4, 4, BPF_F_NO_COMMON_LRU), -EINVAL);
  EXPECT_EQ(MakeMap(BPF_MAP_TYPE_PERCPU_ARRAY, 4, 4, 4, BPF_F_NO_COMMON_LRU), -EINVAL);
}

TEST(LruHash, AnUpdateKeepsTheValueThatAProgramHolds) {
  const InProgram map(MakeMap(BPF_MAP_TYPE_LRU_HASH, 4, 4, 8));
  ASSERT_EQ(map.Set(1, 10), 0);
  const uint32_t* held = map.Find(1);
  ASSERT_EQ(map.Set(1, 11), 0);
  EXPECT_EQ(*held, 10U);
  EXPECT_EQ(*map.Find(1), 11U);
}

}  // namespace
}  // namespace usermaps::testing
