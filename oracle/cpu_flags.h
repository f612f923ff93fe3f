// SPDX-License-Identifier: MIT
//
// BPF_F_CPU and BPF_F_ALL_CPUS of system calls on per-CPU maps (trait percpu_cpu_flags): a call
// that names a CPU in the upper half of its flags reads or writes that CPU's value alone,
// value_size bytes; one for all CPUs gives each the same value. Constant functions: any thread may
// call them. Source: uapi/linux/bpf.h, BPF_F_CPU.
#ifndef ORACLE_CPU_FLAGS_H_
#define ORACLE_CPU_FLAGS_H_

#include <cstdint>

#include "oracle/expectation.h"
#include "oracle/map_attributes.h"
#include "oracle/per_cpu_value.h"
#include "oracle/uapi.h"

namespace mapspec {

inline constexpr uint64_t kCpuFlags = BPF_F_CPU | BPF_F_ALL_CPUS;

inline bool TakesCpuFlags(const MapAttributes& map) {
  return map.per_cpu() && map.traits.percpu_cpu_flags;
}
inline bool NamesCpu(const MapAttributes& map, uint64_t flags) {
  return TakesCpuFlags(map) && (flags & BPF_F_CPU) != 0;
}
inline bool IsForAllCpus(const MapAttributes& map, uint64_t flags) {
  return TakesCpuFlags(map) && (flags & BPF_F_ALL_CPUS) != 0;
}
inline uint32_t CpuIn(uint64_t flags) { return static_cast<uint32_t>(flags >> 32); }

// Bytes of an element's value in the buffers of a call with these flags.
inline size_t ValueSizeWith(const MapAttributes& map, uint64_t flags) {
  return NamesCpu(map, flags) || IsForAllCpus(map, flags) ? map.value_size : map.buffer_size();
}

// Whether BPF_NOEXIST or BPF_EXIST are asked for in a way that is not listened to: together, or
// beside BPF_F_CPU.
inline bool ForgetsExistence(const MapAttributes& map, uint64_t flags) {
  return TakesCpuFlags(map) && (flags & 3) != 0 && (flags & 0xffffffff) < BPF_F_ALL_CPUS &&
         (flags & BPF_F_LOCK) == 0 && flags != BPF_NOEXIST && flags != BPF_EXIST;
}
// The flags of an update by a system call as the rules of single elements understand them.
inline uint64_t ElementFlags(const MapAttributes& map, uint64_t flags) {
  if (!TakesCpuFlags(map) || (flags & BPF_F_LOCK) != 0) return flags;
  if ((flags & 0xffffffff) > BPF_F_ALL_CPUS) return flags;
  return flags == BPF_NOEXIST || flags == BPF_EXIST ? flags : BPF_ANY;
}

// What is wrong with the flags, which is told before bad pointers; Succeeds where nothing is. `c`:
// the clauses of the map's type.
template <typename Clauses>
Expectation ExpectCpuFlags(const MapAttributes& map, uint64_t flags, const Clauses& c) {
  if (NamesCpu(map, flags) && IsForAllCpus(map, flags)) {
    return Expectation::Fails(Errno::kEINVAL, c.update_cpu_flags_exclude);
  }
  if (NamesCpu(map, flags) && CpuIn(flags) >= map.possible_cpus) {
    return Expectation::Fails(Errno::kERANGE, c.update_cpu_out_of_range);
  }
  return Expectation::Succeeds(kNoClause);
}
// The same for the elem_flags of LOOKUP_BATCH (`writes` false) and UPDATE_BATCH, once it is known
// that they have a CPU flag and that the map takes those.
template <typename Clauses>
Expectation ExpectCpuElemFlags(const MapAttributes& map, uint64_t flags, bool writes,
                               const Clauses& c, ClauseId bad) {
  const uint64_t known = writes ? kCpuFlags : BPF_F_CPU;
  const bool stray_cpu = !NamesCpu(map, flags) && flags >> 32 != 0;
  if (((flags & 0xffffffff) & ~known) != 0 || stray_cpu) {
    return Expectation::Fails(Errno::kEINVAL, bad);
  }
  return ExpectCpuFlags(map, flags, c);
}

// The value of an element as a call with these flags shows it to be, and writes it.
inline Bytes ValueWith(const MapAttributes& map, uint64_t flags, const Bytes& value) {
  return NamesCpu(map, flags) ? map.OfCpu(value, CpuIn(flags)) : value;
}
inline Bytes OfEveryCpu(const MapAttributes& map, const Bytes& one) {
  Bytes value(map.buffer_size());
  for (uint32_t cpu = 0; cpu < map.possible_cpus; ++cpu) PutOfCpu(map, cpu, one, &value);
  return value;
}

}  // namespace mapspec

#endif  // ORACLE_CPU_FLAGS_H_
