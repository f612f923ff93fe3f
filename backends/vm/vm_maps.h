// SPDX-License-Identifier: MIT
//
// Backends whose programs run on a VM in this process and whose maps are somebody's: the common
// part, which refers to no library of maps. Errors and thread-safety: those of Backend.
#ifndef BACKENDS_VM_VM_MAPS_H_
#define BACKENDS_VM_VM_MAPS_H_

#include <memory>
#include <string>
#include <string_view>

#include "backends/backend.h"
#include "backends/libbpf_api/api_session.h"
#include "backends/vm/vm_selector.h"
#include "backends/vm/vm_store.h"

namespace mapspec {

// What sessions share, and what their programs' maps come from.
struct VmMaps {
  std::shared_ptr<ApiSetup> setup;
  std::shared_ptr<VmStore> store;
  std::string name;  // Whose they are.
  std::string profile;
  std::string no_lookups;  // Why programs cannot look elements up, where they cannot.
};

// Those of a shared object, or, where the path is "", of a library that is linked into this program
// (backends/library/library_backend.h). False after filling *error.
bool MapsOfLibrary(const std::string& path, VmMaps* maps, std::string* error);

// The VM of a selector on these maps. nullptr after filling *error: also when the VM fails its
// self-test.
std::unique_ptr<Backend> MakeVmBackend(std::string_view selector, const VmSelector& parsed,
                                       VmMaps maps, std::string* error);

}  // namespace mapspec

#endif  // BACKENDS_VM_VM_MAPS_H_
