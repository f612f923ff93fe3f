// SPDX-License-Identifier: MIT
//
// Evictions and per-CPU values on many threads. Run under ThreadSanitizer these say that nothing
// races; without it, that nothing is lost but to eviction, and nothing mixed up.
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <ostream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "backends/userspace/usermaps_prog.h"
#include "backends/userspace/usermaps_test_support.h"

namespace usermaps::testing {
namespace {

constexpr uint32_t kLruThreads = 4;
constexpr uint32_t kLruRounds = 8000;

void RunOnThreads(const std::function<void(uint32_t)>& body) {
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < kLruThreads; ++i) threads.emplace_back(body, i);
  for (std::thread& thread : threads) thread.join();
}

struct ConcurrentLruKind {
  const char* name;
  bpf_map_type type;
  uint32_t flags;
};
void PrintTo(const ConcurrentLruKind& kind, std::ostream* out) { *out << kind.name; }
constexpr ConcurrentLruKind kConcurrentLruKinds[] = {
    {"common", BPF_MAP_TYPE_LRU_HASH, 0},
    {"apart", BPF_MAP_TYPE_LRU_HASH, BPF_F_NO_COMMON_LRU},
    {"percpu_common", BPF_MAP_TYPE_LRU_PERCPU_HASH, 0},
    {"percpu_apart", BPF_MAP_TYPE_LRU_PERCPU_HASH, BPF_F_NO_COMMON_LRU},
};

// Values whose every word says which key they belong to, so that a value that is another key's, or
// half of it, is seen. 4 words for each CPU.
class ConcurrentLru : public ::testing::TestWithParam<ConcurrentLruKind> {
 protected:
  static Fd Make(uint32_t max_entries) {
    return MakeMap(GetParam().type, 4, 32, max_entries, GetParam().flags);
  }
  static std::vector<uint64_t> ValueOf(uint32_t key) {
    return std::vector<uint64_t>(4 * CpuCount(), uint64_t{key} << 32 | key);
  }
  static size_t Words() { return GetParam().type == BPF_MAP_TYPE_LRU_HASH ? 4 : 4 * CpuCount(); }
  // ENOENT, or the key's own value.
  static void ExpectOwn(int fd, uint32_t key) {
    std::vector<uint64_t> got(4 * CpuCount());
    const int err = usermaps_map_lookup_elem(fd, &key, got.data());
    if (err != 0) {
      ASSERT_EQ(err, -ENOENT);
      return;
    }
    const std::vector<uint64_t> expected = ValueOf(key);
    for (size_t word = 0; word < Words(); ++word) ASSERT_EQ(got[word], expected[word]);
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
  // Whether every element can still be had: a thread that fills all lists finds no more and no less
  // room than there was at first.
  static void ExpectAllRoom(int fd, uint32_t max_entries) {
    for (uint32_t key = 0; key < 64 * max_entries; ++key) {
      ASSERT_EQ(usermaps_map_update_elem(fd, &key, ValueOf(key).data(), BPF_ANY), 0);
    }
    const size_t own = GetParam().flags == 0 ? max_entries : max_entries / CpuCount();
    EXPECT_GE(Keys(fd).size(), own);
    EXPECT_LE(Keys(fd).size(), max_entries);
  }
};

TEST_P(ConcurrentLru, UpdatesNeverFailAndValuesAreTheKeysOwn) {
  for (const uint32_t max_entries : {1U, 2U, 16U, 256U}) {
    const Fd map = Make(max_entries);
    RunOnThreads([&](uint32_t thread) {
      for (uint32_t i = 0; i < kLruRounds; ++i) {
        const uint32_t key = (i * 7 + thread) % (3 * max_entries + 5);
        ASSERT_EQ(usermaps_map_update_elem(map, &key, ValueOf(key).data(), BPF_ANY), 0);
        ExpectOwn(map, (key + i) % (3 * max_entries + 5));
        if (i % 5 == 0) {
          const int err = usermaps_map_delete_elem(map, &key);
          ASSERT_TRUE(err == 0 || err == -ENOENT);
        }
      }
    });
    ExpectAllRoom(map, Info(map).max_entries);
  }
}

TEST_P(ConcurrentLru, NoKeyIsThereTwice) {
  constexpr uint32_t kMax = 16;
  const Fd map = Make(kMax);
  std::atomic<bool> stop{false};
  std::thread walker([&] {
    while (!stop) {
      std::vector<uint32_t> keys(4 * kMax);
      std::vector<uint64_t> values(4 * kMax * 4 * CpuCount());
      uint32_t token = 0;
      uint32_t count = 4 * kMax;
      const int err = usermaps_map_lookup_batch(map, nullptr, &token, keys.data(), values.data(),
                                                &count, nullptr);
      ASSERT_EQ(err, -ENOENT);
      for (uint32_t i = 0; i < count; ++i) {
        ASSERT_EQ(values[i * Words()], ValueOf(keys[i])[0]) << "another key's value";
      }
    }
  });
  // Few keys: many threads want to create the same one.
  RunOnThreads([&](uint32_t thread) {
    for (uint32_t i = 0; i < kLruRounds; ++i) {
      const uint32_t key = i % (kMax + 8);
      const uint64_t flags = thread % 2 == 0 ? BPF_NOEXIST : BPF_ANY;
      const int err = usermaps_map_update_elem(map, &key, ValueOf(key).data(), flags);
      ASSERT_TRUE(err == 0 || (err == -EEXIST && flags == BPF_NOEXIST)) << err;
    }
  });
  stop = true;
  walker.join();
  EXPECT_LE(Keys(map).size(), Info(map).max_entries);
}

TEST_P(ConcurrentLru, ProgramsRunBesideEvictions) {
  constexpr uint32_t kMax = 32;
  const Fd map = Make(kMax);
  RunOnThreads([&](uint32_t thread) {
    usermaps_prog_map* program = usermaps_prog_map_get(map);
    ASSERT_NE(program, nullptr);
    for (uint32_t i = 0; i < kLruRounds; ++i) {
      const uint32_t key = (i * 5 + thread) % 100;
      usermaps_prog_enter();
      switch (i % 4) {
        case 0:
          ASSERT_EQ(usermaps_prog_map_update_elem(program, &key, ValueOf(key).data(), BPF_ANY), 0);
          break;
        case 1:
          // What is behind the pointer may become another key's at any time.
          usermaps_prog_map_lookup_elem(program, &key);
          break;
        case 2:
          usermaps_prog_map_lookup_percpu_elem(program, &key, 0);
          break;
        default:
          usermaps_prog_map_delete_elem(program, &key);
      }
      usermaps_prog_exit();
    }
    usermaps_prog_map_put(program);
  });
  EXPECT_LE(Keys(map).size(), Info(map).max_entries);
  ExpectAllRoom(map, Info(map).max_entries);
}

INSTANTIATE_TEST_SUITE_P(Usermaps, ConcurrentLru, ::testing::ValuesIn(kConcurrentLruKinds),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(ConcurrentPerCpu, AWholeValueIsReadAndWrittenAtOnce) {
  for (const bpf_map_type type :
       {BPF_MAP_TYPE_PERCPU_ARRAY, BPF_MAP_TYPE_PERCPU_HASH, BPF_MAP_TYPE_LRU_PERCPU_HASH}) {
    const Fd map = MakeMap(type, 4, 64, 4);
    const size_t words = 8 * CpuCount();
    const uint32_t key = 1;
    const std::vector<uint64_t> zeros(words);
    ASSERT_EQ(usermaps_map_update_elem(map, &key, zeros.data(), BPF_ANY), 0);
    RunOnThreads([&](uint32_t thread) {
      std::vector<uint64_t> value(words);
      for (uint32_t i = 0; i < kLruRounds; ++i) {
        if (thread % 2 == 0) {
          value.assign(words, i);
          ASSERT_EQ(usermaps_map_update_elem(map, &key, value.data(), BPF_EXIST), 0);
        } else {
          ASSERT_EQ(usermaps_map_lookup_elem(map, &key, value.data()), 0);
          for (const uint64_t word : value) ASSERT_EQ(word, value[0]);
        }
      }
    });
  }
}

TEST(ConcurrentPerCpu, AnElementFromTheHeapIsUntouchedWhileAProgramHoldsIt) {
  const Fd map = MakeMap(BPF_MAP_TYPE_PERCPU_HASH, 4, 8, 4, BPF_F_NO_PREALLOC);
  usermaps_prog_map* const keeper = usermaps_prog_map_get(map);
  std::atomic<uint32_t> held{0};  // All go on until it was: else it was no test.
  RunOnThreads([&](uint32_t thread) {
    const uint32_t key = 1;
    const std::vector<uint64_t> value(CpuCount(), 42);
    for (uint32_t i = 0; i < kLruRounds || held.load() == 0; ++i) {
      if (thread % 2 == 0) {
        // Only ever created and deleted: an update would be in place.
        usermaps_map_update_elem(map, &key, value.data(), BPF_NOEXIST);
        if (i % 4 == 0) usermaps_map_delete_elem(map, &key);
        continue;
      }
      usermaps_prog_enter();
      const auto* found =
          static_cast<const uint64_t*>(usermaps_prog_map_lookup_percpu_elem(keeper, &key, 0));
      if (found != nullptr) {
        ++held;
        for (int look = 0; look < 4; ++look) {
          ASSERT_EQ(*found, 42U);
          std::this_thread::yield();
        }
      }
      usermaps_prog_exit();
    }
  });
  usermaps_prog_map_put(keeper);
}

}  // namespace
}  // namespace usermaps::testing
