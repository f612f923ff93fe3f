// SPDX-License-Identifier: MIT
#include "backends/vm/vm_maps.h"

#include <dlfcn.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "backends/host_environment.h"
#include "backends/libbpf_api/api_backend.h"
#include "backends/library/library_backend.h"
#include "backends/vm/self_test.h"
#include "backends/vm/vm_faults.h"
#include "oracle/uapi.h"

namespace mapspec {
namespace {

// Whether the library has all of them.
bool FindHelpers(void* library, ProgApi* api) {
  bool all = true;
#define MAPSPEC_FIND(name)                                                                   \
  api->name = reinterpret_cast<decltype(api->name)>(dlsym(library, "usermaps_prog_" #name)); \
  all &= api->name != nullptr;
  MAPSPEC_PROG_API(MAPSPEC_FIND)
#undef MAPSPEC_FIND
  return all;
}

// What the implementation tells of a map.
VmMapFacts FactsOf(const BpfApi& api, uint32_t possible_cpus, int map_fd) {
  VmMapFacts facts;
  ::bpf_map_info info{};
  uint32_t length = sizeof(info);
  if (api.obj_get_info_by_fd == nullptr) return facts;
  if (api.obj_get_info_by_fd(map_fd, &info, &length) != 0) return facts;
  facts.flags = info.map_flags;
  facts.max_entries = info.max_entries;
  if ((facts.flags & BPF_F_RDONLY_PROG) == 0 || api.map_update_elem == nullptr) return facts;
  // Nobody tells whether a map is frozen; an update with flags that do not exist changes nothing
  // and is EPERM then, as it is through a read-only descriptor.
  const uint64_t value_size = PerCpuStride(info.value_size) * possible_cpus;
  const std::vector<uint8_t> zeros(info.key_size + value_size);
  errno = 0;
  const int result =
      api.map_update_elem(map_fd, zeros.data(), zeros.data() + info.key_size, UINT64_MAX);
  facts.may_be_frozen = result == -EPERM || errno == EPERM;
  return facts;
}

}  // namespace

bool MapsOfLibrary(const std::string& path, VmMaps* maps, std::string* error) {
  void* library = nullptr;
  maps->setup = LoadLibrarySetup(path, &library, error);
  if (maps->setup == nullptr) return false;
  maps->name = path.substr(path.rfind('/') + 1);
  maps->profile = "documented";
  ProgApi api;
  if (FindHelpers(library, &api)) {
    maps->store = MakeHelperStore(api);
  } else {
    maps->store = MakeLibbpfStore(maps->setup->api);
    maps->no_lookups = "the library has no helpers for programs (usermaps_prog.h)";
  }
  return true;
}

std::unique_ptr<Backend> MakeVmBackend(std::string_view selector, const VmSelector& parsed,
                                       VmMaps maps, std::string* error) {
  auto vm = std::make_shared<VmSetup>();
  vm->engine = MakeVmEngine(parsed.engine->word, parsed.jit, error);
  if (vm->engine == nullptr) return nullptr;
  if (*error = TestVm(*vm->engine); !error->empty()) return nullptr;
  if (!parsed.fault.empty()) {
    const VmFault* const fault = FindVmFault(parsed.fault);
    if (fault == nullptr) {
      *error = "there is no fault \"" + parsed.fault + "\"";
      return nullptr;
    }
    vm->instead = fault->instead;
  }

  vm->store = maps.store;
  vm->facts_of = [api = maps.setup->api, cpus = maps.setup->possible_cpus](int map_fd) {
    return FactsOf(api, cpus, map_fd);
  };
  ApiSetup& setup = *maps.setup;
  setup.capabilities |= HelpersOf(*vm);
  setup.make_program_engine = [vm] { return MakeVmProgramEngine(vm); };
  setup.no_programs = maps.no_lookups;
  if (setup.no_programs.empty() && !vm->engine->has_callbacks()) {
    setup.no_programs = "the VM has no callbacks";
  }

  Environment environment = HostEnvironment(selector);
  environment.implementation = vm->engine->description() + ", maps of " + maps.name;
  environment.possible_cpus = setup.possible_cpus;
  return std::make_unique<ApiBackend>(std::move(environment), maps.profile, maps.setup);
}

}  // namespace mapspec
