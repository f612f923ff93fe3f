// SPDX-License-Identifier: MIT
//
// usermaps for programs: the map helpers of BPF programs, for whoever embeds an eBPF VM.
//
// Purpose: gives a VM maps that answer its programs as Linux does. The VM turns the map that a
//   program names into a handle (usermaps_prog_map_get, once, when it loads the program), brackets
//   each run (usermaps_prog_enter, _exit) and calls the function here that has the helper's name.
//   examples/toy_vm.c is a whole VM that does so.
// Source of semantics: bpf-helpers(7); Linux 6.18 by observation.
// Types: HASH, ARRAY and their per-CPU and LRU variants have lookup, update, delete (which arrays
//   answer with -EINVAL) and for_each, per-CPU types lookup_percpu as well; QUEUE and STACK have
//   push, pop and peek; ARRAY_OF_MAPS and HASH_OF_MAPS have lookup. In Linux the verifier refuses
//   programs that use anything else; here a lookup gives NULL, update and delete of QUEUE, STACK
//   and maps of maps -EINVAL, the other helpers -524 (the kernel's ENOTSUPP).
// Errors: what the helper returns to the program: 0, or a negative errno; errno is not touched.
//   Pointers are not checked: a VM that does not trust its programs has to, as the verifier does.
// What does not matter to programs, as in Linux: BPF_F_RDONLY and BPF_F_WRONLY of the descriptor
//   that the handle was made from, and that a map is frozen. BPF_F_RDONLY_PROG and
//   BPF_F_WRONLY_PROG are the verifier's business, and so the VM's.
// Maps of maps: a lookup gives the inner map as a struct usermaps_prog_map*, which is a map to
// every
//   function here but usermaps_prog_map_put(): it belongs to nobody. It and the elements that were
//   found in it stay usable until the outermost usermaps_prog_exit() of the thread, also when
//   bpf(2) takes it out of the outer map meanwhile and it is gone for everybody else. A replacement
//   is one step: a lookup finds the old map or the new one.
// Values per CPU: a helper reads and writes the slot of the CPU that the calling thread runs on
//   (sched_getcpu(3)); the VM keeps the thread there for the run. An update of an element that is
//   there is in place; a new element is zero for the other CPUs.
// Lifetime of elements: the pointer that a lookup gives is the map's own memory, not a copy. It
//   stays valid until the outermost usermaps_prog_exit() of the thread, whatever happens to the
//   element. Elements of arrays never move. An update of a HASH or LRU_HASH element puts a new
//   element in its place, so a pointer from before still shows the old value (under BPF_F_LOCK the
//   value changes in place); what is written through it is lost. The memory of an element that was
//   replaced or deleted or evicted becomes that of another element when the map needs it; with
//   BPF_F_NO_PREALLOC only after the run.
// Units: sizes are the map's: key_size, value_size.
// Ownership: a handle keeps its map alive, as a loaded program does, and belongs to the caller.
// Thread-safety: all functions may be called by any thread at any time; a handle may be shared. A
//   helper is atomic with respect to other helpers and the functions of usermaps.h; loads and
//   stores through pointers are not, unless they happen under the value's bpf_spin_lock (others
//   then use it as well, or BPF_F_LOCK). An enter and its exit are calls of one thread.
// Processes: after fork(2) the child has no runs but those of the thread that called it.
#ifndef BACKENDS_USERSPACE_USERMAPS_PROG_H_
#define BACKENDS_USERSPACE_USERMAPS_PROG_H_

#include <linux/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef USERMAPS_API
#define USERMAPS_API __attribute__((visibility("default")))
#endif

// A map as programs see it.
struct usermaps_prog_map;

// The map of a descriptor. NULL with errno EBADF or EINVAL (another kind of descriptor), ENOMEM.
USERMAPS_API struct usermaps_prog_map* usermaps_prog_map_get(int fd);
// Gives it back; NULL is fine. No run that uses this handle may be going on.
USERMAPS_API void usermaps_prog_map_put(struct usermaps_prog_map* map);

// The calling thread begins and ends a run of a program. Runs nest. Nobody waits for a run to end,
// but memory of deleted elements may pile up while one goes on.
USERMAPS_API void usermaps_prog_enter(void);
USERMAPS_API void usermaps_prog_exit(void);

// bpf_map_lookup_elem(): the value (of a map of maps, the struct usermaps_prog_map*), or NULL.
USERMAPS_API void* usermaps_prog_map_lookup_elem(struct usermaps_prog_map* map, const void* key);
// bpf_map_update_elem()
USERMAPS_API long usermaps_prog_map_update_elem(struct usermaps_prog_map* map, const void* key,
                                                const void* value, __u64 flags);
// bpf_map_delete_elem()
USERMAPS_API long usermaps_prog_map_delete_elem(struct usermaps_prog_map* map, const void* key);
// bpf_map_push_elem()
USERMAPS_API long usermaps_prog_map_push_elem(struct usermaps_prog_map* map, const void* value,
                                              __u64 flags);
// bpf_map_pop_elem(), bpf_map_peek_elem(): when there is nothing, `value` is filled with zeros.
USERMAPS_API long usermaps_prog_map_pop_elem(struct usermaps_prog_map* map, void* value);
USERMAPS_API long usermaps_prog_map_peek_elem(struct usermaps_prog_map* map, void* value);
// bpf_map_lookup_percpu_elem(): the slot of a CPU, or NULL: no element, no such CPU, or a type
// without values per CPU.
USERMAPS_API void* usermaps_prog_map_lookup_percpu_elem(struct usermaps_prog_map* map,
                                                        const void* key, __u32 cpu);

// bpf_for_each_map_elem(): calls back for each element until that returns something else than 0.
// The number of calls; -EINVAL for flags other than 0. The callback may use every helper.
typedef long (*usermaps_prog_callback)(struct usermaps_prog_map* map, void* key, void* value,
                                       void* context);
USERMAPS_API long usermaps_prog_for_each_map_elem(struct usermaps_prog_map* map,
                                                  usermaps_prog_callback callback, void* context,
                                                  __u64 flags);

// bpf_spin_lock(), bpf_spin_unlock() of the struct bpf_spin_lock in a value. Between the two the
// program may call no other helper.
USERMAPS_API void usermaps_prog_spin_lock(void* lock);
USERMAPS_API void usermaps_prog_spin_unlock(void* lock);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // BACKENDS_USERSPACE_USERMAPS_PROG_H_
