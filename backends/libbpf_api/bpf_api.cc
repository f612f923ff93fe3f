// SPDX-License-Identifier: MIT
#include "backends/libbpf_api/bpf_api.h"

namespace mapspec {

CapabilitySet CapabilitiesOf(const BpfApi& api) {
  CapabilitySet set;
#define MAPSPEC_ADD(name, capability) \
  if (api.name != nullptr) Add(&set, Capability::capability);
  MAPSPEC_BPF_API(MAPSPEC_ADD)
#undef MAPSPEC_ADD
  return set;
}

}  // namespace mapspec
