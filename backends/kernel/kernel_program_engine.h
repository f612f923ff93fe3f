// SPDX-License-Identifier: MIT
//
// Programs in the running kernel: loaded as BPF_PROG_TYPE_SCHED_CLS, which may use every helper on
// maps, locks included, and needs to be attached to nothing; run by BPF_PROG_TEST_RUN on a packet
// of zeros. Control maps are arrays with BPF_F_MMAPABLE. Everything is closed when its object is
// destroyed; the kernel frees a program, and what it refers to, a little later.
//
// Thread-safety: one thread at a time. Errors: as ProgramEngine says; want of privilege or memory
// is "unable", and want of a JIT; every other errno of BPF_PROG_LOAD is "refused".
#ifndef BACKENDS_KERNEL_KERNEL_PROGRAM_ENGINE_H_
#define BACKENDS_KERNEL_KERNEL_PROGRAM_ENGINE_H_

#include <memory>
#include <string>

#include "backends/program/program_engine.h"

namespace mapspec {

std::unique_ptr<ProgramEngine> MakeKernelProgramEngine();

// "" or why this process cannot load and run programs; found by loading and running one.
std::string WhyNoPrograms();
// "" or that this kernel takes no callbacks for want of a JIT. Where it lacks
// bpf_for_each_map_elem() altogether, that is for its verifier to say.
std::string WhyNoCallbacks();

}  // namespace mapspec

#endif  // BACKENDS_KERNEL_KERNEL_PROGRAM_ENGINE_H_
