// SPDX-License-Identifier: MIT
#include "backends/libbpf_api/call_threads.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

namespace mapspec {
namespace {

uint16_t AnAllowedCpu() {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof(set), &set);
  for (uint16_t cpu = CPU_SETSIZE - 1; cpu > 0; --cpu) {
    if (CPU_ISSET(cpu, &set)) return cpu;
  }
  return 0;
}
int CpuCount() {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof(set), &set);
  return CPU_COUNT(&set);
}

TEST(CallThreads, EachNumberIsAThreadOfItsOwnAndStaysIt) {
  CallThreads threads;
  std::string problem;
  std::set<std::thread::id> ids;
  for (int round = 0; round < 2; ++round) {
    for (uint8_t thread = 0; thread < kMaxThreads; ++thread) {
      EXPECT_TRUE(threads.Run(
          thread, kAnyCpu, [&ids] { ids.insert(std::this_thread::get_id()); }, &problem));
    }
  }
  EXPECT_EQ(ids.size(), kMaxThreads);
  EXPECT_TRUE(ids.count(std::this_thread::get_id()));
  EXPECT_FALSE(threads.Run(
      kMaxThreads, kAnyCpu, [] { FAIL(); }, &problem));
}

TEST(CallThreads, CallsRunWhereTheyAreToAndThreadsGetTheirCpusBack) {
  const uint16_t cpu = AnAllowedCpu();
  const int all = CpuCount();
  CallThreads threads;
  std::string problem;
  for (const uint8_t thread : {uint8_t{0}, uint8_t{1}}) {
    int on = -1, left = 0, count = 0;
    const auto look = [&] {
      on = sched_getcpu();
      count = CpuCount();
    };
    ASSERT_TRUE(threads.Run(thread, cpu, look, &problem)) << problem;
    EXPECT_EQ(on, cpu);
    EXPECT_EQ(count, 1);
    ASSERT_TRUE(threads.Run(
        thread, kAnyCpu, [&left] { left = CpuCount(); }, &problem));
    EXPECT_EQ(left, all);
    // A thread that is started while another is pinned is not pinned with it.
    ASSERT_TRUE(threads.Run(thread, cpu, look, &problem)) << problem;
  }
  threads.Release();
  EXPECT_EQ(CpuCount(), all);
}

TEST(CallThreads, WhatMovesThreadsInsteadIsToldOfEachMoveAndTheyStay) {
  static thread_local int t_cpu;
  const int all = CpuCount();
  CallThreads threads([](int cpu) {
    if (cpu == 7) return -1;
    t_cpu = cpu;
    return 0;
  });
  std::string problem;
  for (const uint8_t thread : {uint8_t{0}, uint8_t{1}}) {
    int told = 0, count = 0;
    const auto look = [&] {
      told = t_cpu;
      count = CpuCount();
    };
    ASSERT_TRUE(threads.Run(thread, 5, look, &problem)) << problem;
    EXPECT_EQ(told, 5);
    EXPECT_EQ(count, all);
    EXPECT_FALSE(threads.Run(
        thread, 7, [] { FAIL(); }, &problem));
    ASSERT_TRUE(threads.Run(thread, kAnyCpu, look, &problem)) << problem;
    EXPECT_EQ(told, -1);
  }
}

TEST(CallThreads, ACpuThatDoesNotExistIsAProblemAndChangesNothing) {
  const int all = CpuCount();
  for (const uint8_t thread : {uint8_t{0}, uint8_t{2}}) {
    for (const uint16_t cpu : {uint16_t{1023}, uint16_t{50000}}) {
      CallThreads threads;
      std::string problem;
      EXPECT_FALSE(threads.Run(
          thread, cpu, [] { FAIL(); }, &problem));
      EXPECT_NE(problem.find("CPU " + std::to_string(cpu)), std::string::npos) << problem;
    }
  }
  EXPECT_EQ(CpuCount(), all);
}

}  // namespace
}  // namespace mapspec
