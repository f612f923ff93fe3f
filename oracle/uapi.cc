// SPDX-License-Identifier: MIT
#include "oracle/uapi.h"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <vector>

namespace mapspec {
namespace {

constexpr std::string_view kMapTypeNames[] = {
    "UNSPEC",
    "HASH",
    "ARRAY",
    "PROG_ARRAY",
    "PERF_EVENT_ARRAY",
    "PERCPU_HASH",
    "PERCPU_ARRAY",
    "STACK_TRACE",
    "CGROUP_ARRAY",
    "LRU_HASH",
    "LRU_PERCPU_HASH",
    "LPM_TRIE",
    "ARRAY_OF_MAPS",
    "HASH_OF_MAPS",
    "DEVMAP",
    "SOCKMAP",
    "CPUMAP",
    "XSKMAP",
    "SOCKHASH",
    "CGROUP_STORAGE",
    "REUSEPORT_SOCKARRAY",
    "PERCPU_CGROUP_STORAGE",
    "QUEUE",
    "STACK",
    "SK_STORAGE",
    "DEVMAP_HASH",
    "STRUCT_OPS",
    "RINGBUF",
    "INODE_STORAGE",
    "TASK_STORAGE",
    "BLOOM_FILTER",
    "USER_RINGBUF",
    "CGRP_STORAGE",
    "ARENA",
    "INSN_ARRAY",
    "RHASH",
};
static_assert(std::size(kMapTypeNames) == kMaxMapType + 1);

constexpr std::string_view kMapTypePrefix = "BPF_MAP_TYPE_";

struct NamedErrno {
  std::string_view name;
  Errno value;
};
constexpr NamedErrno kErrnos[] = {
    {"0", Errno::kNone},
    {"EPERM", Errno::kEPERM},
    {"ENOENT", Errno::kENOENT},
    {"EINTR", Errno::kEINTR},
    {"ENXIO", Errno::kENXIO},
    {"E2BIG", Errno::kE2BIG},
    {"EBADF", Errno::kEBADF},
    {"EAGAIN", Errno::kEAGAIN},
    {"ENOMEM", Errno::kENOMEM},
    {"EACCES", Errno::kEACCES},
    {"EFAULT", Errno::kEFAULT},
    {"EBUSY", Errno::kEBUSY},
    {"EEXIST", Errno::kEEXIST},
    {"ENODEV", Errno::kENODEV},
    {"EINVAL", Errno::kEINVAL},
    {"EMFILE", Errno::kEMFILE},
    {"ENOSPC", Errno::kENOSPC},
    {"ERANGE", Errno::kERANGE},
    {"EDEADLK", Errno::kEDEADLK},
    {"ENOSYS", Errno::kENOSYS},
    {"EOVERFLOW", Errno::kEOVERFLOW},
    {"EBADFD", Errno::kEBADFD},
    {"ENOTSOCK", Errno::kENOTSOCK},
    {"EOPNOTSUPP", Errno::kEOPNOTSUPP},
    {"ENOBUFS", Errno::kENOBUFS},
    {"ETIMEDOUT", Errno::kETIMEDOUT},
    {"ENOTSUPP", Errno::kENOTSUPP},
};

constexpr NamedFlag kMapCreateFlags[] = {
    {"BPF_F_NO_PREALLOC", BPF_F_NO_PREALLOC},
    {"BPF_F_NO_COMMON_LRU", BPF_F_NO_COMMON_LRU},
    {"BPF_F_NUMA_NODE", BPF_F_NUMA_NODE},
    {"BPF_F_RDONLY", BPF_F_RDONLY},
    {"BPF_F_WRONLY", BPF_F_WRONLY},
    {"BPF_F_STACK_BUILD_ID", BPF_F_STACK_BUILD_ID},
    {"BPF_F_ZERO_SEED", BPF_F_ZERO_SEED},
    {"BPF_F_RDONLY_PROG", BPF_F_RDONLY_PROG},
    {"BPF_F_WRONLY_PROG", BPF_F_WRONLY_PROG},
    {"BPF_F_CLONE", BPF_F_CLONE},
    {"BPF_F_MMAPABLE", BPF_F_MMAPABLE},
    {"BPF_F_PRESERVE_ELEMS", BPF_F_PRESERVE_ELEMS},
    {"BPF_F_INNER_MAP", BPF_F_INNER_MAP},
    {"BPF_F_LINK", BPF_F_LINK},
    {"BPF_F_PATH_FD", BPF_F_PATH_FD},
    {"BPF_F_VTYPE_BTF_OBJ_FD", BPF_F_VTYPE_BTF_OBJ_FD},
    {"BPF_F_TOKEN_FD", BPF_F_TOKEN_FD},
    {"BPF_F_SEGV_ON_FAULT", BPF_F_SEGV_ON_FAULT},
    {"BPF_F_NO_USER_CONV", BPF_F_NO_USER_CONV},
};

constexpr NamedFlag kElemFlags[] = {
    {"BPF_ANY", BPF_ANY},       {"BPF_NOEXIST", BPF_NOEXIST}, {"BPF_EXIST", BPF_EXIST},
    {"BPF_F_LOCK", BPF_F_LOCK}, {"BPF_F_CPU", BPF_F_CPU},     {"BPF_F_ALL_CPUS", BPF_F_ALL_CPUS},
};

std::optional<uint64_t> ParseNumber(std::string_view text) {
  int base = 10;
  if (text.starts_with("0x")) {
    text.remove_prefix(2);
    base = 16;
  }
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

std::string Hex(uint64_t number) {
  char digits[17];
  const auto [end, error] = std::to_chars(digits, digits + 16, number, 16);
  return "0x" + std::string(digits, end);
}

std::string Folded(std::string_view word) {
  std::string folded(word);
  for (char& c : folded) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return folded;
}

// Levenshtein distance, over one row of the table.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t substitute = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j + 1] + 1, row[j] + 1, substitute});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string MapTypeName(MapType type) {
  const auto number = static_cast<uint32_t>(type);
  if (number > kMaxMapType) return std::to_string(number);
  return std::string(kMapTypePrefix) + std::string(kMapTypeNames[number]);
}

std::optional<MapType> ParseMapType(std::string_view name) {
  if (name.starts_with(kMapTypePrefix)) name.remove_prefix(kMapTypePrefix.size());
  for (uint32_t i = 0; i <= kMaxMapType; ++i) {
    if (kMapTypeNames[i] == name) return static_cast<MapType>(i);
  }
  if (const auto number = ParseNumber(name); number && *number <= UINT32_MAX) {
    return static_cast<MapType>(*number);
  }
  return std::nullopt;
}

std::string ErrnoName(Errno error) {
  for (const NamedErrno& named : kErrnos) {
    if (named.value == error) return std::string(named.name);
  }
  return "errno " + std::to_string(static_cast<int32_t>(error));
}

std::optional<Errno> ParseErrno(std::string_view name) {
  for (const NamedErrno& named : kErrnos) {
    if (named.name == name) return named.value;
  }
  if (name.starts_with("errno ")) {
    name.remove_prefix(6);
    int32_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error == std::errc{} && end == name.data() + name.size()) return static_cast<Errno>(number);
  }
  return std::nullopt;
}

std::span<const NamedFlag> MapCreateFlags() { return kMapCreateFlags; }
std::span<const NamedFlag> ElemFlags() { return kElemFlags; }

std::string FlagsToString(uint64_t flags, std::span<const NamedFlag> names) {
  std::string text;
  uint64_t rest = flags;
  for (const NamedFlag& named : names) {
    if (named.value == flags && flags == 0) return std::string(named.name);
    if (named.value == 0 || (rest & named.value) != named.value) continue;
    if (!text.empty()) text += '|';
    text += named.name;
    rest &= ~named.value;
  }
  if (rest != 0) text += (text.empty() ? "" : "|") + Hex(rest);
  return text.empty() ? "0" : text;
}

std::optional<uint64_t> ParseFlags(std::string_view text, std::span<const NamedFlag> names,
                                   std::string* unknown) {
  uint64_t flags = 0;
  while (true) {
    const size_t bar = text.find('|');
    std::string_view word = text.substr(0, bar);
    while (word.starts_with(' ')) word.remove_prefix(1);
    while (word.ends_with(' ')) word.remove_suffix(1);
    const auto named = std::find_if(names.begin(), names.end(),
                                    [&](const NamedFlag& flag) { return flag.name == word; });
    if (named != names.end()) {
      flags |= named->value;
    } else if (const auto number = ParseNumber(word)) {
      flags |= *number;
    } else {
      if (unknown != nullptr) *unknown = std::string(word);
      return std::nullopt;
    }
    if (bar == std::string_view::npos) return flags;
    text.remove_prefix(bar + 1);
  }
}

std::string Nearest(std::string_view word, std::span<const std::string> known) {
  // Longer than every name of the uapi: no slip of the pen, and costly to compare.
  constexpr size_t kLongest = 64;
  if (word.empty() || word.size() > kLongest) return "";
  const std::string folded = Folded(word);
  std::string best;
  size_t best_distance = (word.size() <= 2 ? 1 : std::max<size_t>(2, word.size() / 3)) + 1;
  for (const std::string& candidate : known) {
    const size_t distance = EditDistance(folded, Folded(candidate));
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  if (!best.empty() || word.size() < 3) return best;
  // "EXIST" for "BPF_EXIST": the shortest word that contains it.
  for (const std::string& candidate : known) {
    if (Folded(candidate).find(folded) == std::string::npos) continue;
    if (best.empty() || candidate.size() < best.size()) best = candidate;
  }
  return best;
}

}  // namespace mapspec
