// SPDX-License-Identifier: MIT
//
// The names and numbers of the Linux uapi (include/uapi/linux/bpf.h, errno.h) that scripts, traces
// and models speak of. Written out here rather than included, so that the oracle builds on any
// system and knows types and flags that are newer than the headers it is built with. Source:
// include/uapi/linux/bpf.h up to 7.x. Everything here is constant and thread-safe.
#ifndef ORACLE_UAPI_H_
#define ORACLE_UAPI_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace mapspec {

// enum bpf_map_type; the enumerators are the uapi's without BPF_MAP_TYPE_.
enum class MapType : uint32_t {
  UNSPEC,
  HASH,
  ARRAY,
  PROG_ARRAY,
  PERF_EVENT_ARRAY,
  PERCPU_HASH,
  PERCPU_ARRAY,
  STACK_TRACE,
  CGROUP_ARRAY,
  LRU_HASH,
  LRU_PERCPU_HASH,
  LPM_TRIE,
  ARRAY_OF_MAPS,
  HASH_OF_MAPS,
  DEVMAP,
  SOCKMAP,
  CPUMAP,
  XSKMAP,
  SOCKHASH,
  CGROUP_STORAGE,
  REUSEPORT_SOCKARRAY,
  PERCPU_CGROUP_STORAGE,
  QUEUE,
  STACK,
  SK_STORAGE,
  DEVMAP_HASH,
  STRUCT_OPS,
  RINGBUF,
  INODE_STORAGE,
  TASK_STORAGE,
  BLOOM_FILTER,
  USER_RINGBUF,
  CGRP_STORAGE,
  ARENA,
  INSN_ARRAY,
  RHASH,
};

// Errno values of the Linux ABI, positive. `kNone` is success. Values without a name here are legal
// too (a backend may answer anything); ErrnoName prints those as numbers.
enum class Errno : int32_t {
  kNone = 0,
  kEPERM = 1,
  kENOENT = 2,
  kEINTR = 4,
  kENXIO = 6,
  kE2BIG = 7,
  kEBADF = 9,
  kEAGAIN = 11,
  kENOMEM = 12,
  kEACCES = 13,
  kEFAULT = 14,
  kEBUSY = 16,
  kEEXIST = 17,
  kENODEV = 19,
  kEINVAL = 22,
  kEMFILE = 24,
  kENOSPC = 28,
  kERANGE = 34,
  kEDEADLK = 35,
  kENOSYS = 38,
  kEOVERFLOW = 75,
  kEBADFD = 77,  // BPF_OBJ_GET_INFO_BY_FD of what is not open.
  kENOTSOCK = 88,
  kEOPNOTSUPP = 95,
  kENOBUFS = 105,
  kETIMEDOUT = 110,
  kENOTSUPP = 524,  // Kernel-internal, yet it reaches user space from bpf(2); libc cannot name it.
};

// MAP_CREATE flags.
inline constexpr uint32_t BPF_F_NO_PREALLOC = 1u << 0;
inline constexpr uint32_t BPF_F_NO_COMMON_LRU = 1u << 1;
inline constexpr uint32_t BPF_F_NUMA_NODE = 1u << 2;
inline constexpr uint32_t BPF_F_RDONLY = 1u << 3;
inline constexpr uint32_t BPF_F_WRONLY = 1u << 4;
inline constexpr uint32_t BPF_F_STACK_BUILD_ID = 1u << 5;
inline constexpr uint32_t BPF_F_ZERO_SEED = 1u << 6;
inline constexpr uint32_t BPF_F_RDONLY_PROG = 1u << 7;
inline constexpr uint32_t BPF_F_WRONLY_PROG = 1u << 8;
inline constexpr uint32_t BPF_F_CLONE = 1u << 9;
inline constexpr uint32_t BPF_F_MMAPABLE = 1u << 10;
inline constexpr uint32_t BPF_F_PRESERVE_ELEMS = 1u << 11;
inline constexpr uint32_t BPF_F_INNER_MAP = 1u << 12;
inline constexpr uint32_t BPF_F_LINK = 1u << 13;
inline constexpr uint32_t BPF_F_PATH_FD = 1u << 14;
inline constexpr uint32_t BPF_F_VTYPE_BTF_OBJ_FD = 1u << 15;
inline constexpr uint32_t BPF_F_TOKEN_FD = 1u << 16;
inline constexpr uint32_t BPF_F_SEGV_ON_FAULT = 1u << 17;
inline constexpr uint32_t BPF_F_NO_USER_CONV = 1u << 18;

// Element flags of UPDATE and LOOKUP.
inline constexpr uint64_t BPF_ANY = 0;
inline constexpr uint64_t BPF_NOEXIST = 1;
inline constexpr uint64_t BPF_EXIST = 2;
inline constexpr uint64_t BPF_F_LOCK = 4;
inline constexpr uint64_t BPF_F_CPU = 8;
inline constexpr uint64_t BPF_F_ALL_CPUS = 16;

inline constexpr uint32_t kObjNameLen = 16;  // BPF_OBJ_NAME_LEN, the final NUL included.
inline constexpr uint32_t kMaxMapType = static_cast<uint32_t>(MapType::RHASH);

// Whether every element has one value for each possible CPU. System calls see them all, one behind
// the other, each at a multiple of eight bytes.
constexpr bool IsPerCpu(MapType type) {
  return type == MapType::PERCPU_HASH || type == MapType::PERCPU_ARRAY ||
         type == MapType::LRU_PERCPU_HASH || type == MapType::PERCPU_CGROUP_STORAGE;
}
inline constexpr uint64_t PerCpuStride(uint64_t value_size) { return (value_size + 7) / 8 * 8; }

// "BPF_MAP_TYPE_HASH"; "200" for a number without a name.
std::string MapTypeName(MapType type);
// Takes the full name, the name without its prefix, or a number.
std::optional<MapType> ParseMapType(std::string_view name);

// "EEXIST", "ENOTSUPP"; "-1234" is never printed: unknown ones come as "errno 1234"; success is
// "0".
std::string ErrnoName(Errno error);
std::optional<Errno> ParseErrno(std::string_view name);

// A named bit (or value) of a flags word.
struct NamedFlag {
  std::string_view name;
  uint64_t value;
};
std::span<const NamedFlag> MapCreateFlags();
std::span<const NamedFlag> ElemFlags();
// "BPF_F_NO_PREALLOC|0x80000000"; "0" for none. Of ElemFlags, zero is "BPF_ANY".
std::string FlagsToString(uint64_t flags, std::span<const NamedFlag> names);
// Reads what FlagsToString writes: names and numbers joined by '|'. nullopt for an unknown name,
// which is stored in *unknown when given.
std::optional<uint64_t> ParseFlags(std::string_view text, std::span<const NamedFlag> names,
                                   std::string* unknown = nullptr);

// The known word nearest to `word` by edit distance, or "" when none is near: for messages that say
// what would have been right.
std::string Nearest(std::string_view word, std::span<const std::string> known);

}  // namespace mapspec

#endif  // ORACLE_UAPI_H_
