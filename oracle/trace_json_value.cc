// SPDX-License-Identifier: MIT
#include "oracle/trace_json_value.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace mapspec {
namespace {

std::string Printable(std::string_view text, size_t limit) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string printable;
  for (const char c : text.substr(0, limit)) {
    if (c >= 0x20 && c < 0x7f) {
      printable += c;
    } else {
      const auto byte = static_cast<uint8_t>(c);
      printable += "\\x";
      printable += kDigits[byte >> 4];
      printable += kDigits[byte & 15];
    }
  }
  if (text.size() > limit) printable += "...";
  return printable;
}

// Builds the tree from the parser's events. nlohmann's event parser keeps its own stack on the
// heap, one bit for each open object, so depth is a matter of this class alone.
class TreeBuilder : public nlohmann::json_sax<nlohmann::json> {
 public:
  TreeBuilder(size_t line_size, JsonValue* root, std::string* message)
      : line_size_(line_size), root_(root), message_(message) {}

  bool null() override { return Add({}) != nullptr; }
  bool boolean(bool value) override {
    JsonValue* const added = Add(JsonValue::Kind::kBool);
    if (added == nullptr) return false;
    added->boolean = value;
    return true;
  }
  bool number_integer(number_integer_t value) override {
    JsonValue* const added =
        Add(value < 0 ? JsonValue::Kind::kNegative : JsonValue::Kind::kUnsigned);
    if (added == nullptr) return false;
    added->number = static_cast<uint64_t>(value);
    return true;
  }
  bool number_unsigned(number_unsigned_t value) override {
    JsonValue* const added = Add(JsonValue::Kind::kUnsigned);
    if (added == nullptr) return false;
    added->number = value;
    return true;
  }
  bool number_float(number_float_t, const string_t& text) override {
    JsonValue* const added = Add(JsonValue::Kind::kFraction);
    if (added == nullptr) return false;
    added->text = text;
    return true;
  }
  bool string(string_t& value) override {
    JsonValue* const added = Add(JsonValue::Kind::kString);
    if (added == nullptr) return false;
    added->text = std::move(value);
    return true;
  }
  bool binary(binary_t&) override { return Fail("binary values are not part of the format"); }
  bool start_object(std::size_t) override {
    if (open_.size() == kMaxJsonDepth) {
      return Fail("objects are nested deeper than " + std::to_string(kMaxJsonDepth));
    }
    JsonValue* const added = Add(JsonValue::Kind::kObject);
    if (added == nullptr) return false;
    open_.push_back(added);
    return true;
  }
  bool key(string_t& name) override {
    std::vector<JsonMember>& members = open_.back()->members;
    const bool twice = std::any_of(members.begin(), members.end(),
                                   [&](const JsonMember& member) { return member.name == name; });
    if (twice) return Fail("the field " + QuoteForMessage(name) + " occurs twice");
    next_name_ = std::move(name);
    return true;
  }
  bool end_object() override {
    open_.pop_back();
    return true;
  }
  bool start_array(std::size_t) override {
    return Fail("lists are not part of the format; bytes are text such as \"0x01000000\"");
  }
  bool end_array() override { return true; }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::json::exception& e) override {
    // "[json.exception.parse_error.101] parse error at line 1, column 9: syntax error while ..."
    std::string_view what = e.what();
    if (const size_t end = what.find("] "); end != std::string_view::npos)
      what.remove_prefix(end + 2);
    static constexpr std::string_view kPlace = "parse error at line 1, ";
    if (what.starts_with(kPlace)) what.remove_prefix(kPlace.size());
    std::string reason = "not a line of JSON: " + Printable(what, 200);
    if (position > line_size_) {
      reason += " (the line stops in the middle; was the file cut off?)";
    }
    return Fail(std::move(reason));
  }

 private:
  JsonValue* Add(JsonValue::Kind kind) {
    if (open_.empty()) {
      root_->kind = kind;
      return root_;
    }
    if (++values_ > kMaxJsonValues) {
      Fail("more than " + std::to_string(kMaxJsonValues) + " values in one line");
      return nullptr;
    }
    // Members are added to the innermost object only, so pointers to the open ones stay good.
    std::vector<JsonMember>& members = open_.back()->members;
    members.emplace_back();
    members.back().name = std::move(next_name_);
    members.back().value.kind = kind;
    return &members.back().value;
  }
  bool Fail(std::string reason) {
    *message_ = std::move(reason);
    return false;
  }

  size_t line_size_;
  JsonValue* root_;
  std::string* message_;
  std::string next_name_;
  std::vector<JsonValue*> open_;
  size_t values_ = 0;
};

}  // namespace

bool ParseJsonObject(std::string_view line, JsonValue* object, std::string* message) {
  // The library takes a NUL for the end of its input and would not look at what follows.
  if (const size_t nul = line.find('\0'); nul != std::string_view::npos) {
    *message = "column " + std::to_string(nul + 1) + ": a NUL byte; expected a line of JSON text";
    return false;
  }
  *object = JsonValue();
  TreeBuilder builder(line.size(), object, message);
  if (!nlohmann::json::sax_parse(line.begin(), line.end(), &builder)) return false;
  if (object->kind == JsonValue::Kind::kObject) return true;
  *message = "expected a JSON object, got " + DescribeJson(*object);
  return false;
}

std::string QuoteForMessage(std::string_view text) { return '"' + Printable(text, 60) + '"'; }

std::string DescribeJson(const JsonValue& value) {
  switch (value.kind) {
    case JsonValue::Kind::kNull:
      return "null";
    case JsonValue::Kind::kBool:
      return value.boolean ? "true" : "false";
    case JsonValue::Kind::kUnsigned:
      return std::to_string(value.number);
    case JsonValue::Kind::kNegative:
      return std::to_string(static_cast<int64_t>(value.number));
    case JsonValue::Kind::kFraction:
      return Printable(value.text, 60);
    case JsonValue::Kind::kString:
      return QuoteForMessage(value.text);
    case JsonValue::Kind::kObject:
      return "an object";
  }
  return "";
}

}  // namespace mapspec
