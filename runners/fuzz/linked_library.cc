// SPDX-License-Identifier: MIT
#include <utility>

#include "backends/vm/vm_maps.h"
#include "runners/fuzz/fuzzed_library.h"

namespace mapspec {

std::unique_ptr<Backend> MakeFuzzedLibrary(std::string* error) {
  const auto plain = ParseVmSelector("vm:plain", error);
  VmMaps maps;
  if (!plain || !MapsOfLibrary("", &maps, error)) return nullptr;
  maps.name = "the linked library";
  return MakeVmBackend("linked", *plain, std::move(maps), error);
}

}  // namespace mapspec
