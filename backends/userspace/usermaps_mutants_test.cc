// SPDX-License-Identifier: MIT
//
// The machinery of mutants, in the library built with them. Whether a suite kills them is that
// suite's business.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "backends/userspace/usermaps_test_support.h"

namespace usermaps::testing {
namespace {

std::vector<std::string> Mutants() {
  std::vector<const char*> names(usermaps_list_mutants(nullptr, 0));
  usermaps_list_mutants(names.data(), names.size());
  return {names.begin(), names.end()};
}

TEST(Mutants, AreListedBeforeTheyAreReached) {
  const std::vector<std::string> names = Mutants();
  EXPECT_GT(names.size(), 60U);
  EXPECT_NE(std::find(names.begin(), names.end(), "hash.update.noexist-existing-key/replaces"),
            names.end());
}

TEST(Mutants, HaveUniqueNamesOfTheShapeClauseSlashFault) {
  std::vector<std::string> names = Mutants();
  for (const std::string& name : names) {
    EXPECT_EQ(std::count(name.begin(), name.end(), '/'), 1) << name;
    EXPECT_EQ(std::count(name.begin(), name.end(), '.'), 2) << name;
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

TEST(Mutants, ChangeTheBehaviourWhileTheyAreOnAndOnlyThen) {
  const Fd map = MakeHash(4);
  Put(map, 1, 1);
  EXPECT_EQ(Put(map, 1, 2, BPF_NOEXIST), -EEXIST);
  ASSERT_EQ(usermaps_set_mutant("hash.update.noexist-existing-key/replaces"), 0);
  EXPECT_EQ(Put(map, 1, 2, BPF_NOEXIST), 0);
  ASSERT_EQ(usermaps_set_mutant(nullptr), 0);
  EXPECT_EQ(Put(map, 1, 3, BPF_NOEXIST), -EEXIST);
  EXPECT_EQ(Get(map, 1), 2);
}

TEST(Mutants, UnknownOnesAreRefused) { EXPECT_EQ(usermaps_set_mutant("no.such/mutant"), -ENOENT); }

}  // namespace
}  // namespace usermaps::testing
