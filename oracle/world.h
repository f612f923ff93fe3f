// SPDX-License-Identifier: MIT
//
// World: what the checker knows of one script's objects: its maps with their models, the
// descriptors, ids, pins and memory mappings that refer to them, and its BTF objects. A map lives
// as long as something refers to it. Copyable, no I/O; thread-safety that of a plain value. Source:
// man 2 bpf (NOTES); uapi/linux/bpf.h, "eBPF Syscall Preamble".
#ifndef ORACLE_WORLD_H_
#define ORACLE_WORLD_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "oracle/array_model.h"
#include "oracle/array_of_maps_model.h"
#include "oracle/hash_model.h"
#include "oracle/map_attributes.h"
#include "oracle/operation.h"
#include "oracle/queue_stack_model.h"
#include "oracle/trace.h"
#include "oracle/xskmap_model.h"

namespace mapspec {

// One model for each map family; monostate for types without one.
using MapModel = std::variant<std::monostate, HashModel, ArrayModel, QueueModel, StackModel,
                              ArrayOfMapsModel, XskMapModel>;
MapModel MakeModel(const MapAttributes& attributes);

// As lock_offset of a loaded BTF object whose layout the oracle does not follow.
inline constexpr int32_t kUnknownLock = -2;

struct MapState {
  MapAttributes attributes;
  MapModel model;
  bool frozen = false;
  // Something happened that no promise covers: nothing more can be said of this map.
  bool unspecified = false;
  uint32_t id = 0;  // As BPF_OBJ_GET_INFO_BY_FD told; 0 while unknown. See World::LearnId.
  uint32_t references = 0;
  // A pin that was unlinked or a program that was loaded referred to it: the kernel drops such
  // references a little later, so that the map may outlive the rest of them for a while.
  bool released_late = false;
  uint32_t writable_views = 0;
  // Of a map of maps: the maps that its elements hold, with how often each is there, and the one
  // that it was created with, which is not held.
  std::map<uint32_t, uint32_t> holds;
  std::optional<uint32_t> created_with;
  std::vector<uint32_t> may_hold;  // The same where it is not known.
  // Which type of map of maps held it last; UNSPEC: none ever did.
  MapType held_by = MapType::UNSPEC;
  Bytes last_batch;  // What the last batch wrote to out_batch.
  bool alive() const { return references != 0; }
};

struct HandleState {
  // What the descriptor is.
  enum class Kind : uint8_t { kClosed, kMap, kOther } kind = Kind::kClosed;
  uint32_t map = 0;  // Index of the map.
  bool can_read = true;
  bool can_write = true;
  uint32_t last_id = 0;  // Of the last BPF_OBJ_GET_INFO_BY_FD through this slot.
  // Index of the socket, where kOther is one of the script's.
  std::optional<uint32_t> socket = std::nullopt;
};

struct SocketState {
  SocketOpen opened = {};
  bool open = true;
  std::vector<Bytes> frames = {};  // That it got and nobody received.
  // What the last frames that were sent promise of it; kNoClause before there were any.
  ClauseId why = kNoClause;
  // Frames may have come that no outcome tells of.
  bool doubtful = false;
};

struct View {
  bool mapped = false;
  uint32_t map = 0;
  bool writable = false;
  bool readable = false;
  uint64_t offset = 0;
  uint64_t length = 0;
};

class World {
 public:
  // The descriptor in a slot; a constant for kBadFd, kNotAMap and slots never filled.
  const HandleState& At(Handle handle) const {
    return handle.slot < handles_.size() ? handles_[handle.slot] : NotInASlot(handle);
  }
  // The map behind a descriptor that is one.
  MapState& MapOf(const HandleState& handle) { return maps_[handle.map]; }
  const MapState& MapOf(const HandleState& handle) const { return maps_[handle.map]; }
  MapState* MapOfOrNull(Handle handle) {
    const HandleState& state = At(handle);
    return state.kind == HandleState::Kind::kMap ? &maps_[state.map] : nullptr;
  }
  MapState& map(uint32_t index) { return maps_[index]; }
  // Whether any map of maps was ever made.
  bool has_map_of_maps() const { return has_map_of_maps_; }

  // Puts a descriptor (or, with nullopt, nothing) into a slot; what the slot held is closed.
  void Fill(Handle slot, std::optional<HandleState> handle);
  uint32_t AddMap(MapState map);
  void SetLastId(Handle slot, uint32_t id);

  uint32_t AddSocket(const SocketOpen& opened);
  SocketState& socket(uint32_t index) { return sockets_[index]; }
  const SocketState& socket(uint32_t index) const { return sockets_[index]; }
  std::vector<SocketState>& sockets() { return sockets_; }
  // Into and out of a slot of an XSKMAP.
  void PutSocket(uint32_t map, const Bytes& key, uint32_t socket);
  void RemoveSocket(uint32_t map, const Bytes& key);

  // That the map has this id, which is not 0, unless another is known already.
  void LearnId(uint32_t map, uint32_t id);
  // The live map with this id; nullopt when no map known here has it.
  std::optional<uint32_t> FindById(uint32_t id) const;
  // The same of a map that may be gone; not of one of which nothing is known.
  std::optional<uint32_t> FindAnyById(uint32_t id) const;
  // A map that may or may not be gone yet has this id.
  bool MayHaveId(uint32_t id) const;
  // The smallest id above `id` that a live map is known to have; 0 when there is none.
  uint32_t NextKnownId(uint32_t id) const;

  // The elements of this map of maps have changed: it holds what its model says.
  void SyncInner(uint32_t outer);
  // One of them has: it held `before` there and holds `after`.
  void SyncInner(uint32_t outer, std::optional<uint32_t> before, std::optional<uint32_t> after);
  // What this map of maps holds is not known any more, if it is one.
  void LoseInner(MapState* outer);

  std::optional<uint32_t> PinAt(const std::string& path) const;
  void AddPin(const std::string& path, uint32_t map);
  void RemovePin(const std::string& path);

  const View& ViewAt(uint16_t slot) const;
  void FillView(uint16_t slot, std::optional<View> view);

  const std::optional<BtfLoad>& BtfAt(uint16_t slot) const;
  void FillBtf(uint16_t slot, std::optional<BtfLoad> btf);

 private:
  static const HandleState& NotInASlot(Handle handle);
  void Release(uint32_t map, uint32_t times = 1);
  void CloseSocket(uint32_t socket);
  // The first map with this id for which `condition` holds.
  template <typename Condition>
  std::optional<uint32_t> FirstWithId(uint32_t id, const Condition& condition) const;

  std::vector<HandleState> handles_;
  std::vector<MapState> maps_;
  // All (id, map) that are known: a lookup in a map of maps asks each time.
  std::set<std::pair<uint32_t, uint32_t>> ids_;
  bool has_map_of_maps_ = false;
  std::vector<SocketState> sockets_;
  std::map<std::string, uint32_t> pins_;
  std::vector<View> views_;
  std::vector<std::optional<BtfLoad>> btfs_;
};

}  // namespace mapspec

#endif  // ORACLE_WORLD_H_
