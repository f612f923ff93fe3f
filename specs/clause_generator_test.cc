// SPDX-License-Identifier: MIT
#include "specs/clause_generator.h"

#include <gtest/gtest.h>

#include <string>

namespace mapspec {
namespace {

Specs Example() {
  const std::vector<SpecText> texts = {
      {"hash.yaml",
       "map_type: HASH\nclauses:\n"
       "  - {id: hash.update.noexist-existing-key, level: documented, claim: 'say \"no\" \\ ?', "
       "path: both, source: {document: d, section: s}, trait: '!hash_large_keys'}\n"
       "  - {id: hash.lookup.a, level: observed, claim: c, path: program, source: {document: "
       "d}}\n"},
      {"queue.yaml",
       "map_type: QUEUE\nclauses:\n"
       "  - {id: queue.pop.b, level: observed, claim: c, path: syscall, source: {document: d}, "
       "since: \"4.20\"}\n"}};
  const LoadedSpecs loaded = LoadSpecTexts(texts, {});
  EXPECT_TRUE(loaded.ok());
  return loaded.specs;
}

TEST(ClauseGenerator, EveryIdIsAConstantOfItsTypesStruct) {
  EXPECT_NE(
      ClausesHeader(Example()).find("struct hash {\n"
                                    "  static constexpr ClauseId update_noexist_existing_key{0};\n"
                                    "  static constexpr ClauseId lookup_a{1};\n"
                                    "};\n\n"
                                    "struct queue {\n"
                                    "  static constexpr ClauseId pop_b{2};\n"
                                    "};\n"),
      std::string::npos)
      << ClausesHeader(Example());
}

TEST(ClauseGenerator, TheTableHoldsTheTextsEscaped) {
  const std::string table = ClausesTable(Example());
  EXPECT_NE(table.find("{\"hash.update.noexist-existing-key\", Level::kDocumented, Path::kBoth,\n"
                       "     \"say \\\"no\\\" \\\\ \\077\",\n"
                       "     \"d\", \"s\", \"\", \"\", \"!hash_large_keys\"},"),
            std::string::npos)
      << table;
  EXPECT_NE(
      table.find("Level::kObserved, Path::kSyscall,\n     \"c\",\n     \"d\", \"\", \"4.20\""),
      std::string::npos);
}

TEST(ClauseGenerator, ATraitThatDoesNotExistCannotCompile) {
  EXPECT_NE(ClausesTable(Example()).find(
                "static_assert(std::is_same_v<decltype(Traits::hash_large_keys), bool>);"),
            std::string::npos);
}

TEST(ClauseGenerator, WithoutClausesTheTableIsEmptyButCompiles) {
  EXPECT_NE(ClausesTable({}).find("AllClauses() { return {}; }"), std::string::npos);
}

TEST(ClauseConstants, KeywordsAndReservedNamesAreReported) {
  EXPECT_EQ(WhyNotConstant(ConstantOf("hash.update.noexist")), "");
  EXPECT_EQ(WhyNotConstant(ConstantOf("hash.co.await")), "`co_await` is a keyword of C++");
  EXPECT_EQ(WhyNotConstant({"struct", "x"}), "`struct` is a keyword of C++");
  EXPECT_EQ(WhyNotConstant(ConstantOf("hash.a-.b")),
            "`a__b` has two underscores in a row, which C++ reserves");
  EXPECT_EQ(WhyNotConstant({"hash", "hash"}),
            "`hash` is also the name of the struct it would be in");
}

}  // namespace
}  // namespace mapspec
