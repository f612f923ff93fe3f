// SPDX-License-Identifier: MIT
//
// Programs on many threads, and bpf(2) beside them. Run under AddressSanitizer these say that no
// pointer of a program dangles, under ThreadSanitizer that nothing races.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <functional>
#include <thread>
#include <vector>

#include "backends/userspace/usermaps_prog.h"
#include "backends/userspace/usermaps_test_support.h"

namespace usermaps::testing {
namespace {

constexpr uint32_t kProgThreads = 4;
constexpr uint32_t kProgRounds = 8000;

// A handle of its own for each thread, which is given its number.
void RunPrograms(int fd, const std::function<void(uint32_t, usermaps_prog_map*)>& body) {
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < kProgThreads; ++i) {
    threads.emplace_back([&body, fd, i] {
      usermaps_prog_map* map = usermaps_prog_map_get(fd);
      ASSERT_NE(map, nullptr);
      body(i, map);
      usermaps_prog_map_put(map);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(ConcurrentPrograms, AnElementFromTheHeapIsUntouchedWhileAProgramHoldsIt) {
  constexpr uint32_t kWords = 16;
  const Fd fd = MakeMap(BPF_MAP_TYPE_HASH, 4, kWords * 4, 4, BPF_F_NO_PREALLOC);
  // Held over the whole test, so that elements are never freed at once between two threads' runs.
  usermaps_prog_map* const keeper = usermaps_prog_map_get(fd);
  std::atomic<uint32_t> held{0};
  RunPrograms(fd, [&](uint32_t thread, usermaps_prog_map* map) {
    const uint32_t key = 1;
    for (uint32_t i = 0; i < kProgRounds; ++i) {
      if (thread % 2 == 0) {
        const std::vector<uint32_t> value(kWords, i);
        if (i % 7 == 0) {
          usermaps_prog_map_delete_elem(map, &key);
        } else if (thread == 0) {
          ASSERT_EQ(usermaps_prog_map_update_elem(map, &key, value.data(), BPF_ANY), 0);
        } else {
          ASSERT_EQ(usermaps_map_update_elem(fd, &key, value.data(), BPF_ANY), 0);
        }
        continue;
      }
      usermaps_prog_enter();
      const auto* value = static_cast<uint32_t*>(usermaps_prog_map_lookup_elem(map, &key));
      if (value != nullptr) {
        ++held;
        const uint32_t first = value[0];
        for (uint32_t look = 0; look < 4; ++look) {
          for (uint32_t word = 0; word < kWords; ++word) ASSERT_EQ(value[word], first);
          std::this_thread::yield();
        }
      }
      usermaps_prog_exit();
    }
  });
  usermaps_prog_map_put(keeper);
  EXPECT_GT(held, 0U) << "or it was not a test";
}

TEST(ConcurrentPrograms, TheSpinLockInAValueHoldsProgramsAndBpfApart) {
  for (const bpf_map_type type : {BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_ARRAY}) {
    const Fd fd = MakeLockedMap(type);
    const uint32_t key = 1;
    const uint32_t zeros[4] = {};
    ASSERT_EQ(usermaps_map_update_elem(fd, &key, zeros, BPF_ANY), 0);
    RunPrograms(fd, [&](uint32_t thread, usermaps_prog_map* map) {
      for (uint32_t i = 0; i < kProgRounds / 2; ++i) {
        if (thread == 0) {
          uint32_t copy[4];
          ASSERT_EQ(usermaps_map_lookup_elem_flags(fd, &key, copy, BPF_F_LOCK), 0);
          ASSERT_EQ(copy[1], copy[2]);
          continue;
        }
        usermaps_prog_enter();
        auto* value = static_cast<uint32_t*>(usermaps_prog_map_lookup_elem(map, &key));
        ASSERT_NE(value, nullptr);
        usermaps_prog_spin_lock(value);
        ++value[1];
        ++value[2];
        usermaps_prog_spin_unlock(value);
        usermaps_prog_exit();
      }
    });
    uint32_t copy[4];
    ASSERT_EQ(usermaps_map_lookup_elem(fd, &key, copy), 0);
    EXPECT_EQ(copy[1], (kProgThreads - 1) * kProgRounds / 2);
  }
}

TEST(ConcurrentPrograms, ReplacementsNeverRunOutOfElements) {
  // As many at once as there are threads, in a map that is full.
  const Fd fd = MakeHash(kProgThreads);
  RunPrograms(fd, [&](uint32_t thread, usermaps_prog_map* map) {
    for (uint32_t i = 0; i < kProgRounds; ++i) {
      ASSERT_EQ(usermaps_prog_map_update_elem(map, &thread, &i, BPF_ANY), 0);
    }
  });
  for (uint32_t key = 0; key < kProgThreads; ++key) EXPECT_EQ(Get(fd, key), kProgRounds - 1);
}

TEST(ConcurrentPrograms, NothingIsLostBetweenPushesAndPops) {
  const Fd fd = MakeQueue(1024);
  std::atomic<uint64_t> pushed{0};
  std::atomic<uint64_t> popped{0};
  RunPrograms(fd, [&](uint32_t thread, usermaps_prog_map* map) {
    for (uint32_t i = 0; i < kProgRounds; ++i) {
      uint32_t value = thread * kProgRounds + i;
      if (thread % 2 == 0) {
        if (usermaps_prog_map_push_elem(map, &value, BPF_ANY) == 0) pushed += value;
      } else if (usermaps_prog_map_pop_elem(map, &value) == 0) {
        popped += value;
      }
    }
  });
  for (int64_t value = Pop(fd); value >= 0; value = Pop(fd)) popped += static_cast<uint64_t>(value);
  EXPECT_EQ(pushed, popped);
}

TEST(ConcurrentPrograms, AWalkWithCallbacksRunsBesideWriters) {
  for (const uint32_t flags : {0U, uint32_t{BPF_F_NO_PREALLOC}}) {
    const Fd fd = MakeHash(256, flags);
    constexpr uint32_t kStable = 64;  // Nobody touches these.
    for (uint32_t key = 0; key < kStable; ++key) Put(fd, key, key);
    RunPrograms(fd, [&](uint32_t thread, usermaps_prog_map* map) {
      if (thread % 2 == 0) {
        for (uint32_t i = 0; i < kProgRounds; ++i) {
          const uint32_t key = 1000 + thread * 64 + i % 64;
          usermaps_prog_map_update_elem(map, &key, &key, BPF_ANY);
          usermaps_prog_map_delete_elem(map, &key);
        }
        return;
      }
      // Looks at no value: in preallocated memory it may become another element's at any time.
      const auto count = [](usermaps_prog_map*, void*, void*, void* seen) -> long {
        ++*static_cast<uint32_t*>(seen);
        return 0;
      };
      for (uint32_t i = 0; i < kProgRounds / 100; ++i) {
        uint32_t seen = 0;
        usermaps_prog_enter();
        ASSERT_EQ(usermaps_prog_for_each_map_elem(map, count, &seen, 0), seen);
        usermaps_prog_exit();
        ASSERT_GE(seen, kStable);
      }
    });
  }
}

TEST(ConcurrentPrograms, ThreadsComeAndGo) {
  const Fd fd = MakeHash(4, BPF_F_NO_PREALLOC);
  for (int round = 0; round < 50; ++round) {
    RunPrograms(fd, [](uint32_t thread, usermaps_prog_map* map) {
      usermaps_prog_enter();
      usermaps_prog_map_update_elem(map, &thread, &thread, BPF_ANY);
      const auto* value = static_cast<uint32_t*>(usermaps_prog_map_lookup_elem(map, &thread));
      ASSERT_NE(value, nullptr);
      EXPECT_EQ(*value, thread);
      usermaps_prog_map_delete_elem(map, &thread);
      EXPECT_EQ(*value, thread);
      usermaps_prog_exit();
    });
  }
}

}  // namespace
}  // namespace usermaps::testing
