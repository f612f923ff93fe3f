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

// What of a map matters beside its shape.
struct VmMapFacts {
  uint32_t flags = 0;  // As BPF_MAP_CREATE got them.
  uint32_t max_entries = 0;
  bool may_be_frozen = false;
};

// "" or the reason.
std::string WhyLinuxRefuses(const Program& program, const VmMapFacts& map);

}  // namespace mapspec

#endif  // BACKENDS_VM_PROGRAM_RULES_H_
