// SPDX-License-Identifier: MIT
//
// A toy eBPF VM with Linux-compatible maps. What it needs of usermaps: a handle when a program is
// loaded, a bracket around each run, and helpers under the numbers that Linux gives them.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backends/userspace/usermaps.h"
#include "backends/userspace/usermaps_prog.h"

// The VM: enough instructions for the program below, with map handles as plain 64-bit immediates.
static __u64 run(const struct bpf_insn* in) {
  __u64 stack[8], r[11] = {[10] = (__u64)(stack + 8)};
  usermaps_prog_enter();
  for (;; ++in) {
    __u64* to = &r[in->dst_reg];
    __u8* at = (__u8*)*to + in->off;
    switch (in->code) {
      case BPF_LD | BPF_DW | BPF_IMM: *to = (__u32)in[0].imm | (__u64)in[1].imm << 32, ++in; break;
      case BPF_ALU64 | BPF_MOV | BPF_K: *to = (__u64)in->imm; break;
      case BPF_ALU64 | BPF_MOV | BPF_X: *to = r[in->src_reg]; break;
      case BPF_ALU64 | BPF_ADD | BPF_K: *to += (__u64)in->imm; break;
      case BPF_LDX | BPF_MEM | BPF_DW: memcpy(to, (__u8*)r[in->src_reg] + in->off, 8); break;
      case BPF_STX | BPF_MEM | BPF_DW: memcpy(at, &r[in->src_reg], 8); break;
      case BPF_ST | BPF_MEM | BPF_DW: memcpy(at, &(__s64){in->imm}, 8); break;
      case BPF_JMP | BPF_JEQ | BPF_K: in += *to == (__u64)in->imm ? in->off : 0; break;
      case BPF_JMP | BPF_CALL:
        if (in->imm == BPF_FUNC_map_lookup_elem) {
          r[0] = (__u64)usermaps_prog_map_lookup_elem((void*)r[1], (void*)r[2]);
        } else if (in->imm == BPF_FUNC_map_update_elem) {
          r[0] = (__u64)usermaps_prog_map_update_elem((void*)r[1], (void*)r[2], (void*)r[3], r[4]);
        }
        break;
      default: usermaps_prog_exit(); return r[0];  // BPF_EXIT
    }
  }
}

int main(void) {
  int fd = usermaps_map_create(BPF_MAP_TYPE_HASH, "counts", 8, 8, 16, NULL);
  struct usermaps_prog_map* map = usermaps_prog_map_get(fd);
  if (map == NULL) return perror("usermaps"), 1;
  const __s32 low = (__s32)(__u64)map, high = (__s32)((__u64)map >> 32);
  // Counts under key 7: value = lookup(7); if there is none, update(7, 1), else ++*value.
  const struct bpf_insn program[] = {
      {BPF_ST | BPF_MEM | BPF_DW, 10, 0, -8, 7},                        // the key
      {BPF_LD | BPF_DW | BPF_IMM, 1, 0, 0, low}, {0, 0, 0, 0, high},    // r1 = the map
      {BPF_ALU64 | BPF_MOV | BPF_X, 2, 10, 0, 0}, {BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -8},
      {BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 4, 0},                          // r0 == NULL?
      {BPF_LDX | BPF_MEM | BPF_DW, 1, 0, 0, 0}, {BPF_ALU64 | BPF_ADD | BPF_K, 1, 0, 0, 1},
      {BPF_STX | BPF_MEM | BPF_DW, 0, 1, 0, 0}, {BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
      {BPF_ST | BPF_MEM | BPF_DW, 10, 0, -16, 1},                       // the first value
      {BPF_LD | BPF_DW | BPF_IMM, 1, 0, 0, low}, {0, 0, 0, 0, high},
      {BPF_ALU64 | BPF_MOV | BPF_X, 2, 10, 0, 0}, {BPF_ALU64 | BPF_ADD | BPF_K, 2, 0, 0, -8},
      {BPF_ALU64 | BPF_MOV | BPF_X, 3, 10, 0, 0}, {BPF_ALU64 | BPF_ADD | BPF_K, 3, 0, 0, -16},
      {BPF_ALU64 | BPF_MOV | BPF_K, 4, 0, 0, BPF_NOEXIST},
      {BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_update_elem}, {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
  for (int i = 0; i < 3; ++i) run(program);
  __u64 key = 7, count = 0;
  usermaps_map_lookup_elem(fd, &key, &count);  // What the syscall path sees.
  printf("counted %llu of 3\n", (unsigned long long)count);
  usermaps_prog_map_put(map);
  close(fd);
  return count == 3 ? 0 : 1;
}
