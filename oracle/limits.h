// SPDX-License-Identifier: MIT
//
// Limits that the models share, in bytes unless said otherwise, and what they say about flags of
// all types.
#ifndef ORACLE_LIMITS_H_
#define ORACLE_LIMITS_H_

#include <cstdint>

#include "oracle/bytes.h"
#include "oracle/operation.h"
#include "oracle/outcome.h"
#include "oracle/uapi.h"

namespace mapspec {

inline constexpr uint64_t kMaxBpfStack = 512;          // MAX_BPF_STACK.
inline constexpr uint64_t kKmallocMaxSize = 4u << 20;  // KMALLOC_MAX_SIZE with pages of 4 KiB.
inline constexpr uint64_t kHashElementHeader = 48;     // What the kernel adds to key and value.
inline constexpr uint64_t kHashMaxEntries = 1u << 27;  // More make more buckets than u32 can size.
inline constexpr uint64_t kIntMax = 0x7fffffff;
inline constexpr uint64_t kPerCpuMaxSize = 32768;    // PCPU_MIN_UNIT_SIZE: one CPU's slot.
inline constexpr uint32_t kNumaNoNode = 0xffffffff;  // NUMA_NO_NODE: as if none were asked for.

// What OBJ_GET_INFO_BY_FD gives of a map: struct bpf_map_info of the oldest kernels known here, and
// more than any kernel's will be for long.
inline constexpr uint32_t kInfoSizeSurely = 80;
inline constexpr uint32_t kInfoSizeAtMost = 512;

// From here on a creation may fail for lack of memory, which is no map's fault …
inline constexpr uint64_t kLargeAllocation = 64u << 20;
constexpr bool IsLarge(uint64_t size) { return size > kLargeAllocation; }
// … and from here on it must: a pebibyte, more than any machine has.
inline constexpr uint64_t kImpossibleAllocation = uint64_t{1} << 50;

// BPF_F_RDONLY_PROG and BPF_F_WRONLY_PROG exclude each other.
constexpr bool BothAccessFlags(uint32_t map_flags) {
  return (map_flags & BPF_F_RDONLY_PROG) != 0 && (map_flags & BPF_F_WRONLY_PROG) != 0;
}

// Whether BPF_F_NUMA_NODE asks for a node.
inline bool AsksForNode(const MapCreate& create) {
  return (create.map_flags & BPF_F_NUMA_NODE) != 0 && create.numa_node != kNumaNoNode;
}

// BPF_F_RDONLY and BPF_F_WRONLY too: no descriptor allows neither.
constexpr bool BothDescriptorFlags(uint32_t map_flags) {
  return (map_flags & BPF_F_RDONLY) != 0 && (map_flags & BPF_F_WRONLY) != 0;
}

// Whether everything from `offset` on still holds the poison.
inline bool UntouchedFrom(const Bytes& buffer, uint64_t offset) {
  for (uint64_t i = offset; i < buffer.size(); ++i) {
    if (buffer[i] != PoisonByte(i)) return false;
  }
  return true;
}

// Whether no output buffer of a batch was written to.
inline bool Untouched(const BatchOutput& output) {
  return IsPoison(output.out_batch) && IsPoison(output.keys) && IsPoison(output.values);
}

// Whether a callback that was called `visited` times noted elements, whole ones, and not more.
inline bool NotesFit(const BatchOutput& noted, uint64_t visited, uint32_t key_size,
                     uint32_t value_size) {
  return noted.count <= visited && (noted.count == 0) == (visited == 0) &&
         noted.keys.size() >= uint64_t{noted.count} * key_size &&
         noted.values.size() >= uint64_t{noted.count} * value_size;
}

}  // namespace mapspec

#endif  // ORACLE_LIMITS_H_
