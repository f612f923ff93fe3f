// SPDX-License-Identifier: MIT
#include "backends/userspace/btf.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace usermaps {
namespace {

// Kinds that the headers of older systems lack.
constexpr uint32_t kKindFloat = 16;
constexpr uint32_t kKindDeclTag = 17;
constexpr uint32_t kKindTypeTag = 18;
constexpr uint32_t kKindEnum64 = 19;
constexpr uint32_t kMaxDepth = 32;
constexpr size_t kMinHeader = 24;

bool IsModifier(uint32_t kind) {
  return kind == BTF_KIND_TYPEDEF || kind == BTF_KIND_CONST || kind == BTF_KIND_VOLATILE ||
         kind == BTF_KIND_RESTRICT || kind == kKindTypeTag;
}

bool IsComposite(uint32_t kind) { return kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION; }

}  // namespace

std::string_view Btf::Name(uint32_t offset) const {
  // ParseHeader made sure that the section ends with a NUL.
  return offset < strings_.size() ? std::string_view(strings_.data() + offset) : std::string_view();
}

int Btf::Parse(const void* data, size_t size, std::shared_ptr<Btf>* out) {
  auto btf = std::make_shared<Btf>();
  const auto* bytes = static_cast<const std::byte*>(data);
  btf->blob_.assign(bytes, bytes + size);
  if (const int err = btf->ParseHeader(); err != 0) return err;
  if (const int err = btf->ParseTypes(); err != 0) return err;
  std::vector<uint8_t> states(btf->types_.size(), 0);
  for (uint32_t id = 1; id < btf->types_.size(); ++id) {
    if (const int err = btf->Resolve(id, &states, 0); err != 0) return err;
  }
  for (const Type& type : btf->types_) {
    if (const int err = btf->CheckStruct(type); err != 0) return err;
  }
  *out = std::move(btf);
  return 0;
}

int Btf::ParseHeader() {
  if (blob_.size() < kMinHeader) return -EINVAL;
  std::memcpy(&header_, blob_.data(), kMinHeader);
  if (header_.magic != BTF_MAGIC || header_.hdr_len < kMinHeader || header_.hdr_len > blob_.size())
    return -EINVAL;
  for (size_t i = kMinHeader; i < header_.hdr_len; ++i) {
    if (blob_[i] != std::byte{0}) return -E2BIG;
  }
  if (header_.version != BTF_VERSION || header_.flags != 0) return -kEnotsupp;
  // Types, then strings, without gap or remainder.
  const uint64_t body = blob_.size() - header_.hdr_len;
  if (header_.type_off != 0 || header_.type_len == 0 || header_.type_len % 4 != 0) return -EINVAL;
  if (header_.str_off != header_.type_len || uint64_t{header_.str_off} + header_.str_len != body)
    return -EINVAL;
  if (header_.str_len == 0) return -EINVAL;
  strings_ = {reinterpret_cast<const char*>(blob_.data()) + header_.hdr_len + header_.str_off,
              header_.str_len};
  if (strings_.front() != '\0' || strings_.back() != '\0') return -EINVAL;
  return 0;
}

int Btf::ParseTypes() {
  std::vector<uint32_t> words(header_.type_len / 4);
  std::memcpy(words.data(), blob_.data() + header_.hdr_len, header_.type_len);
  types_.emplace_back();
  for (size_t at = 0; at < words.size();) {
    if (words.size() - at < 3) return -EINVAL;
    const uint32_t info = words[at + 1];
    Type type;
    type.name = words[at];
    type.kind = BTF_INFO_KIND(info);
    type.size_or_type = words[at + 2];
    if (type.name >= header_.str_len || (info & 0x60ff0000) != 0) return -EINVAL;
    size_t used = 0;
    const int err = ParseOne(words.data() + at + 3, words.size() - at - 3,
                             BTF_INFO_KFLAG(info) != 0, BTF_INFO_VLEN(info), &type, &used);
    if (err != 0) return err;
    at += 3 + used;
    types_.push_back(std::move(type));
  }
  return 0;
}

// What follows the three common words of a type.
int Btf::ParseOne(const uint32_t* words, size_t available, bool kind_flag, uint32_t vlen,
                  Type* type, size_t* used) {
  switch (type->kind) {
    case BTF_KIND_INT:
      *used = 1;
      if (available < *used || vlen != 0) return -EINVAL;
      type->encoding = words[0];
      if (BTF_INT_BITS(words[0]) > 128 || (BTF_INT_BITS(words[0]) + 7) / 8 > type->size_or_type)
        return -EINVAL;
      return 0;
    case BTF_KIND_ARRAY:
      *used = 3;
      if (available < *used || vlen != 0 || type->size_or_type != 0 || type->name != 0)
        return -EINVAL;
      type->size_or_type = words[0];
      type->count = words[2];
      type->members.push_back({0, words[1], 0, 0});
      return 0;
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
      *used = size_t{vlen} * 3;
      if (available < *used) return -EINVAL;
      for (size_t i = 0; i < vlen; ++i) {
        const uint32_t offset = words[i * 3 + 2];
        type->members.push_back({words[i * 3], words[i * 3 + 1],
                                 kind_flag ? BTF_MEMBER_BIT_OFFSET(offset) : offset,
                                 kind_flag ? BTF_MEMBER_BITFIELD_SIZE(offset) : 0});
      }
      return 0;
    case BTF_KIND_ENUM:
    case kKindEnum64:
      *used = size_t{vlen} * (type->kind == BTF_KIND_ENUM ? 2 : 3);
      if (available < *used || type->size_or_type > 8 ||
          (type->size_or_type & (type->size_or_type - 1)) != 0) {
        return -EINVAL;
      }
      return 0;
    case BTF_KIND_FUNC_PROTO:
      *used = size_t{vlen} * 2;
      return available < *used ? -EINVAL : 0;
    case BTF_KIND_VAR:
    case kKindDeclTag:
      *used = 1;
      return available < *used ? -EINVAL : 0;
    case BTF_KIND_DATASEC:
      *used = size_t{vlen} * 3;
      return available < *used ? -EINVAL : 0;
    case BTF_KIND_FUNC:
      return 0;
    case BTF_KIND_PTR:
    case BTF_KIND_FWD:
    case BTF_KIND_TYPEDEF:
    case BTF_KIND_VOLATILE:
    case BTF_KIND_CONST:
    case BTF_KIND_RESTRICT:
    case kKindFloat:
    case kKindTypeTag:
      return vlen != 0 ? -EINVAL : 0;
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
  if (depth > kMaxDepth) return -E2BIG;
  (*states)[type_id] = kOpen;
  const Type& type = types_[type_id];
  if (type.kind == BTF_KIND_PTR) {
    if (type.size_or_type >= types_.size()) return -EINVAL;
  } else if (IsModifier(type.kind) || type.kind == BTF_KIND_ARRAY) {
    if (const int err = Resolve(type.size_or_type, states, depth + 1); err != 0) return err;
  }
  for (const Member& member : type.members) {
    if (const int err = Resolve(member.type, states, depth + 1); err != 0) return err;
  }
  (*states)[type_id] = kDone;
  if (type.kind == BTF_KIND_ARRAY && !SizeOf64(type_id, 0)) return -EINVAL;
  return 0;
}

int Btf::CheckStruct(const Type& type) const {
  if (!IsComposite(type.kind)) return 0;
  const std::string_view name = Name(type.name);
  if (!std::all_of(name.begin(), name.end(), IsNameCharacter)) return -EINVAL;
  uint32_t previous = 0;
  uint32_t locks = 0;
  for (const Member& member : type.members) {
    const std::optional<uint64_t> size = SizeOf64(member.type, 0);
    if (member.name >= header_.str_len || !size) return -EINVAL;
    if (type.kind == BTF_KIND_UNION ? member.bit_offset != 0 : member.bit_offset < previous)
      return -EINVAL;
    previous = member.bit_offset;
    const uint64_t end = member.bit_offset + (member.bit_size != 0 ? member.bit_size : *size * 8);
    if (end > uint64_t{type.size_or_type} * 8) return -EINVAL;
    const Type* member_type = Find(member.type);
    if (type.kind == BTF_KIND_STRUCT && member_type->kind == BTF_KIND_STRUCT &&
        Name(member_type->name) == "bpf_spin_lock") {
      if (*size != 4 || member.bit_offset % 32 != 0) return -EFAULT;
      if (++locks > 1) return -E2BIG;
    }
  }
  return 0;
}

uint32_t Btf::Skip(uint32_t type_id) const {
  for (uint32_t depth = 0; depth <= kMaxDepth; ++depth) {
    const Type* type = Find(type_id);
    if (type == nullptr || !IsModifier(type->kind)) break;
    type_id = type->size_or_type;
  }
  return type_id;
}

std::optional<uint64_t> Btf::SizeOf64(uint32_t type_id, uint32_t depth) const {
  const Type* type = Find(Skip(type_id));
  if (type == nullptr || depth > kMaxDepth) return std::nullopt;
  switch (type->kind) {
    case BTF_KIND_INT:
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
    case BTF_KIND_ENUM:
    case BTF_KIND_DATASEC:
    case kKindFloat:
    case kKindEnum64:
      return type->size_or_type;
    case BTF_KIND_PTR:
      return sizeof(void*);
    case BTF_KIND_ARRAY: {
      const std::optional<uint64_t> element = SizeOf64(type->size_or_type, depth + 1);
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
  if (type == nullptr || type->kind != BTF_KIND_STRUCT || depth > kMaxDepth) return;
  for (const Member& member : type->members) {
    if (member.bit_size != 0) continue;
    uint32_t member_type = member.type;
    while (types_[member_type].kind == BTF_KIND_ARRAY && types_[member_type].count == 1) {
      member_type = types_[member_type].size_or_type;
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
