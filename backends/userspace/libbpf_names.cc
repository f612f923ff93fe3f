// SPDX-License-Identifier: MIT
//
// libbpf's own names for the functions of usermaps.h: what libusermaps.so exports (libusermaps.map
// keeps the rest inside).
#include "backends/userspace/usermaps.h"

namespace {

// Pointer to const in libbpf up to 1.1, to mutable since.
template <typename Data, typename Size, typename Opts>
Opts ThirdParameter(int (*)(Data, Size, Opts));
using BtfLoadOpts = decltype(ThirdParameter(&bpf_btf_load));

}  // namespace

#pragma GCC visibility push(default)

int bpf_map_create(enum bpf_map_type map_type, const char* map_name, __u32 key_size,
                   __u32 value_size, __u32 max_entries, const struct bpf_map_create_opts* opts) {
  return usermaps_map_create(map_type, map_name, key_size, value_size, max_entries, opts);
}

int bpf_map_update_elem(int fd, const void* key, const void* value, __u64 flags) {
  return usermaps_map_update_elem(fd, key, value, flags);
}

int bpf_map_lookup_elem(int fd, const void* key, void* value) {
  return usermaps_map_lookup_elem(fd, key, value);
}

int bpf_map_lookup_elem_flags(int fd, const void* key, void* value, __u64 flags) {
  return usermaps_map_lookup_elem_flags(fd, key, value, flags);
}

int bpf_map_lookup_and_delete_elem(int fd, const void* key, void* value) {
  return usermaps_map_lookup_and_delete_elem(fd, key, value);
}

int bpf_map_lookup_and_delete_elem_flags(int fd, const void* key, void* value, __u64 flags) {
  return usermaps_map_lookup_and_delete_elem_flags(fd, key, value, flags);
}

int bpf_map_delete_elem(int fd, const void* key) { return usermaps_map_delete_elem(fd, key); }

int bpf_map_delete_elem_flags(int fd, const void* key, __u64 flags) {
  return usermaps_map_delete_elem_flags(fd, key, flags);
}

int bpf_map_get_next_key(int fd, const void* key, void* next_key) {
  return usermaps_map_get_next_key(fd, key, next_key);
}

int bpf_map_freeze(int fd) { return usermaps_map_freeze(fd); }

int bpf_map_lookup_batch(int fd, void* in_batch, void* out_batch, void* keys, void* values,
                         __u32* count, const struct bpf_map_batch_opts* opts) {
  return usermaps_map_lookup_batch(fd, in_batch, out_batch, keys, values, count, opts);
}

int bpf_map_lookup_and_delete_batch(int fd, void* in_batch, void* out_batch, void* keys,
                                    void* values, __u32* count,
                                    const struct bpf_map_batch_opts* opts) {
  return usermaps_map_lookup_and_delete_batch(fd, in_batch, out_batch, keys, values, count, opts);
}

int bpf_map_update_batch(int fd, const void* keys, const void* values, __u32* count,
                         const struct bpf_map_batch_opts* opts) {
  return usermaps_map_update_batch(fd, keys, values, count, opts);
}

int bpf_map_delete_batch(int fd, const void* keys, __u32* count,
                         const struct bpf_map_batch_opts* opts) {
  return usermaps_map_delete_batch(fd, keys, count, opts);
}

int bpf_obj_get_info_by_fd(int bpf_fd, void* info, __u32* info_len) {
  return usermaps_obj_get_info_by_fd(bpf_fd, info, info_len);
}

int bpf_map_get_fd_by_id(__u32 id) { return usermaps_map_get_fd_by_id(id); }

int bpf_map_get_fd_by_id_opts(__u32 id, const struct bpf_get_fd_by_id_opts* opts) {
  return usermaps_map_get_fd_by_id_opts(id, opts);
}

int bpf_map_get_next_id(__u32 start_id, __u32* next_id) {
  return usermaps_map_get_next_id(start_id, next_id);
}

int bpf_obj_pin(int fd, const char* pathname) { return usermaps_obj_pin(fd, pathname); }

int bpf_obj_get(const char* pathname) { return usermaps_obj_get(pathname); }

int bpf_obj_get_opts(const char* pathname, const struct bpf_obj_get_opts* opts) {
  return usermaps_obj_get_opts(pathname, opts);
}

int bpf_btf_load(const void* btf_data, size_t btf_size, BtfLoadOpts opts) {
  return usermaps_btf_load(btf_data, btf_size, opts);
}

#pragma GCC visibility pop
