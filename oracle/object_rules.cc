// SPDX-License-Identifier: MIT
//
// The operations on maps as objects: creation, freezing, information, ids, pins, descriptors and
// BTF. Those on memory mappings and on the descriptor as a file stand in file_rules.cc.
#include "oracle/checker_state.h"
#include "oracle/creation.h"
#include "oracle/limits.h"
#include "oracle/map_of_maps.h"

namespace mapspec {
namespace {

using G = clause::generic;
using Settled = Checker::State::Settled;

constexpr uint32_t kAccessFlags = BPF_F_RDONLY | BPF_F_WRONLY;
constexpr uint32_t kIdLimit = 0x7fffffff;  // INT_MAX.
constexpr uint32_t kInfoSizeAsked = 88;    // What info_len 0 stands for (oracle/operation.h).

// A descriptor of map `index`; the flags say what it may do.
HandleState HandleFor(uint32_t index, uint32_t flags) {
  HandleState handle;
  handle.kind = HandleState::Kind::kMap;
  handle.map = index;
  handle.can_read = (flags & BPF_F_WRONLY) == 0;
  handle.can_write = (flags & BPF_F_RDONLY) == 0;
  return handle;
}

// The clauses of the map of maps that held the map last; none where there was none.
MapOfMapsClauses HeldBy(const MapState& map) {
  return IsMapOfMaps(map.held_by) ? MapOfMapsClausesOf(map.held_by) : MapOfMapsClauses{};
}

enum class PathKind : uint8_t { kPlain, kDotted, kOutside, kMissingDirectory, kOther };
PathKind KindOf(const std::string& path) {
  constexpr std::string_view kOutside = "outside/";
  if (path.starts_with(kOutside)) {
    return path.size() > kOutside.size() && path.find('/', kOutside.size()) == std::string::npos &&
                   path.find('.') == std::string::npos
               ? PathKind::kOutside
               : PathKind::kOther;
  }
  if (path.empty() || path.size() > 200 || path == "outside") return PathKind::kOther;
  const size_t slash = path.find('/');
  const bool dotted = path.find('.') != std::string::npos;
  if (slash != std::string::npos) {
    return !dotted && slash != 0 && slash + 1 != path.size() ? PathKind::kMissingDirectory
                                                             : PathKind::kOther;
  }
  return dotted ? (path == "." || path == ".." ? PathKind::kOther : PathKind::kDotted)
                : PathKind::kPlain;
}

// The part of a little-endian field at `offset` that lies before `length`.
uint64_t Visible(uint64_t value, uint32_t offset, uint32_t size, uint32_t length) {
  if (length <= offset) return 0;
  const uint32_t bytes = std::min(size, length - offset);
  return bytes >= 8 ? value : value & ((uint64_t{1} << (8 * bytes)) - 1);
}

}  // namespace

void Checker::State::On(const MapCreate& op, const Outcome& outcome) {
  const Expectation expected = ExpectCreate(op, caller, world, environment, profile);
  const Settled settled = Settle(expected, outcome, nullptr);
  if (outcome.completion == Completion::kNotRun) return;  // The slot stays as it was.
  if (!outcome.ok()) return world.Fill(op.result, std::nullopt);
  MapState map;
  map.attributes = AttributesOf(op, world, environment, profile);
  map.model = MakeModel(map.attributes);
  if (IsMapOfMaps(map.attributes.type)) map.created_with = world.At(op.inner_map).map;
  // A creation that nothing promised makes a map of which nothing is promised.
  map.unspecified = settled != Settled::kSucceeded;
  const uint32_t access = map.attributes.map_flags;
  world.Fill(op.result, HandleFor(world.AddMap(std::move(map)), access));
}

void Checker::State::On(const BtfLoad& op, const Outcome& outcome) {
  const bool lock = op.lock_offset >= 0;
  const bool ordinary = op.key_size <= 4096 && op.value_size != 0 &&
                        (!lock || (op.lock_offset % 4 == 0 &&
                                   static_cast<uint32_t>(op.lock_offset) + 4 <= op.value_size));
  Expectation expected = Expectation::Anything();
  if (caller == Caller::kUnprivileged) {
    expected = Expectation::Fails(Errno::kEPERM, G::permission_unprivileged_refused);
  } else if (ordinary) {
    expected = Expectation::Succeeds(G::btf_load_loads);
  }
  Settle(expected, outcome, nullptr);
  if (outcome.completion == Completion::kNotRun) return;
  if (!outcome.ok()) return world.FillBtf(op.result, std::nullopt);
  BtfLoad loaded = op;
  if (!ordinary) loaded.lock_offset = kUnknownLock;
  world.FillBtf(op.result, loaded);
}

void Checker::State::On(const Freeze& op, const Outcome& outcome) {
  const HandleState& handle = world.At(op.map);
  MapState* map = world.MapOfOrNull(op.map);
  const Traits& traits = profile.traits;
  const auto expect = [&]() -> Expectation {
    if (map == nullptr) return ExpectMapFd(handle, false);
    const bool lock = map->attributes.has_lock();
    if (lock && traits.freeze_refuses_lock) {
      return Expectation::Fails(Errno::kENOTSUPP, G::freeze_spin_lock);
    }
    if (traits.freeze_needs_write && !handle.can_write) {
      return Expectation::Fails(Errno::kEPERM, G::freeze_rdonly_descriptor);
    }
    if (traits.freeze_again_eperm && map->frozen) {
      return Expectation::Fails(Errno::kEPERM, G::freeze_again);
    }
    if (map->writable_views != 0) {
      return Expectation::Fails(Errno::kEBUSY, clause::array::freeze_writable_mapping);
    }
    if (map->frozen) return Expectation::Fails(Errno::kEBUSY, G::freeze_again_ebusy);
    if (caller == Caller::kUnprivileged && !traits.freeze_without_capability) {
      return Expectation::Fails(Errno::kEPERM, G::freeze_unprivileged_refused);
    }
    if (std::holds_alternative<std::monostate>(map->model)) return Expectation::Anything();
    return Expectation::Succeeds(G::freeze_succeeds)
        .Also(G::freeze_wronly_descriptor, !handle.can_read)
        .Also(G::freeze_rdonly_descriptor_allowed, !handle.can_write)
        .Also(G::freeze_spin_lock_allowed, lock)
        .Also(G::freeze_unprivileged, caller == Caller::kUnprivileged);
  };
  if (Settle(expect(), outcome, map) == Settled::kSucceeded) map->frozen = true;
}

void Checker::State::On(const GetInfo& op, const Outcome& outcome) {
  const HandleState& handle = world.At(op.map);
  MapState* map = world.MapOfOrNull(op.map);
  const uint32_t passed = op.info_len == 0 ? kInfoSizeAsked : op.info_len;
  const auto expect = [&]() -> Expectation {
    if (handle.kind == HandleState::Kind::kClosed) {
      return Expectation::Fails(Errno::kEBADFD, G::call_bad_descriptor, G::info_bad_descriptor);
    }
    if (map == nullptr) return ExpectMapFd(handle, false);
    if (passed > environment.page_size) {
      return Expectation::Fails(Errno::kE2BIG, G::info_length_too_large);
    }
    if (op.info != Pointer::kValid) return Expectation::Fails(Errno::kEFAULT, G::info_bad_pointer);
    return Expectation::Succeeds(G::info_attributes)
        .Also(G::info_attributes, !handle.can_read || map->frozen)
        .Also(G::info_length_limits, passed < kInfoSizeSurely)
        .Also(G::info_btf)
        .Also(G::info_no_access_flags, (map->attributes.map_flags & kAccessFlags) != 0);
  };
  const Settled settled = Settle(expect(), outcome, map);
  const auto* boxed = std::get_if<Boxed<MapInfo>>(&outcome.output);
  if (outcome.ok() && boxed != nullptr && passed >= 8) {
    world.SetLastId(op.map, (*boxed)->id);
    if (map != nullptr) world.LearnId(handle.map, (*boxed)->id);
  }
  if (settled != Settled::kSucceeded || boxed == nullptr) return;
  const MapInfo& info = **boxed;
  const MapAttributes& attributes = map->attributes;
  const uint32_t length = info.info_len;
  Cite(G::info_length_returned);
  const uint32_t least = std::min(passed, kInfoSizeSurely);
  const uint32_t most = std::min(passed, kInfoSizeAtMost);
  if (length < least || length > most) {
    return Compare(
        {G::info_length_returned,
         "info_len " + std::to_string(least) + (least == most ? "" : " to " + std::to_string(most)),
         "info_len " + std::to_string(length)},
        map);
  }
  const auto field = [&](ClauseId clause, const char* name, uint64_t got, uint64_t wanted,
                         uint32_t offset) -> bool {
    const uint64_t visible = Visible(wanted, offset, offset == 80 ? 8 : 4, length);
    if (got == visible) return true;
    if (length < kInfoSizeSurely) clause = G::info_length_limits;
    Compare({clause, std::string(name) + " " + std::to_string(visible),
             std::string(name) + " " + std::to_string(got)},
            map);
    return false;
  };
  const uint32_t flags = attributes.map_flags & ~kAccessFlags;
  const bool own_lists = (attributes.map_flags & BPF_F_NO_COMMON_LRU) != 0;
  const ClauseId rounded =
      own_lists ? HashClausesOf(attributes.type).create_own_lists_rounded : G::info_attributes;
  if (!field(G::info_attributes, "type", info.type, static_cast<uint32_t>(attributes.type), 0) ||
      !field(G::info_attributes, "key_size", info.key_size, attributes.key_size, 8) ||
      !field(G::info_attributes, "value_size", info.value_size, attributes.value_size, 12) ||
      !field(rounded, "max_entries", info.max_entries, attributes.max_entries, 16) ||
      !field(
          (attributes.map_flags & kAccessFlags) != 0 ? G::info_no_access_flags : G::info_attributes,
          "map_flags", info.map_flags, flags, 20) ||
      !field(G::info_btf, "btf_key_type_id", info.btf_key_type_id, attributes.btf_key_type_id,
             68) ||
      !field(G::info_btf, "btf_value_type_id", info.btf_value_type_id, attributes.btf_value_type_id,
             72) ||
      !field(G::info_attributes, "map_extra", info.map_extra, attributes.map_extra, 80)) {
    return;
  }
  Cite(rounded);
  const std::string name = attributes.name.substr(0, length <= 24 ? 0 : length - 24);
  if (info.name != name)
    return Compare({G::info_attributes, "name " + name, "name " + info.name}, map);
  if (length >= 68 && info.has_btf != attributes.has_btf) {
    return Compare({G::info_btf, attributes.has_btf ? "a btf_id" : "no btf_id",
                    info.has_btf ? "a btf_id" : "no btf_id"},
                   map);
  }
  if (length < 8) return;
  Cite(G::info_id);
  const std::optional<uint32_t> owner = world.FindById(info.id);
  if (info.id != 0 && info.id == map->id && owner.has_value() && &world.map(*owner) == map) return;
  Compare({G::info_id, map->id == 0 ? "an id of its own, not 0" : "id " + std::to_string(map->id),
           "id " + std::to_string(info.id)},
          map);
}

void Checker::State::On(const GetFdById& op, const Outcome& outcome) {
  const uint32_t id = op.of == kBadFd ? op.id : world.At(op.of).last_id;
  const std::optional<uint32_t> known = world.FindById(id);
  const auto expect = [&]() -> Expectation {
    if ((op.open_flags & ~kAccessFlags) != 0) {
      return Expectation::Fails(Errno::kEINVAL, G::get_fd_by_id_open_flags)
          .Also(G::permission_unprivileged_arguments_first, caller == Caller::kUnprivileged);
    }
    if (caller == Caller::kUnprivileged) {
      return Expectation::Fails(Errno::kEPERM, G::permission_unprivileged_refused)
          .Also(G::permission_unprivileged_arguments_first, op.open_flags != 0);
    }
    if ((op.open_flags & kAccessFlags) == kAccessFlags) {
      return Expectation::Fails(Errno::kEINVAL, G::get_fd_by_id_open_flags);
    }
    if (known.has_value()) {
      return Expectation::Succeeds(G::get_fd_by_id_same_map)
          .Also(G::get_fd_by_id_access)
          .Also(clause::xskmap::socket_keeps_map,
                std::holds_alternative<XskMapModel>(world.map(*known).model))
          .Also(G::pin_keeps_map)
          .Also(clause::array::mmap_outlives_descriptor)
          .Also(HeldBy(world.map(*known)).lifetime_outer_holds);
    }
    if (id == 0) return Expectation::Fails(Errno::kENOENT, G::get_fd_by_id_unknown);
    // An id that a map of this script had: gone with it (ids are not given again soon). One that
    // unlink(2) left without references goes a little later.
    if (op.of != kBadFd) {
      Expectation gone = Expectation::Fails(Errno::kENOENT, G::close_deletes_map);
      if (const auto former = world.FindAnyById(id)) {
        const MapOfMapsClauses c = HeldBy(world.map(*former));
        gone.Also(world.MayHaveId(id) ? c.lifetime_outer_gone : c.lifetime_released);
      }
      return world.MayHaveId(id) ? gone.OrSucceeds(G::unlink_unpins)
                                 : gone.Also(G::get_fd_by_id_unknown);
    }
    // Any other may belong to somebody else's map; from INT_MAX on there are none.
    if (id >= kIdLimit) return Expectation::Fails(Errno::kENOENT, G::get_fd_by_id_unknown);
    return Expectation::Anything();
  };
  const Settled settled = Settle(expect(), outcome, nullptr);
  if (outcome.completion == Completion::kNotRun) return;
  if (!outcome.ok()) return world.Fill(op.result, std::nullopt);
  if (known.has_value()) return world.Fill(op.result, HandleFor(*known, op.open_flags));
  MapState stranger;
  stranger.unspecified = true;
  if (settled == Settled::kSucceeded) stranger.id = id;
  world.Fill(op.result, HandleFor(world.AddMap(std::move(stranger)), op.open_flags));
}

void Checker::State::On(const GetNextId& op, const Outcome& outcome) {
  const uint32_t start = op.of == kBadFd ? op.id : world.At(op.of).last_id;
  const uint32_t known = world.NextKnownId(start);
  const auto expect = [&]() -> Expectation {
    if (start >= kIdLimit)
      return Expectation::Fails(Errno::kEINVAL, G::get_next_id_start_too_large)
          .Also(G::permission_unprivileged_arguments_first, caller == Caller::kUnprivileged);
    if (caller == Caller::kUnprivileged) {
      return Expectation::Fails(Errno::kEPERM, G::permission_unprivileged_refused);
    }
    Expectation expected = Expectation::Succeeds(G::get_next_id_greater);
    return known != 0 ? expected : expected.OrFails(Errno::kENOENT, G::get_next_id_end);
  };
  if (Settle(expect(), outcome, nullptr) != Settled::kSucceeded) return;
  const auto* id = std::get_if<uint32_t>(&outcome.output);
  if (id != nullptr && *id > start && (known == 0 || *id <= known)) return;
  Compare({G::get_next_id_greater,
           "an id above " + std::to_string(start) +
               (known == 0 ? "" : ", not above " + std::to_string(known) + ", which exists"),
           id == nullptr ? "none" : std::to_string(*id)},
          nullptr);
}

void Checker::State::On(const Pin& op, const Outcome& outcome) {
  const HandleState& handle = world.At(op.map);
  MapState* map = world.MapOfOrNull(op.map);
  const auto expect = [&]() -> Expectation {
    if ((op.file_flags & ~BPF_F_PATH_FD) != 0) {
      return Expectation::Fails(Errno::kEINVAL, G::pin_file_flags);
    }
    if (op.file_flags != 0 || caller == Caller::kUnprivileged) return Expectation::Anything();
    if (handle.kind != HandleState::Kind::kMap) {
      return Expectation::Fails(Errno::kEINVAL, G::pin_bad_descriptor);
    }
    switch (KindOf(op.path)) {
      case PathKind::kPlain:
        break;
      case PathKind::kDotted:
        return Expectation::Fails(Errno::kEPERM, G::pin_dot, G::pin_dot_errno);
      case PathKind::kOutside:
        return Expectation::Fails(Errno::kEPERM, G::pin_outside_bpffs, G::pin_outside_bpffs_errno);
      case PathKind::kMissingDirectory:
        return Expectation::Fails(Errno::kENOENT, G::pin_missing_directory);
      case PathKind::kOther:
        return Expectation::Anything();
    }
    if (world.PinAt(op.path).has_value()) return Expectation::Fails(Errno::kEEXIST, G::pin_exists);
    return Expectation::Succeeds(G::pin_creates);
  };
  Settle(expect(), outcome, nullptr);
  if (outcome.ok() && map != nullptr) world.AddPin(op.path, handle.map);
}

void Checker::State::On(const ObjGet& op, const Outcome& outcome) {
  const std::optional<uint32_t> pinned = world.PinAt(op.path);
  const PathKind kind = KindOf(op.path);
  const auto expect = [&]() -> Expectation {
    if ((op.file_flags & ~(kAccessFlags | BPF_F_PATH_FD)) != 0 ||
        (op.file_flags & kAccessFlags) == kAccessFlags) {
      return Expectation::Fails(Errno::kEINVAL, G::obj_get_file_flags);
    }
    if ((op.file_flags & BPF_F_PATH_FD) != 0 || caller == Caller::kUnprivileged) {
      return Expectation::Anything();
    }
    if (pinned.has_value()) {
      return Expectation::Succeeds(G::obj_get_same_map)
          .Also(G::obj_get_access)
          .Also(G::pin_keeps_map);
    }
    if (kind == PathKind::kDotted || kind == PathKind::kOther) return Expectation::Anything();
    return Expectation::Fails(Errno::kENOENT, G::obj_get_missing).Also(G::unlink_unpins);
  };
  Settle(expect(), outcome, nullptr);
  if (outcome.completion == Completion::kNotRun) return;
  if (!outcome.ok()) return world.Fill(op.result, std::nullopt);
  if (pinned.has_value()) return world.Fill(op.result, HandleFor(*pinned, op.file_flags));
  MapState stranger;
  stranger.unspecified = true;
  world.Fill(op.result, HandleFor(world.AddMap(std::move(stranger)), op.file_flags));
}

void Checker::State::On(const Unlink& op, const Outcome& outcome) {
  const auto expect = [&]() -> Expectation {
    const PathKind kind = KindOf(op.path);
    if (caller == Caller::kUnprivileged) return Expectation::Anything();
    if (world.PinAt(op.path).has_value()) return Expectation::Succeeds(G::unlink_unpins);
    if (kind == PathKind::kDotted || kind == PathKind::kOther) return Expectation::Anything();
    return Expectation::Fails(Errno::kENOENT, G::unlink_missing);
  };
  Settle(expect(), outcome, nullptr);
  if (outcome.ok()) world.RemovePin(op.path);
}

void Checker::State::On(const Close& op, const Outcome& outcome) {
  const HandleState& handle = world.At(op.map);
  const bool open = handle.kind != HandleState::Kind::kClosed;
  const MapState* map = world.MapOfOrNull(op.map);
  const ClauseId clause =
      map != nullptr && map->references > 1 ? G::close_others_stay : G::close_deletes_map;
  Settle(open ? Expectation::Succeeds(clause)
              : Expectation::Fails(Errno::kEBADF, G::close_bad_descriptor),
         outcome, nullptr);
  if (outcome.completion != Completion::kNotRun && op.map.slot < kMaxSlots) {
    world.Fill(op.map, std::nullopt);
  }
}

}  // namespace mapspec
