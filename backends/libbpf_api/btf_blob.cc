// SPDX-License-Identifier: MIT
#include "backends/libbpf_api/btf_blob.h"

#include <cstring>
#include <string>
#include <string_view>

namespace mapspec {
namespace {

// btf.rst, "2. BTF Data Structure": magic, version, and the kinds used here.
constexpr uint16_t kMagic = 0xeB9F;
constexpr uint8_t kVersion = 1;
constexpr uint32_t kHeaderSize = 24;
constexpr uint32_t kKindInt = 1, kKindArray = 3, kKindStruct = 4, kKindFunction = 12,
                   kKindPrototype = 13;

class BtfWriter {
 public:
  void Word(uint32_t word) { words_.push_back(word); }
  uint32_t String(std::string_view text) {
    const auto offset = static_cast<uint32_t>(strings_.size());
    strings_.append(text).push_back('\0');
    return offset;
  }
  void Head(std::string_view name, uint32_t kind, uint32_t members, uint32_t size) {
    Word(name.empty() ? 0 : String(name));
    Word(kind << 24 | members);
    Word(size);
  }
  void Int(std::string_view name, uint32_t bytes) {
    Head(name, kKindInt, 0, bytes);
    Word(bytes * 8);  // No encoding, bit offset 0.
  }
  void Array(uint32_t element_type, uint32_t index_type, uint32_t elements) {
    Head("", kKindArray, 0, 0);
    Word(element_type);
    Word(index_type);
    Word(elements);
  }
  void Member(std::string_view name, uint32_t type, uint32_t byte_offset) {
    Word(String(name));
    Word(type);
    Word(byte_offset * 8);
  }
  void Prototype(uint32_t result_type) { Head("", kKindPrototype, 0, result_type); }
  // Linkage is 0: static.
  void Function(std::string_view name, uint32_t prototype) {
    Head(name, kKindFunction, 0, prototype);
  }
  std::vector<uint8_t> Finish() const {
    const auto types = static_cast<uint32_t>(words_.size() * sizeof(uint32_t));
    const auto strings = static_cast<uint32_t>(strings_.size());
    const uint32_t header[] = {
        kMagic | uint32_t{kVersion} << 16, kHeaderSize, 0, types, types, strings};
    static_assert(sizeof(header) == kHeaderSize);
    std::vector<uint8_t> blob(kHeaderSize + types + strings);
    std::memcpy(blob.data(), header, kHeaderSize);
    std::memcpy(blob.data() + kHeaderSize, words_.data(), types);
    std::memcpy(blob.data() + kHeaderSize + types, strings_.data(), strings);
    return blob;
  }

 private:
  std::vector<uint32_t> words_;
  std::string strings_ = std::string(1, '\0');  // Offset 0 is the empty name.
};

}  // namespace

std::vector<uint8_t> MakeBtf(const BtfLoad& load) {
  const bool lock = load.lock_offset >= 0;
  // Types after those that scripts may name: a byte, for the elements of an array key.
  const uint32_t byte_type = lock ? kBtfLockTypeId + 1 : kBtfLockTypeId;
  BtfWriter btf;
  btf.Int("int", 4);
  switch (load.key_size) {
    case 1:
    case 2:
    case 4:
    case 8:
    case 16:
      btf.Int("key", load.key_size);
      break;
    default:
      btf.Array(byte_type, kBtfIntTypeId, load.key_size);
  }
  btf.Head("value", kKindStruct, lock ? 1 : 0, load.value_size);
  if (lock) {
    btf.Member("lock", kBtfLockTypeId, static_cast<uint32_t>(load.lock_offset));
    btf.Head("bpf_spin_lock", kKindStruct, 1, 4);
    btf.Member("val", kBtfIntTypeId, 0);
  }
  btf.Int("byte", 1);
  return btf.Finish();
}

std::vector<uint8_t> MakeCallbackBtf() {
  constexpr uint32_t kInt = 1, kPrototype = 2;
  BtfWriter btf;
  btf.Int("int", 4);
  btf.Prototype(kInt);
  btf.Function("main", kPrototype);
  btf.Function("callback", kPrototype);
  return btf.Finish();
}

}  // namespace mapspec
