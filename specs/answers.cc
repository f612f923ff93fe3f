// SPDX-License-Identifier: MIT
#include "specs/answers.h"

#include <algorithm>
#include <optional>

#include "specs/answer_parts.h"

namespace mapspec {
namespace {

constexpr uint32_t kInfoSize = 88;  // sizeof(struct bpf_map_info) of the uapi of 6.1 to 6.18.
constexpr uint32_t kFirstId = 100;  // The id of a script's first map; any will do.

// What is left of an info when only the first `length` bytes of struct bpf_map_info are filled.
MapInfo Cut(const MapInfo& info, uint32_t length) {
  MapInfo cut;
  const auto number = [length](uint32_t offset, uint64_t value, size_t size) {
    Bytes bytes = Bytes::LittleEndian(value, size);
    for (size_t i = 0; i < size; ++i) {
      if (offset + i >= length) bytes[i] = 0;
    }
    return bytes.ToNumber();
  };
  const auto word = [&](uint32_t offset, uint32_t value) {
    return static_cast<uint32_t>(number(offset, value, 4));
  };
  cut.type = word(0, info.type);
  cut.id = word(4, info.id);
  cut.key_size = word(8, info.key_size);
  cut.value_size = word(12, info.value_size);
  cut.max_entries = word(16, info.max_entries);
  cut.map_flags = word(20, info.map_flags);
  cut.name = info.name.substr(0, length > 24 ? length - 24 : 0);
  cut.has_btf = info.has_btf && length > 64;
  cut.btf_key_type_id = word(68, info.btf_key_type_id);
  cut.btf_value_type_id = word(72, info.btf_value_type_id);
  cut.map_extra = number(80, info.map_extra, 8);
  return cut;
}

uint32_t FlagsWithoutAccess(uint32_t flags) { return flags & ~(BPF_F_RDONLY | BPF_F_WRONLY); }

}  // namespace

const Answers::KnownMap* Answers::MapAt(Handle handle) const {
  const auto slot = slots_.find(handle.slot);
  return slot == slots_.end() ? nullptr : &maps_[slot->second];
}

uint32_t Answers::KeySize(Handle handle) const {
  const KnownMap* map = MapAt(handle);
  return map == nullptr ? 0 : map->create.key_size;
}

uint32_t Answers::ValueSize(Handle handle) const {
  const KnownMap* map = MapAt(handle);
  return map == nullptr ? 0 : map->create.value_size;
}

size_t Answers::BufferSize(Handle handle) const {
  const KnownMap* map = MapAt(handle);
  if (map == nullptr || !IsPerCpu(map->create.type)) return ValueSize(handle);
  return PerCpuStride(map->create.value_size) * possible_cpus_;
}

std::optional<Bytes> Answers::InnerId(Handle map, const Bytes& key) const {
  const auto slot = slots_.find(map.slot);
  if (slot == slots_.end()) return std::nullopt;
  const auto put = put_.find({slot->second, key});
  if (put == put_.end()) return std::nullopt;
  return Bytes::LittleEndian(kFirstId + put->second, 4);
}

void Answers::NotePut(Handle map, const Bytes& key, Handle value) {
  const auto outer = slots_.find(map.slot);
  const auto inner = slots_.find(value.slot);
  if (outer != slots_.end() && inner != slots_.end()) put_[{outer->second, key}] = inner->second;
}

std::vector<Bytes> Answers::KnownBytes(const std::set<Bytes>& written, size_t size) const {
  std::vector<Bytes> known;
  for (const Bytes& bytes : written) {
    Bytes fitted = bytes;
    fitted.Resize(size);
    AddOnce(fitted, &known);
  }
  AddOnce(Bytes(size), &known);
  return known;
}

std::vector<Outcome> Answers::WithBytes(const StatedOutcome& stated, const Operation& operation,
                                        const Checker& checker, Pointer pointer, size_t size,
                                        const std::set<Bytes>& written) const {
  size = std::min(size, kMaxBuffer);
  std::vector<Bytes> buffers;
  if (pointer != Pointer::kValid) {
    buffers.push_back({});
  } else if (stated.output) {
    buffers.push_back(*stated.output);
  } else if (stated.result != StatedOutcome::Result::kOk || stated.untouched.output) {
    buffers.push_back(Poison(size));
  } else {
    if (const std::optional<Bytes> asked = Asked(operation, size, checker))
      AddOnce(*asked, &buffers);
    for (const Bytes& known : KnownBytes(written, size)) AddOnce(known, &buffers);
    AddOnce(Poison(size), &buffers);
  }
  std::vector<Outcome> outcomes;
  for (Outcome ending : Endings(stated, operation)) {
    for (const Bytes& buffer : buffers) {
      ending.output = buffer;
      outcomes.push_back(ending);
    }
  }
  return outcomes;
}

std::vector<Outcome> Answers::ForCount(const StatedOutcome& stated, const Operation& operation,
                                       uint32_t count) const {
  std::vector<uint32_t> counts = {count};
  if (stated.count) {
    counts = {*stated.count};
  } else if (stated.result != StatedOutcome::Result::kOk) {
    for (uint32_t i = 0; i < std::min(count, 64u); ++i) counts.push_back(i);
  }
  std::vector<Outcome> outcomes;
  for (Outcome ending : Endings(stated, operation)) {
    for (const uint32_t each : counts) {
      BatchOutput output;
      output.count = each;
      ending.output = Boxed<BatchOutput>(output);
      outcomes.push_back(ending);
    }
  }
  return outcomes;
}

std::vector<Outcome> Answers::ForFrames(const StatedOutcome& stated, const Operation& operation,
                                        const Checker& checker) {
  // What is no answer at all makes the oracle say which frames there are.
  Outcome wrong;
  Boxed<BatchOutput> none;
  none->count = UINT32_MAX;
  wrong.output = none;
  Checker copy = checker;
  const Bytes frames = copy.Step(operation, wrong).expected_bytes;
  std::vector<Outcome> outcomes;
  for (Outcome ending : Endings(stated, operation)) {
    for (uint32_t count = 0; count <= kMaxFrames; ++count) {
      if (stated.count && *stated.count != count) continue;
      Boxed<BatchOutput> output;
      output->count = count;
      output->values = frames;
      ending.output = output;
      outcomes.push_back(ending);
    }
  }
  return outcomes;
}

std::vector<Outcome> Answers::ForInfo(const StatedOutcome& stated, const Operation& operation,
                                      const GetInfo& call) const {
  MapInfo info;
  const uint32_t asked = call.info_len == 0 ? kInfoSize : call.info_len;
  std::vector<uint32_t> flags = {0};
  if (const KnownMap* map = MapAt(call.map)) {
    const MapCreate& create = map->create;
    info.type = static_cast<uint32_t>(create.type);
    info.id = kFirstId + static_cast<uint32_t>(slots_.at(call.map.slot));
    info.key_size = create.key_size;
    info.value_size = create.value_size;
    info.max_entries = create.max_entries;
    if ((create.map_flags & BPF_F_NO_COMMON_LRU) != 0) {  // As much for every CPU.
      info.max_entries += possible_cpus_ - 1;
      info.max_entries -= info.max_entries % possible_cpus_;
    }
    info.name = create.name;
    info.has_btf = create.btf != kNoBtf;
    info.btf_key_type_id = create.btf_key_type_id;
    info.btf_value_type_id = create.btf_value_type_id;
    info.map_extra = create.map_extra;
    flags = {create.map_flags, FlagsWithoutAccess(create.map_flags)};
  }
  const StatedInfo& said = stated.info;
  info.type = said.type.value_or(info.type);
  info.id = stated.number.value_or(info.id);
  info.key_size = said.key_size.value_or(info.key_size);
  info.value_size = said.value_size.value_or(info.value_size);
  info.max_entries = said.max_entries.value_or(info.max_entries);
  info.name = said.name.value_or(info.name);
  info.has_btf = said.has_btf.value_or(info.has_btf);
  info.btf_key_type_id = said.btf_key_type_id.value_or(info.btf_key_type_id);
  info.btf_value_type_id = said.btf_value_type_id.value_or(info.btf_value_type_id);
  info.map_extra = said.map_extra.value_or(info.map_extra);
  if (said.map_flags) flags = {*said.map_flags};
  std::vector<uint32_t> lengths = {std::min(asked, kInfoSize), asked};
  if (said.info_len) lengths = {*said.info_len};
  std::vector<Outcome> outcomes;
  for (Outcome ending : Endings(stated, operation)) {
    for (const uint32_t map_flags : flags) {
      for (const uint32_t length : lengths) {
        info.map_flags = map_flags;
        MapInfo cut = Cut(info, std::min(asked, length));
        cut.info_len = length;
        ending.output = Boxed<MapInfo>(cut);
        outcomes.push_back(ending);
      }
    }
  }
  return outcomes;
}

std::vector<Outcome> Answers::For(const StatedOutcome& stated, const Operation& operation,
                                  const Checker& checker) const {
  const Call& call = operation.call;
  if (const auto* op = std::get_if<Lookup>(&call)) {
    std::set<Bytes> values = values_;
    if (const auto id = InnerId(op->map, op->key.bytes)) values = {*id};
    return WithBytes(stated, operation, checker, op->value, BufferSize(op->map), values);
  }
  if (const auto* op = std::get_if<LookupAndDelete>(&call)) {
    return WithBytes(stated, operation, checker, op->value, BufferSize(op->map), values_);
  }
  if (const auto* op = std::get_if<GetNextKey>(&call)) {
    return WithBytes(stated, operation, checker, op->next_key, KeySize(op->map), keys_);
  }
  if (const auto* op = std::get_if<MemRead>(&call)) {
    return WithBytes(stated, operation, checker, Pointer::kValid, op->length, values_);
  }
  if (IsProgramPath(call)) return ForHelper(stated, operation, checker);
  if (const auto* op = std::get_if<LookupBatch>(&call)) {
    return ForBatch(stated, operation, *op, checker);
  }
  if (const auto* op = std::get_if<UpdateBatch>(&call))
    return ForCount(stated, operation, op->count);
  if (const auto* op = std::get_if<DeleteBatch>(&call))
    return ForCount(stated, operation, op->count);
  if (const auto* op = std::get_if<GetInfo>(&call)) return ForInfo(stated, operation, *op);
  if (std::holds_alternative<ReceiveFrames>(call)) return ForFrames(stated, operation, checker);
  std::vector<uint32_t> numbers;
  if (const auto* op = std::get_if<SendFrames>(&call)) numbers = {0, op->count};
  if (const auto* op = std::get_if<GetNextId>(&call)) {
    const auto slot = slots_.find(op->of.slot);
    const uint32_t from =
        slot == slots_.end() ? op->id : kFirstId + static_cast<uint32_t>(slot->second);
    numbers = {from + 1, kFirstId, 0};
  }
  // POLLERR, nothing, POLLIN|POLLOUT with their RDNORM and WRNORM.
  if (std::holds_alternative<Poll>(call)) numbers = {0x8, 0, 0x145};
  if (stated.number) numbers = {*stated.number};
  std::vector<Outcome> outcomes;
  for (Outcome ending : Endings(stated, operation)) {
    if (numbers.empty()) outcomes.push_back(ending);
    for (const uint32_t number : numbers) {
      if (stated.nonzero_id && number == 0) continue;
      ending.output = number;
      outcomes.push_back(ending);
    }
  }
  return outcomes;
}

void Answers::Learn(Handle map, const InBuffer& keys, const InBuffer& values, uint32_t count) {
  const size_t key_size = KeySize(map), value_size = BufferSize(map);
  for (uint32_t i = 0; i < std::min(count, 1024u); ++i) {
    if (key_size != 0 && (i + 1) * key_size <= keys.bytes.size()) {
      keys_.insert(keys.bytes.Slice(i * key_size, key_size));
    }
    if (value_size != 0 && (i + 1) * value_size <= values.bytes.size()) {
      values_.insert(values.bytes.Slice(i * value_size, value_size));
    }
  }
}

void Answers::Note(const Operation& operation, const Outcome& outcome) {
  const Call& call = operation.call;
  const auto fill = [&](Handle slot, std::optional<size_t> map) {
    slots_.erase(slot.slot);
    if (map && outcome.ok()) slots_[slot.slot] = *map;
  };
  const auto index = [&](Handle handle) -> std::optional<size_t> {
    const auto slot = slots_.find(handle.slot);
    if (slot == slots_.end()) return std::nullopt;
    return slot->second;
  };
  if (const auto* op = std::get_if<MapCreate>(&call)) {
    const KnownMap* inner = MapAt(op->inner_map);
    const uint32_t inner_value_size = inner == nullptr ? 0 : inner->create.value_size;
    if (outcome.ok()) maps_.push_back({*op, 0, inner_value_size});
    fill(op->result, maps_.size() - 1);
  }
  if (const auto* op = std::get_if<Update>(&call)) {
    if (!op->key.bytes.empty()) keys_.insert(op->key.bytes);
    if (!op->value.bytes.empty()) values_.insert(op->value.bytes);
    if (outcome.ok()) NotePut(op->map, op->key.bytes, op->value_fd);
  }
  if (const auto* op = std::get_if<UpdateBatch>(&call)) {
    Learn(op->map, op->keys, op->values, op->count);
    const size_t size = KeySize(op->map);
    const auto* output = std::get_if<Boxed<BatchOutput>>(&outcome.output);
    for (size_t i = 0; output != nullptr && i < op->value_fds.size(); ++i) {
      if (i >= (*output)->count || (i + 1) * size > op->keys.bytes.size()) break;
      NotePut(op->map, op->keys.bytes.Slice(i * size, size), op->value_fds[i]);
    }
  }
  if (const auto* op = std::get_if<Lookup>(&call)) {
    // Of an array, every key that is asked for may be there.
    if (!op->key.bytes.empty()) keys_.insert(op->key.bytes);
  }
  NoteHelper(call);
  if (const auto* op = std::get_if<LookupBatch>(&call)) {
    const std::optional<size_t> map = index(op->map);
    const auto* output = std::get_if<Boxed<BatchOutput>>(&outcome.output);
    if (map && output != nullptr) {
      if (op->start == LookupBatch::Start::kNull) maps_[*map].emitted = 0;
      if (!op->and_delete) maps_[*map].emitted += (*output)->count;
    }
  }
  if (const auto* op = std::get_if<GetFdById>(&call)) {
    std::optional<size_t> map = index(op->of);
    if (op->of == kBadFd && op->id >= kFirstId) map = op->id - kFirstId;
    if (map && *map >= maps_.size()) map.reset();
    fill(op->result, map);
  }
  if (const auto* op = std::get_if<Pin>(&call)) {
    if (const auto map = index(op->map); map && outcome.ok()) pins_[op->path] = *map;
  }
  if (const auto* op = std::get_if<ObjGet>(&call)) {
    const auto pin = pins_.find(op->path);
    fill(op->result, pin == pins_.end() ? std::nullopt : std::optional<size_t>(pin->second));
  }
  if (const auto* op = std::get_if<MemWrite>(&call)) {
    if (!op->bytes.empty()) values_.insert(op->bytes);
  }
}

}  // namespace mapspec
