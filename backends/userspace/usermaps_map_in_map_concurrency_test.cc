// SPDX-License-Identifier: MIT
//
// Maps of maps under programs and bpf(2) at once. Run under AddressSanitizer these say that no map
// of a program dangles, under ThreadSanitizer that nothing races.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

#include "backends/userspace/usermaps_map_in_map_test_support.h"
#include "backends/userspace/usermaps_prog.h"
#include "backends/userspace/usermaps_test_support.h"

namespace usermaps::testing {
namespace {

constexpr uint32_t kMapInMapRounds = 2000;
constexpr uint32_t kReaders = 3;
constexpr uint32_t kSlot = 1;
constexpr uint32_t kTwins = 2;  // an inner map has the same number in both elements

class MapInMapConcurrency : public OuterMapTest {
 protected:
  // A new map with `number` in each element.
  static Fd MakeTwins(bpf_map_type type, uint32_t number) {
    Fd map = MakeMap(type, 4, 4, kTwins);
    for (uint32_t key = 0; key < kTwins; ++key) Put(map, key, number);
    return map;
  }

  // `read` runs as a program on several threads, `write` once, until it returns.
  static void Run(int outer, const std::function<void(usermaps_prog_map*)>& read,
                  const std::function<void()>& write) {
    std::atomic<bool> over{false};
    std::atomic<uint32_t> running{0};
    std::vector<std::thread> readers;
    for (uint32_t i = 0; i < kReaders; ++i) {
      readers.emplace_back([&] {
        usermaps_prog_map* map = usermaps_prog_map_get(outer);
        ASSERT_NE(map, nullptr);
        ++running;
        while (!over.load()) {
          usermaps_prog_enter();
          read(map);
          usermaps_prog_exit();
        }
        usermaps_prog_map_put(map);
      });
    }
    while (running.load() < kReaders) std::this_thread::yield();
    write();
    over.store(true);
    for (std::thread& reader : readers) reader.join();
  }

  static usermaps_prog_map* Find(usermaps_prog_map* outer, uint32_t key) {
    return static_cast<usermaps_prog_map*>(usermaps_prog_map_lookup_elem(outer, &key));
  }
  static uint32_t* FindValue(usermaps_prog_map* inner, uint32_t key) {
    return static_cast<uint32_t*>(usermaps_prog_map_lookup_elem(inner, &key));
  }
};

INSTANTIATE_TEST_SUITE_P(Types, MapInMapConcurrency,
                         ::testing::Values(BPF_MAP_TYPE_ARRAY_OF_MAPS, BPF_MAP_TYPE_HASH_OF_MAPS),
                         OuterName);

TEST_P(MapInMapConcurrency, AReaderKeepsTheMapItFoundWhileItIsReplaced) {
  for (const bpf_map_type type : {BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_HASH}) {
    const Fd map = outer().Make(MakeTwins(type, 0));
    ASSERT_EQ(PutMap(map, kSlot, MakeTwins(type, 0)), 0);
    std::atomic<uint32_t> changed{0};
    Run(
        map,
        [&](usermaps_prog_map* outer_map) {
          usermaps_prog_map* inner = Find(outer_map, kSlot);
          ASSERT_NE(inner, nullptr) << "a replacement is one step";
          const uint32_t* first = FindValue(inner, 0);
          ASSERT_NE(first, nullptr);
          const uint32_t number = *first;
          std::this_thread::yield();
          const uint32_t* second = FindValue(inner, 1);
          ASSERT_NE(second, nullptr);
          EXPECT_EQ(*second, number);
          EXPECT_EQ(*first, number);
          if (Find(outer_map, kSlot) != inner) ++changed;
        },
        [&] {
          for (uint32_t i = 1; i <= kMapInMapRounds; ++i) {
            ASSERT_EQ(PutMap(map, kSlot, MakeTwins(type, i)), 0);
          }
        });
    EXPECT_GT(changed, 0U) << "or it was not a test";
  }
}

TEST_P(MapInMapConcurrency, SlotsAreFilledAndEmptiedUnderReaders) {
  const Fd map = outer().Make(MakeTwins(BPF_MAP_TYPE_ARRAY, 0));
  std::atomic<uint32_t> found{0};
  std::atomic<uint32_t> missed{0};
  Run(
      map,
      [&](usermaps_prog_map* outer_map) {
        usermaps_prog_map* inner = Find(outer_map, kSlot);
        if (inner == nullptr) {
          ++missed;
          return;
        }
        ++found;
        const uint32_t* value = FindValue(inner, 0);
        std::this_thread::yield();
        EXPECT_EQ(*value, 7U);
      },
      [&] {
        for (uint32_t i = 0; i < kMapInMapRounds; ++i) {
          ASSERT_EQ(PutMap(map, kSlot, MakeTwins(BPF_MAP_TYPE_ARRAY, 7)), 0);
          std::this_thread::yield();
          const uint32_t key = kSlot;
          ASSERT_EQ(usermaps_map_delete_elem(map, &key), 0);
        }
      });
  EXPECT_GT(found, 0U) << "or it was not a test";
  EXPECT_GT(missed, 0U);
}

TEST_P(MapInMapConcurrency, WritersOfOneSlotLoseNoMap) {
  constexpr uint32_t kWriters = 4;
  std::vector<uint32_t> ids(kWriters);
  const Fd map = MakeOuter();
  {
    std::vector<Fd> maps;
    for (uint32_t i = 0; i < kWriters; ++i) {
      maps.push_back(MakeArray(2));
      ids[i] = Info(maps[i]).id;
    }
    std::vector<std::thread> writers;
    for (uint32_t i = 0; i < kWriters; ++i) {
      writers.emplace_back([&, i] {
        for (uint32_t round = 0; round < kMapInMapRounds; ++round) {
          ASSERT_EQ(PutMap(map, round % 3, maps[i]), 0);
          const int64_t id = Get(map, round % 3);
          ASSERT_TRUE(id == -ENOENT || (id >= ids.front() && id <= ids.back())) << id;
          if (round % 5 == i) Remove(map, round % 3);
        }
      });
    }
    for (std::thread& writer : writers) writer.join();
    for (uint32_t key = 0; key < 3; ++key) PutMap(map, key, maps[0]);
  }
  EXPECT_TRUE(Exists(ids[0]));
  for (uint32_t i = 1; i < kWriters; ++i) EXPECT_FALSE(Exists(ids[i]));
  for (uint32_t key = 0; key < 3; ++key) EXPECT_EQ(Remove(map, key), 0);
  EXPECT_FALSE(Exists(ids[0]));
}

TEST_P(MapInMapConcurrency, IdsAreReadWhileMapsGo) {
  const Fd map = MakeOuter();
  std::atomic<bool> over{false};
  std::atomic<uint32_t> seen{0};
  std::thread reader([&] {
    while (!over.load()) {
      uint32_t keys[4];
      uint32_t values[4];
      uint32_t token[2];
      uint32_t count = 4;
      usermaps_map_lookup_batch(map, nullptr, token, keys, values, &count, nullptr);
      for (uint32_t i = 0; i < count; ++i) ASSERT_NE(values[i], 0U);
      if (Get(map, kSlot) > 0) ++seen;
    }
  });
  for (uint32_t i = 0; i < kMapInMapRounds || seen.load() == 0; ++i) {
    ASSERT_NE(PutNew(map, kSlot), 0U);
    std::this_thread::yield();
    Remove(map, kSlot);
  }
  over.store(true);
  reader.join();
}

}  // namespace
}  // namespace usermaps::testing
