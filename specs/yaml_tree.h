// SPDX-License-Identifier: MIT
//
// A YAML document as a plain tree in which every node knows where it stands, read by yaml-cpp. It
// exists because messages need a line and a column for every key, because YAML's quoting matters
// here (0x10 is a number, "0x10" a byte), and because hostile input must end in a message rather
// than in exhausted memory: documents over kMaxYamlBytes, nesting over kMaxYamlDepth, more than
// kMaxYamlNodes nodes, anchors, aliases, tags, repeated keys and second documents are refused. No
// exception leaves this file. Ownership: plain values. Thread-safety: that of plain values. Lines
// and columns count from 1. Source: yaml-cpp 0.7, yaml-cpp/eventhandler.h.
#ifndef SPECS_YAML_TREE_H_
#define SPECS_YAML_TREE_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mapspec {

// yaml-cpp 0.7 reads a whole flow sequence ahead and spends some 250 bytes on each byte of
// "[[[[...": this limit is what keeps a hostile file to a quarter of a gigabyte and under a second.
inline constexpr size_t kMaxYamlBytes = size_t{1} << 20;
inline constexpr size_t kMaxYamlNodes = 100'000;
inline constexpr size_t kMaxYamlDepth = 24;

// Where something stands in its file; line 0 when the file as a whole is meant.
struct Position {
  size_t line = 0;
  size_t column = 0;
  friend bool operator==(const Position&, const Position&) = default;
};

// What is wrong with a file: "FILE:LINE:COLUMN: message".
struct SpecError {
  std::string file;
  Position position;
  std::string message;
  std::string ToString() const;
};

struct YamlField;

struct YamlNode {
  enum class Kind { kNull, kScalar, kList, kMapping };
  Kind kind = Kind::kNull;
  Position position;
  std::string text;               // Of a scalar.
  bool quoted = false;            // Of a scalar: in quotes or a block, so never a number.
  std::vector<YamlNode> items;    // Of a list.
  std::vector<YamlField> fields;  // Of a mapping, in the order of the file.

  bool IsNull() const { return kind == Kind::kNull; }
  bool IsScalar() const { return kind == Kind::kScalar; }
  bool IsList() const { return kind == Kind::kList; }
  bool IsMapping() const { return kind == Kind::kMapping; }
  // A scalar without quotes that reads `word`.
  bool IsWord(std::string_view word) const { return IsScalar() && !quoted && text == word; }
  // The value of a field of a mapping; nullptr where there is none.
  const YamlNode* Find(std::string_view name) const;
  // "a list", "a mapping", "the text `x`": for messages.
  std::string Describe() const;
};

struct YamlField {
  std::string name;
  Position position;  // Of the name.
  YamlNode value;
};

// The one document in `text`; nullopt after filling *error. `file` is the name for messages.
std::optional<YamlNode> ParseYaml(std::string_view file, std::string_view text, SpecError* error);

}  // namespace mapspec

#endif  // SPECS_YAML_TREE_H_
