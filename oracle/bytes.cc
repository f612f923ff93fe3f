// SPDX-License-Identifier: MIT
#include "oracle/bytes.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace mapspec {

void Bytes::Resize(size_t size) {
  Bytes resized(size);
  if (const size_t kept = std::min(size, this->size()); kept != 0) {
    std::memcpy(resized.data(), data(), kept);
  }
  *this = std::move(resized);
}

void Bytes::Append(const Bytes& other) {
  const size_t before = size();
  const Bytes tail = other;  // `other` may be this object.
  Resize(before + tail.size());
  if (!tail.empty()) std::memcpy(data() + before, tail.data(), tail.size());
}

Bytes Bytes::LittleEndian(uint64_t number, size_t size) {
  Bytes bytes(size);
  for (size_t i = 0; i < size && i < 8; ++i) bytes[i] = static_cast<uint8_t>(number >> (8 * i));
  return bytes;
}

uint64_t Bytes::ToNumber() const {
  uint64_t number = 0;
  for (size_t i = 0; i < size() && i < 8; ++i) number |= uint64_t{(*this)[i]} << (8 * i);
  return number;
}

std::string Bytes::ToHex() const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex(2 + 2 * size(), '0');
  hex[1] = 'x';
  char* to = hex.data() + 2;
  for (const uint8_t byte : *this) {
    *to++ = kDigits[byte >> 4];
    *to++ = kDigits[byte & 15];
  }
  return hex;
}

bool Bytes::FromHex(std::string_view hex, Bytes* out) {
  if (hex.size() < 2 || hex.size() % 2 != 0 || hex[0] != '0' || hex[1] != 'x') return false;
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  Bytes bytes(hex.size() / 2 - 1);
  for (size_t i = 0; i < bytes.size(); ++i) {
    const int high = digit(hex[2 + 2 * i]);
    const int low = digit(hex[3 + 2 * i]);
    if (high < 0 || low < 0) return false;
    bytes[i] = static_cast<uint8_t>(high << 4 | low);
  }
  *out = std::move(bytes);
  return true;
}

namespace {

constexpr size_t kPeriod = 256;
constexpr auto kPoison = [] {
  std::array<uint8_t, kPeriod> poison{};
  for (size_t i = 0; i < kPeriod; ++i) poison[i] = PoisonByte(i);
  return poison;
}();
static_assert(PoisonByte(kPeriod + 7) == PoisonByte(7));

}  // namespace

void FillPoison(uint8_t* data, size_t size) {
  for (; size > kPeriod; data += kPeriod, size -= kPeriod) {
    std::memcpy(data, kPoison.data(), kPeriod);
  }
  if (size != 0) std::memcpy(data, kPoison.data(), size);
}

Bytes Poison(size_t size) {
  Bytes bytes(size);
  FillPoison(bytes.data(), size);
  return bytes;
}

bool IsPoison(const uint8_t* data, size_t size) {
  for (; size > kPeriod; data += kPeriod, size -= kPeriod) {
    if (std::memcmp(data, kPoison.data(), kPeriod) != 0) return false;
  }
  return size == 0 || std::memcmp(data, kPoison.data(), size) == 0;
}

}  // namespace mapspec
