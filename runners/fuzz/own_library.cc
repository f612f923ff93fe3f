// SPDX-License-Identifier: MIT
#include "backends/vm/vm_in_process.h"
#include "runners/fuzz/fuzzed_library.h"

namespace mapspec {

std::unique_ptr<Backend> MakeFuzzedLibrary(std::string* error) {
  return MakeInProcessVmBackend("vm:plain", error);
}

}  // namespace mapspec
