// SPDX-License-Identifier: MIT
//
// Profiles: what an implementation claims to be. `documented` holds it to what the kernel's
// documentation says; `linux-X.Y` to everything that kernel was seen to do. The differences between
// kernel versions are the fields of one record, Traits, set here and nowhere else. A trait is set
// because a kernel of that version was run (Profile::kernels). Constant data: any thread may read
// it.
#ifndef ORACLE_PROFILE_H_
#define ORACLE_PROFILE_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "oracle/clause.h"

namespace mapspec {

// The ways in which kernel versions differ: X(name, value on linux-6.18, what holds where it is
// true). Each is a field of Traits, is named by the clauses that show it (`trait:` in
// specs/*.yaml), and is told by `mapspec list traits`.
// clang-format off
#define MAPSPEC_TRAITS(X) \
  X(hash_lookup_and_delete, true, "LOOKUP_AND_DELETE_ELEM works on hashes") \
  X(hash_large_keys, true, "the key_size of a hash may exceed MAX_BPF_STACK, 512") \
  X(array_large_values, true, "an ARRAY's value_size may exceed KMALLOC_MAX_SIZE") \
  X(freeze_again_eperm, true, "a second BPF_MAP_FREEZE is EPERM, else EBUSY") \
  X(freeze_needs_write, true, "BPF_MAP_FREEZE through a BPF_F_RDONLY descriptor is EPERM") \
  X(lock_refused_eopnotsupp, true, \
    "a bpf_spin_lock where none may be is EOPNOTSUPP, else ENOTSUPP") \
  X(unprivileged_after_attributes, true, "a missing capability is told after bad attributes") \
  X(queue_overflow_enomem, true, \
    "a queue of 4 GiB or more is a matter of memory (ENOMEM), else E2BIG") \
  X(no_prealloc_enomem, true, \
    "an insert into a BPF_F_NO_PREALLOC hash may fail with ENOMEM, else into a per-CPU one only") \
  X(lookup_flags_first, true, \
    "LOOKUP_ELEM tells unknown flags (EINVAL) before a missing permission") \
  X(freeze_without_capability, true, "BPF_MAP_FREEZE needs no CAP_BPF, else EPERM") \
  X(freeze_refuses_lock, true, "BPF_MAP_FREEZE of a map with a bpf_spin_lock is ENOTSUPP") \
  X(lock_refuses_wronly_prog, true, "a bpf_spin_lock with BPF_F_WRONLY_PROG is EACCES") \
  X(unprivileged_descriptors, true, \
    "a caller without capabilities may use descriptors; else every bpf(2) is EPERM where the " \
    "sysctl is set") \
  X(helper_results_64_bit, true, \
    "what a helper returns to a JITed program is a 64-bit number, else the low half of an " \
    "error") \
  X(for_each_map_elem, true, "bpf_for_each_map_elem() exists") \
  X(lookup_percpu_helper, true, "bpf_map_lookup_percpu_elem() exists") \
  X(spin_lock_absent_einval, true, "bpf_spin_lock() without a lock is EINVAL, else EACCES") \
  X(access_flags_first, true, "BPF_F_RDONLY with BPF_F_WRONLY is told first, else last") \
  X(update_unknown_flags_first, false, \
    "UPDATE_ELEM tells flags that no type knows (a CPU number without BPF_F_CPU, and " \
    "BPF_F_CPU and BPF_F_ALL_CPUS on types without them) before bad pointers") \
  X(percpu_cpu_flags, false, "BPF_F_CPU and BPF_F_ALL_CPUS work on per-CPU maps") \
  X(percpu_padding_kept, true, "bytes between the values of two CPUs come back, else zeros") \
  X(percpu_array_batches, true, "PERCPU_ARRAY has the batch commands") \
  X(inner_map_lock, true, "a map with a bpf_spin_lock may be an inner one, else ENOTSUPP") \
  X(inner_struct_counts, false, \
    "an inner map whose values BTF calls a struct stands for no other, nor another for it (EINVAL)") \
  X(inner_percpu_array_any_size, true, \
    "a PERCPU_ARRAY in a map of maps may have another max_entries than the template, else " \
    "EINVAL") \
  X(map_in_map_batches, true, "maps of maps have the batch commands") \
  X(lru_scaled_free_lists, true, \
    "an LRU map's CPUs set aside what is in proportion to max_entries, else 128") \
  X(hash_btf_needs_key, true, "a hash with a BTF value type needs a key type (EINVAL)") \
  X(xskmap_bare_sockets, true, "an XSKMAP takes sockets without an RX ring, else ENOBUFS")
// clang-format on

struct Traits {
#define MAPSPEC_TRAIT_FIELD(name, value, meaning) bool name = value;
  MAPSPEC_TRAITS(MAPSPEC_TRAIT_FIELD)
#undef MAPSPEC_TRAIT_FIELD
  friend bool operator==(const Traits&, const Traits&) = default;
};

struct Profile {
  std::string name;  // "documented", "linux-6.18"
  // Observed clauses can be violated too.
  bool observed = true;
  Traits traits;
  // The evidence: the kernels of that version that ran the suite, with all the clauses that hold in
  // this profile. Releases, joined by ", ".
  std::string_view kernels = {};

  // Whether breaking the clause is a violation under this profile.
  bool Enforces(ClauseId id) const { return observed || GetClause(id).level == Level::kDocumented; }
  // Whether the clause's trait, if it names one, has the value it asks for.
  bool InForce(const Clause& clause) const;
};

// Every profile, `documented` first, then kernels from old to new.
std::span<const Profile> AllProfiles();
const Profile* FindProfile(std::string_view name);
const Profile& NewestLinuxProfile();  // That the userspace library follows; kernels go on.
// The profile for a `uname -r`: of the newest known version that is not newer; the oldest for older
// ones. A profile with a point release ("linux-6.12.117": backports) is for its series only.
const Profile& ProfileForRelease(std::string_view release);
// The value of a trait by its name in Traits, nullopt for an unknown name.
std::optional<bool> TraitValue(const Traits& traits, std::string_view name);
std::vector<std::string> TraitNames();
// `traits` but for one of them, by its name; an unknown name changes nothing.
Traits WithTrait(Traits traits, std::string_view name, bool value);
std::string_view TraitMeaning(std::string_view name);  // "" for an unknown name.

}  // namespace mapspec

#endif  // ORACLE_PROFILE_H_
