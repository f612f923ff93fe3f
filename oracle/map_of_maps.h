// SPDX-License-Identifier: MIT
//
// What ARRAY_OF_MAPS and HASH_OF_MAPS have in common: their clauses, which maps may be inner ones,
// and which of those an outer map takes. What an outer map answers about its elements stands in
// array_of_maps_model.h and hash_model.h, and how the checker brings ids, descriptors and
// references together in map_of_maps_rules.cc. Pure functions; constant data. Source:
// map_of_maps.rst; what it leaves open: observed.
#ifndef ORACLE_MAP_OF_MAPS_H_
#define ORACLE_MAP_OF_MAPS_H_

#include "oracle/clause.h"
#include "oracle/expectation.h"
#include "oracle/inner_map.h"
#include "oracle/operation.h"
#include "oracle/profile.h"
#include "oracle/world.h"

namespace mapspec {

// clang-format off
#define MAPSPEC_MAP_OF_MAPS_CLAUSES(X) \
  X(create_attributes_first) X(create_btf_refused) X(create_inner_any_state) \
  X(create_inner_bad_descriptor) X(create_inner_flag) X(create_inner_lock) \
  X(create_inner_lock_refused) X(create_inner_not_a_map) X(create_inner_prog_array) \
  X(create_inner_prog_array_errno) X(create_inner_storage) X(create_inner_types) \
  X(create_nested) X(create_nested_errno) X(create_template_may_go) X(create_value_size) \
  X(delete_batch_unsupported) X(freeze_inner_stays_writable) X(lifetime_outer_gone) \
  X(lifetime_outer_holds) X(lifetime_released) X(lookup_and_delete_unsupported) \
  X(lookup_present) X(program_change_refused) X(program_change_refused_errno) \
  X(program_for_each_refused) X(program_inner_absent) X(program_inner_access_flags) \
  X(program_inner_lookup) X(program_inner_of_queue) X(program_inner_store) \
  X(program_lookup_empty) X(program_no_percpu_lookup) X(program_other_helpers_refused) \
  X(program_outer_access_flags) X(program_outer_pointer) X(program_outer_store_refused) \
  X(update_any_creates) X(update_bad_descriptor) X(update_descriptor_access) \
  X(update_descriptor_first) X(update_frozen_inner) X(update_inner_flag_size_free) \
  X(update_lock_ignored) X(update_not_a_map) X(update_other_flags) X(update_other_lock) \
  X(update_other_max_entries) X(update_other_percpu_array_size) X(update_other_sizes) \
  X(update_other_struct) X(update_other_type) X(update_other_type_errno) X(update_percpu_array_any_size) \
  X(update_size_free)
// clang-format on

#define MAPSPEC_MEMBER(name) ClauseId name = kNoClause;
struct MapOfMapsClauses {
  MAPSPEC_MAP_OF_MAPS_CLAUSES(MAPSPEC_MEMBER)
};
#undef MAPSPEC_MEMBER

// Those of ARRAY_OF_MAPS for types that are no maps of maps.
const MapOfMapsClauses& MapOfMapsClausesOf(MapType type);

// What is remembered of the map behind a descriptor; unknown where it is none, or a map of which
// this script does not know enough.
InnerMapShape ShapeOf(const MapState* map);

// Whether a map of maps may be created with this inner map; Succeeds (or Anything) where nothing is
// to be objected. For maps of maps only.
Expectation ExpectTemplate(const MapCreate& create, const World& world, const Traits& traits);

// Whether `outer`, whose other conditions hold, takes the map of a descriptor as a value.
Expectation ExpectInnerMap(const MapState& outer, const HandleState& value, const MapState* inner);

}  // namespace mapspec

#endif  // ORACLE_MAP_OF_MAPS_H_
