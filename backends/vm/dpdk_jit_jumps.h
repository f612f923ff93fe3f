// SPDX-License-Identifier: MIT
//
// A fault of librte_bpf's JIT for x86 (22.11 and later), and how to keep away from it.
//
// The JIT lays the code out again and again until its size no longer changes, and takes that for
// the end. But a forward jump is measured from where it is now to where its target was in the round
// before, so while code in front of it shrinks it seems longer than it is, and one that was short
// (2 bytes, up to 127 bytes far) may become long (6 bytes) for one round. When another one shrinks
// by as much in that round, the size stays, the JIT stops, and in the code that it then writes
// all jumps behind that place miss their targets by 4 bytes. Seen as SIGILL and SIGSEGV.
//
// What cannot happen to a program whose jumps are all either so short that no round makes them
// seem long, or long in every round. Pure; sizes are bounds, in bytes.
#ifndef BACKENDS_VM_DPDK_JIT_JUMPS_H_
#define BACKENDS_VM_DPDK_JIT_JUMPS_H_

#include <linux/bpf.h>

#include <span>

namespace mapspec {

// False: it is safe. True: it may be or may not be.
bool MayBeMiscompiled(std::span<const bpf_insn> instructions);

}  // namespace mapspec

#endif  // BACKENDS_VM_DPDK_JIT_JUMPS_H_
