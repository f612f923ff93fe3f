// SPDX-License-Identifier: MIT
//
// What a model is told of its map when it is created: the attributes that the kernel accepted.
#ifndef ORACLE_MAP_ATTRIBUTES_H_
#define ORACLE_MAP_ATTRIBUTES_H_

#include <cstdint>
#include <string>

#include "oracle/bytes.h"
#include "oracle/inner_map.h"
#include "oracle/profile.h"
#include "oracle/uapi.h"

namespace mapspec {

struct MapAttributes {
  MapType type = MapType::UNSPEC;
  uint32_t key_size = 0;    // Bytes.
  uint32_t value_size = 0;  // Bytes.
  uint32_t max_entries = 0;
  uint32_t map_flags = 0;  // As given to BPF_MAP_CREATE.
  std::string name;
  uint64_t map_extra = 0;
  bool has_btf = false;
  uint32_t btf_key_type_id = 0;
  uint32_t btf_value_type_id = 0;
  bool struct_value = false;  // BTF says that values are a struct.
  int32_t lock_offset = -1;   // Of the struct bpf_spin_lock in the value; -1: there is none.
  uint32_t page_size = 4096;
  uint32_t possible_cpus = 1;
  InnerMapShape inner;  // Of a map of maps: the map that it was created with.
  Traits traits;
  // Also what is promised beyond the documentation may be relied on (Profile::observed).
  bool observed = true;

  bool has_lock() const { return lock_offset >= 0; }
  bool per_cpu() const { return IsPerCpu(type); }
  // Bytes of an element's value as system calls read and write it.
  size_t buffer_size() const {
    return per_cpu() ? PerCpuStride(value_size) * possible_cpus : value_size;
  }
  // What CPU `cpu` has of such a value, as a program sees it.
  Bytes OfCpu(const Bytes& value, uint32_t cpu) const {
    return per_cpu() ? value.Slice(PerCpuStride(value_size) * cpu, value_size) : value;
  }
  // The value as user space may see it: the word of the spin lock always reads as zero.
  void HideLock(Bytes* value) const {
    if (!has_lock()) return;
    for (uint32_t i = 0; i < 4; ++i) (*value)[static_cast<size_t>(lock_offset) + i] = 0;
  }
};

}  // namespace mapspec

#endif  // ORACLE_MAP_ATTRIBUTES_H_
