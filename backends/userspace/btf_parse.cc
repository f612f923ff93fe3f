// SPDX-License-Identifier: MIT
//
// Reading a BTF blob into types. What the types say is checked in btf_check.cc.
#include <cerrno>
#include <cstring>
#include <utility>

#include "backends/userspace/btf.h"

namespace usermaps {
namespace {

constexpr size_t kMinHeader = 24;

}  // namespace

int Btf::Parse(const void* data, size_t size, std::shared_ptr<Btf>* out) {
  auto btf = std::make_shared<Btf>();
  const auto* bytes = static_cast<const std::byte*>(data);
  btf->blob_.assign(bytes, bytes + size);
  if (const int err = btf->ParseHeader(); err != 0) return err;
  if (const int err = btf->ParseTypes(); err != 0) return err;
  if (const int err = btf->Check(); err != 0) return err;
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
    type.kind_flag = BTF_INFO_KFLAG(info) != 0;
    type.vlen = BTF_INFO_VLEN(info);
    type.size_or_type = words[at + 2];
    if (type.name >= header_.str_len || (info & 0x60ff0000) != 0) return -EINVAL;
    at += 3;
    const size_t behind = WordsBehind(type);
    if (words.size() - at < behind) return -EINVAL;
    ReadBehind(words.data() + at, &type);
    if (const int err = CheckAlone(type); err != 0) return err;
    at += behind;
    types_.push_back(std::move(type));
  }
  return 0;
}

// How many words follow the three that every type has.
size_t Btf::WordsBehind(const Type& type) {
  switch (type.kind) {
    case BTF_KIND_INT:
    case BTF_KIND_VAR:
    case kBtfKindDeclTag:
      return 1;
    case BTF_KIND_ARRAY:
      return 3;
    case BTF_KIND_ENUM:
    case BTF_KIND_FUNC_PROTO:
      return size_t{type.vlen} * 2;
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
    case BTF_KIND_DATASEC:
    case kBtfKindEnum64:
      return size_t{type.vlen} * 3;
    default:
      return 0;
  }
}

void Btf::ReadBehind(const uint32_t* words, Type* type) {
  switch (type->kind) {
    case BTF_KIND_INT:
      type->encoding = words[0];
      break;
    case BTF_KIND_ARRAY:
      type->count = words[2];
      type->members.push_back({0, words[0], 0, 0});  // element
      type->members.push_back({0, words[1], 0, 0});  // index
      break;
    case BTF_KIND_STRUCT:
    case BTF_KIND_UNION:
      for (size_t i = 0; i < type->vlen; ++i, words += 3) {
        const bool packed = type->kind_flag;
        type->members.push_back({words[0], words[1],
                                 packed ? BTF_MEMBER_BIT_OFFSET(words[2]) : words[2],
                                 packed ? BTF_MEMBER_BITFIELD_SIZE(words[2]) : 0});
      }
      break;
    case BTF_KIND_ENUM:
    case kBtfKindEnum64:
      for (size_t i = 0; i < type->vlen; ++i, words += type->kind == BTF_KIND_ENUM ? 2 : 3) {
        type->members.push_back({words[0], 0, 0, 0});
      }
      break;
    default:
      break;
  }
}

}  // namespace usermaps
