// SPDX-License-Identifier: MIT
//
// What the tests of maps of maps share.
//
// Ownership: what is returned as Fd belongs to the caller.
// Thread-safety: as usermaps.h.
#ifndef BACKENDS_USERSPACE_USERMAPS_MAP_IN_MAP_TEST_SUPPORT_H_
#define BACKENDS_USERSPACE_USERMAPS_MAP_IN_MAP_TEST_SUPPORT_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "backends/userspace/usermaps_test_support.h"

namespace usermaps::testing {

inline constexpr int kNoSuchCommand = -524;
inline constexpr int kClosed = 999;

struct OuterMap {
  bpf_map_type type = BPF_MAP_TYPE_ARRAY_OF_MAPS;
  uint32_t key_size = 4;
  uint32_t value_size = 4;
  uint32_t max_entries = 4;
  uint32_t flags = 0;
  int btf = 0;
  uint32_t btf_key = 0;
  uint32_t btf_value = 0;
  const char* name = "outer";

  Fd Make(int inner) const {
    bpf_map_create_opts opts{};
    opts.sz = sizeof opts;
    opts.map_flags = flags;
    opts.inner_map_fd = static_cast<uint32_t>(inner);
    opts.btf_fd = static_cast<uint32_t>(btf);
    opts.btf_key_type_id = btf_key;
    opts.btf_value_type_id = btf_value;
    return Fd(usermaps_map_create(type, name, key_size, value_size, max_entries, &opts));
  }
};

// What is put into an outer map is the number of a descriptor.
inline int PutMap(int outer, uint32_t key, int map, uint64_t flags = BPF_ANY) {
  return Put(outer, key, static_cast<uint32_t>(map), flags);
}
inline int Remove(int map, uint32_t key) { return usermaps_map_delete_elem(map, &key); }
inline bool Exists(uint32_t id) {
  const Fd map(usermaps_map_get_fd_by_id(id));
  return map >= 0;
}

// An array of two elements that only slot `key` of `outer` holds. Its id.
inline uint32_t PutNew(int outer, uint32_t key) {
  const Fd map = MakeArray(2);
  return PutMap(outer, key, map) == 0 ? Info(map).id : 0;
}

// Tests for both types.
class OuterMapTest : public ::testing::TestWithParam<bpf_map_type> {
 protected:
  bool hash() const { return GetParam() == BPF_MAP_TYPE_HASH_OF_MAPS; }
  OuterMap outer() const {
    OuterMap spec;
    spec.type = GetParam();
    return spec;
  }
  // Of arrays of two elements of four bytes.
  Fd MakeOuter() const { return outer().Make(MakeArray(2)); }
};
inline std::string OuterName(const ::testing::TestParamInfo<bpf_map_type>& info) {
  return info.param == BPF_MAP_TYPE_ARRAY_OF_MAPS ? "Array" : "Hash";
}

}  // namespace usermaps::testing

#endif  // BACKENDS_USERSPACE_USERMAPS_MAP_IN_MAP_TEST_SUPPORT_H_
