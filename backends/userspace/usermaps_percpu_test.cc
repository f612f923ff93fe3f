// SPDX-License-Identifier: MIT
//
// Maps with a value per CPU, one thread. The expected answers are those of Linux 6.18.
#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <ostream>
#include <string>
#include <vector>

#include "backends/userspace/possible_cpus.h"
#include "backends/userspace/usermaps_prog_test_support.h"
#include "backends/userspace/usermaps_test_support.h"

namespace usermaps::testing {
namespace {

constexpr int kNotSupported = -524;

struct PerCpuKind {
  const char* name;
  bpf_map_type type;
  uint32_t flags;
  bool array() const { return type == BPF_MAP_TYPE_PERCPU_ARRAY; }
};
void PrintTo(const PerCpuKind& kind, std::ostream* out) { *out << kind.name; }
constexpr PerCpuKind kPerCpuKinds[] = {
    {"array", BPF_MAP_TYPE_PERCPU_ARRAY, 0},
    {"hash", BPF_MAP_TYPE_PERCPU_HASH, 0},
    {"hash_heap", BPF_MAP_TYPE_PERCPU_HASH, BPF_F_NO_PREALLOC},
    {"lru", BPF_MAP_TYPE_LRU_PERCPU_HASH, 0},
    {"lru_apart", BPF_MAP_TYPE_LRU_PERCPU_HASH, BPF_F_NO_COMMON_LRU},
};

uint32_t Cpus() { return PossibleCpus::Instance().count(); }

// Runs the calling thread on one CPU while it lives.
class PinnedThread {
 public:
  explicit PinnedThread(int cpu) {
    sched_getaffinity(0, sizeof before_, &before_);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    EXPECT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  }
  ~PinnedThread() { sched_setaffinity(0, sizeof before_, &before_); }
  PinnedThread(const PinnedThread&) = delete;
  PinnedThread& operator=(const PinnedThread&) = delete;

 private:
  cpu_set_t before_;
};

std::vector<int> AllowedCpus() {
  cpu_set_t set;
  sched_getaffinity(0, sizeof set, &set);
  std::vector<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  return cpus;
}

class PerCpu : public ::testing::TestWithParam<PerCpuKind> {
 protected:
  // With a list per CPU there is room for as many keys on each.
  Fd Make(uint32_t value_size, uint32_t max_entries = 4) const {
    if ((GetParam().flags & BPF_F_NO_COMMON_LRU) != 0) max_entries *= Cpus();
    return MakeMap(GetParam().type, 4, value_size, max_entries, GetParam().flags);
  }
};

// A buffer of 8-byte slots: slot i holds `first` + i.
std::vector<uint64_t> Slots(uint64_t first) {
  std::vector<uint64_t> slots(Cpus());
  std::iota(slots.begin(), slots.end(), first);
  return slots;
}
int PutSlots(int fd, uint32_t key, const std::vector<uint64_t>& slots) {
  return usermaps_map_update_elem(fd, &key, slots.data(), BPF_ANY);
}
std::vector<uint64_t> GetSlots(int fd, uint32_t key) {
  std::vector<uint64_t> slots(Cpus());
  if (usermaps_map_lookup_elem(fd, &key, slots.data()) != 0) slots.clear();
  return slots;
}
long Set64(const InProgram& map, uint32_t key, uint64_t value, uint64_t flags = BPF_ANY) {
  return usermaps_prog_map_update_elem(map.map(), &key, &value, flags);
}
uint64_t* Find64(const InProgram& map, uint32_t key) {
  return static_cast<uint64_t*>(usermaps_prog_map_lookup_elem(map.map(), &key));
}
uint64_t* FindOfCpu(const InProgram& map, uint32_t key, uint32_t cpu) {
  return static_cast<uint64_t*>(usermaps_prog_map_lookup_percpu_elem(map.map(), &key, cpu));
}

TEST_P(PerCpu, ABufferHoldsASlotOfEightBytesAndMoreForEachPossibleCpu) {
  for (const uint32_t value_size : {1U, 5U, 8U, 9U, 32768U}) {
    const Fd map = Make(value_size);
    ASSERT_GE(map, 0) << value_size;
    EXPECT_EQ(Info(map).value_size, value_size);
    const size_t size = size_t{(value_size + 7) / 8 * 8} * Cpus();
    std::vector<uint8_t> given(size);
    for (size_t i = 0; i < size; ++i) given[i] = static_cast<uint8_t>(i * 7 + 1);
    const uint32_t key = 1;
    ASSERT_EQ(usermaps_map_update_elem(map, &key, given.data(), BPF_ANY), 0);
    std::vector<uint8_t> got(size + 8, 0xee);
    ASSERT_EQ(usermaps_map_lookup_elem(map, &key, got.data()), 0);
    EXPECT_TRUE(std::equal(given.begin(), given.end(), got.begin())) << "padding included";
    EXPECT_EQ(std::count(got.end() - 8, got.end(), 0xee), 8) << "nothing behind it";
  }
}

TEST_P(PerCpu, FlagsOfAnUpdate) {
  const Fd map = Make(8);
  const std::vector<uint64_t> slots = Slots(1);
  const uint32_t key = 1;
  ASSERT_EQ(PutSlots(map, key, slots), 0);
  for (uint64_t flags = 0; flags < 64; ++flags) {
    const int expected = flags == BPF_NOEXIST ? -EEXIST : flags <= BPF_EXIST ? 0 : -EINVAL;
    EXPECT_EQ(usermaps_map_update_elem(map, &key, slots.data(), flags), expected) << flags;
  }
  EXPECT_EQ(usermaps_map_update_elem(map, &key, slots.data(), uint64_t{1} << 32), -EINVAL);
  std::vector<uint64_t> got(Cpus());
  for (uint64_t flags = 1; flags < 64; ++flags) {
    EXPECT_EQ(usermaps_map_lookup_elem_flags(map, &key, got.data(), flags), -EINVAL) << flags;
  }
}

TEST_P(PerCpu, LimitsOfCreation) {
  const auto make = [](uint32_t key_size, uint32_t value_size, uint32_t flags) {
    return int{MakeMap(GetParam().type, key_size, value_size, 4, GetParam().flags | flags)};
  };
  EXPECT_EQ(make(4, 32769, 0), -E2BIG);
  EXPECT_EQ(make(4, 0x80000000, 0), -E2BIG);
  EXPECT_EQ(make(0, 32769, 0), -EINVAL) << "the key wins";
  EXPECT_EQ(make(4, 32769, BPF_F_MMAPABLE), -EINVAL) << "flags win";
  EXPECT_EQ(make(4, 0, 0), -EINVAL);
  EXPECT_EQ(make(4, 4, BPF_F_NUMA_NODE), -EINVAL);
  EXPECT_EQ(make(4, 4, BPF_F_INNER_MAP), -EINVAL);
  EXPECT_EQ(make(4, 4, BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG), -EINVAL);
}

TEST_P(PerCpu, AValueMayNotHoldASpinLock) {
  const Fd map = MakeLockedMap(GetParam().type, GetParam().flags);
  EXPECT_EQ(map, -EOPNOTSUPP);
}

TEST_P(PerCpu, AProgramReadsAndWritesTheSlotOfItsCpu) {
  const InProgram map(Make(8));
  ASSERT_EQ(PutSlots(map.fd(), 1, Slots(100)), 0);
  std::vector<uint64_t> expected = Slots(100);
  for (const int cpu : AllowedCpus()) {
    const PinnedThread pinned(cpu);
    const auto slot =
        static_cast<size_t>(PossibleCpus::Instance().SlotOf(static_cast<uint32_t>(cpu)));
    ASSERT_NE(Find64(map, 1), nullptr);
    EXPECT_EQ(*Find64(map, 1), expected[slot]);
    *Find64(map, 1) = 7000 + slot;
    expected[slot] = 7000 + slot;
    EXPECT_EQ(GetSlots(map.fd(), 1), expected);
    const uint64_t* held = Find64(map, 1);
    ASSERT_EQ(Set64(map, 1, 8000 + slot, BPF_EXIST), 0);
    expected[slot] = 8000 + slot;
    EXPECT_EQ(GetSlots(map.fd(), 1), expected) << "this slot only";
    EXPECT_EQ(*held, 8000 + slot) << "in place";
  }
}

TEST_P(PerCpu, AnUpdateFromOutsideIsInPlaceToo) {
  const InProgram map(Make(8));
  ASSERT_EQ(PutSlots(map.fd(), 1, Slots(100)), 0);
  const uint64_t* held = FindOfCpu(map, 1, 0);
  ASSERT_NE(held, nullptr);
  ASSERT_EQ(PutSlots(map.fd(), 1, Slots(200)), 0);
  EXPECT_EQ(*held, 200U);
}

TEST_P(PerCpu, AProgramReachesTheSlotsOfOtherCpus) {
  const InProgram map(Make(8));
  ASSERT_EQ(PutSlots(map.fd(), 1, Slots(100)), 0);
  const PossibleCpus& cpus = PossibleCpus::Instance();
  for (uint32_t cpu = 0; cpu < 4096; ++cpu) {
    const int slot = cpus.SlotOf(cpu);
    const uint64_t* value = FindOfCpu(map, 1, cpu);
    ASSERT_EQ(value != nullptr, slot >= 0) << cpu;
    if (value != nullptr) {
      EXPECT_EQ(*value, 100 + static_cast<uint64_t>(slot));
    }
  }
  EXPECT_EQ(FindOfCpu(map, 1, UINT32_MAX), nullptr);
  EXPECT_EQ(FindOfCpu(map, 9, 0), nullptr) << "no such element";
}

TEST_P(PerCpu, ProgramsAreToldWhatLinuxTellsThem) {
  const InProgram map(Make(8));
  ASSERT_EQ(PutSlots(map.fd(), 1, Slots(1)), 0);
  EXPECT_EQ(Set64(map, 1, 1, BPF_NOEXIST), -EEXIST);
  for (const uint64_t flags : {3, 4, 8, 16}) EXPECT_EQ(Set64(map, 1, 1, flags), -EINVAL);
  EXPECT_EQ(Find64(map, 9), nullptr);
  EXPECT_EQ(Set64(map, 9, 1, BPF_EXIST), GetParam().array() ? -E2BIG : -ENOENT);
  EXPECT_EQ(map.Remove(1), GetParam().array() ? -EINVAL : 0);
  EXPECT_EQ(map.Remove(9), GetParam().array() ? -EINVAL : -ENOENT);
}

TEST_P(PerCpu, ForEachGivesTheSlotOfTheCpu) {
  const InProgram map(Make(8));
  for (uint32_t key = 0; key < 4; ++key) ASSERT_EQ(PutSlots(map.fd(), key, Slots(10 * key)), 0);
  for (const int cpu : AllowedCpus()) {
    const PinnedThread pinned(cpu);
    uint64_t sum = 0;
    const auto add = [](usermaps_prog_map*, void*, void* value, void* total) -> long {
      *static_cast<uint64_t*>(total) += *static_cast<uint64_t*>(value);
      return 0;
    };
    EXPECT_EQ(usermaps_prog_for_each_map_elem(map.map(), add, &sum, 0), 4);
    EXPECT_EQ(sum, 60 + 4 * static_cast<uint64_t>(PossibleCpus::Instance().OwnSlot()));
    EXPECT_EQ(usermaps_prog_for_each_map_elem(map.map(), add, &sum, 1), -EINVAL);
  }
}

TEST_P(PerCpu, BatchesCarryWholeBuffers) {
  const Fd map = Make(8);
  const std::vector<uint32_t> keys = {0, 1, 2, 3};
  std::vector<uint64_t> values(4 * Cpus());
  std::iota(values.begin(), values.end(), 500);
  uint32_t count = 4;
  ASSERT_EQ(usermaps_map_update_batch(map, keys.data(), values.data(), &count, nullptr), 0);
  EXPECT_EQ(count, 4U);
  for (uint32_t key = 0; key < 4; ++key) EXPECT_EQ(GetSlots(map, key), Slots(500 + key * Cpus()));

  std::vector<uint32_t> found(8, 99);
  std::vector<uint64_t> slots(8 * Cpus(), 77);
  uint32_t token = 0;
  count = 8;
  EXPECT_EQ(
      usermaps_map_lookup_batch(map, nullptr, &token, found.data(), slots.data(), &count, nullptr),
      -ENOENT);
  ASSERT_EQ(count, 4U);
  for (uint32_t i = 0; i < 4; ++i) {
    const std::vector<uint64_t> got(slots.begin() + i * Cpus(), slots.begin() + (i + 1) * Cpus());
    EXPECT_EQ(got, Slots(500 + found[i] * Cpus()));
  }
  EXPECT_EQ(slots[4 * Cpus()], 77U) << "nothing behind it";

  count = 8;
  EXPECT_EQ(usermaps_map_lookup_and_delete_batch(map, nullptr, &token, found.data(), slots.data(),
                                                 &count, nullptr),
            GetParam().array() ? kNotSupported : -ENOENT);
  EXPECT_EQ(GetSlots(map, 2).empty(), !GetParam().array());
}

TEST_P(PerCpu, LookupAndDelete) {
  const Fd map = Make(8);
  const uint32_t key = 1;
  ASSERT_EQ(PutSlots(map, key, Slots(5)), 0);
  std::vector<uint64_t> got(Cpus());
  if (GetParam().array()) {
    EXPECT_EQ(usermaps_map_lookup_and_delete_elem(map, &key, got.data()), kNotSupported);
    EXPECT_EQ(usermaps_map_delete_elem(map, &key), -EINVAL);
    return;
  }
  EXPECT_EQ(usermaps_map_lookup_and_delete_elem_flags(map, &key, got.data(), BPF_F_LOCK), -EINVAL);
  EXPECT_EQ(usermaps_map_lookup_and_delete_elem(map, &key, got.data()), 0);
  EXPECT_EQ(got, Slots(5));
  EXPECT_EQ(usermaps_map_lookup_and_delete_elem(map, &key, got.data()), -ENOENT);
}

INSTANTIATE_TEST_SUITE_P(Usermaps, PerCpu, ::testing::ValuesIn(kPerCpuKinds),
                         [](const auto& test) { return std::string(test.param.name); });

class PerCpuHash : public PerCpu {};

TEST_P(PerCpuHash, ANewElementOfAProgramIsZeroOnOtherCpus) {
  const InProgram map(Make(8, 2 * Cpus()));
  for (const int cpu : AllowedCpus()) {
    const PinnedThread pinned(cpu);
    // The memory of elements that were there before.
    for (uint32_t key = 0; key < 2 * Cpus(); ++key) PutSlots(map.fd(), key, Slots(~uint64_t{0}));
    for (uint32_t key = 0; key < 2 * Cpus(); ++key) map.Remove(key);
    ASSERT_EQ(Set64(map, 50, 9, BPF_NOEXIST), 0);
    std::vector<uint64_t> expected(Cpus());
    expected[PossibleCpus::Instance().OwnSlot()] = 9;
    EXPECT_EQ(GetSlots(map.fd(), 50), expected);
    ASSERT_EQ(map.Remove(50), 0);
  }
}

TEST_P(PerCpuHash, ADeletedElementStaysReadableForTheRun) {
  const InProgram map(Make(8));
  ASSERT_EQ(PutSlots(map.fd(), 1, Slots(5)), 0);
  const uint64_t* held = FindOfCpu(map, 1, 0);
  ASSERT_EQ(map.Remove(1), 0);
  EXPECT_EQ(*held, 5U);
}

INSTANTIATE_TEST_SUITE_P(Usermaps, PerCpuHash,
                         ::testing::ValuesIn(kPerCpuKinds + 1, kPerCpuKinds + 5),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(PerCpuHashCapacity, IsTheMapsNotACpus) {
  for (const uint32_t flags : {0U, uint32_t{BPF_F_NO_PREALLOC}}) {
    const Fd map = MakeMap(BPF_MAP_TYPE_PERCPU_HASH, 4, 8, 2, flags);
    EXPECT_EQ(PutSlots(map, 1, Slots(1)), 0);
    EXPECT_EQ(PutSlots(map, 2, Slots(2)), 0);
    EXPECT_EQ(PutSlots(map, 3, Slots(3)), -E2BIG);
    EXPECT_EQ(PutSlots(map, 2, Slots(4)), 0);
  }
}

TEST(PerCpuArray, ElementsAreZeroAndIndexed) {
  const Fd map = MakeMap(BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 3);
  EXPECT_EQ(GetSlots(map, 2), std::vector<uint64_t>(Cpus()));
  uint64_t slots[1024] = {};
  const uint32_t beyond = 3;
  EXPECT_EQ(usermaps_map_lookup_elem(map, &beyond, slots), -ENOENT);
  for (const uint64_t flags : {BPF_ANY, BPF_NOEXIST, BPF_EXIST}) {
    EXPECT_EQ(usermaps_map_update_elem(map, &beyond, slots, flags), -E2BIG);
  }
  EXPECT_EQ(usermaps_map_update_elem(map, &beyond, slots, 3), -EINVAL);
  uint32_t next = 9;
  EXPECT_EQ(usermaps_map_get_next_key(map, nullptr, &next), 0);
  EXPECT_EQ(next, 0U);
  EXPECT_EQ(usermaps_map_get_next_key(map, &beyond, &next), 0);
  EXPECT_EQ(next, 0U);
  const uint32_t last = 2;
  EXPECT_EQ(usermaps_map_get_next_key(map, &last, &next), -ENOENT);
  EXPECT_EQ(MakeMap(BPF_MAP_TYPE_PERCPU_ARRAY, 8, 8, 1), -EINVAL);
}

TEST(PerCpuHelper, IsForPerCpuTypesOnly) {
  const InProgram hash(MakeHash(2));
  ASSERT_EQ(hash.Set(1, 1), 0);
  const uint32_t key = 1;
  EXPECT_EQ(usermaps_prog_map_lookup_percpu_elem(hash.map(), &key, 0), nullptr);
}

}  // namespace
}  // namespace usermaps::testing
