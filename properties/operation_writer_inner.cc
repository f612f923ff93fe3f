// SPDX-License-Identifier: MIT
//
// The maps that maps of maps hold: which one an outer map is created with, and which are put into
// it. Most of these are like that one; some are not, and some are no maps at all.
#include <algorithm>

#include "properties/edge_values.h"
#include "properties/map_creation.h"
#include "properties/operation_writer.h"

namespace mapspec {
namespace {

constexpr uint32_t kLockSize = 4;  // sizeof(struct bpf_spin_lock).

InnerFacts FactsOf(const MapFacts& map) {
  return {map.kind,      map.key_size, map.value_size, map.max_entries,
          map.map_flags, map.cpus,     map.has_lock};
}

bool Alike(const InnerFacts& a, const InnerFacts& b) {
  constexpr uint32_t kAccess = BPF_F_RDONLY | BPF_F_WRONLY;
  return a.kind->kind == b.kind->kind && a.key_size == b.key_size && a.value_size == b.value_size &&
         (a.map_flags & ~kAccess) == (b.map_flags & ~kAccess) && a.has_lock == b.has_lock;
}

// Linux before 7.1 takes a PERCPU_ARRAY of another size than the one that the outer map was created
// with, but lets programs look it up with the bounds of that one: beyond the end of a smaller map.
bool Harmless(MapType type) { return type != MapType::PERCPU_ARRAY; }

}  // namespace

void OperationWriter::PickTemplate(MapCreate* create, MapFacts* map) {
  const uint16_t slot = world_.live_count != 0 ? PickSlot() : GeneratorWorld::kHandles;
  const bool harmless =
      slot != GeneratorWorld::kHandles &&
      (options_.any_inner_percpu_array || Harmless(world_.handles[slot].map.kind->kind->type));
  if (harmless && entropy_.OneIn(3)) {
    const MapFacts& live = world_.handles[slot].map;
    create->inner_map = Handle{slot};
    if (!live.kind->kind->of_maps) map->inner = FactsOf(live);
    return;
  }
  const ScriptGenerator::Kind& kind = inner_kinds_[entropy_.Below(inner_kinds_.size())];
  MapCreate drawn;
  DrawCreate(entropy_, options_, *kind.kind, &drawn);
  // Small: there will be several.
  InnerFacts inner{&kind,
                   drawn.key_size,
                   std::min<uint32_t>(drawn.value_size, 64),
                   std::min<uint32_t>(drawn.max_entries, 8),
                   drawn.map_flags,
                   IsPerCpu(kind.kind->type) ? options_.possible_cpus : 0,
                   kind.kind->locks && entropy_.OneIn(8)};
  if (entropy_.OneIn(2)) inner.map_flags &= BPF_F_NO_PREALLOC | BPF_F_INNER_MAP;
  if (kind.kind->type == MapType::ARRAY && entropy_.OneIn(3)) inner.map_flags |= BPF_F_INNER_MAP;
  if (inner.has_lock) inner.value_size = std::max<uint32_t>(inner.value_size, kLockSize);
  create->inner_map = Handle{AddInner(inner)};
  map->inner = inner;
}

uint16_t OperationWriter::AddInner(const InnerFacts& inner) {
  const uint16_t slot = FreeSlot();
  const bool lock = inner.has_lock && Has(options_.capabilities, Capability::kBtfLoad);
  const uint32_t value_size = std::max<uint32_t>(inner.value_size, lock ? kLockSize : 0);
  const auto btf = static_cast<uint16_t>(lock ? entropy_.Below(GeneratorWorld::kBtfs) : kNoBtf);
  if (lock) LoadBtf(btf, inner.key_size, value_size, 0);
  MapCreate& op = Add<MapCreate>();
  op.btf = btf;
  if (lock) {
    op.btf_key_type_id = kBtfKeyTypeId;
    op.btf_value_type_id = kBtfValueTypeId;
  }
  op.result = Handle{slot};
  op.type = inner.kind->kind->type;
  op.key_size = inner.key_size;
  op.value_size = value_size;
  op.max_entries = inner.max_entries;
  op.map_flags = inner.map_flags;
  Check();
  MapFacts map;
  map.kind = inner.kind;
  map.key_size = inner.key_size;
  map.value_size = value_size;
  map.has_lock = lock;
  map.cpus = inner.cpus;
  map.max_entries = inner.max_entries;
  map.map_flags = inner.map_flags;
  world_.Fill(slot, map, static_cast<uint16_t>(entropy_.Between(20, 120)));
  return slot;
}

Handle OperationWriter::PickInner(const MapFacts& outer, bool may_create) {
  if (world_.live_count == 0) return kBadFd;
  const uint32_t draw = entropy_.Below32(32);
  if (draw == 0) return entropy_.OneIn(2) ? kBadFd : kNotAMap;
  if (draw == 1) return Handle{static_cast<uint16_t>(entropy_.Below(GeneratorWorld::kHandles))};
  if (outer.inner.kind == nullptr) return Handle{PickSlot()};
  // One that is like the others, if there is one.
  const auto first = static_cast<uint16_t>(entropy_.Below(world_.live_count));
  uint16_t alike = GeneratorWorld::kHandles;
  for (uint16_t i = 0; i < world_.live_count; ++i) {
    const uint16_t slot = world_.live[(first + i) % world_.live_count];
    const MapFacts& map = world_.handles[slot].map;
    if (map.kind->kind->of_maps || !Alike(FactsOf(map), outer.inner)) continue;
    alike = slot;
    break;
  }
  const bool found = alike != GeneratorWorld::kHandles;
  if (!may_create || (found && !entropy_.OneIn(12))) return Handle{found ? alike : PickSlot()};
  InnerFacts inner = outer.inner;
  const bool any_size = (inner.map_flags & BPF_F_INNER_MAP) != 0;
  if (entropy_.OneIn(any_size ? 2 : 6)) inner.max_entries = 1 + entropy_.Below32(8);
  // One thing that the kernel compares.
  switch (entropy_.Below(32)) {
    case 27:
      inner.has_lock = !inner.has_lock && inner.kind->kind->locks;
      break;
    case 28:
    case 29:
      inner.value_size = EdgeSize(entropy_);
      break;
    case 30: {
      const auto& flags = inner.kind->kind->create_flags;
      inner.map_flags ^= flags[entropy_.Below(flags.size())];
      break;
    }
    case 31: {
      inner.kind = &inner_kinds_[entropy_.Below(inner_kinds_.size())];
      const KeyKind keys = inner.kind->kind->key_kind;
      if (keys == KeyKind::kNone) inner.key_size = 0;
      if (keys == KeyKind::kIndex || (keys == KeyKind::kBytes && inner.key_size == 0)) {
        inner.key_size = 4;
      }
      inner.has_lock = false;
      inner.cpus = IsPerCpu(inner.kind->kind->type) ? options_.possible_cpus : 0;
      break;
    }
    default:
      break;
  }
  return Handle{AddInner(inner)};
}

void OperationWriter::LetGoOfTemplate(Handle inner) {
  Add<GetInfo>().map = inner;
  Check();
  Add<Close>().map = inner;
  Check();
  if (inner.slot < GeneratorWorld::kHandles) world_.Empty(inner.slot);
  GetFdById& back = Add<GetFdById>();
  back.of = inner;
  back.result = inner;
  Check();
}

void OperationWriter::LetGo(uint16_t slot) {
  const MapFacts map = world_.handles[slot].map;
  if (map.inner.kind == nullptr) return Element(Action::kLookup, slot);
  const uint16_t inner = AddInner(map.inner);
  Add<GetInfo>().map = Handle{inner};
  Check();
  InBuffer key;
  MakeKey(map, DrawKeyIndex(entropy_, map), &key.bytes);
  Update& put = Add<Update>();
  put.map = Handle{slot};
  put.key = key;
  put.value_fd = Handle{inner};
  Check();
  Add<Close>().map = Handle{inner};
  Check();
  world_.Empty(inner);
  switch (entropy_.Below(4)) {
    case 0: {  // The last that held it.
      Delete& op = Add<Delete>();
      op.map = Handle{slot};
      op.key = key;
      break;
    }
    case 1: {
      const Handle other = PickInner(map, false);
      Update& op = Add<Update>();
      op.map = Handle{slot};
      op.key = key;
      op.value_fd = other;
      break;
    }
    case 2:
      Add<Close>().map = Handle{slot};
      world_.Empty(slot);
      break;
    default: {
      Lookup& op = Add<Lookup>();
      op.map = Handle{slot};
      op.key = key;
      break;
    }
  }
  Check();
  GetFdById& back = Add<GetFdById>();
  back.of = Handle{inner};
  back.result = Handle{inner};
  Check();
}

}  // namespace mapspec
