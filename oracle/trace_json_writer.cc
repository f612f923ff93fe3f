// SPDX-License-Identifier: MIT
#include <charconv>

#include "oracle/trace_json_fields.h"

namespace mapspec {
namespace {

// Larger integers would be rounded by readers that hold numbers as doubles, so they become hex
// text.
constexpr uint64_t kLargestExactDouble = (uint64_t{1} << 53) - 1;
constexpr char kDigits[] = "0123456789abcdef";

// Length of the well-formed UTF-8 sequence (RFC 3629, table 3-7 of Unicode) at the front, 0 if
// there is none.
size_t Utf8Length(std::string_view text) {
  const auto at = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = at(0);
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xc2 && lead <= 0xdf   ? 2
                        : lead >= 0xe0 && lead <= 0xef ? 3
                        : lead >= 0xf0 && lead <= 0xf4 ? 4
                                                       : 0;
  if (length == 0 || text.size() < length) return 0;
  const uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (at(1) < low || at(1) > high) return 0;
  for (size_t i = 2; i < length; ++i) {
    if (at(i) < 0x80 || at(i) > 0xbf) return 0;
  }
  return length;
}

// False when the text is not UTF-8: JSON cannot hold it.
bool AppendQuoted(std::string_view text, std::string* out) {
  const size_t before = out->size();
  *out += '"';
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    if (length == 0) {
      out->resize(before);
      return false;
    }
    const char c = text.front();
    if (c == '"' || c == '\\') {
      *out += '\\';
      *out += c;
    } else if (static_cast<uint8_t>(c) < 0x20 || c == 0x7f) {
      *out += "\\u00";
      *out += kDigits[c >> 4];
      *out += kDigits[c & 15];
    } else {
      out->append(text.substr(0, length));
    }
    text.remove_prefix(length);
  }
  *out += '"';
  return true;
}

}  // namespace

void FieldWriter::Key(std::string_view name) {
  if (!first_) out_ += ',';
  first_ = false;
  out_ += '"';
  out_ += name;
  out_ += "\":";
}

void FieldWriter::AppendNumber(uint64_t number) {
  char digits[20];
  const bool exact = number <= kLargestExactDouble;
  const char* const end =
      std::to_chars(digits, digits + sizeof(digits), number, exact ? 10 : 16).ptr;
  if (!exact) out_ += "\"0x";
  out_.append(digits, static_cast<size_t>(end - digits));
  if (!exact) out_ += '"';
}

void FieldWriter::AppendHex(const uint8_t* data, size_t size) {
  const size_t before = out_.size();
  out_.resize(before + 4 + 2 * size);
  char* to = out_.data() + before;
  *to++ = '"';
  *to++ = '0';
  *to++ = 'x';
  for (size_t i = 0; i < size; ++i) {
    *to++ = kDigits[data[i] >> 4];
    *to++ = kDigits[data[i] & 15];
  }
  *to = '"';
}

void FieldWriter::AppendSlot(std::string_view name, char letter, uint16_t slot) {
  Key(name);
  out_ += '"';
  out_ += letter;
  AppendNumber(slot);
  out_ += '"';
}

void FieldWriter::Word(std::string_view name, std::string_view word) {
  Key(name);
  out_ += '"';
  out_ += word;
  out_ += '"';
}

void FieldWriter::Bool(std::string_view name, bool value, bool normal) {
  if (value == normal) return;
  Key(name);
  out_ += value ? "true" : "false";
}

void FieldWriter::Text(std::string_view name, std::string_view value, size_t) {
  if (!value.empty()) Path(name, value);
}

void FieldWriter::Path(std::string_view name, std::string_view path) {
  Key(name);
  if (AppendQuoted(path, &out_)) return;
  out_ += "{\"bytes\":";
  AppendHex(reinterpret_cast<const uint8_t*>(path.data()), path.size());
  out_ += '}';
}

void FieldWriter::Map(std::string_view name, Handle map) {
  if (map == kBadFd || map == kNotAMap) {
    Word(name, map == kBadFd ? "bad" : "not_a_map");
  } else {
    AppendSlot(name, 'm', map.slot);
  }
}

void FieldWriter::OptionalFds(std::string_view name, const std::vector<Handle>& fds) {
  if (fds.empty()) return;
  std::string words;
  for (const Handle fd : fds) {
    if (!words.empty()) words += ' ';
    words += fd == kBadFd ? "bad" : fd == kNotAMap ? "not_a_map" : "m" + std::to_string(fd.slot);
  }
  Word(name, words);
}

void FieldWriter::OptionalBtf(std::string_view name, uint16_t btf) {
  if (btf == kBadBtf) {
    Word(name, "bad");
  } else if (btf != kNoBtf) {
    AppendSlot(name, 'b', btf);
  }
}

void FieldWriter::Input(std::string_view name, const InBuffer& buffer) {
  switch (buffer.pointer) {
    case Pointer::kValid:
      return Content(name, buffer.bytes);
    case Pointer::kNull:
      Key(name);
      out_ += "null";
      return;
    case Pointer::kBad:
      return Word(name, "bad");
  }
}

void FieldWriter::Output(std::string_view name, Pointer pointer) {
  if (pointer != Pointer::kValid) Input(name, InBuffer{pointer, {}});
}

void FieldWriter::Content(std::string_view name, const Bytes& bytes) {
  Key(name);
  AppendHex(bytes.data(), bytes.size());
}

void FieldWriter::Start(std::string_view name, LookupBatch::Start start, const Bytes& bytes) {
  switch (start) {
    case LookupBatch::Start::kNull:
      return Input(name, InBuffer{Pointer::kNull, {}});
    case LookupBatch::Start::kLast:
      return Word(name, "last");
    case LookupBatch::Start::kBytes:
      return Content(name, bytes);
    case LookupBatch::Start::kBad:
      return Word(name, "bad");
  }
}

void FieldWriter::Flags(std::string_view name, uint64_t flags, std::span<const NamedFlag> names,
                        bool always) {
  if (flags != 0 || always) Word(name, FlagsToString(flags, names));
}

void FieldWriter::Buffer(std::string_view name, const Bytes& bytes) {
  size_t written = bytes.size();
  while (written != 0 && bytes[written - 1] == PoisonByte(written - 1)) --written;
  const size_t untouched = bytes.size() - written;
  const bool whole = written == 0 && untouched != 0;
  // Beyond what a reader makes up, the bytes are spelled out.
  if (untouched > kMaxUntouched || (!whole && untouched < kMinUntouchedTail)) {
    return Content(name, bytes);
  }
  Key(name);
  FieldWriter tail(&out_);
  if (!whole) {
    tail.Key("written");
    AppendHex(bytes.data(), written);
  }
  tail.Number("untouched", untouched);
  tail.End();
}

}  // namespace mapspec
