// SPDX-License-Identifier: MIT
#include "runners/glob.h"

#include <gtest/gtest.h>

namespace mapspec {
namespace {

TEST(Glob, StarsAndQuestionMarksMatchAndBracketsMeanThemselves) {
  EXPECT_TRUE(GlobMatches("queue.*", "queue.push.exist-when-full"));
  EXPECT_TRUE(GlobMatches("*full", "queue.push.exist-when-full"));
  EXPECT_TRUE(GlobMatches("q*p?sh*full", "queue.push.exist-when-full"));
  EXPECT_TRUE(GlobMatches("*[HASH]", "generic.close.twice[HASH]"));
  EXPECT_TRUE(GlobMatches("", ""));
  EXPECT_TRUE(GlobMatches("**", ""));
  EXPECT_FALSE(GlobMatches("queue", "queue.push"));
  EXPECT_FALSE(GlobMatches("?", ""));
  EXPECT_FALSE(GlobMatches("*[HASH]", "generic.close.twiceH"));
}

TEST(Glob, ManyStarsDoNotTakeExponentialTime) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "*a";
  EXPECT_FALSE(GlobMatches(pattern + "b", std::string(2000, 'a')));
}

TEST(Glob, TwoPatternsOverlapWhereOneTextMatchesBoth) {
  for (const auto& [a, b] : {std::pair("kernel", "kernel"),
                             {"ker*", "kernel"},
                             {"*", ""},
                             {"library:*", "*/libmaps.so"},
                             {"a*c", "ab*"},
                             {"*a*", "*b*"},
                             {"lib?ary:*", "library:./x.so"},
                             {"**", "?"}}) {
    EXPECT_TRUE(GlobsOverlap(a, b) && GlobsOverlap(b, a)) << a << ' ' << b;
  }
  for (const auto& [a, b] : {std::pair("kernl", "kernel"),
                             {"kernel", "kernel:*"},
                             {"?", ""},
                             {"libary:*", "library:*"},
                             {"a*b", "*c"},
                             {"?*", ""}}) {
    EXPECT_FALSE(GlobsOverlap(a, b) || GlobsOverlap(b, a)) << a << ' ' << b;
  }
}

TEST(Filter, SelectsByTestOrClauseAndAMinusTakesAway) {
  const Filter filter("queue.push.*:stack.*:-*/slow");
  EXPECT_TRUE(filter.Selects("queue.push.full/drops", "queue.push.full"));
  EXPECT_FALSE(filter.Selects("queue.push.full/slow", "queue.push.full"));
  EXPECT_FALSE(filter.Selects("hash.update.any", "hash.update.any"));
  EXPECT_TRUE(Filter("queue.push.full").Selects("queue.push.full/drops", "queue.push.full"));
  EXPECT_TRUE(Filter("").Selects("anything", ""));
  EXPECT_FALSE(Filter("-any*").Selects("anything", ""));
}

TEST(Filter, AMinusInsideAPatternIsAnOrdinaryCharacter) {
  EXPECT_TRUE(Filter("queue.push.exist-when-full").Selects("queue.push.exist-when-full", ""));
}

}  // namespace
}  // namespace mapspec
