// SPDX-License-Identifier: MIT
#include "oracle/allowed_prober.h"

#include <algorithm>
#include <bit>
#include <type_traits>

namespace mapspec {
namespace {

// No errno of the Linux ABI is above 133 but the kernel's internal ones.
constexpr int kLastErrno = 133, kFirstInternal = 512, kLastInternal = 531;
constexpr size_t kMaxCandidates = 4096;
// Of longer values every byte counts.
constexpr size_t kMaxMasked = 512;

template <typename T>
const Bytes* AsBytes(const T& buffer) {
  if constexpr (std::is_same_v<T, Bytes>) return &buffer;
  if constexpr (std::is_same_v<T, InBuffer>) return &buffer.bytes;
  return nullptr;
}

void AddBuffers(const Call& call, std::vector<Bytes>* buffers) {
  std::visit(
      [buffers](const auto& op) {
        const auto add = [buffers](const auto& buffer) {
          if (const Bytes* bytes = AsBytes(buffer)) buffers->push_back(*bytes);
        };
        if constexpr (requires { op.key; }) add(op.key);
        if constexpr (requires { op.inner_key; }) add(op.inner_key);
        if constexpr (requires { op.keys; }) add(op.keys);
        if constexpr (requires { op.value; }) add(op.value);
        if constexpr (requires { op.values; }) add(op.values);
      },
      call);
}

std::vector<Errno> AllErrnos() {
  std::vector<Errno> all;
  for (int i = 0; i <= kLastErrno; ++i) all.push_back(static_cast<Errno>(i));
  for (int i = kFirstInternal; i <= kLastInternal; ++i) all.push_back(static_cast<Errno>(i));
  return all;
}

bool SameButErrors(AllowedOutcome a, const AllowedOutcome& b) {
  return a.refused == b.refused && a.result == b.result && a.outputs == b.outputs &&
         a.number == b.number && a.id_between == b.id_between && a.count == b.count &&
         a.buffers == b.buffers && a.elements == b.elements && a.info_fields == b.info_fields &&
         a.info == b.info;
}

}  // namespace

Bytes Flipped(Bytes bytes) {
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(bytes[i] ^ kFlip);
  return bytes;
}

// `size`-byte pieces of all buffers; short ones are padded.
std::vector<Bytes> Pieces(const std::vector<Bytes>& buffers, size_t size) {
  std::set<Bytes> pieces;
  for (const Bytes& buffer : buffers) {
    if (pieces.size() >= kMaxCandidates || size == 0) break;
    if (buffer.size() <= size) {
      Bytes padded = buffer;
      padded.Resize(size);
      pieces.insert(padded);
      continue;
    }
    for (size_t i = 0; i + size <= buffer.size() && pieces.size() < kMaxCandidates; i += size) {
      pieces.insert(buffer.Slice(i, size));
    }
  }
  return {pieces.begin(), pieces.end()};
}

void Put(AllowedOutcome outcome, std::vector<AllowedOutcome>* found) {
  for (AllowedOutcome& other : *found) {
    // Success stands alone.
    if (outcome.errors[0] == Errno::kNone || other.errors[0] == Errno::kNone) continue;
    if (!SameButErrors(outcome, other)) continue;
    other.errors.push_back(outcome.errors[0]);
    return;
  }
  found->push_back(std::move(outcome));
}

uint32_t DifferingFields(const MapInfo& a, const MapInfo& b) {
  const auto bit = [](bool differs, InfoField field) { return differs ? uint32_t{field} : 0u; };
  return bit(a.type != b.type, kInfoType) | bit(a.id != b.id, kInfoId) |
         bit(a.key_size != b.key_size, kInfoKeySize) |
         bit(a.value_size != b.value_size, kInfoValueSize) |
         bit(a.max_entries != b.max_entries, kInfoMaxEntries) |
         bit(a.map_flags != b.map_flags, kInfoFlags) | bit(a.name != b.name, kInfoName) |
         bit(a.has_btf != b.has_btf, kInfoHasBtf) |
         bit(a.btf_key_type_id != b.btf_key_type_id, kInfoBtfKey) |
         bit(a.btf_value_type_id != b.btf_value_type_id, kInfoBtfValue) |
         bit(a.map_extra != b.map_extra, kInfoExtra) | bit(a.info_len != b.info_len, kInfoLength);
}

AllowedProber::AllowedProber(const AllowedQuestion& question) : question_(question) {
  for (const Operation& operation : question.operations) AddBuffers(operation.call, &buffers_);
  AddBuffers(question.operation.call, &buffers_);
  for (const Outcome& outcome : question.outcomes) {
    if (const auto* bytes = std::get_if<Bytes>(&outcome.output)) buffers_.push_back(*bytes);
    if (const auto* info = std::get_if<Boxed<MapInfo>>(&outcome.output)) ids_.insert((*info)->id);
  }
}

Judgement AllowedProber::Ask(const Operation& operation, const Outcome& outcome) const {
  Checker checker(question_.before);
  return checker.Step(operation, outcome);
}

bool AllowedProber::Takes(const Outcome& outcome) const {
  return Ask(question_.operation, outcome).kind != Judgement::Kind::kViolation;
}

std::vector<AllowedOutcome> AllowedProber::Find() {
  std::vector<AllowedOutcome> found;
  const Call& call = question_.operation.call;
  for (const Errno error : AllErrnos()) {
    if (std::holds_alternative<Boxed<BatchOutput>>(question_.seen.output)) {
      AddBatches(error, &found);
    } else if (auto one = WithError(error, false)) {
      Put(std::move(*one), &found);
    }
    if (IsProgramPath(call) && error != Errno::kNone) {
      if (auto one = WithError(error, true)) Put(std::move(*one), &found);
    }
  }
  if (const auto* batch = std::get_if<LookupBatch>(&call)) AddElementBatches(*batch, &found);
  if (const auto* walk = std::get_if<HelperForEach>(&call)) AddWalks(*walk, &found);
  for (AllowedOutcome& allowed : found) {
    allowed.any_error = allowed.errors[0] != Errno::kNone && allowed.errors.size() >= kLastErrno;
  }
  return found;
}

std::optional<AllowedOutcome> AllowedProber::WithError(Errno error, bool refused) {
  Outcome outcome;
  outcome.error = error;
  if (refused) {
    outcome.completion = Completion::kRefused;
    if (!Takes(outcome)) return std::nullopt;
    AllowedOutcome allowed;
    allowed.refused = true;
    allowed.errors = {error};
    return allowed;
  }
  const Output& seen = question_.seen.output;
  if (const auto* bytes = std::get_if<Bytes>(&seen)) return WithBytes(outcome, bytes->size());
  if (std::holds_alternative<Boxed<MapInfo>>(seen)) return WithInfo(outcome);
  AllowedOutcome allowed;
  allowed.errors = {error};
  if (!std::holds_alternative<uint32_t>(seen)) {
    // What a helper returns that is no errno: nothing else, or an XDP action.
    if (Takes(outcome)) return allowed;
    for (int64_t result = 1; result < 8 && error == Errno::kNone; ++result) {
      outcome.result = allowed.result.emplace(result);
      if (Takes(outcome)) return allowed;
    }
    return std::nullopt;
  }
  const auto takes = [&](uint32_t number) {
    outcome.output = number;
    return Takes(outcome);
  };
  if (std::holds_alternative<GetNextId>(question_.operation.call)) {
    if (error != Errno::kNone) return takes(0) ? std::optional(allowed) : std::nullopt;
    // The smallest id that is taken, and the greatest: one that the script knows, or none.
    uint32_t above = 0;
    while (above < UINT32_MAX && !takes(above + 1)) {
      const auto next = ids_.upper_bound(above);
      if (next == ids_.end()) return std::nullopt;
      above = takes(*next + 1) ? *next : std::max(above + 1, *next);
    }
    allowed.id_between = {above, 0};
    for (const uint32_t id : ids_) {
      if (id > above && takes(id) && !takes(id + 1)) allowed.id_between->second = id;
    }
    return allowed;
  }
  if (takes(0x5a5a) && takes(0x2525)) return allowed;
  // Of a failure nothing but the usual answers.
  const uint32_t last = error == Errno::kNone ? 0x4000 : 16;
  for (uint32_t events = 0; events < last; ++events) {
    if (!takes(events)) continue;
    allowed.number = events;
    return allowed;
  }
  return std::nullopt;
}

std::optional<AllowedOutcome> AllowedProber::WithBytes(Outcome outcome, size_t size) {
  AllowedOutcome allowed;
  allowed.errors = {outcome.error};
  const auto takes = [&](const Bytes& bytes) {
    outcome.output = bytes;
    return Takes(outcome);
  };
  const Bytes poison = Poison(size);
  if (takes(Flipped(poison)) && takes(Flipped(Bytes(size)))) return allowed;

  const bool holds = std::holds_alternative<HelperUpdate>(question_.operation.call) ||
                     std::holds_alternative<HelperDelete>(question_.operation.call);
  std::vector<Bytes> candidates = {poison, Bytes(size)};
  if (outcome.error == Errno::kNone || holds) {
    const std::vector<Bytes> pieces = Pieces(buffers_, size);
    candidates.insert(candidates.end(), pieces.begin(), pieces.end());
  }
  std::set<Bytes> asked;
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (!asked.insert(candidates[i]).second) continue;
    const Bytes candidate = candidates[i];
    outcome.output = candidate;
    const Judgement judgement = Ask(question_.operation, outcome);
    if (judgement.kind == Judgement::Kind::kViolation) {
      // The oracle itself says what it wants to see.
      if (judgement.expected_bytes.size() == size && size != 0) {
        candidates.push_back(judgement.expected_bytes);
      }
      continue;
    }
    if (std::any_of(allowed.outputs.begin(), allowed.outputs.end(),
                    [&](const BytePattern& known) { return known.Matches(candidate); })) {
      continue;
    }
    allowed.outputs.push_back(Masked(question_.operation, outcome, candidate));
  }
  if (allowed.outputs.empty()) return std::nullopt;
  return allowed;
}

BytePattern AllowedProber::Masked(const Operation& operation, const Outcome& outcome,
                                  const Bytes& bytes) const {
  if (bytes.size() > kMaxMasked) return {bytes, {}};
  BytePattern pattern{bytes, Bytes(bytes.size(), 0xff)};
  Outcome changed = outcome;
  bool all = true;
  for (size_t i = 0; i < bytes.size(); ++i) {
    Bytes other = bytes;
    other[i] = static_cast<uint8_t>(other[i] ^ kFlip);
    changed.output = other;
    if (Ask(operation, changed).kind == Judgement::Kind::kViolation) continue;
    // One value instead of another is no byte that does not count.
    other[i] = static_cast<uint8_t>(bytes[i] ^ 0x21);
    changed.output = other;
    if (Ask(operation, changed).kind == Judgement::Kind::kViolation) continue;
    pattern.mask[i] = 0;
    all = false;
  }
  if (all) pattern.mask = {};
  return pattern;
}

std::optional<AllowedOutcome> AllowedProber::WithInfo(Outcome outcome) {
  const MapInfo& seen = *std::get<Boxed<MapInfo>>(question_.seen.output);
  const auto takes = [&](const MapInfo& info) {
    outcome.output = Boxed<MapInfo>(info);
    return Takes(outcome);
  };
  AllowedOutcome allowed;
  allowed.errors = {outcome.error};
  MapInfo nothing;
  nothing.info_len = seen.info_len;
  if (takes(nothing)) return allowed;
  if (outcome.error != Errno::kNone) return std::nullopt;

  const auto& op = std::get<GetInfo>(question_.operation.call);
  std::set<uint32_t> ids = ids_;
  ids.insert(seen.id);
  ids.insert(ids.empty() ? 1 : *ids.rbegin() + 1);
  for (const Operation& operation : question_.operations) {
    const auto* create = std::get_if<MapCreate>(&operation.call);
    if (create == nullptr) continue;
    MapInfo info;
    info.type = static_cast<uint32_t>(create->type);
    info.key_size = create->key_size;
    info.value_size = create->value_size;
    info.name = create->name;
    info.has_btf = create->btf < kMaxSlots;
    info.btf_key_type_id = create->btf_key_type_id;
    info.btf_value_type_id = create->btf_value_type_id;
    info.map_extra = create->map_extra;
    info.map_flags = create->map_flags & ~(BPF_F_RDONLY | BPF_F_WRONLY);
    for (const uint32_t length : {seen.info_len, op.info_len == 0 ? 88 : op.info_len, 80u, 88u}) {
      info.info_len = length;
      for (const uint32_t entries : {create->max_entries, seen.max_entries}) {
        info.max_entries = entries;
        for (const uint32_t id : ids) {
          info.id = id;
          if (!takes(info)) continue;
          allowed.info = info;
          // A field counts whose change is not taken.
          const auto counts = [&](InfoField field, auto change) {
            MapInfo changed = info;
            change(&changed);
            if (!takes(changed)) allowed.info_fields |= field;
          };
          counts(kInfoType, [](MapInfo* i) { i->type ^= kFlip; });
          counts(kInfoId, [](MapInfo* i) { i->id ^= kFlip << 20; });
          counts(kInfoKeySize, [](MapInfo* i) { i->key_size ^= kFlip; });
          counts(kInfoValueSize, [](MapInfo* i) { i->value_size ^= kFlip; });
          counts(kInfoMaxEntries, [](MapInfo* i) { i->max_entries ^= kFlip; });
          counts(kInfoFlags, [](MapInfo* i) { i->map_flags ^= kFlip; });
          counts(kInfoName, [](MapInfo* i) { i->name += "?"; });
          counts(kInfoHasBtf, [](MapInfo* i) { i->has_btf = !i->has_btf; });
          counts(kInfoBtfKey, [](MapInfo* i) { i->btf_key_type_id ^= kFlip; });
          counts(kInfoBtfValue, [](MapInfo* i) { i->btf_value_type_id ^= kFlip; });
          counts(kInfoExtra, [](MapInfo* i) { i->map_extra ^= kFlip; });
          counts(kInfoLength, [](MapInfo* i) { i->info_len = 7; });
          return allowed;
        }
      }
    }
  }
  return std::nullopt;
}

}  // namespace mapspec
