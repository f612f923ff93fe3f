// SPDX-License-Identifier: MIT
//
// An operation as bytes, made to be changed by fuzzers: any bytes are an operation, zeros stand for
// the plainest one and need not be there at the end, and whatever is drawn at random mostly means
// something (a slot that is in use, a type that exists). RecordWriter and RecordReader are archives
// of oracle/operation_members.h. What stands behind a pointer that is not valid is kept.
//
//   record  = code of the operation (an index into EveryCall(), from 1), its members, caller, CPU,
//             thread
//   number  = a byte below 248; or 248 + n and n bytes, little endian (n = 0 stands for 8)
//   bytes   = their number, then the bytes
//   slot    = 0 the ordinary value, 1 … 8 slots 0 … 7, 9 "bad", 10 "not a map", …, 255 and two
//   bytes type    = a byte: an index into the types that have a model; 255 and a number: any other
//
// Bounds: a record makes at most as many bytes as ReadLimits allows beyond those that it spells
// out. Thread-safety: one thread at a time for each object. No errors.
#ifndef PROPERTIES_SCRIPT_RECORD_H_
#define PROPERTIES_SCRIPT_RECORD_H_

#include <concepts>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "oracle/operation.h"

namespace mapspec {

class RecordWriter {
 public:
  explicit RecordWriter(std::vector<uint8_t>* out) : out_(*out) {}

  template <std::unsigned_integral T>
  void Number(std::string_view, T value, std::type_identity_t<T> normal = 0) {
    // Differences wrap around: the ordinary value is 0.
    Append(static_cast<T>(value - normal));
  }
  template <std::unsigned_integral T>
  void NumberIn(std::string_view, T value, std::type_identity_t<T> low, std::type_identity_t<T>) {
    Append(static_cast<T>(value - low));
  }
  template <std::signed_integral T>
  void Signed(std::string_view, T value, std::type_identity_t<T> normal) {
    using Unsigned = std::make_unsigned_t<T>;
    Append(static_cast<Unsigned>(static_cast<Unsigned>(value) - static_cast<Unsigned>(normal)));
  }
  void Bool(std::string_view, bool value, bool normal) { Byte(value != normal); }
  void Text(std::string_view, std::string_view text, size_t = SIZE_MAX) {
    Block(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  }
  void Path(std::string_view name, std::string_view path) { Text(name, path); }
  void Map(std::string_view, Handle map) { Slot(map.slot, 0); }
  void Slot(std::string_view, Handle slot) { Slot(slot.slot, 0); }
  void OptionalSlot(std::string_view, Handle slot) { Slot(slot.slot, kBadFd.slot); }
  void OptionalFd(std::string_view, Handle fd) { Slot(fd.slot, kNoFd.slot); }
  void OptionalFds(std::string_view, const std::vector<Handle>& fds);
  template <typename T>
  void OneOf(std::string_view, T value, std::span<const std::string_view>) {
    Byte(static_cast<uint8_t>(value));
  }
  void View(std::string_view, uint16_t view) { Slot(view, 0); }
  void BtfSlot(std::string_view, uint16_t btf) { Slot(btf, 0); }
  void OptionalBtf(std::string_view, uint16_t btf) { Slot(btf, kNoBtf); }
  void Output(std::string_view, Pointer pointer) { Byte(static_cast<uint8_t>(pointer)); }
  void Input(std::string_view name, const InBuffer& buffer) {
    Output(name, buffer.pointer);
    Content(name, buffer.bytes);
  }
  void Start(std::string_view name, LookupBatch::Start start, const Bytes& bytes) {
    Byte(static_cast<uint8_t>(start));
    Content(name, bytes);
  }
  void Content(std::string_view, const Bytes& bytes) { Block(bytes.data(), bytes.size()); }
  void ShortContent(std::string_view name, const Bytes& bytes, size_t) { Content(name, bytes); }
  void OptionalContent(std::string_view name, bool given, const Bytes& bytes) {
    Byte(given);
    Content(name, bytes);
  }
  void Type(std::string_view, MapType type);
  void Flags(std::string_view, uint64_t flags, std::span<const NamedFlag>, bool) { Append(flags); }

 private:
  void Byte(uint8_t byte) { out_.push_back(byte); }
  void Append(uint64_t number);
  void Block(const uint8_t* data, size_t size);
  void Slot(uint16_t slot, uint16_t normal);

  std::vector<uint8_t>& out_;
};

class RecordReader {
 public:
  // Zeros that buffers may end in without a byte of input, in all; it is counted down.
  explicit RecordReader(std::span<const uint8_t> bytes, uint64_t* zeros)
      : bytes_(bytes), zeros_(*zeros) {}

  template <std::unsigned_integral T>
  void Number(std::string_view, T& value, std::type_identity_t<T> normal = 0) {
    value = static_cast<T>(static_cast<T>(ReadNumber()) + normal);
  }
  template <std::unsigned_integral T>
  void NumberIn(std::string_view, T& value, std::type_identity_t<T> low,
                std::type_identity_t<T> high) {
    value = static_cast<T>(low + ReadNumber() % (uint64_t{high} - low + 1));
  }
  template <std::signed_integral T>
  void Signed(std::string_view, T& value, std::type_identity_t<T> normal) {
    using Unsigned = std::make_unsigned_t<T>;
    value = static_cast<T>(
        static_cast<Unsigned>(static_cast<Unsigned>(ReadNumber()) + static_cast<Unsigned>(normal)));
  }
  void Bool(std::string_view, bool& value, bool normal) { value = ReadBool() != normal; }
  void Text(std::string_view, std::string& text, size_t limit = SIZE_MAX);
  void Path(std::string_view name, std::string& path);
  void Map(std::string_view, Handle& map) { map.slot = ReadHandle(0); }
  void Slot(std::string_view, Handle& slot) { slot.slot = ReadSlot(); }
  void OptionalSlot(std::string_view, Handle& slot) { slot.slot = ReadHandle(kBadFd.slot); }
  void OptionalFd(std::string_view, Handle& fd) { fd.slot = ReadHandle(kNoFd.slot); }
  void OptionalFds(std::string_view, std::vector<Handle>& fds);
  template <typename T>
  void OneOf(std::string_view, T& value, std::span<const std::string_view> words) {
    value = static_cast<T>(ReadByte() % words.size());
  }
  void View(std::string_view, uint16_t& view) { view = ReadSlot(); }
  void BtfSlot(std::string_view, uint16_t& btf) { btf = ReadSlot(); }
  void OptionalBtf(std::string_view, uint16_t& btf);
  void Output(std::string_view, Pointer& pointer) {
    pointer = static_cast<Pointer>(ReadByte() % (static_cast<uint8_t>(Pointer::kBad) + 1));
  }
  void Input(std::string_view name, InBuffer& buffer) {
    Output(name, buffer.pointer);
    Content(name, buffer.bytes);
  }
  void Start(std::string_view name, LookupBatch::Start& start, Bytes& bytes) {
    constexpr int kStarts = static_cast<int>(LookupBatch::Start::kBad) + 1;
    start = static_cast<LookupBatch::Start>(ReadByte() % kStarts);
    Content(name, bytes);
  }
  void Content(std::string_view name, Bytes& bytes) { ShortContent(name, bytes, SIZE_MAX); }
  void ShortContent(std::string_view, Bytes& bytes, size_t limit);
  void OptionalContent(std::string_view name, bool& given, Bytes& bytes) {
    given = ReadBool();
    Content(name, bytes);
  }
  void Type(std::string_view, MapType& type);
  template <std::unsigned_integral T>
  void Flags(std::string_view, T& flags, std::span<const NamedFlag>, bool) {
    flags = static_cast<T>(ReadNumber());
  }

  // What has not been read.
  std::span<const uint8_t> rest() const { return bytes_; }
  uint8_t ReadByte();

 private:
  bool ReadBool() { return (ReadByte() & 1) != 0; }
  uint64_t ReadNumber();
  // A number of bytes, and how many of them stand here; the rest are zeros.
  size_t ReadSize(size_t limit);
  // A slot that can be filled; a handle, which may also be none.
  uint16_t ReadSlot();
  uint16_t ReadHandle(uint16_t normal);

  std::span<const uint8_t> bytes_;
  uint64_t& zeros_;
};

void AppendRecord(const Operation& operation, std::vector<uint8_t>* out);
// Any bytes but an empty record, which is nobody's.
void ReadRecord(RecordReader& reader, uint8_t code, Operation* operation);

}  // namespace mapspec

#endif  // PROPERTIES_SCRIPT_RECORD_H_
