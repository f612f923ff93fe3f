// SPDX-License-Identifier: MIT
//
// Bytes: an owned byte string. Up to kInline bytes live inside the object, so that keys and values
// of ordinary size cost no heap allocation on the path of every operation (DESIGN.md §7); longer
// ones own a heap block. Units: bytes. Thread-safety: that of a plain value.
#ifndef ORACLE_BYTES_H_
#define ORACLE_BYTES_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace mapspec {

class Bytes {
 public:
  static constexpr uint32_t kInline = 64;

  Bytes() {}  // User-provided: inline_ stays uninitialised, also in constants.
  // `size` bytes, each `fill`.
  explicit Bytes(size_t size, uint8_t fill = 0) {
    Allocate(size);
    if (size != 0) std::memset(data(), fill, size);
  }
  Bytes(const void* data, size_t size) { Assign(data, size); }
  Bytes(std::initializer_list<uint8_t> bytes) { Assign(bytes.begin(), bytes.size()); }
  Bytes(const Bytes& other) { Assign(other.data(), other.size()); }
  Bytes(Bytes&& other) noexcept { Steal(other); }
  Bytes& operator=(const Bytes& other) {
    if (this != &other) Assign(other.data(), other.size());
    return *this;
  }
  Bytes& operator=(Bytes&& other) noexcept {
    if (this != &other) {
      Release();
      Steal(other);
    }
    return *this;
  }
  ~Bytes() { Release(); }

  const uint8_t* data() const { return size_ <= capacity_inline() ? inline_ : heap_; }
  uint8_t* data() { return size_ <= capacity_inline() ? inline_ : heap_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  uint8_t operator[](size_t i) const { return data()[i]; }
  uint8_t& operator[](size_t i) { return data()[i]; }
  const uint8_t* begin() const { return data(); }
  const uint8_t* end() const { return data() + size_; }

  // Replaces the content; `data` must not point into this object.
  void Assign(const void* data, size_t size) {
    if (size != size_) {
      Release();
      Allocate(size);
    }
    if (size != 0) std::memcpy(this->data(), data, size);
  }
  // Grows with zeros or cuts, keeping the first bytes.
  void Resize(size_t size);
  // `size` bytes from `offset`; the range must lie inside.
  Bytes Slice(size_t offset, size_t size) const { return Bytes(data() + offset, size); }
  void Append(const Bytes& other);

  // The low `size` bytes of `number`, little endian, as the uapi's integers are laid out on x86 and
  // arm64.
  static Bytes LittleEndian(uint64_t number, size_t size);
  // The first (at most eight) bytes read as a little-endian number.
  uint64_t ToNumber() const;
  // "0x" and two digits a byte, in memory order; "0x" for no bytes.
  std::string ToHex() const;
  // The reverse of ToHex. Returns false, and leaves `out` alone, for anything else.
  static bool FromHex(std::string_view hex, Bytes* out);

  friend bool operator==(const Bytes& a, const Bytes& b) {
    return a.size_ == b.size_ && (a.size_ == 0 || std::memcmp(a.data(), b.data(), a.size_) == 0);
  }
  friend bool operator<(const Bytes& a, const Bytes& b) {
    const int c = std::memcmp(a.data(), b.data(), a.size_ < b.size_ ? a.size_ : b.size_);
    return c != 0 ? c < 0 : a.size_ < b.size_;
  }

 private:
  static constexpr uint32_t capacity_inline() { return kInline; }
  void Allocate(size_t size) {
    // size_ last: when the allocation throws, this object owns nothing. A size that size_ cannot
    // hold must not be cut to one whose buffer is smaller than what the caller goes on to fill.
    if (size > UINT32_MAX) throw std::length_error("Bytes: more than 4 GiB");
    if (size > kInline) heap_ = new uint8_t[size];
    size_ = static_cast<uint32_t>(size);
  }
  void Release() {
    delete[] heap_;
    heap_ = nullptr;
    size_ = 0;
  }
  void Steal(Bytes& other) {
    size_ = other.size_;
    heap_ = other.heap_;
    if (size_ != 0 && size_ <= kInline) std::memcpy(inline_, other.inline_, size_);
    other.heap_ = nullptr;
    other.size_ = 0;
  }

  uint32_t size_ = 0;
  uint8_t* heap_ = nullptr;  // Owned; only beyond kInline bytes.
  uint8_t inline_[kInline];
};

// What an output buffer holds before a call: a fixed pattern, never all equal, so that "left
// untouched" can be told from zero-filling and from most values. Byte i of every poisoned buffer is
// PoisonByte(i).
constexpr uint8_t PoisonByte(size_t i) { return static_cast<uint8_t>(0xA5 ^ (i * 0x3B)); }
void FillPoison(uint8_t* data, size_t size);
Bytes Poison(size_t size);
bool IsPoison(const uint8_t* data, size_t size);
inline bool IsPoison(const Bytes& bytes) { return IsPoison(bytes.data(), bytes.size()); }

}  // namespace mapspec

#endif  // ORACLE_BYTES_H_
