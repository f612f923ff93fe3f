// SPDX-License-Identifier: MIT
#include "backends/vm/dpdk_jit_jumps.h"

#include <cstddef>

namespace mapspec {
namespace {

constexpr int kShortest = 127;  // A jump of 8 bits goes as far.
constexpr int kShrinks = 4;     // A jump from 32 bits to 8.

struct Size {
  int least = 0;
  int most = 0;
};

// Of the machine code for one instruction.
Size SizeOf(const bpf_insn& in, bool first_exit) {
  switch (BPF_CLASS(in.code)) {
    case BPF_LD:
      return {5, 10};
    case BPF_LDX:
      return {3, 8};
    case BPF_ST:
      return {4, 12};
    case BPF_STX:
      return {3, 8};
    case BPF_ALU64:
      if (BPF_OP(in.code) == BPF_MOV) return {0, 7};
      if (BPF_OP(in.code) == BPF_ADD || BPF_OP(in.code) == BPF_AND) return {3, 7};
      return {2, 64};
    case BPF_JMP:
      if (BPF_OP(in.code) == BPF_CALL) return {7, 12};
      if (BPF_OP(in.code) == BPF_EXIT) return first_exit ? Size{1, 70} : Size{2, 5};
      return {2, 13};
    default:
      return {0, 64};
  }
}

bool IsJump(const bpf_insn& in) {
  return BPF_CLASS(in.code) == BPF_JMP && BPF_OP(in.code) != BPF_CALL &&
         BPF_OP(in.code) != BPF_EXIT;
}

}  // namespace

bool MayBeMiscompiled(std::span<const bpf_insn> instructions) {
  int shrinking = 0;  // Whatever may become shorter from round to round.
  size_t first_exit = instructions.size();
  for (size_t i = 0; i < instructions.size(); ++i) {
    const bool exits = instructions[i].code == (BPF_JMP | BPF_EXIT);
    if (exits && i < first_exit) first_exit = i;
    if (exits || IsJump(instructions[i])) ++shrinking;
  }
  for (size_t i = 0; i < instructions.size(); ++i) {
    if (!IsJump(instructions[i])) continue;
    Size over;
    for (size_t j = i + 1; j <= i + static_cast<size_t>(instructions[i].off); ++j) {
      const Size size = SizeOf(instructions[j], j == first_exit);
      over.least += size.least;
      over.most += size.most;
      if (BPF_CLASS(instructions[j].code) == BPF_LD) ++j;  // The second half.
    }
    const bool always_short = over.most + kShrinks * (shrinking + 2) <= kShortest;
    const bool always_long = over.least > kShortest;
    if (!always_short && !always_long) return true;
  }
  return false;
}

}  // namespace mapspec
