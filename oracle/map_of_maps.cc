// SPDX-License-Identifier: MIT
#include "oracle/map_of_maps.h"

#include "oracle/clauses.gen.h"

namespace mapspec {
namespace {

#define MAPSPEC_ENTRY(name)              \
  if constexpr (requires { C::name; }) { \
    clauses.name = C::name;              \
  }

template <typename C>
constexpr MapOfMapsClauses MakeMapOfMapsClauses() {
  MapOfMapsClauses clauses;
  MAPSPEC_MAP_OF_MAPS_CLAUSES(MAPSPEC_ENTRY)
  return clauses;
}

#undef MAPSPEC_ENTRY

// Types beside PROG_ARRAY that may not be inner ones.
bool NeverInner(MapType type) {
  return type == MapType::CGROUP_STORAGE || type == MapType::PERCPU_CGROUP_STORAGE ||
         type == MapType::STRUCT_OPS || type == MapType::INSN_ARRAY;
}

}  // namespace

const MapOfMapsClauses& MapOfMapsClausesOf(MapType type) {
  static constexpr MapOfMapsClauses kArray = MakeMapOfMapsClauses<clause::array_of_maps>();
  static constexpr MapOfMapsClauses kHash = MakeMapOfMapsClauses<clause::hash_of_maps>();
  return type == MapType::HASH_OF_MAPS ? kHash : kArray;
}

InnerMapShape ShapeOf(const MapState* map) {
  InnerMapShape shape;
  if (map == nullptr) return shape;
  const MapAttributes& attributes = map->attributes;
  // What BTF said of a map that nothing was promised of may be anything.
  if (map->unspecified && attributes.has_btf) return shape;
  shape.type = attributes.type;
  shape.key_size = attributes.key_size;
  shape.value_size = attributes.value_size;
  shape.max_entries = attributes.max_entries;
  shape.map_flags = attributes.map_flags;
  shape.struct_value = attributes.struct_value;
  shape.lock_offset = attributes.lock_offset;
  return shape;
}

Expectation ExpectTemplate(const MapCreate& create, const World& world, const Traits& traits) {
  const MapOfMapsClauses& c = MapOfMapsClausesOf(create.type);
  // Without inner_map_fd the attribute is 0: whatever the caller has open there.
  if (create.inner_map == kBadFd) {
    return Expectation::Fails(Errno::kEINVAL, c.create_inner_not_a_map)
        .OrFails(Errno::kEBADF, c.create_inner_not_a_map);
  }
  const HandleState& handle = world.At(create.inner_map);
  switch (handle.kind) {
    case HandleState::Kind::kClosed:
      return Expectation::Fails(Errno::kEBADF, c.create_inner_bad_descriptor);
    case HandleState::Kind::kOther:
      return Expectation::Fails(Errno::kEINVAL, c.create_inner_not_a_map);
    case HandleState::Kind::kMap:
      break;
  }
  const MapState& map = world.MapOf(handle);
  const InnerMapShape inner = ShapeOf(&map);
  if (!inner.known()) return Expectation::Anything();
  if (IsMapOfMaps(inner.type)) {
    return Expectation::Fails(Errno::kEINVAL, c.create_nested, c.create_nested_errno);
  }
  if (inner.type == MapType::PROG_ARRAY) {
    return Expectation::Fails(Errno::kENOTSUPP, c.create_inner_prog_array,
                              c.create_inner_prog_array_errno);
  }
  if (NeverInner(inner.type)) {
    return Expectation::Fails(Errno::kENOTSUPP, c.create_inner_storage);
  }
  if (inner.lock_offset >= 0 && !traits.inner_map_lock) {
    return Expectation::Fails(Errno::kENOTSUPP, c.create_inner_lock_refused);
  }
  return Expectation::Succeeds(c.create_inner_types)
      .Also(c.create_inner_lock, inner.lock_offset >= 0)
      .Also(c.create_inner_flag, (inner.map_flags & BPF_F_INNER_MAP) != 0)
      .Also(c.create_inner_any_state, map.frozen || !handle.can_read || !handle.can_write);
}

Expectation ExpectInnerMap(const MapState& outer, const HandleState& value,
                           const MapState* inner_map) {
  const MapOfMapsClauses& c = MapOfMapsClausesOf(outer.attributes.type);
  if (value.kind == HandleState::Kind::kClosed) {
    return Expectation::Fails(Errno::kEBADF, c.update_bad_descriptor);
  }
  if (inner_map == nullptr) return Expectation::Fails(Errno::kEINVAL, c.update_not_a_map);
  const InnerMapShape& wanted = outer.attributes.inner;
  const InnerMapShape inner = ShapeOf(inner_map);
  if (!wanted.known() || !inner.known()) return Expectation::Anything();
  const auto refuse = [](ClauseId clause) { return Expectation::Fails(Errno::kEINVAL, clause); };
  if (inner.type != wanted.type) {
    return Expectation::Fails(Errno::kEINVAL, c.update_other_type, c.update_other_type_errno);
  }
  if (inner.key_size != wanted.key_size || inner.value_size != wanted.value_size) {
    return refuse(c.update_other_sizes);
  }
  if (inner.flags() != wanted.flags()) return refuse(c.update_other_flags);
  const Traits& traits = outer.attributes.traits;
  if (traits.inner_struct_counts && inner.struct_value != wanted.struct_value) {
    return refuse(c.update_other_struct);
  }
  const bool other_lock = inner.lock_offset != wanted.lock_offset;
  if (other_lock && traits.inner_map_lock) return refuse(c.update_other_lock);
  const bool other_size = inner.max_entries != wanted.max_entries;
  if (other_size && wanted.type == MapType::XSKMAP)
    return refuse(clause::xskmap::inner_max_entries);
  if (other_size && wanted.fixed_size()) return refuse(c.update_other_max_entries);
  const bool by_flag = wanted.type == MapType::ARRAY;
  const bool per_cpu_array = wanted.type == MapType::PERCPU_ARRAY;
  if (other_size && per_cpu_array && !traits.inner_percpu_array_any_size) {
    return refuse(c.update_other_percpu_array_size);
  }
  return Expectation::Succeeds(c.update_any_creates)
      .Also(c.update_lock_ignored, other_lock)
      .Also(c.update_size_free, other_size && !by_flag && !per_cpu_array)
      .Also(c.update_percpu_array_any_size, other_size && per_cpu_array)
      .Also(c.update_inner_flag_size_free, other_size && by_flag)
      .Also(c.update_descriptor_access, !value.can_read || !value.can_write)
      .Also(c.update_frozen_inner, inner_map->frozen);
}

}  // namespace mapspec
