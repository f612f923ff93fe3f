// SPDX-License-Identifier: MIT
//
// Profiles: what an implementation claims to be. `documented` holds it to what the kernel's
// documentation says; `linux-X.Y` to everything that kernel was seen to do. The differences between
// kernel versions are the fields of one record, Traits, set here and nowhere else. A trait is set
// because a kernel of that version was run (the evidence stands beside the field). Constant data:
// any thread may read it.
#ifndef ORACLE_PROFILE_H_
#define ORACLE_PROFILE_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "oracle/clause.h"

namespace mapspec {

// One field for each way in which kernel versions differ. The defaults are those of linux-6.18.
struct Traits {
  bool hash_lookup_and_delete = true;  // LOOKUP_AND_DELETE_ELEM works on hashes (5.14 on).
  bool hash_large_keys = true;         // key_size may exceed MAX_BPF_STACK, 512 (5.11 on).
  bool array_large_values = true;      // An ARRAY's value_size may exceed KMALLOC_MAX_SIZE.
  bool freeze_again_eperm = true;      // A second BPF_MAP_FREEZE: EPERM, before: EBUSY.
  bool freeze_needs_write = true;      // BPF_MAP_FREEZE through a BPF_F_RDONLY descriptor: EPERM.
  bool lock_refused_eopnotsupp =
      true;  // A bpf_spin_lock where none may be: EOPNOTSUPP, before: ENOTSUPP.
  bool unprivileged_after_attributes = true;  // A missing capability is told after bad attributes.
  // A queue of 4 GiB or more: by memory (ENOMEM); 5.10, 6.12.117, 7.3: E2BIG.
  bool queue_overflow_enomem = true;
  bool no_prealloc_enomem = true;  // An insert into a BPF_F_NO_PREALLOC hash may fail with ENOMEM.
  bool lookup_flags_first = true;  // LOOKUP: unknown flags (EINVAL) before permission; 6.19: after.
  bool freeze_without_capability =
      true;                         // BPF_MAP_FREEZE without CAP_BPF: allowed; 6.1 source: EPERM.
  bool freeze_refuses_lock = true;  // BPF_MAP_FREEZE of a map with a bpf_spin_lock: ENOTSUPP.
  bool lock_refuses_wronly_prog =
      true;  // A bpf_spin_lock with BPF_F_WRONLY_PROG: EACCES; 6.1: fine.
  // A caller without capabilities may use descriptors; 5.10: every bpf(2) is EPERM where the sysctl
  // is set.
  bool unprivileged_descriptors = true;
  // What a helper returns to a JITed program is a 64-bit number; before, of an error the low half.
  bool helper_results_64_bit = true;
  bool for_each_map_elem = true;        // bpf_for_each_map_elem() exists (5.13 on).
  bool lookup_percpu_helper = true;     // bpf_map_lookup_percpu_elem() exists (5.19 on).
  bool spin_lock_absent_einval = true;  // bpf_spin_lock() without a lock: EINVAL, before: EACCES.
  bool access_flags_first = true;       // BPF_F_RDONLY with BPF_F_WRONLY is told first; 7.2: last.
  // UPDATE: flags that no type knows (7.0 on: a CPU number without BPF_F_CPU, and BPF_F_CPU and
  // BPF_F_ALL_CPUS on types without them) are told before bad pointers.
  bool update_unknown_flags_first = false;
  bool percpu_cpu_flags = false;     // BPF_F_CPU and BPF_F_ALL_CPUS on per-CPU maps (7.0 on).
  bool percpu_padding_kept = true;   // Bytes between the values of two CPUs come back; 7.0: zeros.
  bool percpu_array_batches = true;  // PERCPU_ARRAY has the batch commands (5.13 on).
  bool inner_map_lock = true;  // A map with a bpf_spin_lock may be an inner one; 6.1: ENOTSUPP.
  // A PERCPU_ARRAY in a map of maps may have another max_entries than the template; 7.1 on: EINVAL.
  bool inner_percpu_array_any_size = true;
  bool map_in_map_batches = true;  // Maps of maps have them (after 5.10).
  // An LRU map's CPUs set aside what is in proportion to max_entries (6.12.y, 6.16 on), before:
  // 128.
  bool lru_scaled_free_lists = true;
  bool xskmap_bare_sockets = true;  // An XSKMAP takes sockets without an RX ring; 7.1: ENOBUFS.
  friend bool operator==(const Traits&, const Traits&) = default;
};

struct Profile {
  std::string name;  // "documented", "linux-6.18"
  // Observed clauses can be violated too.
  bool observed = true;
  Traits traits;

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

}  // namespace mapspec

#endif  // ORACLE_PROFILE_H_
