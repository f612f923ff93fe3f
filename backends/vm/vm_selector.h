// SPDX-License-Identifier: MIT
//
// Selectors of VMs:
//
//   vm[:ENGINE][:jit][:library:PATH]    ENGINE is one of VmEngines(), nothing for DPDK's
//   faulty-vm:FAULT[:library:PATH]      the plain interpreter with a fault, for tests of the suite
//
// Nothing here links with a VM. Thread-safety: any thread.
#ifndef BACKENDS_VM_VM_SELECTOR_H_
#define BACKENDS_VM_VM_SELECTOR_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mapspec {

// The VMs that there are.
struct VmEngineInfo {
  std::string_view word;  // Behind "vm:"; "" for the first.
  std::string_view name;
  bool has_jit = false;
  bool built = false;
  std::string_view to_get_it;  // What to do when it is not built.
};
const std::vector<VmEngineInfo>& VmEngines();

struct VmSelector {
  const VmEngineInfo* engine = nullptr;
  bool jit = false;
  std::string library;  // "": maps of usermaps.
  std::string fault;    // "": none.
};

bool IsVmSelector(std::string_view selector);

// nullopt after filling *error with what would have been right.
std::optional<VmSelector> ParseVmSelector(std::string_view selector, std::string* error);

}  // namespace mapspec

#endif  // BACKENDS_VM_VM_SELECTOR_H_
