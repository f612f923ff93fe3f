// SPDX-License-Identifier: MIT
#include "backends/embedded/userspace_backend.h"

#include <string>
#include <utility>

#include "backends/host_environment.h"
#include "backends/libbpf_api/api_backend.h"
#include "backends/userspace/usermaps.h"
#include "oracle/profile.h"

namespace mapspec {

std::shared_ptr<const ApiSetup> UserspaceSetup() {
  auto setup = std::make_shared<ApiSetup>();
  RaiseDescriptorLimit();
#define MAPSPEC_FILL(name, capability) setup->api.name = &::usermaps_##name;
  MAPSPEC_BPF_API(MAPSPEC_FILL)
#undef MAPSPEC_FILL
  setup->map_memory = &::usermaps_mmap;
  setup->capabilities = CapabilitiesOf(setup->api);
  Add(&setup->capabilities, Capability::kMmap);
  setup->possible_cpus = HostEnvironment("").possible_cpus;
  return setup;
}

std::unique_ptr<Backend> MakeUserspaceBackend() {
  Environment environment = HostEnvironment("userspace");
  environment.implementation = "usermaps";
  return std::make_unique<ApiBackend>(std::move(environment), NewestLinuxProfile().name,
                                      UserspaceSetup());
}

}  // namespace mapspec
