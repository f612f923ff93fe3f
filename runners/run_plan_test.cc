// SPDX-License-Identifier: MIT
#include "runners/run_plan.h"

#include <gtest/gtest.h>

namespace mapspec {
namespace {

TEST(WorkersFor, AKernelGetsManyUnlessTheyWouldShareAFile) {
  RunOptions options;
  EXPECT_EQ(WorkersFor(options, "userspace"), 1u);
  EXPECT_GT(WorkersFor(options, "kernel"), 1u);
  options.gtest_flags = {"--gtest_shuffle"};
  EXPECT_GT(WorkersFor(options, "kernel"), 1u);
  options.gtest_flags = {"--gtest_output=json:r.json"};
  EXPECT_EQ(WorkersFor(options, "kernel"), 1u);
}

TEST(WorkersFor, WhatIsAskedForCounts) {
  RunOptions options;
  options.jobs = 3;
  EXPECT_EQ(WorkersFor(options, "userspace"), 3u);
  EXPECT_EQ(WorkersFor(options, "kernel"), 3u);
}

}  // namespace
}  // namespace mapspec
