// SPDX-License-Identifier: MIT
#include "backends/userspace/btf.h"

#include <cerrno>

namespace usermaps {

bool Btf::IsModifier(uint32_t kind) {
  return kind == BTF_KIND_TYPEDEF || kind == BTF_KIND_CONST || kind == BTF_KIND_VOLATILE ||
         kind == BTF_KIND_RESTRICT || kind == kBtfKindTypeTag;
}

std::string_view Btf::Name(uint32_t offset) const {
  // ParseHeader made sure that the section ends with a NUL.
  return offset < strings_.size() ? std::string_view(strings_.data() + offset) : std::string_view();
}

uint32_t Btf::Skip(uint32_t type_id) const {
  for (uint32_t depth = 0; depth <= kBtfMaxDepth; ++depth) {
    const Type* type = Find(type_id);
    if (type == nullptr || !IsModifier(type->kind)) break;
    type_id = type->size_or_type;
  }
  return type_id;
}

std::optional<uint64_t> Btf::SizeOf64(uint32_t type_id, uint32_t depth) const {
  const Type* type = Find(Skip(type_id));
  if (type == nullptr || depth > kBtfMaxDepth) return std::nullopt;
  switch (type->kind) {
    case BTF_KIND_INT:
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
    case BTF_KIND_ENUM:
    case BTF_KIND_DATASEC:
    case kBtfKindFloat:
    case kBtfKindEnum64:
      return type->size_or_type;
    case BTF_KIND_PTR:
      return sizeof(void*);
    case BTF_KIND_ARRAY: {
      const std::optional<uint64_t> element = SizeOf64(type->members[0].type, depth + 1);
      if (!element || *element == 0 || *element * type->count > UINT32_MAX) return std::nullopt;
      return *element * type->count;
    }
    default:
      return std::nullopt;
  }
}

std::optional<uint32_t> Btf::SizeOf(uint32_t type_id) const {
  const std::optional<uint64_t> size = SizeOf64(type_id, 0);
  if (!size) return std::nullopt;
  return static_cast<uint32_t>(*size);
}

bool Btf::IsInt32(uint32_t type_id) const {
  const Type* type = Find(Skip(type_id));
  return type != nullptr && type->kind == BTF_KIND_INT && BTF_INT_BITS(type->encoding) == 32 &&
         BTF_INT_OFFSET(type->encoding) == 0;
}

bool Btf::IsDataSection(uint32_t type_id) const {
  const Type* type = Find(type_id);
  return type != nullptr && type->kind == BTF_KIND_DATASEC;
}

bool Btf::IsSpinLock(uint32_t type_id) const {
  const Type* type = Find(type_id);
  return type != nullptr && type->kind == BTF_KIND_STRUCT && type->size_or_type == 4 &&
         Name(type->name) == "bpf_spin_lock";
}

void Btf::CollectLocks(uint32_t type_id, uint32_t base, uint32_t depth,
                       std::vector<uint32_t>* out) const {
  const Type* type = Find(type_id);
  if (type == nullptr || type->kind != BTF_KIND_STRUCT || depth > kBtfMaxDepth) return;
  for (const Member& member : type->members) {
    if (member.bit_size != 0) continue;
    uint32_t member_type = member.type;
    while (types_[member_type].kind == BTF_KIND_ARRAY && types_[member_type].count == 1) {
      member_type = types_[member_type].members[0].type;
    }
    const uint32_t offset = base + member.bit_offset / 8;
    if (IsSpinLock(member_type)) {
      out->push_back(offset);
    } else {
      CollectLocks(member_type, offset, depth + 1, out);
    }
  }
}

std::vector<uint32_t> Btf::LockOffsets(uint32_t type_id) const {
  std::vector<uint32_t> offsets;
  CollectLocks(Skip(type_id), 0, 0, &offsets);
  return offsets;
}

}  // namespace usermaps
