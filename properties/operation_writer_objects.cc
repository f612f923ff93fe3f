// SPDX-License-Identifier: MIT
//
// The operations on objects around a map's elements: creation, handles, ids, pins, mappings.
#include <algorithm>
#include <string>

#include "properties/edge_values.h"
#include "properties/map_creation.h"
#include "properties/operation_writer.h"

namespace mapspec {
namespace {

const std::string& DrawPath(Entropy& entropy, uint64_t pin, bool odd) {
  static const std::string kPaths[GeneratorWorld::kPins] = {"p0", "p1", "p2", "p3"};
  static const std::string kOdd[] = {"outside/p0", "with.dot", ".hidden", "missing/p0", "never"};
  return odd ? entropy.Pick(kOdd) : kPaths[pin];
}

// BPF_F_RDONLY, BPF_F_WRONLY or neither, as GET_FD_BY_ID and OBJ_GET take them.
uint32_t DrawAccess(Entropy& entropy, bool odd) {
  static constexpr uint32_t kAccess[] = {0, 0, BPF_F_RDONLY, BPF_F_WRONLY};
  if (!odd) return entropy.Pick(kAccess);
  return entropy.OneIn(2) ? BPF_F_RDONLY | BPF_F_WRONLY : AnyFlags32(entropy);
}

// What the keys and values of all operations on one map may sum up to, roughly.
constexpr uint64_t kBytesInALife = 64 << 10;
// What a map that lives long may have in an element: thousands of values are held at once.
constexpr uint64_t kShortElement = 256;
constexpr uint32_t kLongestInHistory = 4096;

uint64_t Stride(const MapFacts& map) { return (uint64_t{map.value_size} + 7) & ~uint64_t{7}; }

}  // namespace

uint16_t OperationWriter::FreeSlot() {
  if (world_.live_count < GeneratorWorld::kHandles &&
      (options_.one_history || !entropy_.OneIn(16))) {
    uint16_t slot = entropy_.Below32(4) & 0xffff;
    while (world_.handles[slot].live)
      slot = static_cast<uint16_t>((slot + 1) % GeneratorWorld::kHandles);
    return slot;
  }
  // Over a live one: what it held is closed.
  return static_cast<uint16_t>(entropy_.Below(GeneratorWorld::kHandles));
}

void OperationWriter::LoadBtf(uint16_t slot, uint32_t key_size, uint32_t value_size,
                              int32_t lock_offset) {
  BtfLoad& op = Add<BtfLoad>();
  op.result = slot;
  op.key_size = key_size;
  op.value_size = value_size;
  op.lock_offset = lock_offset;
  world_.btfs[slot] = {true, key_size, value_size, lock_offset};
  Check();
}

void OperationWriter::CreateMap() { Create(false); }

void OperationWriter::CreateFirstMaps() {
  uint32_t maps = 1;
  if (options_.one_history) {
    maps = 1;
  } else if (kinds_.size() > 1) {
    maps = 2 + entropy_.Below32(3);
  } else if (entropy_.OneIn(3)) {
    maps = 2 + entropy_.Below32(2);
  }
  for (uint32_t i = 0; i < maps && !full(); ++i) CreateMap();
}

void OperationWriter::Create(bool corrupt) {
  if (!Has(options_.capabilities, Capability::kMapCreate)) return;
  const ScriptGenerator::Kind& kind = kinds_[entropy_.Below(kinds_.size())];
  MapCreate create;
  DrawCreate(entropy_, options_, *kind.kind, &create);
  MapFacts map;
  if (kind.kind->of_maps) PickTemplate(&create, &map);
  // What is wrong in a way that only this type refuses: shown best when nothing else is.
  bool odd = false;
  const bool keyless = kind.kind->key_kind == KeyKind::kNone;
  // Where BTF is refused it is asked for seldom.
  const bool takes_btf =
      (!kind.kind->of_sockets && !keyless) || (corrupt && entropy_.OneIn(keyless ? 2 : 8));
  if (takes_btf && Has(options_.capabilities, Capability::kBtfLoad) &&
      entropy_.OneIn(kind.kind->of_maps ? 64 : 8)) {
    const bool odd_key = corrupt && kind.kind->key_kind == KeyKind::kIndex && entropy_.OneIn(3);
    odd = keyless || odd_key;
    if (odd_key) create.value_size = 4;  // As long as the key.
    const auto slot = static_cast<uint16_t>(entropy_.Below(GeneratorWorld::kBtfs));
    if (!kind.kind->of_maps) create.value_size = std::max<uint32_t>(create.value_size, 4);
    int32_t lock_offset = -1;
    const bool refused_lock = corrupt && !kind.kind->locks && !keyless && entropy_.OneIn(2);
    odd |= refused_lock;
    if (refused_lock || (kind.kind->locks && !entropy_.OneIn(4))) {
      lock_offset =
          static_cast<int32_t>(4 * entropy_.Below(std::min<uint32_t>(create.value_size, 16) / 4));
      // Where no lock may be, or where it is not aligned.
      if (corrupt && !odd && entropy_.OneIn(2))
        lock_offset += 1 + static_cast<int32_t>(entropy_.Below(4));
    }
    LoadBtf(slot, keyless ? 4 : create.key_size, create.value_size, lock_offset);
    create.btf = slot;
    create.btf_key_type_id = odd_key ? kBtfValueTypeId : kBtfKeyTypeId;
    if (keyless && entropy_.OneIn(2)) create.btf_key_type_id = 0;
    create.btf_value_type_id = kBtfValueTypeId;
    map.has_lock = lock_offset >= 0;
    if (map.has_lock)
      create.map_flags &= ~BPF_F_MMAPABLE | (entropy_.OneIn(8) ? BPF_F_MMAPABLE : 0);
  }
  if (corrupt && kind.kind->of_maps && entropy_.OneIn(8)) {
    create.inner_map = entropy_.OneIn(2) ? kNotAMap : kBadFd;
    odd = true;
  }
  if (corrupt && (!odd || entropy_.OneIn(4))) {
    CorruptCreate(entropy_, options_, &create);
    if (entropy_.OneIn(16) && !kind.kind->of_maps)
      create.inner_map = Handle{static_cast<uint16_t>(entropy_.Below(GeneratorWorld::kHandles))};
  }
  if (options_.one_history && !corrupt) {
    create.map_flags &= ~(BPF_F_RDONLY | BPF_F_WRONLY);
    create.value_size = std::min<uint32_t>(create.value_size, kLongestInHistory);
  }
  create.result = Handle{FreeSlot()};
  map.kind = &kind;
  map.key_size = std::min<uint32_t>(create.key_size, 8192);
  map.value_size = std::min<uint32_t>(create.value_size, 8u << 20);
  if (IsPerCpu(create.type)) {
    map.value_size = std::min<uint32_t>(map.value_size, 32768);
    map.cpus = options_.possible_cpus;
  }
  map.max_entries = create.max_entries;
  map.map_flags = create.map_flags;
  // An index is an index; other keys are any bytes.
  map.key_style = kind.kind->key_kind == KeyKind::kBytes ? static_cast<KeyStyle>(entropy_.Below(3))
                                                         : KeyStyle::kLow;
  Add<MapCreate>() = create;
  const bool unprivileged = entropy_.OneIn(corrupt ? 8 : 64) &&
                            (corrupt || !options_.one_history) &&
                            Has(options_.capabilities, Capability::kUnprivileged);
  if (unprivileged) (*operations_)[size_ - 1].caller = Caller::kUnprivileged;
  Check();
  if (corrupt || unprivileged) {
    // Most likely refused; the slot is empty then.
    world_.Empty(create.result.slot);
    return;
  }
  if (kind.kind->of_maps && entropy_.OneIn(8)) LetGoOfTemplate(create.inner_map);
  // A map that only refuses half of the calls is told soon, and long elements cost more than they
  // tell.
  const bool half = (create.map_flags & (BPF_F_RDONLY | BPF_F_WRONLY)) != 0;
  uint64_t life = half ? entropy_.Between(8, 60) : entropy_.Between(40, 500);
  if (options_.focus == Focus::kElements) life *= 4;
  const bool short_elements = map.key_size + map.buffer_size() <= kShortElement;
  if (options_.one_history || (options_.large_maps && short_elements)) {
    return world_.Fill(create.result.slot, map, HandleFacts::kForEver);
  }
  const uint64_t affordable = kBytesInALife / (uint64_t{map.key_size} + map.buffer_size() + 1);
  world_.Fill(create.result.slot, map,
              static_cast<uint16_t>(std::clamp<uint64_t>(life, 0, affordable + 4)));
}

void OperationWriter::ObjectAction(Action action, uint16_t slot) {
  HandleFacts& facts = world_.handles[slot];
  const Quirks quirks = DrawQuirks();
  const Handle handle = PickHandle(slot, quirks);
  switch (action) {
    case Action::kFreeze:
      Add<Freeze>().map = handle;
      facts.life = std::min<uint16_t>(facts.life, 30);
      break;
    case Action::kGetInfo: {
      GetInfo& op = Add<GetInfo>();
      op.map = handle;
      if (quirks.flags || entropy_.OneIn(8)) {
        static constexpr uint32_t kLengths[] = {1,   4,   8,   40,  80,   88,   96,
                                                104, 112, 128, 256, 4096, 4097, 8192};
        op.info_len = entropy_.Pick(kLengths);
      }
      op.info = DrawPointer(quirks.null_value, quirks.bad_value);
      facts.id_known = true;
      break;
    }
    case Action::kSecondHandle: {
      Add<GetInfo>().map = Handle{slot};
      Check();
      facts.id_known = true;
      [[fallthrough]];
    }
    case Action::kGetFdById: {
      GetFdById& op = Add<GetFdById>();
      const MapFacts map = facts.map;
      const bool likely = facts.id_known && !quirks.handle && !quirks.other;
      op.of = quirks.other ? kBadFd : handle;
      // Ids are given out one after the other: the largest ones are never reached.
      if (quirks.other) op.id = entropy_.OneIn(2) ? 0xffffffffu : 0x7fffffffu;
      op.open_flags = DrawAccess(entropy_, quirks.flags);
      const uint16_t result = FreeSlot();
      op.result = Handle{result};
      if (likely) {
        world_.Fill(result, map, static_cast<uint16_t>(entropy_.Between(8, 60)));
      } else {
        world_.Empty(result);
      }
      break;
    }
    case Action::kGetNextId: {
      GetNextId& op = Add<GetNextId>();
      op.of = quirks.other ? kBadFd : handle;
      if (quirks.other) op.id = entropy_.OneIn(2) ? 0xffffffffu : 0x7fffffffu;
      break;
    }
    case Action::kPin: {
      const uint64_t pin = entropy_.Below(GeneratorWorld::kPins);
      const bool odd = quirks.other || quirks.null_key || quirks.short_buffer;
      Pin& op = Add<Pin>();
      op.map = handle;
      op.path = DrawPath(entropy_, pin, odd);
      if (quirks.flags) op.file_flags = AnyFlags32(entropy_);
      if (!odd && !world_.pins[pin].live) world_.pins[pin] = {true, facts.map};
      break;
    }
    case Action::kObjGet: {
      uint64_t pin = entropy_.Below(GeneratorWorld::kPins);
      // What is pinned, mostly.
      for (uint64_t i = 0;
           i < GeneratorWorld::kPins && !world_.pins[pin].live && !entropy_.OneIn(8); ++i) {
        pin = (pin + 1) % GeneratorWorld::kPins;
      }
      const bool odd = quirks.other || quirks.null_key || quirks.short_buffer;
      ObjGet& op = Add<ObjGet>();
      op.path = DrawPath(entropy_, pin, odd);
      op.file_flags = DrawAccess(entropy_, quirks.flags);
      const uint16_t result = FreeSlot();
      op.result = Handle{result};
      if (!odd && world_.pins[pin].live) {
        world_.Fill(result, world_.pins[pin].map, static_cast<uint16_t>(entropy_.Between(8, 60)));
      } else {
        world_.Empty(result);
      }
      break;
    }
    case Action::kUnlink: {
      const uint64_t pin = entropy_.Below(GeneratorWorld::kPins);
      Add<Unlink>().path = DrawPath(entropy_, pin, quirks.other);
      if (!quirks.other) world_.pins[pin].live = false;
      break;
    }
    case Action::kClose:
      Add<Close>().map = handle;
      if (handle.slot == slot) world_.Empty(slot);
      break;
    case Action::kPoll:
      Add<Poll>().map = handle;
      break;
    case Action::kFdRead:
      Add<FdRead>().map = handle;
      break;
    case Action::kFdWrite:
      Add<FdWrite>().map = handle;
      break;
    case Action::kBtfLoad:
      LoadBtf(static_cast<uint16_t>(entropy_.Below(GeneratorWorld::kBtfs)), EdgeSize(entropy_),
              std::max<uint32_t>(4, EdgeSize(entropy_)), -1);
      return;
    case Action::kCreate:
      return Create(false);
    default:
      return Create(true);
  }
  Finish(quirks);
}

void OperationWriter::ViewAction(Action action, uint16_t slot) {
  const MapFacts& map = world_.handles[slot].map;
  const Quirks quirks = DrawQuirks();
  auto view = static_cast<uint16_t>(entropy_.Below(GeneratorWorld::kViews));
  // Loads and stores want a view that is there; making one comes first.
  if ((action == Action::kLoad || action == Action::kStore) && !quirks.other) {
    for (uint16_t i = 0; i < GeneratorWorld::kViews && !world_.views[view].live; ++i) {
      view = static_cast<uint16_t>((view + 1) % GeneratorWorld::kViews);
    }
    // Mapping costs much more than a load: where it would be refused, the step is spent on an
    // element, or on a view that is not there.
    if (!world_.views[view].live) {
      if ((map.map_flags & BPF_F_MMAPABLE) != 0 || entropy_.OneIn(64)) {
        action = Action::kMmap;
      } else if (!entropy_.OneIn(8)) {
        return Element(Action::kLookup, slot);
      }
    }
  }
  ViewFacts& facts = world_.views[view];
  switch (action) {
    case Action::kMmap: {
      Mmap& op = Add<Mmap>();
      op.result = view;
      op.map = PickHandle(slot, quirks);
      op.prot_write = !entropy_.OneIn(3);
      op.prot_read = !quirks.null_key;
      op.shared = !quirks.null_value;
      const uint64_t page = options_.page_size;
      const uint64_t data = Stride(map) * map.max_entries;
      const uint64_t pages =
          std::min<uint64_t>(std::max<uint64_t>(1, (data + page - 1) / page), 1024);
      op.length = pages * page;
      if (quirks.flags || entropy_.OneIn(8)) {
        const uint64_t lengths[] = {0,        1,       page, data, op.length + page, op.length + 1,
                                    page - 1, 2 * page};
        op.length = std::min<uint64_t>(lengths[entropy_.Below(8)], uint64_t{64} << 20);
      }
      if (quirks.other || entropy_.OneIn(16)) {
        const uint64_t offsets[] = {page, 1, 8, op.length, 2 * page};
        const uint64_t far[] = {uint64_t{1} << 40, ~uint64_t{0} << 12};
        op.offset = entropy_.OneIn(16) ? far[entropy_.Below(2)] : offsets[entropy_.Below(5)];
      }
      facts = {true, op.length, map};
      // What cannot be mapped gives no view.
      if ((map.map_flags & BPF_F_MMAPABLE) == 0 || op.offset != 0 || !op.shared) facts.live = false;
      break;
    }
    case Action::kLoad:
    case Action::kStore: {
      const uint64_t stride = std::max<uint64_t>(8, Stride(facts.map));
      uint64_t offset = stride * entropy_.Below(std::max<uint64_t>(1, facts.map.max_entries));
      uint32_t length = std::min<uint32_t>(std::max<uint32_t>(1, facts.map.value_size), 4096);
      if (entropy_.OneIn(3)) {
        offset += entropy_.Below(stride);
        length = 1 + entropy_.Below32(16);
      }
      // The rest of the last page belongs to the view, and what lies behind it does not.
      if (entropy_.OneIn(16))
        offset = facts.length - std::min<uint64_t>(facts.length, entropy_.Below(16));
      if (quirks.flags) offset = AnyFlags(entropy_);
      if (action == Action::kLoad) {
        MemRead& op = Add<MemRead>();
        op.view = view;
        op.offset = offset;
        op.length = length;
      } else {
        MemWrite& op = Add<MemWrite>();
        op.view = view;
        op.offset = offset;
        MakeValue(entropy_, length, &op.bytes);
      }
      break;
    }
    default:
      Add<Munmap>().view = view;
      facts.live = false;
      break;
  }
  if (quirks.unprivileged && action == Action::kMmap)
    (*operations_)[size_ - 1].caller = Caller::kUnprivileged;
  Check();
}

}  // namespace mapspec
