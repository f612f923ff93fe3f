// SPDX-License-Identifier: MIT
#include "backends/embedded/userspace_backend.h"

#include <string>
#include <utility>

#include "backends/host_environment.h"
#include "backends/libbpf_api/api_backend.h"
#include "backends/userspace/usermaps.h"
#include "oracle/profile.h"

namespace mapspec {
namespace {

// `kFunction` under the signature that the installed libbpf gives its own function: libbpf 1.1 and
// later differ in where they say const.
template <auto kFunction, typename Result, typename... Args>
constexpr auto SignedAs(Result (*)(Args...)) -> Result (*)(Args...) {
  return [](Args... args) -> Result { return kFunction(args...); };
}

}  // namespace

std::shared_ptr<ApiSetup> UserspaceSetup() {
  auto setup = std::make_shared<ApiSetup>();
  RaiseDescriptorLimit();
#define MAPSPEC_FILL(name, capability) \
  setup->api.name = SignedAs<&::usermaps_##name>(setup->api.name);
  MAPSPEC_BPF_API(MAPSPEC_FILL)
#undef MAPSPEC_FILL
  setup->map_memory = &::usermaps_mmap;
  setup->opened = &::usermaps_keep_open;
  setup->close = &::usermaps_close;
  setup->capabilities = CapabilitiesOf(setup->api);
  Add(&setup->capabilities, Capability::kMmap);
  Add(&setup->capabilities, Capability::kPinnedThread);
  setup->possible_cpus = HostEnvironment("").possible_cpus;
  return setup;
}

std::unique_ptr<Backend> MakeUserspaceBackend() {
  Environment environment = HostEnvironment("userspace");
  environment.implementation = "usermaps";
  const std::shared_ptr<ApiSetup> setup = UserspaceSetup();
  setup->move = &::usermaps_set_own_cpu;
  return std::make_unique<ApiBackend>(std::move(environment), NewestLinuxProfile().name, setup);
}

}  // namespace mapspec
