// SPDX-License-Identifier: MIT
//
// The backends of vm_selector.h. Maps are made and filled through libbpf's API as `userspace` or
// `library:PATH` would; helpers are called by programs on the VM. The work is done in a child
// process (mapspec-vm-agent, which speaks the agent protocol), so that a VM that crashes or hangs
// is an outcome; what that child does is MakeInProcessVmBackend (vm_in_process.h).
#ifndef BACKENDS_VM_VM_BACKEND_H_
#define BACKENDS_VM_VM_BACKEND_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backends/backend.h"

namespace mapspec {

// nullptr after filling *error. *usage: it is no selector, or names a file that does not exist.
std::unique_ptr<Backend> MakeVmBackend(std::string_view selector, std::string* error, bool* usage);

std::vector<BackendInfo> ListVmBackends();

}  // namespace mapspec

#endif  // BACKENDS_VM_VM_BACKEND_H_
