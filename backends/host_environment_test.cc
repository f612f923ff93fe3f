// SPDX-License-Identifier: MIT
#include "backends/host_environment.h"

#include <gtest/gtest.h>

namespace mapspec {
namespace {

TEST(HostEnvironment, ListsOfCpusAreCountedToTheHighest) {
  EXPECT_EQ(HighestOfList("0"), 1u);
  EXPECT_EQ(HighestOfList("0-3"), 4u);
  EXPECT_EQ(HighestOfList("0-3,8,12-15"), 16u);
  EXPECT_EQ(HighestOfList(""), 0u);
  EXPECT_EQ(HighestOfList("none"), 0u);
  EXPECT_EQ(HighestOfList("0-"), 0u);
  EXPECT_EQ(HighestOfList("0;1"), 0u);
}

TEST(HostEnvironment, ReleasesCompareByTheirNumbers) {
  EXPECT_TRUE(ReleaseBefore("5.10.0-28-amd64", 5, 11));
  EXPECT_TRUE(ReleaseBefore("4.19.0", 5, 11));
  EXPECT_FALSE(ReleaseBefore("5.11.0", 5, 11));
  EXPECT_FALSE(ReleaseBefore("6.1.0-18-amd64", 5, 11));
  EXPECT_FALSE(ReleaseBefore("unreadable", 5, 11));
}

TEST(HostEnvironment, SaysWhatTheMachineIsLike) {
  const Environment environment = HostEnvironment("kernel");
  EXPECT_EQ(environment.backend, "kernel");
  EXPECT_FALSE(environment.machine.empty());
  EXPECT_GE(environment.possible_cpus, 1u);
  EXPECT_GE(environment.page_size, 4096u);
  EXPECT_GE(environment.numa_nodes, 1u);
}

}  // namespace
}  // namespace mapspec
