// SPDX-License-Identifier: MIT
//
// The adapters; vm_engine.cc names those that are built. Each function: nullptr after filling
// *error. Thread-safety: any thread.
#ifndef BACKENDS_VM_ENGINES_H_
#define BACKENDS_VM_ENGINES_H_

#include <memory>
#include <string>

#include "backends/vm/vm_engine.h"

namespace mapspec {

// librte_bpf, as in Debian's libdpdk-dev. Needs neither rte_eal_init() nor root nor huge pages.
std::unique_ptr<VmEngine> MakeDpdkEngine(bool jit, std::string* error);

// uBPF, as installed by its own CMake.
std::unique_ptr<VmEngine> MakeUbpfEngine(bool jit, std::string* error);

// An interpreter of our own, small and slow, that checks every access: the reference for the
// adapters, and what faulty VMs are made from. Has callbacks; no JIT.
std::unique_ptr<VmEngine> MakePlainEngine(bool jit, std::string* error);

}  // namespace mapspec

#endif  // BACKENDS_VM_ENGINES_H_
