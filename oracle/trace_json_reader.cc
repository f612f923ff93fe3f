// SPDX-License-Identifier: MIT
#include <algorithm>
#include <charconv>

#include "oracle/trace_json_fields.h"

namespace mapspec {
namespace {

constexpr std::string_view kExpectedInput = "bytes such as \"0x01000000\", null or \"bad\"";

// Decimal, or hex with 0x; the whole text.
std::optional<uint64_t> ParseUnsigned(std::string_view text) {
  const bool hex = text.starts_with("0x");
  if (hex) text.remove_prefix(2);
  uint64_t number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, hex ? 16 : 10);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::vector<std::string> MapTypeWords(bool prefixed) {
  static constexpr std::string_view kPrefix = "BPF_MAP_TYPE_";
  std::vector<std::string> words;
  for (uint32_t i = 0; i <= kMaxMapType; ++i) {
    std::string name = MapTypeName(static_cast<MapType>(i));
    words.push_back(prefixed ? name : name.substr(kPrefix.size()));
  }
  return words;
}

std::vector<std::string> ErrnoWords() {
  static constexpr int32_t kHighestErrno = 4095;  // MAX_ERRNO
  std::vector<std::string> words;
  for (int32_t number = 0; number <= kHighestErrno; ++number) {
    std::string name = ErrnoName(static_cast<Errno>(number));
    if (!name.starts_with("errno ")) words.push_back(std::move(name));
  }
  return words;
}

bool IsText(const JsonValue& value, std::string_view text) {
  return value.kind == JsonValue::Kind::kString && value.text == text;
}

}  // namespace

std::string Suggestion(std::string_view word, std::span<const std::string> known) {
  const std::string nearest = Nearest(word, known);
  return nearest.empty() ? "" : "; did you mean " + QuoteForMessage(nearest) + "?";
}

FieldReader::FieldReader(const JsonValue& object, std::string_view where)
    : object_(object), where_(where) {
  known_.reserve(24);
}

const JsonValue* FieldReader::Find(std::string_view name) {
  known_.push_back(name);
  if (failed()) return nullptr;
  for (const JsonMember& member : object_.members) {
    if (member.name == name) return &member.value;
  }
  return nullptr;
}

const JsonValue* FieldReader::Require(std::string_view name, std::string_view expected) {
  const JsonValue* const value = Find(name);
  if (value == nullptr && missing_.empty()) {
    missing_ = "the field " + QuoteForMessage(where_ + std::string(name)) +
               " is missing; expected " + std::string(expected);
  }
  return value;
}

void FieldReader::Fail(std::string message) {
  if (!failed()) message_ = std::move(message);
}

void FieldReader::Fail(std::string_view name, std::string_view expected, const JsonValue& got) {
  Fail(QuoteForMessage(where_ + std::string(name)) + ": expected " + std::string(expected) +
       ", got " + DescribeJson(got));
}

bool FieldReader::Finish(std::string_view what) {
  if (failed()) return false;
  for (const JsonMember& member : object_.members) {
    if (std::find(known_.begin(), known_.end(), member.name) != known_.end()) continue;
    std::vector<std::string> words;
    for (const std::string_view name : known_) {
      if (std::find(words.begin(), words.end(), name) == words.end()) words.emplace_back(name);
    }
    std::string suggestion = Suggestion(member.name, words);
    if (suggestion.empty()) {
      suggestion = "; expected one of";
      for (const std::string& word : words) suggestion += ' ' + word;
    }
    Fail(std::string(what) + " has no field " + QuoteForMessage(member.name) + suggestion);
    return false;
  }
  Fail(missing_);
  return !failed();
}

std::optional<uint64_t> FieldReader::ReadNumber(std::string_view name, uint64_t low,
                                                uint64_t high) {
  const JsonValue* const value = Find(name);
  if (value == nullptr) return std::nullopt;
  std::optional<uint64_t> number;
  if (value->kind == JsonValue::Kind::kUnsigned) number = value->number;
  if (value->kind == JsonValue::Kind::kString) number = ParseUnsigned(value->text);
  if (number && *number >= low && *number <= high) return number;
  Fail(name, "an integer from " + std::to_string(low) + " to " + std::to_string(high), *value);
  return std::nullopt;
}

std::optional<int64_t> FieldReader::ReadSigned(std::string_view name, int64_t low, int64_t high) {
  const JsonValue* const found = Find(name);
  if (found == nullptr) return std::nullopt;
  const auto number = static_cast<int64_t>(found->number);
  const bool integer = (found->kind == JsonValue::Kind::kUnsigned && number >= 0) ||
                       found->kind == JsonValue::Kind::kNegative;
  if (integer && number >= low && number <= high) return number;
  Fail(name, "an integer from " + std::to_string(low) + " to " + std::to_string(high), *found);
  return std::nullopt;
}

void FieldReader::Bool(std::string_view name, bool& value, bool) {
  const JsonValue* const found = Find(name);
  if (found == nullptr) return;
  if (found->kind != JsonValue::Kind::kBool) return Fail(name, "true or false", *found);
  value = found->boolean;
}

bool FieldReader::ReadText(std::string_view name, const JsonValue& value, std::string& text) {
  if (value.kind == JsonValue::Kind::kString) {
    text = value.text;
    return true;
  }
  Bytes bytes;
  if (value.kind == JsonValue::Kind::kObject && value.members.size() == 1 &&
      value.members[0].name == "bytes" && value.members[0].value.kind == JsonValue::Kind::kString &&
      Bytes::FromHex(value.members[0].value.text, &bytes)) {
    text.assign(bytes.begin(), bytes.end());
    return true;
  }
  Fail(name, "text, or {\"bytes\": \"0x...\"} for what is not UTF-8", value);
  return false;
}

void FieldReader::Text(std::string_view name, std::string& value, size_t limit) {
  const JsonValue* const found = Find(name);
  if (found == nullptr || !ReadText(name, *found, value)) return;
  if (value.size() > limit) {
    Fail(name, "at most " + std::to_string(limit) + " bytes of text", *found);
  }
}

void FieldReader::Path(std::string_view name, std::string& path) {
  static constexpr size_t kPathMax = 4096;
  static constexpr std::string_view kExpected =
      "a path below the script's own directory, without \"..\" and NUL";
  const JsonValue* const found = Require(name, kExpected);
  if (found == nullptr || !ReadText(name, *found, path)) return;
  // Scripts come from strangers; none may reach files that are not its own.
  const std::string closed = "/" + path + "/";
  if (path.starts_with('/') || path.size() > kPathMax || path.find('\0') != std::string::npos ||
      closed.find("/../") != std::string::npos) {
    Fail(name, kExpected, *found);
  }
}

void FieldReader::ReadSlot(std::string_view name, char letter, uint16_t& slot) {
  const JsonValue* const found = Find(name);
  if (found == nullptr) return;
  const std::string_view text = found->text;
  if (found->kind == JsonValue::Kind::kString && text.size() > 1 && text[0] == letter) {
    uint16_t number = 0;
    const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), number);
    if (error == std::errc{} && end == text.data() + text.size() && number < kMaxSlots) {
      slot = number;
      return;
    }
  }
  const std::string from(1, letter);
  Fail(name, "a slot from \"" + from + "0\" to \"" + from + std::to_string(kMaxSlots - 1) + "\"",
       *found);
}

void FieldReader::Map(std::string_view name, Handle& map) {
  const JsonValue* const found = Find(name);
  if (found == nullptr) return;
  if (IsText(*found, "bad")) {
    map = kBadFd;
  } else if (IsText(*found, "not_a_map")) {
    map = kNotAMap;
  } else {
    ReadSlot(name, 'm', map.slot);
    if (failed()) message_ += " (or \"bad\", \"not_a_map\")";
  }
}

void FieldReader::OptionalFds(std::string_view name, std::vector<Handle>& fds) {
  const JsonValue* const found = Find(name);
  if (found == nullptr) return;
  const auto complain = [&] {
    Fail(name, "descriptors with a space between them, such as \"m1 m2 bad\"", *found);
  };
  if (found->kind != JsonValue::Kind::kString) return complain();
  std::string_view rest = found->text;
  while (!failed()) {
    const size_t end = std::min(rest.find(' '), rest.size());
    const std::string_view word = rest.substr(0, end);
    const uint64_t slot =
        word.starts_with('m') ? ParseUnsigned(word.substr(1)).value_or(kMaxSlots) : kMaxSlots;
    if (word == "bad" || word == "not_a_map") {
      fds.push_back(word == "bad" ? kBadFd : kNotAMap);
    } else if (slot < kMaxSlots) {
      fds.push_back(Handle{static_cast<uint16_t>(slot)});
    } else {
      return complain();
    }
    if (end == rest.size()) return;
    rest.remove_prefix(end + 1);
  }
}

std::optional<size_t> FieldReader::ReadWord(std::string_view name,
                                            std::span<const std::string_view> words) {
  const JsonValue* const found = Find(name);
  if (found == nullptr) return std::nullopt;
  std::string expected = "one of";
  for (size_t i = 0; i < words.size(); ++i) {
    if (IsText(*found, words[i])) return i;
    expected += ' ' + std::string(words[i]);
  }
  Fail(name, expected, *found);
  return std::nullopt;
}

void FieldReader::ShortContent(std::string_view name, Bytes& bytes, size_t limit) {
  const JsonValue* const found = Find(name);
  if (found == nullptr) return;
  if (found->kind != JsonValue::Kind::kString || !Bytes::FromHex(found->text, &bytes) ||
      bytes.size() > limit) {
    Fail(name, "at most " + std::to_string(limit) + " bytes such as \"0x0102\"", *found);
  }
}

void FieldReader::Slot(std::string_view name, Handle& slot) { ReadSlot(name, 'm', slot.slot); }

void FieldReader::OptionalSlot(std::string_view name, Handle& slot) {
  Map(name, slot);
  if (failed() || slot != kBadFd) return;
  // The vocabulary has one sign for "-1" and "not given" here, so a script must not ask for the
  // former.
  for (const JsonMember& member : object_.members) {
    if (member.name == name) {
      return Fail(name, "a slot such as \"m0\", \"not_a_map\", or no such field", member.value);
    }
  }
}

void FieldReader::OptionalBtf(std::string_view name, uint16_t& btf) {
  const JsonValue* const found = Find(name);
  if (found == nullptr) return;
  if (IsText(*found, "bad")) {
    btf = kBadBtf;
    return;
  }
  ReadSlot(name, 'b', btf);
}

void FieldReader::Input(std::string_view name, InBuffer& buffer) {
  const JsonValue* const found = Require(name, kExpectedInput);
  if (found == nullptr) return;
  if (found->kind == JsonValue::Kind::kNull) {
    buffer.pointer = Pointer::kNull;
  } else if (IsText(*found, "bad")) {
    buffer.pointer = Pointer::kBad;
  } else if (found->kind != JsonValue::Kind::kString ||
             !Bytes::FromHex(found->text, &buffer.bytes)) {
    Fail(name, kExpectedInput, *found);
  }
}

void FieldReader::Output(std::string_view name, Pointer& pointer) {
  const JsonValue* const found = Find(name);
  if (found == nullptr) return;
  if (found->kind == JsonValue::Kind::kNull) {
    pointer = Pointer::kNull;
  } else if (IsText(*found, "bad")) {
    pointer = Pointer::kBad;
  } else {
    Fail(name, "null or \"bad\" (no such field: a valid buffer)", *found);
  }
}

void FieldReader::Content(std::string_view name, Bytes& bytes) {
  static constexpr std::string_view kExpected = "bytes such as \"0x01000000\"";
  const JsonValue* const found = Require(name, kExpected);
  if (found == nullptr) return;
  if (found->kind != JsonValue::Kind::kString || !Bytes::FromHex(found->text, &bytes)) {
    Fail(name, kExpected, *found);
  }
}

void FieldReader::Start(std::string_view name, LookupBatch::Start& start, Bytes& bytes) {
  const JsonValue* const found = Find(name);
  if (found == nullptr) return;
  if (found->kind == JsonValue::Kind::kNull) {
    start = LookupBatch::Start::kNull;
  } else if (IsText(*found, "last")) {
    start = LookupBatch::Start::kLast;
  } else if (IsText(*found, "bad")) {
    start = LookupBatch::Start::kBad;
  } else if (found->kind == JsonValue::Kind::kString && Bytes::FromHex(found->text, &bytes)) {
    start = LookupBatch::Start::kBytes;
  } else {
    Fail(name, "null, \"last\", \"bad\" or bytes such as \"0x01000000\"", *found);
  }
}

void FieldReader::Type(std::string_view name, MapType& type) {
  static constexpr std::string_view kExpected = "a map type such as \"BPF_MAP_TYPE_HASH\"";
  const JsonValue* const found = Require(name, kExpected);
  if (found == nullptr) return;
  if (found->kind == JsonValue::Kind::kUnsigned && found->number <= UINT32_MAX) {
    type = static_cast<MapType>(found->number);
  } else if (found->kind != JsonValue::Kind::kString) {
    Fail(name, kExpected, *found);
  } else if (const auto parsed = ParseMapType(found->text)) {
    type = *parsed;
  } else {
    Fail("unknown map type " + QuoteForMessage(found->text) +
         Suggestion(found->text, MapTypeWords(found->text.starts_with("BPF_"))));
  }
}

std::optional<uint64_t> FieldReader::ReadFlags(std::string_view name,
                                               std::span<const NamedFlag> names, uint64_t limit) {
  const JsonValue* const found = Find(name);
  if (found == nullptr) return std::nullopt;
  std::optional<uint64_t> flags;
  if (found->kind == JsonValue::Kind::kUnsigned) {
    flags = found->number;
  } else if (found->kind == JsonValue::Kind::kString) {
    std::string unknown;
    flags = ParseFlags(found->text, names, &unknown);
    if (!flags) {
      std::vector<std::string> words;
      for (const NamedFlag& named : names) words.emplace_back(named.name);
      Fail(QuoteForMessage(where_ + std::string(name)) + ": unknown flag " +
           QuoteForMessage(unknown) + Suggestion(unknown, words));
      return std::nullopt;
    }
  }
  if (flags && *flags <= limit) return flags;
  Fail(name,
       limit == UINT64_MAX ? "flags of 64 bits: names joined by '|', or a number"
                           : "flags of 32 bits: names joined by '|', or a number",
       *found);
  return std::nullopt;
}

bool FieldReader::Buffer(std::string_view name, Bytes& bytes) {
  static constexpr std::string_view kExpected =
      "bytes such as \"0x01000000\" or {\"untouched\": SIZE}";
  const JsonValue* const found = Find(name);
  if (found == nullptr) return false;
  if (found->kind != JsonValue::Kind::kObject) {
    if (found->kind != JsonValue::Kind::kString || !Bytes::FromHex(found->text, &bytes)) {
      Fail(name, kExpected, *found);
    }
    return true;
  }
  FieldReader tail(*found, where_ + std::string(name) + ".");
  tail.Require("untouched", "the number of bytes that still hold the poison");
  uint64_t untouched = 0;
  tail.NumberIn("untouched", untouched, 0, kMaxUntouched);
  Bytes written;
  if (tail.Find("written") != nullptr) {
    tail.Content("written", written);
  }
  if (!tail.Finish(QuoteForMessage(where_ + std::string(name)))) {
    Fail(tail.message());
    return true;
  }
  const size_t start = written.size();
  bytes = std::move(written);
  bytes.Resize(start + untouched);
  for (size_t i = start; i < bytes.size(); ++i) bytes[i] = PoisonByte(i);
  return true;
}

void FieldReader::Error(std::string_view name, Errno& error) {
  const JsonValue* const found = Find(name);
  if (found == nullptr) return;
  if (found->kind == JsonValue::Kind::kUnsigned && found->number <= INT32_MAX) {
    error = static_cast<Errno>(found->number);
  } else if (found->kind != JsonValue::Kind::kString) {
    Fail(name, "an errno name such as \"EINVAL\", \"0\" for success", *found);
  } else if (const auto parsed = ParseErrno(found->text)) {
    error = *parsed;
  } else {
    Fail(QuoteForMessage(where_ + std::string(name)) + ": unknown errno " +
         QuoteForMessage(found->text) + Suggestion(found->text, ErrnoWords()) +
         " (others: \"errno NUMBER\")");
  }
}

}  // namespace mapspec
