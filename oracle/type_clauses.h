// SPDX-License-Identifier: MIT
//
// The clauses of a map type for the models that serve several types: HashModel all of the hash
// family, ArrayModel ARRAY and PERCPU_ARRAY. A clause that a type does not have (its file in specs/
// leaves it out) is kNoClause there: it is then neither cited nor blamed, so a model must not rest
// a promise on it. Constant data: any thread may read it.
#ifndef ORACLE_TYPE_CLAUSES_H_
#define ORACLE_TYPE_CLAUSES_H_

#include "oracle/clause.h"
#include "oracle/profile.h"
#include "oracle/uapi.h"

namespace mapspec {

// clang-format off
#define MAPSPEC_HASH_CLAUSES(X) \
  X(create_any_sizes) X(create_creates) X(create_element_too_large) X(create_flags) \
  X(create_invalid_before_too_large) X(create_large_key) X(create_large_key_refused) \
  X(create_no_prealloc) X(create_numa_node) X(create_spin_lock) X(create_too_many_entries) \
  X(create_value_too_large) X(create_zero_seed) X(create_zero_seed_unprivileged) \
  X(create_zero_sizes) X(delete_absent) X(delete_batch_absent_errno) X(delete_batch_deletes) \
  X(delete_batch_stops) X(delete_present) X(for_each_flags) X(for_each_own_slot) \
  X(for_each_stops) X(for_each_visits) X(get_next_key_absent_key) X(get_next_key_deleted_key) \
  X(get_next_key_empty) X(get_next_key_last_key) X(get_next_key_live_key) \
  X(get_next_key_null_key) X(get_next_key_stable_order) X(get_next_key_walk) X(lookup_absent) \
  X(lookup_all_cpus_refused) X(lookup_and_delete_absent) X(lookup_and_delete_absent_errno) \
  X(lookup_and_delete_bad_value_pointer) X(lookup_and_delete_batch_bad_pointer_loses) \
  X(lookup_and_delete_batch_bucket_too_large) X(lookup_and_delete_batch_takes) \
  X(lookup_and_delete_lock) X(lookup_and_delete_takes) X(lookup_and_delete_unsupported) \
  X(lookup_batch_bad_pointer) X(lookup_batch_bucket_too_large) X(lookup_batch_count_zero) \
  X(lookup_batch_elem_flags) X(lookup_batch_end) X(lookup_batch_end_count) \
  X(lookup_batch_flags) X(lookup_batch_keeps_elements) X(lookup_batch_lock) \
  X(lookup_batch_one_cpu) X(lookup_batch_rest_untouched) X(lookup_batch_success_means_more) \
  X(lookup_batch_token) X(lookup_batch_token_outside) X(lookup_batch_walk) X(lookup_every_cpu) \
  X(lookup_lock) X(lookup_one_cpu) X(lookup_padding) X(lookup_padding_zero) \
  X(lookup_percpu_absent) X(lookup_percpu_invalid_cpu) X(lookup_percpu_slot) X(lookup_present) \
  X(program_delete_keeps_memory) X(program_lock_in_place) X(program_new_element) \
  X(program_no_percpu_lookup) X(program_no_queue_helpers) X(program_no_queue_helpers_errno) \
  X(program_own_slot) X(program_replace_swaps) X(program_store) X(program_update_in_place) \
  X(update_all_cpus) X(update_all_cpus_alone) X(update_any_creates) X(update_any_replaces) \
  X(update_batch_applies) X(update_batch_bad_pointer) X(update_batch_cpu_flags) \
  X(update_batch_elem_flags) X(update_batch_flags_ignored) X(update_batch_stops) \
  X(update_both_flags) X(update_capacity) X(update_cpu_flags_by_program) \
  X(update_cpu_flags_exclude) X(update_cpu_flags_unsupported) X(update_cpu_out_of_range) \
  X(update_exist_absent_key) X(update_exist_replaces) X(update_existence_forgotten) \
  X(update_failure_changes_nothing) X(update_flags) X(update_flags_first) X(update_full) \
  X(update_full_after_exist) X(update_full_existing_key) X(update_lock) \
  X(update_lock_exist_flags) X(update_no_prealloc_no_memory) X(update_noexist_creates) \
  X(update_noexist_existing_key) X(update_one_cpu) X(update_one_cpu_new)

#define MAPSPEC_ARRAY_CLAUSES(X) \
  X(create_any_value_size) X(create_btf_key) X(create_flags) X(create_inner_map_flag) \
  X(create_key_size) X(create_large_values) X(create_large_values_refused) X(create_mmapable) \
  X(create_numa_node) X(create_value_too_large) X(create_zero_initialised) X(create_zero_sizes) \
  X(delete_refused) X(for_each_ascending) X(for_each_flags) X(for_each_own_slot) \
  X(for_each_stops) X(for_each_visits) X(get_next_key_last_key) X(get_next_key_null_key) \
  X(get_next_key_out_of_range) X(get_next_key_successor) X(lookup_all_cpus_refused) \
  X(lookup_and_delete_unsupported) X(lookup_and_delete_unsupported_errno) \
  X(lookup_batch_ascending) X(lookup_batch_bad_out_batch) X(lookup_batch_bad_pointer) \
  X(lookup_batch_count_zero) X(lookup_batch_elem_flags) X(lookup_batch_end) \
  X(lookup_batch_end_not_foreseen) X(lookup_batch_flags_ignored) X(lookup_batch_lock) \
  X(lookup_batch_one_cpu) X(lookup_batch_rest_untouched) X(lookup_batch_token) \
  X(lookup_batch_unsupported) X(lookup_batch_walk) X(lookup_every_cpu) X(lookup_lock) \
  X(lookup_one_cpu) X(lookup_out_of_range) X(lookup_padding) X(lookup_padding_zero) \
  X(lookup_percpu_invalid_cpu) X(lookup_percpu_out_of_range) X(lookup_percpu_slot) \
  X(lookup_present) X(program_frozen_rdonly_prog) X(program_lock_flag_last) \
  X(program_no_percpu_lookup) X(program_no_queue_helpers) X(program_no_queue_helpers_errno) \
  X(program_own_slot) X(program_store) X(program_update_in_place) X(update_all_cpus) \
  X(update_all_cpus_alone) X(update_batch_applies) X(update_batch_bad_pointer) \
  X(update_batch_cpu_flags) X(update_batch_out_of_range) X(update_batch_stops) \
  X(update_both_flags) X(update_cpu_flags_by_program) X(update_cpu_flags_exclude) \
  X(update_cpu_flags_unsupported) X(update_cpu_out_of_range) X(update_existence_forgotten) \
  X(update_flags) X(update_flags_first) X(update_lock) X(update_lock_noexist) X(update_noexist) \
  X(update_one_cpu) X(update_one_cpu_new) X(update_out_of_range) X(update_replaces)
// clang-format on

// Of LRU_HASH and LRU_PERCPU_HASH alone.
#define MAPSPEC_LRU_CLAUSES(X)                                                        \
  X(create_no_prealloc_refused)                                                       \
  X(create_own_lists)                                                                 \
  X(create_own_lists_numa)                                                            \
  X(create_own_lists_rounded)                                                         \
  X(evict_approximate)                                                                \
  X(evict_at_capacity) X(evict_exist_in_place) X(evict_failing_update) X(evict_few)   \
      X(evict_half_full) X(evict_makes_room) X(evict_never_more) X(evict_not_the_new) \
          X(evict_only_updates) X(evict_own_key) X(evict_own_share) X(evict_wholly)

#define MAPSPEC_MEMBER(name) ClauseId name = kNoClause;
struct HashClauses {
  MAPSPEC_HASH_CLAUSES(MAPSPEC_MEMBER)
  MAPSPEC_LRU_CLAUSES(MAPSPEC_MEMBER)
};
struct ArrayClauses {
  MAPSPEC_ARRAY_CLAUSES(MAPSPEC_MEMBER)
};
#undef MAPSPEC_MEMBER

// What holds of the padding between the slots of a per-CPU value.
template <typename Clauses>
ClauseId PaddingClause(const Clauses& c, const Traits& traits) {
  return traits.percpu_padding_kept ? c.lookup_padding : c.lookup_padding_zero;
}

// Those of HASH and of ARRAY for types that are of neither kind.
const HashClauses& HashClausesOf(MapType type);
const ArrayClauses& ArrayClausesOf(MapType type);

}  // namespace mapspec

#endif  // ORACLE_TYPE_CLAUSES_H_
