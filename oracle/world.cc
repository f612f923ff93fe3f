// SPDX-License-Identifier: MIT
#include "oracle/world.h"

#include "oracle/inner_map.h"

namespace mapspec {

MapModel MakeModel(const MapAttributes& attributes) {
  switch (attributes.type) {
    case MapType::HASH:
    case MapType::HASH_OF_MAPS:
    case MapType::LRU_HASH:
    case MapType::LRU_PERCPU_HASH:
    case MapType::PERCPU_HASH:
      return HashModel(attributes);
    case MapType::ARRAY:
    case MapType::PERCPU_ARRAY:
      return ArrayModel(attributes);
    case MapType::QUEUE:
      return QueueModel(attributes);
    case MapType::STACK:
      return StackModel(attributes);
    case MapType::ARRAY_OF_MAPS:
      return ArrayOfMapsModel(attributes);
    case MapType::XSKMAP:
      return XskMapModel(attributes);
    default:
      return std::monostate{};
  }
}

const HandleState& World::NotInASlot(Handle handle) {
  static const HandleState kClosed;
  static const HandleState kOther{.kind = HandleState::Kind::kOther, .socket = std::nullopt};
  return handle == kNotAMap ? kOther : kClosed;
}

void World::Fill(Handle slot, std::optional<HandleState> handle) {
  if (slot.slot >= kMaxSlots) return;
  if (slot.slot >= handles_.size()) handles_.resize(size_t{slot.slot} + 1);
  HandleState& state = handles_[slot.slot];
  const HandleState before = state;
  if (handle.has_value()) {
    state = *handle;
    if (state.kind == HandleState::Kind::kMap) ++maps_[state.map].references;
  } else {
    state = HandleState{};
  }
  state.last_id = before.last_id;
  if (before.kind == HandleState::Kind::kMap) Release(before.map);
  if (before.socket.has_value()) CloseSocket(*before.socket);
}

uint32_t World::AddMap(MapState map) {
  maps_.push_back(std::move(map));
  const auto index = static_cast<uint32_t>(maps_.size() - 1);
  if (maps_.back().id != 0) ids_.emplace(maps_.back().id, index);
  has_map_of_maps_ |= IsMapOfMaps(maps_.back().attributes.type);
  return index;
}

void World::SetLastId(Handle slot, uint32_t id) {
  if (slot.slot < handles_.size()) handles_[slot.slot].last_id = id;
}

uint32_t World::AddSocket(const SocketOpen& opened) {
  sockets_.emplace_back().opened = opened;
  return static_cast<uint32_t>(sockets_.size() - 1);
}

void World::PutSocket(uint32_t map, const Bytes& key, uint32_t socket) {
  const SocketOpen& opened = sockets_[socket].opened;
  const uint32_t queue_id = opened.kind == SocketOpen::Kind::kXdp ? opened.queue : 0;
  if (std::get<XskMapModel>(maps_[map].model).Put(key, socket, queue_id)) ++maps_[map].references;
}

void World::RemoveSocket(uint32_t map, const Bytes& key) {
  if (std::get<XskMapModel>(maps_[map].model).Remove(key) != 0) Release(map);
}

void World::CloseSocket(uint32_t socket) {
  sockets_[socket].open = false;
  sockets_[socket].frames.clear();
  for (uint32_t map = 0; map < maps_.size(); ++map) {
    auto* model = std::get_if<XskMapModel>(&maps_[map].model);
    if (model == nullptr) continue;
    for (uint32_t emptied = model->RemoveSocket(socket); emptied != 0; --emptied) Release(map);
  }
}

void World::LearnId(uint32_t map, uint32_t id) {
  if (id == 0 || maps_[map].id != 0) return;
  maps_[map].id = id;
  ids_.emplace(id, map);
}

template <typename Condition>
std::optional<uint32_t> World::FirstWithId(uint32_t id, const Condition& condition) const {
  for (auto known = ids_.lower_bound({id, 0}); known != ids_.end() && known->first == id; ++known) {
    if (condition(maps_[known->second])) return known->second;
  }
  return std::nullopt;
}

std::optional<uint32_t> World::FindById(uint32_t id) const {
  return FirstWithId(id, [](const MapState& map) { return map.alive(); });
}

std::optional<uint32_t> World::FindAnyById(uint32_t id) const {
  const auto is_known = [](const MapState& map) { return map.attributes.type != MapType::UNSPEC; };
  if (const auto live = FindById(id); live.has_value() && is_known(maps_[*live])) return live;
  return FirstWithId(id, is_known);
}

bool World::MayHaveId(uint32_t id) const {
  const auto may_be_there = [](const MapState& map) { return !map.alive() && map.released_late; };
  return FirstWithId(id, may_be_there).has_value();
}

uint32_t World::NextKnownId(uint32_t id) const {
  for (auto next = ids_.upper_bound({id, UINT32_MAX}); next != ids_.end(); ++next) {
    if (maps_[next->second].alive()) return next->first;
  }
  return 0;
}

std::optional<uint32_t> World::PinAt(const std::string& path) const {
  const auto pin = pins_.find(path);
  if (pin == pins_.end()) return std::nullopt;
  return pin->second;
}

void World::AddPin(const std::string& path, uint32_t map) {
  pins_[path] = map;
  ++maps_[map].references;
}

void World::RemovePin(const std::string& path) {
  const auto pin = pins_.find(path);
  if (pin == pins_.end()) return;
  maps_[pin->second].released_late = true;
  Release(pin->second);
  pins_.erase(pin);
}

const View& World::ViewAt(uint16_t slot) const {
  static const View kNone;
  return slot < views_.size() ? views_[slot] : kNone;
}

void World::FillView(uint16_t slot, std::optional<View> view) {
  if (slot >= kMaxSlots) return;
  if (slot >= views_.size()) views_.resize(size_t{slot} + 1);
  const View before = views_[slot];
  views_[slot] = view.value_or(View{});
  if (view.has_value()) {
    ++maps_[view->map].references;
    if (view->writable) ++maps_[view->map].writable_views;
  }
  if (before.mapped) {
    if (before.writable) --maps_[before.map].writable_views;
    Release(before.map);
  }
}

const std::optional<BtfLoad>& World::BtfAt(uint16_t slot) const {
  static const std::optional<BtfLoad> kNone;
  return slot < btfs_.size() ? btfs_[slot] : kNone;
}

void World::FillBtf(uint16_t slot, std::optional<BtfLoad> btf) {
  if (slot >= kMaxSlots) return;
  if (slot >= btfs_.size()) btfs_.resize(size_t{slot} + 1);
  btfs_[slot] = btf;
}

void World::SyncInner(uint32_t outer) {
  std::map<uint32_t, uint32_t> now;
  const auto note = [&](const Bytes& value) { ++now[static_cast<uint32_t>(value.ToNumber())]; };
  MapState& state = maps_[outer];
  if (const auto* hash = std::get_if<HashModel>(&state.model)) hash->ForEachValue(note);
  if (const auto* array = std::get_if<ArrayOfMapsModel>(&state.model)) array->ForEachValue(note);
  for (const auto& [inner, count] : now) {
    maps_[inner].references += count;
    maps_[inner].held_by = state.attributes.type;
  }
  state.holds.swap(now);
  for (const auto& [inner, count] : now) Release(inner, count);
}

void World::SyncInner(uint32_t outer, std::optional<uint32_t> before,
                      std::optional<uint32_t> after) {
  if (before == after) return;
  MapState& state = maps_[outer];
  if (after.has_value()) {
    ++maps_[*after].references;
    maps_[*after].held_by = state.attributes.type;
    ++state.holds[*after];
  }
  if (!before.has_value()) return;
  if (--state.holds[*before] == 0) state.holds.erase(*before);
  Release(*before);
}

// The kernel empties a map of maps some time after it is gone.
void World::LoseInner(MapState* outer) {
  std::map<uint32_t, uint32_t> held;
  held.swap(outer->holds);
  for (const auto& [inner, count] : held) {
    outer->may_hold.push_back(inner);
    maps_[inner].released_late = true;
    Release(inner, count);
  }
}

void World::Release(uint32_t map, uint32_t times) {
  MapState& state = maps_[map];
  state.references -= times;
  if (state.references != 0) return;
  LoseInner(&state);
  state.model = std::monostate{};  // Its elements are of no use any more.
}

}  // namespace mapspec
