// SPDX-License-Identifier: MIT
//
// Faults that a VM may have between a program and a helper, one at a time: what the suite must
// notice of a VM. Each is a function in the place of the helper. Constant; thread-safety as that of
// the helpers.
#ifndef BACKENDS_VM_VM_FAULTS_H_
#define BACKENDS_VM_VM_FAULTS_H_

#include <string_view>
#include <utility>
#include <vector>

#include "backends/vm/vm_program_engine.h"

namespace mapspec {

struct VmFault {
  std::string_view name;
  std::string_view what;
  std::vector<std::pair<HelperId, VmFunction>> instead;
};
const std::vector<VmFault>& VmFaults();

// nullptr: there is no such fault.
const VmFault* FindVmFault(std::string_view name);

}  // namespace mapspec

#endif  // BACKENDS_VM_VM_FAULTS_H_
