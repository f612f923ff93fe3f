// SPDX-License-Identifier: MIT
//
// The two directions of the text format. Each struct of the vocabulary is described once, as a list
// of fields (trace_json_operation.cc, trace_json_outcome.cc, trace_json.cc); FieldWriter and
// FieldReader have the same members and walk the same list, so that what one writes the other
// reads. Private to trace_json*.cc. Errors: the first one wins, stays in the reader, and turns the
// rest into no-ops. Thread-safety: one thread at a time for each object.
#ifndef ORACLE_TRACE_JSON_FIELDS_H_
#define ORACLE_TRACE_JSON_FIELDS_H_

#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "oracle/operation.h"
#include "oracle/outcome.h"
#include "oracle/trace_json_value.h"

namespace mapspec {

// Bytes that a reader makes out of nothing ({"untouched": N}), in one buffer and in one file.
inline constexpr uint64_t kMaxUntouched = uint64_t{64} << 20;
inline constexpr uint64_t kMaxUntouchedTotal = uint64_t{512} << 20;
// A buffer that ends in at least this many untouched bytes is written without them.
inline constexpr size_t kMinUntouchedTail = 8;

// Appends one object, field by field.
class FieldWriter {
 public:
  explicit FieldWriter(std::string* out) : out_(*out) { out_ += '{'; }
  void End() { out_ += '}'; }

  // Numbers: always written, or only when they differ from `normal`.
  template <std::unsigned_integral T>
  void Number(std::string_view name, const T& value) {
    Key(name);
    AppendNumber(value);
  }
  template <std::unsigned_integral T>
  void Number(std::string_view name, const T& value, std::type_identity_t<T> normal) {
    if (value != normal) Number(name, value);
  }
  template <std::unsigned_integral T>
  void NumberIn(std::string_view name, const T& value, std::type_identity_t<T>,
                std::type_identity_t<T>) {
    Number(name, value);
  }
  template <std::signed_integral T>
  void Signed(std::string_view name, const T& value, std::type_identity_t<T> normal) {
    if (value == normal) return;
    Key(name);
    out_ += std::to_string(value);
  }
  void Bool(std::string_view name, bool value, bool normal);
  void Text(std::string_view name, std::string_view value, size_t limit = SIZE_MAX);
  void Path(std::string_view name, std::string_view path);
  void Map(std::string_view name, Handle map);
  void Slot(std::string_view name, Handle slot) { Map(name, slot); }
  void OptionalSlot(std::string_view name, Handle slot) {
    if (slot != kBadFd) Map(name, slot);
  }
  // Descriptors that are given, "bad" among them, or not at all.
  void OptionalFd(std::string_view name, Handle fd) {
    if (fd != kNoFd) Map(name, fd);
  }
  void OptionalFds(std::string_view name, const std::vector<Handle>& fds);
  // An enumerator by its word.
  template <typename T>
  void OneOf(std::string_view name, T value, std::span<const std::string_view> words) {
    Word(name, words[static_cast<size_t>(value)]);
  }
  void ShortContent(std::string_view name, const Bytes& bytes, size_t) { Content(name, bytes); }
  void View(std::string_view name, uint16_t view) { AppendSlot(name, 'v', view); }
  void BtfSlot(std::string_view name, uint16_t btf) { AppendSlot(name, 'b', btf); }
  void OptionalBtf(std::string_view name, uint16_t btf);
  void Input(std::string_view name, const InBuffer& buffer);
  void Output(std::string_view name, Pointer pointer);
  void Content(std::string_view name, const Bytes& bytes);
  // Bytes that stand there only when `given`.
  void OptionalContent(std::string_view name, bool given, const Bytes& bytes) {
    if (given) Content(name, bytes);
  }
  void Start(std::string_view name, LookupBatch::Start start, const Bytes& bytes);
  void Type(std::string_view name, MapType type) { Word(name, MapTypeName(type)); }
  void Flags(std::string_view name, uint64_t flags, std::span<const NamedFlag> names, bool always);

  // Of outcomes.
  void Buffer(std::string_view name, const Bytes& bytes);
  void Word(std::string_view name, std::string_view word);  // Text that needs no escapes.
  void Key(std::string_view name);

 private:
  void AppendNumber(uint64_t number);
  void AppendHex(const uint8_t* data, size_t size);
  void AppendSlot(std::string_view name, char letter, uint16_t slot);

  std::string& out_;
  bool first_ = true;
};

// Takes one object apart. Fields that are missing keep the value they have, required ones are an
// error; so is a field that nobody asked for by the time of Finish().
class FieldReader {
 public:
  // `where` precedes the names of fields in messages: "", or "outcome." and the like.
  FieldReader(const JsonValue& object, std::string_view where);

  template <std::unsigned_integral T>
  void Number(std::string_view name, T& value) {
    NumberIn<T>(name, value, 0, std::numeric_limits<T>::max());
  }
  template <std::unsigned_integral T>
  void Number(std::string_view name, T& value, std::type_identity_t<T>) {
    Number(name, value);
  }
  template <std::unsigned_integral T>
  void NumberIn(std::string_view name, T& value, std::type_identity_t<T> low,
                std::type_identity_t<T> high) {
    if (const auto number = ReadNumber(name, low, high)) value = static_cast<T>(*number);
  }
  template <std::signed_integral T>
  void Signed(std::string_view name, T& value, std::type_identity_t<T>) {
    const auto number =
        ReadSigned(name, std::numeric_limits<T>::min(), std::numeric_limits<T>::max());
    if (number) value = static_cast<T>(*number);
  }
  void Bool(std::string_view name, bool& value, bool normal);
  void Text(std::string_view name, std::string& value, size_t limit = SIZE_MAX);
  void Path(std::string_view name, std::string& path);
  void Map(std::string_view name, Handle& map);
  void Slot(std::string_view name, Handle& slot);
  void OptionalSlot(std::string_view name, Handle& slot);
  void OptionalFd(std::string_view name, Handle& fd) { Map(name, fd); }
  void OptionalFds(std::string_view name, std::vector<Handle>& fds);
  template <typename T>
  void OneOf(std::string_view name, T& value, std::span<const std::string_view> words) {
    if (const auto index = ReadWord(name, words)) value = static_cast<T>(*index);
  }
  void ShortContent(std::string_view name, Bytes& bytes, size_t limit);
  void View(std::string_view name, uint16_t& view) { ReadSlot(name, 'v', view); }
  void BtfSlot(std::string_view name, uint16_t& btf) { ReadSlot(name, 'b', btf); }
  void OptionalBtf(std::string_view name, uint16_t& btf);
  void Input(std::string_view name, InBuffer& buffer);
  void Output(std::string_view name, Pointer& pointer);
  void Content(std::string_view name, Bytes& bytes);
  void OptionalContent(std::string_view name, bool& given, Bytes& bytes) {
    given = Find(name) != nullptr;
    if (given) Content(name, bytes);
  }
  void Start(std::string_view name, LookupBatch::Start& start, Bytes& bytes);
  void Type(std::string_view name, MapType& type);
  template <std::unsigned_integral T>
  void Flags(std::string_view name, T& flags, std::span<const NamedFlag> names, bool) {
    if (const auto read = ReadFlags(name, names, std::numeric_limits<T>::max())) {
      flags = static_cast<T>(*read);
    }
  }

  // Of outcomes. Buffer returns whether the field is there.
  bool Buffer(std::string_view name, Bytes& bytes);
  void Error(std::string_view name, Errno& error);

  // The member, or nullptr; from then on the name is one that is known here.
  const JsonValue* Find(std::string_view name);
  // The same, and Finish() fails when it is missing. `expected` is what should stand there.
  const JsonValue* Require(std::string_view name, std::string_view expected);
  void Fail(std::string_view name, std::string_view expected, const JsonValue& got);
  void Fail(std::string message);
  bool failed() const { return !message_.empty(); }

  // Complains about what is unknown or missing. False when anything was wrong. `what` is the thing
  // that was read, for the message about unknown fields.
  bool Finish(std::string_view what);
  const std::string& message() const { return message_; }

 private:
  std::optional<uint64_t> ReadNumber(std::string_view name, uint64_t low, uint64_t high);
  std::optional<int64_t> ReadSigned(std::string_view name, int64_t low, int64_t high);
  std::optional<uint64_t> ReadFlags(std::string_view name, std::span<const NamedFlag> names,
                                    uint64_t limit);
  std::optional<size_t> ReadWord(std::string_view name, std::span<const std::string_view> words);
  void ReadSlot(std::string_view name, char letter, uint16_t& slot);
  bool ReadText(std::string_view name, const JsonValue& value, std::string& text);

  const JsonValue& object_;
  std::string where_;
  std::vector<std::string_view> known_;
  std::string missing_;
  std::string message_;
};

// Appends the fields of an operation, "op" first, to an object that the caller opened.
void WriteOperationFields(const Operation& operation, FieldWriter& writer);
// Reads the fields of an operation; the caller has taken others (outcome) out and calls Finish().
bool ReadOperationFields(FieldReader& reader, Operation* operation);

// The names under which the outputs of a call are written.
struct OutputNames {
  std::string_view bytes = "bytes";
  std::string_view number = "number";
};
OutputNames OutputNamesOf(const Call& call);
void AppendOutcome(const Outcome& outcome, const OutputNames& names, std::string* out);
bool ReadOutcome(const JsonValue& object, std::string_view where, Outcome* outcome,
                 std::string* message);

// "; did you mean NAME?", or nothing when no known word is near.
std::string Suggestion(std::string_view word, std::span<const std::string> known);

}  // namespace mapspec

#endif  // ORACLE_TRACE_JSON_FIELDS_H_
