// SPDX-License-Identifier: MIT
#include "properties/operation_writer.h"

#include <algorithm>

#include "properties/edge_values.h"

namespace mapspec {
namespace {

// Steps of a run (fill up, drain, walk): enough for the tiny maps that most are, and few when
// elements are long.
uint32_t LongestRun(const MapFacts& map, const GeneratorOptions& options) {
  if (options.large_maps && map.key_size + map.buffer_size() <= 256) return map.max_entries;
  return std::clamp<uint32_t>((16u << 10) / (map.key_size + map.buffer_size() + 1), 3, 70);
}

KeyKind KeyKindOf(const MapFacts& map) { return map.kind->kind->key_kind; }

}  // namespace

OperationWriter::Quirks OperationWriter::DrawQuirks() {
  Quirks quirks;
  const uint32_t draw = entropy_.Below32(256);
  if (draw < 224) return quirks;
  // One quirk; two or three in a quarter of the cases.
  uint32_t count = 1;
  if (draw >= 248) count = 2 + (draw & 1);
  for (; count != 0; --count) {
    switch (entropy_.Below(16)) {
      case 0:
      case 1:
      case 2:
      case 3:
        quirks.flags = true;
        break;
      case 4:
      case 5:
        quirks.null_key = true;
        break;
      case 6:
        quirks.bad_key = true;
        break;
      case 7:
      case 8:
        quirks.null_value = true;
        break;
      case 9:
        quirks.bad_value = true;
        break;
      case 10:
      case 11:
        quirks.handle = true;
        break;
      case 12:
        quirks.short_buffer = true;
        break;
      case 13:
        quirks.long_buffer = true;
        break;
      case 14:
        quirks.other = true;
        break;
      default:
        // Giving up and taking back privileges costs system calls of its own.
        quirks.unprivileged = entropy_.OneIn(4);
        break;
    }
  }
  return quirks;
}

void OperationWriter::Finish(const Quirks& quirks) {
  if (quirks.unprivileged) (*operations_)[size_ - 1].caller = Caller::kUnprivileged;
  if (wanders_ && entropy_.OneIn(40)) {
    const Place place = DrawPlace();
    if (place.cpu != kAnyCpu) (*operations_)[size_ - 1].cpu = place.cpu;
    (*operations_)[size_ - 1].thread = place.thread;
  }
  Check();
}

void OperationWriter::Check() {
  if (all_capabilities_ || size_ == 0) return;
  const Operation& operation = (*operations_)[size_ - 1];
  const bool plain = operation.caller == Caller::kPrivileged && operation.cpu == kAnyCpu;
  if (all_element_commands_ && plain && IsElementCommand(operation.call)) return;
  const CapabilitySet needed = Required(operation);
  if ((needed & ~options_.capabilities).any()) --size_;
}

uint16_t OperationWriter::PickSlot() { return world_.live[entropy_.Below(world_.live_count)]; }

Handle OperationWriter::PickHandle(uint16_t slot, const Quirks& quirks) {
  if (!quirks.handle) return Handle{slot};
  switch (entropy_.Below(4)) {
    case 0:
      return kBadFd;
    case 1:
      return kNotAMap;
    default:
      return Handle{static_cast<uint16_t>(entropy_.Below(GeneratorWorld::kHandles))};
  }
}

Pointer OperationWriter::DrawPointer(bool null, bool bad) {
  if (bad && Has(options_.capabilities, Capability::kBadPointers)) return Pointer::kBad;
  return null || bad ? Pointer::kNull : Pointer::kValid;
}

void OperationWriter::KeyBufferAt(const MapFacts& map, uint32_t index, InBuffer* buffer) {
  if (KeyKindOf(map) == KeyKind::kNone) {
    buffer->pointer = Pointer::kNull;
    return;
  }
  MakeKey(map, index, &buffer->bytes);
}

void OperationWriter::KeyBuffer(const MapFacts& map, const Quirks& quirks, InBuffer* buffer) {
  if (KeyKindOf(map) == KeyKind::kNone) {
    // The plain thing is no key; a key is the oddity.
    if (quirks.null_key || quirks.short_buffer) {
      buffer->bytes = quirks.null_key ? Bytes(4) : Bytes();
      return;
    }
    buffer->pointer = DrawPointer(true, quirks.bad_key);
    return;
  }
  buffer->pointer = DrawPointer(quirks.null_key, quirks.bad_key);
  if (buffer->pointer != Pointer::kValid) return;
  MakeKey(map, DrawKeyIndex(entropy_, map), &buffer->bytes);
  if (quirks.short_buffer) buffer->bytes.Resize(entropy_.Below(map.key_size + 1));
  if (quirks.long_buffer) buffer->bytes.Resize(map.key_size + 1 + entropy_.Below(8));
}

void OperationWriter::ValueBuffer(const MapFacts& map, const Quirks& quirks, InBuffer* buffer) {
  buffer->pointer = DrawPointer(quirks.null_value, quirks.bad_value);
  if (buffer->pointer != Pointer::kValid) return;
  MakeValue(entropy_, map.buffer_size(), &buffer->bytes);
  if (quirks.short_buffer) buffer->bytes.Resize(entropy_.Below(map.buffer_size() + 1));
  if (quirks.long_buffer) buffer->bytes.Resize(map.buffer_size() + 1 + entropy_.Below(8));
}

void OperationWriter::BatchBuffers(const MapFacts& map, uint32_t count, InBuffer* keys,
                                   InBuffer* values) {
  Bytes all_keys(size_t{count} * map.key_size);
  Bytes all_values(values != nullptr ? size_t{count} * map.buffer_size() : 0);
  // Either neighbours in order, as a loader of a table writes them, or any keys, repeated ones
  // included.
  const bool in_order = entropy_.OneIn(2);
  const uint32_t first = DrawKeyIndex(entropy_, map);
  uint64_t word = entropy_.Bits();
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t index = in_order || i == 0 ? first + i : DrawKeyIndex(entropy_, map);
    if (map.key_size != 0) WriteKey(map, index, all_keys.data() + size_t{i} * map.key_size);
    if (values == nullptr) continue;
    word = word * 0x9e3779b97f4a7c15u + i;
    const size_t size = map.cpus == 0 ? map.value_size : PerCpuStride(map.value_size);
    const size_t used = std::min<size_t>(size, 8);
    size_t at = size_t{i} * map.buffer_size();
    for (uint32_t cpu = 0; cpu < std::max(1u, map.cpus); ++cpu, at += size, ++word) {
      std::copy_n(reinterpret_cast<const uint8_t*>(&word), used, all_values.data() + at);
    }
  }
  keys->bytes = std::move(all_keys);
  if (values != nullptr) values->bytes = std::move(all_values);
}

void OperationWriter::Step() {
  if (world_.live_count == 0) {
    CreateMap();
    // Without MAP_CREATE nothing can come to life: the calls on no map remain.
    if (world_.live_count == 0) Run(Action::kClose, 0);
    return;
  }
  const uint16_t slot = PickSlot();
  HandleFacts& handle = world_.handles[slot];
  if (handle.life != HandleFacts::kForEver && handle.life-- == 0) {
    if (!entropy_.OneIn(8)) {
      Add<Close>().map = Handle{slot};
      Check();
    }
    world_.Empty(slot);
    if (!options_.one_history) CreateMap();
    return;
  }
  Run(handle.map.kind->actions[entropy_.Below(ScriptGenerator::kDrawBound)], slot);
}

void OperationWriter::Run(Action action, uint16_t slot) {
  switch (action) {
    case Action::kUpdate:
    case Action::kLookup:
    case Action::kDelete:
    case Action::kGetNextKey:
    case Action::kLookupAndDelete:
      return Element(action, slot);
    case Action::kLookupBatch:
    case Action::kLookupAndDeleteBatch:
    case Action::kUpdateBatch:
    case Action::kDeleteBatch:
      return Batch(action, slot);
    case Action::kFillUp:
    case Action::kDrain:
    case Action::kKeyWalk:
    case Action::kBatchWalk:
      return Walk(action, slot);
    case Action::kProgramRun:
      return ProgramRun(slot);
    case Action::kSocket:
      return ToggleSocket();
    case Action::kFrames:
      return SendSomeFrames(slot);
    case Action::kMmap:
    case Action::kLoad:
    case Action::kStore:
    case Action::kMunmap:
      return ViewAction(action, slot);
    default:
      return ObjectAction(action, slot);
  }
}

void OperationWriter::Element(Action action, uint16_t slot) {
  const MapFacts map = world_.handles[slot].map;  // A copy: more maps may be made.
  const Quirks quirks = DrawQuirks();
  const Handle handle = PickHandle(slot, quirks);
  switch (action) {
    case Action::kUpdate: {
      const bool of_maps = map.kind->kind->of_maps;
      if (of_maps && entropy_.OneIn(24)) return LetGo(slot);
      const Handle inner = of_maps ? PickInner(map, true) : kNoFd;
      Update& op = Add<Update>();
      op.map = handle;
      op.value_fd = inner;
      KeyBuffer(map, quirks, &op.key);
      ValueBuffer(map, quirks, &op.value);
      if (map.kind->kind->of_sockets) op.value_fd = DrawDescriptor(quirks);
      if (op.value.pointer != Pointer::kValid) op.value_fd = kNoFd;
      op.flags = quirks.flags ? AnyFlags(entropy_) : SensibleUpdateFlags(entropy_, map);
      break;
    }
    case Action::kLookup: {
      Lookup& op = Add<Lookup>();
      op.map = handle;
      KeyBuffer(map, quirks, &op.key);
      op.value = DrawPointer(quirks.null_value, quirks.bad_value);
      op.flags = quirks.flags ? AnyFlags(entropy_) : SensibleLookupFlags(entropy_, map);
      break;
    }
    case Action::kLookupAndDelete: {
      LookupAndDelete& op = Add<LookupAndDelete>();
      op.map = handle;
      KeyBuffer(map, quirks, &op.key);
      op.value = DrawPointer(quirks.null_value, quirks.bad_value);
      op.flags = quirks.flags ? AnyFlags(entropy_) : SensibleLookupFlags(entropy_, map);
      break;
    }
    case Action::kDelete: {
      Delete& op = Add<Delete>();
      op.map = handle;
      KeyBuffer(map, quirks, &op.key);
      break;
    }
    default: {
      GetNextKey& op = Add<GetNextKey>();
      op.map = handle;
      Quirks start = quirks;
      // NULL asks for the first key: no oddity here.
      if (KeyKindOf(map) != KeyKind::kNone && entropy_.OneIn(4)) start.null_key = true;
      KeyBuffer(map, start, &op.key);
      op.next_key = DrawPointer(quirks.null_value, quirks.bad_value);
      break;
    }
  }
  Finish(quirks);
}

void OperationWriter::Batch(Action action, uint16_t slot) {
  const MapFacts& map = world_.handles[slot].map;
  const Quirks quirks = DrawQuirks();
  const Handle handle = PickHandle(slot, quirks);
  const uint32_t count = EdgeCount(entropy_, map);
  uint64_t elem_flags = SensibleLookupFlags(entropy_, map);
  uint64_t flags = 0;
  if (quirks.flags) (entropy_.OneIn(2) ? flags : elem_flags) = AnyFlags(entropy_);
  // A count beyond the bytes of the script: the rest of the elements are zeros.
  const uint32_t told = quirks.short_buffer ? count + entropy_.Below32(4) : count;
  switch (action) {
    case Action::kLookupBatch:
    case Action::kLookupAndDeleteBatch: {
      LookupBatch& op = Add<LookupBatch>();
      op.map = handle;
      op.and_delete = action == Action::kLookupAndDeleteBatch;
      op.start = entropy_.OneIn(3) ? LookupBatch::Start::kLast : LookupBatch::Start::kNull;
      if (quirks.other) {
        op.start = LookupBatch::Start::kBytes;
        const uint32_t near_end = map.max_entries + entropy_.Below32(4);
        op.in_batch = Bytes::LittleEndian(entropy_.OneIn(4) ? entropy_.Bits() : near_end, 4);
        op.in_batch.Resize(std::max<size_t>(4, map.key_size));
        if (entropy_.OneIn(4) && Has(options_.capabilities, Capability::kBadPointers)) {
          op.start = LookupBatch::Start::kBad;
        }
      }
      if (quirks.long_buffer) op.out_batch = DrawPointer(true, entropy_.OneIn(2));
      op.keys = DrawPointer(quirks.null_key, quirks.bad_key);
      op.values = DrawPointer(quirks.null_value, quirks.bad_value);
      op.count = count;
      op.elem_flags = elem_flags;
      op.flags = flags;
      break;
    }
    case Action::kUpdateBatch: {
      UpdateBatch& op = Add<UpdateBatch>();
      op.map = handle;
      BatchBuffers(map, count, &op.keys, &op.values);
      op.keys.pointer = DrawPointer(quirks.null_key, quirks.bad_key);
      op.values.pointer = DrawPointer(quirks.null_value, quirks.bad_value);
      op.count = told;
      if (map.kind->kind->of_maps && op.values.pointer == Pointer::kValid) {
        op.count = count;  // Zeros would be the descriptor 0.
        for (uint32_t i = 0; i < count; ++i) op.value_fds.push_back(PickInner(map, false));
      }
      op.elem_flags = elem_flags;
      if (quirks.other) op.elem_flags |= entropy_.OneIn(2) ? BPF_EXIST : BPF_NOEXIST;
      op.flags = flags;
      break;
    }
    default: {
      DeleteBatch& op = Add<DeleteBatch>();
      op.map = handle;
      BatchBuffers(map, count, &op.keys, nullptr);
      op.keys.pointer = DrawPointer(quirks.null_key, quirks.bad_key);
      op.count = told;
      op.elem_flags = elem_flags;
      op.flags = flags;
      break;
    }
  }
  Finish(quirks);
}

void OperationWriter::Walk(Action action, uint16_t slot) {
  const MapFacts& map = world_.handles[slot].map;
  const Handle handle{slot};
  const uint32_t longest = LongestRun(map, options_);
  const uint32_t elements = std::min(map.max_entries, longest);
  switch (action) {
    case Action::kFillUp: {
      const uint32_t first = KeyKindOf(map) == KeyKind::kBytes ? entropy_.Below32(2) : 0;
      const bool of_maps = map.kind->kind->of_maps;
      for (uint32_t i = 0; i <= elements && !full(); ++i) {
        const Handle inner = of_maps ? PickInner(map, false) : kNoFd;
        Update& op = Add<Update>();
        op.map = handle;
        op.value_fd = inner;
        KeyBufferAt(map, first + i, &op.key);
        MakeValue(entropy_, map.buffer_size(), &op.value.bytes);
        if (map.kind->kind->of_sockets) op.value_fd = DrawDescriptor(Quirks());
        // Past the end of a queue the oldest element may be asked to give way.
        op.flags = i == elements ? entropy_.Below(3) : BPF_ANY;
        Check();
      }
      break;
    }
    case Action::kDrain: {
      for (uint32_t i = 0; i <= elements && !full(); ++i) {
        LookupAndDelete& op = Add<LookupAndDelete>();
        op.map = handle;
        KeyBufferAt(map, i, &op.key);
        Check();
      }
      break;
    }
    case Action::kKeyWalk: {
      // The real previous key is not known here; asking for the successor of every candidate sees
      // each edge of the walk all the same.
      const bool disturbed = entropy_.OneIn(4);
      const uint32_t steps = std::min<uint32_t>(KeyPool(map), longest);
      for (uint32_t i = 0; i <= steps && !full(); ++i) {
        GetNextKey& op = Add<GetNextKey>();
        op.map = handle;
        if (i == 0) {
          op.key.pointer = Pointer::kNull;
        } else {
          KeyBufferAt(map, i - 1, &op.key);
        }
        Check();
        if (!disturbed || full() || !entropy_.OneIn(3)) continue;
        Delete& removal = Add<Delete>();
        removal.map = handle;
        KeyBufferAt(map, entropy_.Below32(steps), &removal.key);
        Check();
      }
      break;
    }
    default: {
      const uint32_t count =
          1 + entropy_.Below32(std::min<uint32_t>(16, std::max(1u, map.max_entries)));
      const uint32_t steps = std::min<uint32_t>(map.max_entries / count + 2, 20);
      const bool taking = entropy_.OneIn(4);
      for (uint32_t i = 0; i < steps && !full(); ++i) {
        LookupBatch& op = Add<LookupBatch>();
        op.map = handle;
        op.and_delete = taking;
        op.start = i == 0 ? LookupBatch::Start::kNull : LookupBatch::Start::kLast;
        op.count = std::min(count, EdgeCount(entropy_, map) + 1);
        Check();
      }
      break;
    }
  }
}

}  // namespace mapspec
