// SPDX-License-Identifier: MIT
//
// BPF_PROG_LOAD, and what its failure says: that the verifier refused the program, which is a
// finding, or that this process cannot load programs at all, which is none.
//
// Ownership: the result owns the program's descriptor. Thread-safety: any thread. Errors: in the
// result. Source: bpf(2); Documentation/bpf/verifier.rst.
#ifndef BACKENDS_KERNEL_PROGRAM_LOAD_H_
#define BACKENDS_KERNEL_PROGRAM_LOAD_H_

#include <bpf/bpf.h>

#include <span>
#include <string>

#include "backends/kernel/descriptor.h"
#include "oracle/uapi.h"

namespace mapspec {

struct ProgramLoad {
  Descriptor fd;  // Without one: refused, or unable.
  // The errno when it was refused. kNone without a descriptor: want of privilege, memory or a JIT.
  Errno refused = Errno::kNone;
  // Why not: the verifier's last words, or what this process lacks.
  std::string log;
};

// `options` without a log; the second attempt, which follows a refusal, brings its own.
ProgramLoad LoadProgram(::bpf_prog_type type, std::span<const ::bpf_insn> instructions,
                        const ::bpf_prog_load_opts& options);

// In what kernels without a JIT say of every callback, whatever the map.
inline constexpr char kWithoutJit[] = "non-JITed";

// "what: EINVAL".
std::string SystemFailure(const char* what, int error);

}  // namespace mapspec

#endif  // BACKENDS_KERNEL_PROGRAM_LOAD_H_
