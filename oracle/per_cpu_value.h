// SPDX-License-Identifier: MIT
//
// The values of per-CPU maps as system calls see them: one slot for each possible CPU, each at a
// multiple of eight bytes; what lies between value_size and the next slot is padding. And
// OpenBytes: bytes of such values that no promise tells, which are learned from the first answer
// that shows them. Units: bytes. Copyable, no I/O; thread-safety that of a plain value. Source:
// map_hash.rst, "Per CPU Hashes"; uapi/linux/bpf.h.
#ifndef ORACLE_PER_CPU_VALUE_H_
#define ORACLE_PER_CPU_VALUE_H_

#include <cstdint>
#include <map>

#include "oracle/bytes.h"
#include "oracle/map_attributes.h"

namespace mapspec {

inline bool HasPadding(const MapAttributes& map) {
  return map.per_cpu() && map.value_size % 8 != 0;
}
// Whether a program's CPU is known, where that matters.
inline bool KnowsCpu(const MapAttributes& map, uint32_t cpu) {
  return !map.per_cpu() || cpu < map.possible_cpus;
}

// Puts what a program on CPU `cpu` wrote, value_size bytes, into a value; the padding stays.
void PutOfCpu(const MapAttributes& map, uint32_t cpu, const Bytes& slot, Bytes* value);
// Copies the padding of every CPU.
void CopyPadding(const MapAttributes& map, const Bytes& from, Bytes* to);
void ClearPadding(const MapAttributes& map, Bytes* value);
// Whether two different values have the same in each CPU's slot.
bool OnlyPaddingDiffers(const MapAttributes& map, const Bytes& a, const Bytes& b);

class OpenBytes {
 public:
  // All of the element is known, or it is gone.
  void Close(uint32_t element) {
    if (!open_.empty()) open_.erase(element);
  }
  // Nothing is known of these bytes.
  void Open(uint32_t element, const MapAttributes& map, uint64_t offset, uint64_t length);
  void OpenPadding(uint32_t element, const MapAttributes& map, uint32_t cpu);
  // An answer showed `got` at `offset` of the value: what is open there takes it over.
  void Learn(uint32_t element, uint64_t offset, const Bytes& got, Bytes* value);

 private:
  std::map<uint32_t, Bytes> open_;  // By element: a byte for each of its value, 1: open.
};

}  // namespace mapspec

#endif  // ORACLE_PER_CPU_VALUE_H_
