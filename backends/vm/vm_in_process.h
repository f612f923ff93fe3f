// SPDX-License-Identifier: MIT
//
// A VM in this process: for the agent, and for tests. Errors and thread-safety: those of Backend.
#ifndef BACKENDS_VM_VM_IN_PROCESS_H_
#define BACKENDS_VM_VM_IN_PROCESS_H_

#include <memory>
#include <string>
#include <string_view>

#include "backends/backend.h"

namespace mapspec {

// nullptr after filling *error: also when the VM fails its self-test. A library stays loaded.
std::unique_ptr<Backend> MakeInProcessVmBackend(std::string_view selector, std::string* error);

}  // namespace mapspec

#endif  // BACKENDS_VM_VM_IN_PROCESS_H_
