// SPDX-License-Identifier: MIT
//
// What a well-formed BTF object may say, as far as Linux 6.18 refuses the rest: first each type
// alone, then the types it is made of, then the members of structs, and last the locks in them.
#include <algorithm>
#include <cerrno>

#include "backends/userspace/btf.h"

namespace usermaps {
namespace {

bool IsComposite(uint32_t kind) { return kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION; }

bool IsIdentifier(std::string_view name) {
  return !name.empty() && (name[0] < '0' || name[0] > '9') &&
         std::all_of(name.begin(), name.end(), IsNameCharacter);
}

}  // namespace

int Btf::Check() const {
  std::vector<uint8_t> states(types_.size(), 0);
  for (uint32_t type_id = 1; type_id < types_.size(); ++type_id) {
    if (const int err = Resolve(type_id, &states, 0); err != 0) return err;
  }
  for (const Type& type : types_) {
    if (const int err = CheckParts(type); err != 0) return err;
  }
  for (const Type& type : types_) {
    if (const int err = CheckLocks(type); err != 0) return err;
  }
  return 0;
}

// A type by itself: counts, flags, sizes, names.
int Btf::CheckAlone(const Type& type) const {
  const uint32_t size = type.size_or_type;
  const bool plain = type.vlen == 0 && !type.kind_flag;
  const bool named = IsIdentifier(Name(type.name));
  const auto verdict = [](bool ok) { return ok ? 0 : -EINVAL; };
  switch (type.kind) {
    case BTF_KIND_INT: {
      const uint32_t bits = BTF_INT_BITS(type.encoding) + BTF_INT_OFFSET(type.encoding);
      const uint32_t encoding = BTF_INT_ENCODING(type.encoding);
      if (!plain || (type.encoding & 0xf0000000) != 0) return -EINVAL;
      if (bits > 128 || (bits + 7) / 8 > size) return -EINVAL;
      return (encoding & (encoding - 1)) != 0 || encoding > BTF_INT_BOOL ? -kEnotsupp : 0;
    }
    case BTF_KIND_ARRAY:
      return verdict(plain && type.name == 0 && size == 0);
    case BTF_KIND_PTR:
    case BTF_KIND_CONST:
    case BTF_KIND_VOLATILE:
    case BTF_KIND_RESTRICT:
      return verdict(plain && type.name == 0);
    case BTF_KIND_TYPEDEF:
      return verdict(plain && named);
    case BTF_KIND_FWD:
      return verdict(type.vlen == 0 && size == 0 && named);
    case kBtfKindFloat:
      return verdict(plain && (size == 2 || size == 4 || size == 8 || size == 12 || size == 16));
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
      return verdict(type.name == 0 || named);
    case BTF_KIND_ENUM:
    case kBtfKindEnum64:
      for (const Member& member : type.members) {
        if (member.name >= header_.str_len || !IsIdentifier(Name(member.name))) return -EINVAL;
      }
      return verdict(size != 0 && size <= 8 && (size & (size - 1)) == 0 &&
                     (type.name == 0 || named));
    case kBtfKindTypeTag:
      return verdict(type.vlen == 0 && !Name(type.name).empty());
    case BTF_KIND_FUNC:
    case BTF_KIND_FUNC_PROTO:
    case BTF_KIND_VAR:
    case BTF_KIND_DATASEC:
    case kBtfKindDeclTag:
      return 0;
    default:
      return -EINVAL;
  }
}

// Depth-first through the types that are part of other types. A pointer ends the search: its target
// may be anything.
int Btf::Resolve(uint32_t type_id, std::vector<uint8_t>* states, uint32_t depth) const {
  constexpr uint8_t kOpen = 1;
  constexpr uint8_t kDone = 2;
  if (type_id == 0) return 0;
  if (type_id >= types_.size()) return -EINVAL;
  if ((*states)[type_id] == kDone) return 0;
  if ((*states)[type_id] == kOpen) return -EEXIST;
  if (depth > kBtfMaxDepth) return -E2BIG;
  (*states)[type_id] = kOpen;
  const Type& type = types_[type_id];
  if (type.kind == BTF_KIND_PTR) {
    if (type.size_or_type >= types_.size()) return -EINVAL;
  } else if (IsModifier(type.kind)) {
    if (const int err = Resolve(type.size_or_type, states, depth + 1); err != 0) return err;
  }
  for (const Member& member : type.members) {
    if (const int err = Resolve(member.type, states, depth + 1); err != 0) return err;
  }
  (*states)[type_id] = kDone;
  if (type.kind == BTF_KIND_ARRAY && !SizeOf64(type_id, 0)) return -EINVAL;
  return 0;
}

// An integer that fills its bytes.
bool Btf::IsWholeInt(uint32_t type_id) const {
  const Type& type = types_[Skip(type_id)];
  return type.kind == BTF_KIND_INT && BTF_INT_OFFSET(type.encoding) == 0 &&
         BTF_INT_BITS(type.encoding) == type.size_or_type * 8;
}

int Btf::CheckParts(const Type& type) const {
  if (type.kind == BTF_KIND_ARRAY) {
    return IsWholeInt(type.members[1].type) ? 0 : -EINVAL;
  }
  if (!IsComposite(type.kind)) return 0;
  uint32_t previous = 0;
  for (const Member& member : type.members) {
    const std::optional<uint64_t> size = SizeOf64(member.type, 0);
    if (!size || member.name >= header_.str_len) return -EINVAL;
    if (member.name != 0 && !IsIdentifier(Name(member.name))) return -EINVAL;
    const bool in_order =
        type.kind == BTF_KIND_UNION ? member.bit_offset == 0 : member.bit_offset >= previous;
    // Only integers may begin within a byte.
    const bool aligned = member.bit_offset % 8 == 0 || member.bit_size != 0 ||
                         types_[Skip(member.type)].kind == BTF_KIND_INT;
    const uint64_t bits = member.bit_size != 0 ? member.bit_size : *size * 8;
    if (!in_order || !aligned || member.bit_offset + bits > uint64_t{type.size_or_type} * 8)
      return -EINVAL;
    previous = member.bit_offset;
  }
  return 0;
}

int Btf::CheckLocks(const Type& type) const {
  if (type.kind != BTF_KIND_STRUCT) return 0;
  uint32_t locks = 0;
  for (const Member& member : type.members) {
    const Type& part = types_[member.type];
    if (part.kind != BTF_KIND_STRUCT || Name(part.name) != "bpf_spin_lock") continue;
    if (part.size_or_type != 4 || member.bit_offset % 32 != 0) return -EFAULT;
    if (++locks > 1) return -E2BIG;
  }
  return 0;
}

}  // namespace usermaps
