// SPDX-License-Identifier: MIT
#include "backends/vm/vm_in_process.h"

#include <utility>

#include "backends/embedded/userspace_backend.h"
#include "backends/vm/vm_maps.h"
#include "oracle/profile.h"

namespace mapspec {
namespace {

VmMaps MapsOfUserspace() {
  ProgApi api;
#define MAPSPEC_FILL(name) api.name = &::usermaps_prog_##name;
  MAPSPEC_PROG_API(MAPSPEC_FILL)
#undef MAPSPEC_FILL
  return {UserspaceSetup(), MakeHelperStore(api), "usermaps", NewestLinuxProfile().name, ""};
}

}  // namespace

std::unique_ptr<Backend> MakeInProcessVmBackend(std::string_view selector, std::string* error) {
  const auto parsed = ParseVmSelector(selector, error);
  if (!parsed) return nullptr;
  VmMaps maps;
  if (parsed->library.empty()) {
    maps = MapsOfUserspace();
  } else if (!MapsOfLibrary(parsed->library, &maps, error)) {
    return nullptr;
  }
  return MakeVmBackend(selector, *parsed, std::move(maps), error);
}

}  // namespace mapspec
