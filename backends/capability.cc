// SPDX-License-Identifier: MIT
#include "backends/capability.h"

#include <array>
#include <bit>
#include <type_traits>

#include "backends/call_needs.h"

namespace mapspec {
namespace {

constexpr std::array<std::string_view, static_cast<size_t>(Capability::kCount)> kNames = {
    "bpf_map_create",
    "bpf_map_lookup_elem",
    "bpf_map_lookup_elem_flags",
    "bpf_map_lookup_and_delete_elem",
    "bpf_map_lookup_and_delete_elem_flags",
    "bpf_map_update_elem",
    "bpf_map_delete_elem",
    "bpf_map_get_next_key",
    "bpf_map_lookup_batch",
    "bpf_map_lookup_and_delete_batch",
    "bpf_map_update_batch",
    "bpf_map_delete_batch",
    "bpf_map_freeze",
    "bpf_obj_get_info_by_fd",
    "bpf_map_get_fd_by_id",
    "bpf_map_get_fd_by_id_opts",
    "bpf_map_get_next_id",
    "bpf_obj_pin",
    "bpf_obj_get",
    "bpf_obj_get_opts",
    "bpf_btf_load",
    "mmap",
    "bad-pointers",
    "unprivileged",
    "raw-attr",
    "bpffs",
    "fd-ops",
    "af-xdp",
    "bpf_redirect_map()",
    "cpu-pinning",
    "bpf_map_lookup_elem()",
    "bpf_map_update_elem()",
    "bpf_map_delete_elem()",
    "bpf_map_push_elem()",
    "bpf_map_pop_elem()",
    "bpf_map_peek_elem()",
    "bpf_map_lookup_percpu_elem()",
    "bpf_for_each_map_elem()",
    "bpf_map_lookup_elem() of an inner map",
    "bpf_spin_lock()",
    "verifier",
};
static_assert(!kNames.back().empty(), "every capability has a name");

}  // namespace

std::string_view CapabilityName(Capability capability) {
  return kNames[static_cast<size_t>(capability)];
}

CapabilitySet Required(const Operation& operation) {
  return std::visit([&](const auto& call) { return CapabilitySet(NeedsOf(operation, call)); },
                    operation.call);
}

Capability FirstMissing(const CapabilitySet& needed, const CapabilitySet& present) {
  // Asked before every operation: no loop.
  const uint64_t missing = (needed & ~present).to_ullong();
  return missing == 0 ? Capability::kCount : static_cast<Capability>(std::countr_zero(missing));
}

CapabilitySet PromisedBy(std::string_view profile) {
  CapabilitySet promised;
  if (!profile.starts_with("linux-")) return promised;
  for (auto i = static_cast<size_t>(Capability::kMapCreate);
       i <= static_cast<size_t>(Capability::kMmap); ++i) {
    promised.set(i);
  }
  return promised;
}

}  // namespace mapspec
