// SPDX-License-Identifier: MIT
#include "specs/yaml_tree.h"

#include <gtest/gtest.h>

#include <string>

namespace mapspec {
namespace {

YamlNode Parsed(const std::string& text) {
  SpecError error;
  const std::optional<YamlNode> node = ParseYaml("t.yaml", text, &error);
  EXPECT_TRUE(node.has_value()) << error.ToString();
  return node.value_or(YamlNode{});
}

std::string ErrorOf(const std::string& text) {
  SpecError error;
  if (ParseYaml("t.yaml", text, &error)) return "accepted";
  return error.ToString();
}

TEST(YamlTree, EveryNodeKnowsItsLineAndColumn) {
  const YamlNode root = Parsed("a: 1\nb:\n  - x\n  - {c: [null, 'q']}\n");
  ASSERT_TRUE(root.IsMapping());
  EXPECT_EQ(root.fields[0].position, (Position{1, 1}));
  EXPECT_EQ(root.Find("a")->position, (Position{1, 4}));
  const YamlNode* list = root.Find("b");
  ASSERT_EQ(list->items.size(), 2u);
  EXPECT_EQ(list->items[0].position, (Position{3, 5}));
  const YamlNode* inner = list->items[1].Find("c");
  ASSERT_EQ(inner->items.size(), 2u);
  EXPECT_TRUE(inner->items[0].IsNull());
  EXPECT_EQ(inner->items[1].position, (Position{4, 16}));
}

TEST(YamlTree, QuotesTellTextFromNumbersAndNull) {
  const YamlNode root = Parsed("[0x10, \"0x10\", null, 'null', ok]");
  EXPECT_FALSE(root.items[0].quoted);
  EXPECT_TRUE(root.items[1].quoted);
  EXPECT_TRUE(root.items[2].IsNull());
  EXPECT_TRUE(root.items[3].IsScalar());
  EXPECT_TRUE(root.items[4].IsWord("ok"));
  EXPECT_FALSE(root.items[3].IsWord("null"));
}

TEST(YamlTree, ARepeatedFieldIsRefused) {
  EXPECT_EQ(ErrorOf("a: 1\nb: 2\na: 3\n"), "t.yaml:3:1: `a` stands here twice; first in line 1");
}

TEST(YamlTree, AnchorsAliasesAndTagsAreRefused) {
  EXPECT_EQ(ErrorOf("a: &x [1]\nb: *x\n"),
            "t.yaml:1:4: anchors (&x) are not allowed here; write the text out");
  EXPECT_EQ(ErrorOf("a: !!binary aGk=\n"),
            "t.yaml:1:4: tags (`tag:yaml.org,2002:binary`) are not allowed here");
}

TEST(YamlTree, ABillionLaughsEndsAtItsFirstAnchor) {
  std::string text = "a0: &a0 [lol, lol]\n";
  for (int i = 1; i < 30; ++i) {
    const std::string n = std::to_string(i), p = std::to_string(i - 1);
    text += "a" + n + ": &a" + n + " [*a" + p + ", *a" + p + "]\n";
  }
  EXPECT_EQ(ErrorOf(text), "t.yaml:1:5: anchors (&a0) are not allowed here; write the text out");
}

TEST(YamlTree, DeepNestingIsRefusedWhereItGetsTooDeep) {
  EXPECT_EQ(ErrorOf("a: " + std::string(30, '[') + std::string(30, ']')),
            "t.yaml:1:27: nested deeper than 24 levels");
  std::string block;
  for (size_t i = 0; i < 400; ++i) block += std::string(i, ' ') + "a:\n";
  EXPECT_EQ(ErrorOf(block), "t.yaml:25:25: nested deeper than 24 levels");
  // Brackets that never close: yaml-cpp's own complaint may come first, but it must come.
  for (const char bracket : {'[', '{'}) {
    EXPECT_NE(ErrorOf(std::string(100'000, bracket)), "accepted");
  }
  std::string dashes;
  for (size_t i = 0; i < 100'000; ++i) dashes += "- ";
  EXPECT_NE(ErrorOf(dashes).find("nested deeper"), std::string::npos);
}

TEST(YamlTree, LargeFilesAndManyNodesAreRefused) {
  EXPECT_EQ(ErrorOf(std::string(kMaxYamlBytes + 1, 'a')), "t.yaml: larger than 1 MiB");
  std::string commas = "[";
  while (commas.size() < kMaxYamlBytes - 2) commas += "1,";
  EXPECT_NE(ErrorOf(commas + "]").find("more than 100000 nodes"), std::string::npos);
}

TEST(YamlTree, ASecondDocumentIsRefused) {
  EXPECT_EQ(ErrorOf("a: 1\n---\nb: 2\n"), "t.yaml:2:1: a second document; a file holds one");
}

TEST(YamlTree, WhatIsNoYamlIsNamedWithItsPlace) {
  EXPECT_EQ(ErrorOf("a: [1, 2\nb: 3\n"), "t.yaml:2:2: not YAML: end of sequence flow not found");
  EXPECT_EQ(ErrorOf("? [a]\n: 1\n"), "t.yaml:1:3: the name of a field must be a word");
}

TEST(YamlTree, DamagedTextNeverEscapesAsAnException) {
  const std::string good = "a: {b: [1, \"x\", null], c: 'y'}\nd:\n  - e: |\n      f\n";
  for (size_t cut = 0; cut <= good.size(); ++cut) {
    SpecError error;
    ParseYaml("t.yaml", good.substr(0, cut), &error);
    for (const char byte : {'\0', '\xff', '\t', '&', '%', '\n'}) {
      std::string damaged = good;
      if (cut < damaged.size()) damaged[cut] = byte;
      if (!ParseYaml("t.yaml", damaged, &error)) {
        EXPECT_FALSE(error.message.empty());
      }
    }
  }
}

}  // namespace
}  // namespace mapspec
