// SPDX-License-Identifier: MIT
//
// Many threads. Run under ThreadSanitizer these say that nothing races; without it, that nothing is
// lost or doubled.
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <functional>
#include <numeric>
#include <set>
#include <thread>
#include <vector>

#include "backends/userspace/usermaps_test_support.h"

namespace usermaps::testing {
namespace {

constexpr uint32_t kThreads = 4;
constexpr uint32_t kRounds = 8000;

void RunThreads(const std::function<void(uint32_t)>& body) {
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < kThreads; ++i) threads.emplace_back(body, i);
  for (std::thread& thread : threads) thread.join();
}

TEST(Concurrent, HashNeverHoldsMoreOrLessThanItMay) {
  for (const uint32_t flags : {0U, uint32_t{BPF_F_NO_PREALLOC}}) {
    constexpr uint32_t kCapacity = 16;
    const Fd map = MakeHash(kCapacity, flags);
    std::atomic<int> population{0};
    std::atomic<bool> overfull{false};
    RunThreads([&](uint32_t thread) {
      for (uint32_t i = 0; i < kRounds; ++i) {
        const uint32_t key = thread * 1000 + i % 10;  // 40 keys want 16 places
        if (Put(map, key, i, BPF_NOEXIST) != 0) continue;
        // Counted after the put and uncounted before the delete: never more than there really are.
        if (population.fetch_add(1) >= static_cast<int>(kCapacity)) overfull = true;
        EXPECT_EQ(Get(map, key), i);
        population.fetch_sub(1);
        EXPECT_EQ(usermaps_map_delete_elem(map, &key), 0);
      }
    });
    EXPECT_FALSE(overfull);
    uint32_t key = 0;
    EXPECT_EQ(usermaps_map_get_next_key(map, nullptr, &key), -ENOENT);
    for (key = 0; key < kCapacity; ++key) EXPECT_EQ(Put(map, key, 0), 0) << "no place was lost";
    EXPECT_EQ(Put(map, kCapacity, 0), -E2BIG);
  }
}

TEST(Concurrent, OneKeyIsCreatedByOneThreadOnly) {
  const Fd map = MakeHash(kRounds);
  std::array<uint32_t, kThreads> created{};
  RunThreads([&](uint32_t thread) {
    for (uint32_t key = 0; key < kRounds; ++key) {
      if (Put(map, key, thread, BPF_NOEXIST) == 0) ++created[thread];
    }
  });
  EXPECT_EQ(std::accumulate(created.begin(), created.end(), 0U), kRounds);
}

TEST(Concurrent, ValuesAreNeverTorn) {
  constexpr uint32_t kWords = 64;
  for (const bpf_map_type type : {BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_ARRAY}) {
    const Fd map = MakeMap(type, 4, kWords * 4, 4);
    const uint32_t key = 1;
    std::vector<uint32_t> zeros(kWords, 0);
    ASSERT_EQ(usermaps_map_update_elem(map, &key, zeros.data(), BPF_ANY), 0);
    RunThreads([&](uint32_t thread) {
      std::vector<uint32_t> value(kWords);
      for (uint32_t i = 0; i < kRounds; ++i) {
        if (thread % 2 == 0) {
          std::fill(value.begin(), value.end(), i);
          ASSERT_EQ(usermaps_map_update_elem(map, &key, value.data(), BPF_ANY), 0);
        } else {
          ASSERT_EQ(usermaps_map_lookup_elem(map, &key, value.data()), 0);
          ASSERT_EQ(std::set<uint32_t>(value.begin(), value.end()).size(), 1U);
        }
      }
    });
  }
}

TEST(Concurrent, QueueLosesAndDoublesNothing) {
  for (const bool stack : {false, true}) {
    const Fd map = stack ? MakeStack(64) : MakeQueue(64);
    constexpr uint32_t kValues = kThreads / 2 * kRounds;
    std::vector<std::atomic<int>> seen(kValues);
    std::atomic<uint32_t> popped{0};
    RunThreads([&](uint32_t thread) {
      if (thread % 2 == 0) {
        for (uint32_t i = 0; i < kRounds; ++i) {
          while (Push(map, thread / 2 * kRounds + i) != 0) std::this_thread::yield();
        }
        return;
      }
      int64_t last_of[kThreads / 2];
      std::fill(std::begin(last_of), std::end(last_of), int64_t{-1});
      while (popped < kValues) {
        const int64_t value = Pop(map);
        if (value < 0) {
          std::this_thread::yield();
          continue;
        }
        ++popped;
        ++seen[static_cast<size_t>(value)];
        if (stack) continue;
        int64_t& last = last_of[value / kRounds];
        EXPECT_LT(last, value) << "the values of one pusher come in order";
        last = value;
      }
    });
    for (uint32_t i = 0; i < kValues; ++i) ASSERT_EQ(seen[i], 1) << i;
  }
}

TEST(Concurrent, WalksAndBatchesRunBesideWriters) {
  const Fd map = MakeHash(256);
  for (uint32_t key = 0; key < 128; ++key) Put(map, key, key);  // nobody touches these
  RunThreads([&](uint32_t thread) {
    if (thread % 2 == 0) {
      for (uint32_t i = 0; i < kRounds; ++i) {
        const uint32_t key = 1000 + thread * 64 + i % 64;
        Put(map, key, key);
        usermaps_map_delete_elem(map, &key);
      }
      return;
    }
    for (uint32_t i = 0; i < kRounds / 100; ++i) {
      std::array<uint32_t, 512> keys{};
      std::array<uint32_t, 512> values{};
      uint32_t token = 0;
      uint32_t count = keys.size();
      ASSERT_EQ(usermaps_map_lookup_batch(map, nullptr, &token, keys.data(), values.data(), &count,
                                          nullptr),
                -ENOENT);
      uint32_t stable = 0;
      for (uint32_t k = 0; k < count; ++k) {
        ASSERT_EQ(keys[k], values[k]);
        if (keys[k] < 128) ++stable;
      }
      ASSERT_EQ(stable, 128U);
    }
  });
}

TEST(Concurrent, NothingIsWrittenOnceFreezeReturned) {
  for (int round = 0; round < 50; ++round) {
    const Fd map = MakeArray(1);
    std::atomic<bool> stop{false};
    std::atomic<int> frozen_by{0};
    int64_t after = 0;
    std::vector<std::thread> writers;
    for (uint32_t i = 0; i < 2; ++i) {
      writers.emplace_back([&] {
        for (uint32_t value = 1; !stop; ++value) {
          if (Put(map, 0, value) == -EPERM) return;
        }
      });
    }
    std::vector<std::thread> freezers;
    for (uint32_t i = 0; i < 2; ++i) {
      freezers.emplace_back([&] {
        if (usermaps_map_freeze(map) == 0) {
          ++frozen_by;
          after = Get(map, 0);
        }
      });
    }
    for (std::thread& freezer : freezers) freezer.join();
    EXPECT_EQ(frozen_by, 1);
    std::this_thread::yield();
    EXPECT_EQ(Get(map, 0), after);
    stop = true;
    for (std::thread& writer : writers) writer.join();
  }
}

TEST(Concurrent, MapsComeAndGoWhileOthersAreUsed) {
  const Fd shared = MakeHash(64);
  const uint32_t id = Info(shared).id;
  RunThreads([&](uint32_t thread) {
    for (uint32_t i = 0; i < kRounds / 20; ++i) {
      Fd own = MakeHash(4, i % 2 == 0 ? 0 : uint32_t{BPF_F_NO_PREALLOC});
      ASSERT_GE(int{own}, 0);
      ASSERT_EQ(Put(own, thread, i), 0);
      ASSERT_EQ(Get(own, thread), i);
      if (i % 16 == 0) {
        const Fd again(usermaps_map_get_fd_by_id(id));
        ASSERT_GE(int{again}, 0);
        Put(again, thread, i);
        const Fd copy(dup(again));
        ASSERT_EQ(Get(copy, thread), i);
      }
      ASSERT_EQ(Put(shared, thread, i), 0);
    }
  });
}

// Whoever looks for closed descriptors may find that another thread is about to do away with them:
// until it has, they are not gone.
TEST(Concurrent, IdOfAMapThatWasClosedMeansNothing) {
  RunThreads([&](uint32_t) {
    for (uint32_t i = 0; i < kRounds / 10; ++i) {
      const int own = usermaps_map_create(BPF_MAP_TYPE_HASH, "", 4, 4, 4, nullptr);
      const uint32_t id = Info(own).id;
      const bool kept = i % 3 == 0;
      if (kept) usermaps_keep_open(own);
      ASSERT_EQ(kept ? usermaps_close(own) : close(own), 0);
      const Fd again(usermaps_map_get_fd_by_id(id));
      ASSERT_EQ(int{again}, -ENOENT) << (kept ? "kept" : "found out");
    }
  });
}

TEST(Concurrent, ADescriptorThatIsClosedUnderAnOperationIsHarmless) {
  std::atomic<int> number{int{MakeHash(4)}};
  std::atomic<bool> stop{false};
  std::thread user([&] {
    while (!stop) {
      const int result = Put(number, 1, 1);
      ASSERT_TRUE(result == 0 || result == -EBADF || result == -EINVAL) << result;
    }
  });
  for (uint32_t i = 0; i < kRounds / 20; ++i) {
    Fd map = MakeHash(4);
    number = map;
    Put(map, 1, 1);
    map.Close();
    if (i % 50 == 0) usermaps_map_get_fd_by_id(1);  // sweeps
  }
  stop = true;
  user.join();
}

}  // namespace
}  // namespace usermaps::testing
