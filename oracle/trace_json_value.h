// SPDX-License-Identifier: MIT
//
// One line of JSON as a tree, for the readers of scripts and traces. Only what the format uses:
// objects of scalars, no lists. Meant for hostile input: depth and number of values are limited, a
// name may occur once in an object, and nothing throws. Ownership: plain values. Thread-safety:
// that of plain values.
#ifndef ORACLE_TRACE_JSON_VALUE_H_
#define ORACLE_TRACE_JSON_VALUE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mapspec {

inline constexpr size_t kMaxJsonDepth = 8;     // The format itself needs four.
inline constexpr size_t kMaxJsonValues = 256;  // In one line; the longest line has about forty.

struct JsonMember;

struct JsonValue {
  enum class Kind : uint8_t { kNull, kBool, kUnsigned, kNegative, kFraction, kString, kObject };
  Kind kind = Kind::kNull;
  bool boolean = false;
  uint64_t number = 0;  // kUnsigned; for kNegative the bits of an int64_t.
  std::string text;     // kString, and kFraction as it was written.
  std::vector<JsonMember> members;
};

struct JsonMember {
  std::string name;
  JsonValue value;
};

// Reads one JSON object. False, with the reason in *message, for anything else.
bool ParseJsonObject(std::string_view line, JsonValue* object, std::string* message);

// Text for a message: in quotation marks, shortened, with whatever does not print written as \xNN.
std::string QuoteForMessage(std::string_view text);
// The value for a message: its text, or what kind it is.
std::string DescribeJson(const JsonValue& value);

}  // namespace mapspec

#endif  // ORACLE_TRACE_JSON_VALUE_H_
