// SPDX-License-Identifier: MIT
#include "backends/userspace/possible_cpus.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <cerrno>

#include "backends/userspace/usermaps.h"

namespace usermaps {
namespace {

TEST(PossibleCpus, SlotsFollowTheOrderOfNumbersAndSkipGaps) {
  const PossibleCpus cpus("0-2,8,10-11");
  EXPECT_EQ(cpus.count(), 6U);
  EXPECT_EQ(cpus.SlotOf(0), 0);
  EXPECT_EQ(cpus.SlotOf(2), 2);
  EXPECT_EQ(cpus.SlotOf(3), -1);
  EXPECT_EQ(cpus.SlotOf(8), 3);
  EXPECT_EQ(cpus.SlotOf(11), 5);
  EXPECT_EQ(cpus.SlotOf(12), -1);
  EXPECT_EQ(cpus.SlotOf(UINT32_MAX), -1);
  EXPECT_EQ(PossibleCpus("0").count(), 1U);
}

TEST(PossibleCpus, TheCallingThreadRunsOnOneOfThem) {
  const PossibleCpus& cpus = PossibleCpus::Instance();
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &before)) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    EXPECT_EQ(static_cast<int>(cpus.OwnSlot()), cpus.SlotOf(static_cast<uint32_t>(cpu)));
    EXPECT_LT(cpus.OwnSlot(), cpus.count());
  }
  ASSERT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
}

TEST(PossibleCpus, AThreadMayBeTakenForOneOnAnotherCpu) {
  const PossibleCpus& cpus = PossibleCpus::Instance();
  for (int cpu = 0; cpu < 1024; ++cpu) {
    const int slot = cpus.SlotOf(static_cast<uint32_t>(cpu));
    EXPECT_EQ(cpus.SetOwnCpu(cpu), slot >= 0) << cpu;
    if (slot < 0) continue;
    EXPECT_EQ(cpus.OwnSlot(), static_cast<uint32_t>(slot));
  }
  EXPECT_TRUE(cpus.SetOwnCpu(-1));
  EXPECT_EQ(usermaps_set_own_cpu(1 << 20), -EINVAL);
}

}  // namespace
}  // namespace usermaps
