// SPDX-License-Identifier: MIT
//
// usermaps: BPF maps in user space, with the low-level C API of libbpf 1.1.
//
// Purpose: a real, concurrent implementation of the map commands of bpf(2) for machines, VMs and
//   tests that have no bpf(2). Each function has the signature and the meaning of the function of
//   <bpf/bpf.h> with `usermaps_` in place of `bpf_`, so that both can live in one program.
//   libusermaps.so exports the same functions under libbpf's own names. What BPF programs call is
//   declared in usermaps_prog.h.
// Types: HASH (preallocated or not), ARRAY, QUEUE, STACK, PERCPU_HASH, PERCPU_ARRAY, LRU_HASH,
//   LRU_PERCPU_HASH, and ARRAY_OF_MAPS and HASH_OF_MAPS of any of these but themselves. Any other
//   type: -EINVAL.
// Source of semantics: Linux 6.18 by observation, the map documents of the kernel tree, <bpf/bpf.h>
//   of libbpf 1.1.
// Values per CPU (PERCPU_*, LRU_PERCPU_HASH): a value buffer has a slot for each possible CPU, in
//   the order of their numbers, of value_size rounded up to 8 bytes each.
// LRU maps: a new key always finds room, if need be that of the key that was not used for longest,
//   with a second chance for those used since (updates and lookups by programs are use). Unlike in
//   Linux, an update that fails or finds its key evicts nothing. With BPF_F_NO_COMMON_LRU each CPU
//   has room for its share of max_entries keys, counted by the CPU that added them.
// Units: sizes in bytes, counts in elements.
// Errors: libbpf 1.x convention: 0 (or a file descriptor) on success, -errno on failure, with errno
//   set as well. 524 (the kernel's ENOTSUPP, unknown to libc) is returned where Linux returns it.
//   NULL pointers are answered as Linux answers them (usually -EFAULT); other bad pointers crash.
//   Where libbpf itself would crash (a NULL `count`, `next_id` or `info_len`) the answer is
//   -EFAULT.
// Ownership: a map lives while a descriptor, a pin, a mapping or a map of maps refers to it, as in
//   Linux. Handles are real file descriptors: close(2), dup(2), RLIMIT_NOFILE and close-on-exec
//   work. The memory of a map whose last handle was closed is given back at a later call (creation
//   and the by-id calls look for such maps). A handle is a memfd whose file offset identifies it:
//   do not lseek(2) it (if you do, the next call mends it).
// Thread-safety: every function may be called by any thread at any time. A single element operation
//   is atomic with respect to other element operations; batches and walks are not.
// Processes: maps are memory of this process. After fork(2) each side has its own copy of every map
//   (except the data of BPF_F_MMAPABLE arrays, which stays shared); after execve(2) handles are
//   gone (close-on-exec).
// Known differences from the kernel:
//   - A plain mmap(2) cannot be intercepted (usermaps_mmap is exact). Data of a BPF_F_MMAPABLE
//     array can be mapped through its handle, but a length past the end of the data, MAP_PRIVATE, a
//     BPF_F_RDONLY handle, and mprotect(2) to writable of a mapping made before the freeze are
//     accepted; other maps answer EACCES instead of ENOTSUPP or EINVAL.
//   - read, write, poll, and the access mode in fcntl(F_GETFL), are those of a memfd.
//   - bpf_obj_pin makes a regular file (any file system; the name may not contain a dot, as on
//     bpffs) that means something only to the process that made it. Each pin and each mmapable
//     array holds one file descriptor more.
//   - Nothing is refused for lack of privilege.
//   - bpf_btf_load writes no log.
#ifndef BACKENDS_USERSPACE_USERMAPS_H_
#define BACKENDS_USERSPACE_USERMAPS_H_

#include <bpf/bpf.h>
#include <stddef.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define USERMAPS_API __attribute__((visibility("default")))

USERMAPS_API int usermaps_map_create(enum bpf_map_type map_type, const char* map_name,
                                     __u32 key_size, __u32 value_size, __u32 max_entries,
                                     const struct bpf_map_create_opts* opts);

USERMAPS_API int usermaps_map_update_elem(int fd, const void* key, const void* value, __u64 flags);
USERMAPS_API int usermaps_map_lookup_elem(int fd, const void* key, void* value);
USERMAPS_API int usermaps_map_lookup_elem_flags(int fd, const void* key, void* value, __u64 flags);
USERMAPS_API int usermaps_map_lookup_and_delete_elem(int fd, const void* key, void* value);
USERMAPS_API int usermaps_map_lookup_and_delete_elem_flags(int fd, const void* key, void* value,
                                                           __u64 flags);
USERMAPS_API int usermaps_map_delete_elem(int fd, const void* key);
USERMAPS_API int usermaps_map_delete_elem_flags(int fd, const void* key, __u64 flags);
USERMAPS_API int usermaps_map_get_next_key(int fd, const void* key, void* next_key);
USERMAPS_API int usermaps_map_freeze(int fd);

USERMAPS_API int usermaps_map_lookup_batch(int fd, void* in_batch, void* out_batch, void* keys,
                                           void* values, __u32* count,
                                           const struct bpf_map_batch_opts* opts);
USERMAPS_API int usermaps_map_lookup_and_delete_batch(int fd, void* in_batch, void* out_batch,
                                                      void* keys, void* values, __u32* count,
                                                      const struct bpf_map_batch_opts* opts);
USERMAPS_API int usermaps_map_update_batch(int fd, const void* keys, const void* values,
                                           __u32* count, const struct bpf_map_batch_opts* opts);
USERMAPS_API int usermaps_map_delete_batch(int fd, const void* keys, __u32* count,
                                           const struct bpf_map_batch_opts* opts);

USERMAPS_API int usermaps_obj_get_info_by_fd(int fd, void* info, __u32* info_len);
USERMAPS_API int usermaps_map_get_fd_by_id(__u32 id);
USERMAPS_API int usermaps_map_get_fd_by_id_opts(__u32 id, const struct bpf_get_fd_by_id_opts* opts);
USERMAPS_API int usermaps_map_get_next_id(__u32 start_id, __u32* next_id);
USERMAPS_API int usermaps_obj_pin(int fd, const char* pathname);
USERMAPS_API int usermaps_obj_get(const char* pathname);
USERMAPS_API int usermaps_obj_get_opts(const char* pathname, const struct bpf_obj_get_opts* opts);
USERMAPS_API int usermaps_btf_load(const void* btf_data, size_t btf_size,
                                   const struct bpf_btf_load_opts* opts);

// mmap(2) of a map's descriptor with the kernel's rules (lengths, MAP_PRIVATE, permissions, freeze,
// ENOTSUPP); of another descriptor, mmap(2) itself. MAP_FAILED and errno on failure. Undone by
// munmap(2).
USERMAPS_API void* usermaps_mmap(void* address, size_t length, int protection, int flags, int fd,
                                 off_t offset);

// For programs that link the library and open and close its descriptors in one place; not in
// libusermaps.so. Each call asks the system whether its descriptor is still open and still the
// map's, which costs more than all else it does; and finding out that one was closed costs a
// question for every descriptor of the process. keep_open, called right after the command that gave
// the number, promises that it is the only one of its descriptor (no dup), that usermaps_close
// alone closes it and usermaps_mmap alone maps it: calls need not ask then, and the map is gone at
// once when it should be. The descriptor itself may stay open (64 of them at most) for the map that
// is made next. Numbers that cannot be kept are asked about all the same; usermaps_close is
// close(2) for them. A broken promise gives answers of the map that the number once meant, and
// keeps that map until many more were made; and what else means the descriptor may come to mean
// another map; nothing worse.
USERMAPS_API void usermaps_keep_open(int fd);
USERMAPS_API int usermaps_close(int fd);

// For the calling thread: maps take it for one that runs on `cpu`, wherever it runs; with -1, for
// what it is. Spares those who ask on behalf of many CPUs to be moved from one to the other. 0, or
// -EINVAL for a CPU that is not possible on this machine. Not in libusermaps.so.
USERMAPS_API int usermaps_set_own_cpu(int cpu);

// Mutation testing (see mutant.h). In a library built without USERMAPS_MUTANTS there are none.
// Makes `name` the one active mutant; NULL or "" switches it off. -ENOENT: there is no such mutant.
USERMAPS_API int usermaps_set_mutant(const char* name);
// Writes up to `capacity` names ("clause.id/what-is-broken", static storage) and returns how many
// there are.
USERMAPS_API size_t usermaps_list_mutants(const char** names, size_t capacity);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // BACKENDS_USERSPACE_USERMAPS_H_
