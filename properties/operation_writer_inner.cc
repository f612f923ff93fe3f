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

InnerFacts FactsOf(const MapFacts& map) {
  return {map.kind, map.key_size, map.value_size, map.max_entries, map.map_flags, map.cpus};
}

bool Alike(const InnerFacts& a, const InnerFacts& b) {
  constexpr uint32_t kAccess = BPF_F_RDONLY | BPF_F_WRONLY;
  return a.kind->kind == b.kind->kind && a.key_size == b.key_size && a.value_size == b.value_size &&
         (a.map_flags & ~kAccess) == (b.map_flags & ~kAccess);
}

// Linux before 7.1 takes a PERCPU_ARRAY of another size than the one that the outer map was created
// with, but lets programs look it up with the bounds of that one: beyond the end of a smaller map.
bool Harmless(MapType type) { return type != MapType::PERCPU_ARRAY; }

}  // namespace

void OperationWriter::PickTemplate(MapCreate* create, MapFacts* map) {
  const uint16_t slot = world_.live_count != 0 ? PickSlot() : GeneratorWorld::kHandles;
  if (slot != GeneratorWorld::kHandles && Harmless(world_.handles[slot].map.kind->kind->type) &&
      entropy_.OneIn(3)) {
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
                   IsPerCpu(kind.kind->type) ? options_.possible_cpus : 0};
  if (entropy_.OneIn(2)) inner.map_flags &= BPF_F_NO_PREALLOC | BPF_F_INNER_MAP;
  create->inner_map = Handle{AddInner(inner)};
  map->inner = inner;
}

uint16_t OperationWriter::AddInner(const InnerFacts& inner) {
  const uint16_t slot = FreeSlot();
  MapCreate& op = Add<MapCreate>();
  op.result = Handle{slot};
  op.type = inner.kind->kind->type;
  op.key_size = inner.key_size;
  op.value_size = inner.value_size;
  op.max_entries = inner.max_entries;
  op.map_flags = inner.map_flags;
  Check();
  MapFacts map;
  map.kind = inner.kind;
  map.key_size = inner.key_size;
  map.value_size = inner.value_size;
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
  if (entropy_.OneIn(6)) inner.max_entries = 1 + entropy_.Below32(8);
  if (entropy_.OneIn(16)) inner.value_size = EdgeSize(entropy_);
  return Handle{AddInner(inner)};
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
