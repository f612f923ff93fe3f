// SPDX-License-Identifier: MIT
//
// What of a program Linux would refuse at load because of the map it is for. Nothing verifies the
// programs of a VM, so such a program is not run there, rather than judged by what became of it.
// Pure. Source: Linux 6.18 by observation; the comments on map types in the kernel's documentation.
#ifndef BACKENDS_VM_PROGRAM_RULES_H_
#define BACKENDS_VM_PROGRAM_RULES_H_

#include <cstdint>
#include <string>

#include "backends/program/program.h"

namespace mapspec {

// "bpf_map_lookup_elem": the helper's name.
std::string HelperName(HelperId helper);

// "" or the reason, for a map with these flags (BPF_F_RDONLY_PROG, BPF_F_WRONLY_PROG).
std::string WhyLinuxRefuses(const Program& program, uint32_t map_flags);

}  // namespace mapspec

#endif  // BACKENDS_VM_PROGRAM_RULES_H_
