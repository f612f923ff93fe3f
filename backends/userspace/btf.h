// SPDX-License-Identifier: MIT
//
// As much of BTF as a map needs: the size of a type, the bpf_spin_lock members of a struct, whether
// a type is an int of 32 bits.
//
// Ownership: a Btf keeps a copy of the blob (bpf_obj_get_info_by_fd hands it out).
// Thread-safety: immutable once parsed. Errors of Parse, as Linux 6.18 answers them: -EINVAL
//   malformed, -524 a newer version or unknown flags, -EEXIST a type that contains itself, -E2BIG a
//   struct with two bpf_spin_lock members, -EFAULT a bpf_spin_lock that is misaligned or not 4
//   bytes.
// Source: Documentation/bpf/btf.rst, <linux/btf.h>.
#ifndef BACKENDS_USERSPACE_BTF_H_
#define BACKENDS_USERSPACE_BTF_H_

#include <linux/btf.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "backends/userspace/map.h"

namespace usermaps {

inline constexpr size_t kMaxBtfSize = 16U << 20;

// Kinds that the headers of older systems lack.
inline constexpr uint32_t kBtfKindFloat = 16;
inline constexpr uint32_t kBtfKindDeclTag = 17;
inline constexpr uint32_t kBtfKindTypeTag = 18;
inline constexpr uint32_t kBtfKindEnum64 = 19;
inline constexpr uint32_t kBtfMaxDepth = 32;

// What the names of maps and of types are made of. The kernel's idea of a letter is that of
// Latin-1.
inline bool IsNameCharacter(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || (byte >= 0xc0 && byte != 0xd7 && byte != 0xf7);
}

class Btf final : public Object {
 public:
  static int Parse(const void* data, size_t size, std::shared_ptr<Btf>* out);

  Btf* AsBtf() override { return this; }
  const std::vector<std::byte>& blob() const { return blob_; }

  // The size of a type that has one (void, functions and forward declarations have none; unknown
  // ids neither).
  std::optional<uint32_t> SizeOf(uint32_t type_id) const;
  bool IsInt32(uint32_t type_id) const;
  bool IsDataSection(uint32_t type_id) const;
  // Offsets of all locks in a value of this type: direct members, and members of nested structs and
  // of arrays of one.
  std::vector<uint32_t> LockOffsets(uint32_t type_id) const;

  uint32_t id = 0;

 private:
  struct Member {
    uint32_t name;
    uint32_t type;
    uint32_t bit_offset;
    uint32_t bit_size;  // 0: not a bit field
  };
  struct Type {
    uint32_t name = 0;
    uint32_t kind = 0;
    uint32_t vlen = 0;
    bool kind_flag = false;
    uint32_t size_or_type = 0;
    uint32_t count = 0;     // array elements
    uint32_t encoding = 0;  // the word behind an int
    std::vector<Member>
        members;  // of an array: the element's type and the index's; of an enum: names
  };

  // btf_parse.cc
  int ParseHeader();
  int ParseTypes();
  static size_t WordsBehind(const Type& type);
  static void ReadBehind(const uint32_t* words, Type* type);
  // btf_check.cc
  int Check() const;
  int CheckAlone(const Type& type) const;
  int Resolve(uint32_t type_id, std::vector<uint8_t>* states, uint32_t depth) const;
  int CheckParts(const Type& type) const;
  int CheckLocks(const Type& type) const;
  bool IsWholeInt(uint32_t type_id) const;

  const Type* Find(uint32_t type_id) const {
    return type_id < types_.size() ? &types_[type_id] : nullptr;
  }
  std::string_view Name(uint32_t offset) const;
  static bool IsModifier(uint32_t kind);  // typedefs and qualifiers
  uint32_t Skip(uint32_t type_id) const;  // follows them
  std::optional<uint64_t> SizeOf64(uint32_t type_id, uint32_t depth) const;
  bool IsSpinLock(uint32_t type_id) const;
  void CollectLocks(uint32_t type_id, uint32_t base, uint32_t depth,
                    std::vector<uint32_t>* out) const;

  std::vector<std::byte> blob_;
  btf_header header_{};
  std::string_view strings_;
  std::vector<Type> types_;  // [0] is void
};

}  // namespace usermaps

#endif  // BACKENDS_USERSPACE_BTF_H_
