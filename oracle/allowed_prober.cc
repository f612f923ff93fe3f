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
constexpr uint32_t kMaxCounts = 64;
constexpr uint8_t kFlip = 0x5a;

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

BytePattern Exactly(Bytes bytes) { return {std::move(bytes), {}}; }

// The first elements, and poison behind them.
BatchOutput OutputOf(std::span<const AllowedElement> elements, const BatchOutput& shape) {
  BatchOutput output;
  output.count = static_cast<uint32_t>(elements.size());
  output.out_batch = Poison(shape.out_batch.size());
  output.keys = Poison(shape.keys.size());
  output.values = Poison(shape.values.size());
  size_t key = 0, value = 0;
  for (const AllowedElement& element : elements) {
    for (size_t i = 0; i < element.key.size() && key < output.keys.size(); ++i) {
      output.keys[key++] = element.key[i];
    }
    for (size_t i = 0; i < element.value.bytes.size() && value < output.values.size(); ++i) {
      output.values[value++] = element.value.bytes[i];
    }
  }
  return output;
}

}  // namespace

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
  if (bytes.size() > kMaxMasked) return Exactly(bytes);
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

void AllowedProber::AddBatches(Errno error, std::vector<AllowedOutcome>* found) {
  const BatchOutput& shape = *std::get<Boxed<BatchOutput>>(question_.seen.output);
  uint32_t asked = 0;
  std::visit(
      [&](const auto& op) {
        if constexpr (requires { op.count; }) asked = op.count;
      },
      question_.operation.call);
  std::set<uint32_t> counts = {asked, shape.count};
  for (uint32_t i = 0; i <= std::min(asked, kMaxCounts); ++i) counts.insert(i);
  Outcome outcome;
  outcome.error = error;
  for (const uint32_t count : counts) {
    BatchOutput output = OutputOf({}, shape);
    output.count = count;
    outcome.output = Boxed<BatchOutput>(output);
    if (!Takes(outcome)) continue;
    AllowedOutcome allowed;
    allowed.errors = {error};
    allowed.count = count;
    // Whether anything may stand in the buffers.
    BatchOutput garbage = output;
    for (Bytes* bytes : {&garbage.out_batch, &garbage.keys, &garbage.values}) {
      *bytes = Flipped(*bytes);
    }
    outcome.output = Boxed<BatchOutput>(garbage);
    const bool written = !shape.out_batch.empty() || !shape.keys.empty() || !shape.values.empty();
    if (written && !Takes(outcome)) {
      allowed.buffers = AllowedOutcome::Buffers{Exactly(output.out_batch), Exactly(output.keys),
                                                Exactly(output.values)};
      // A token of four bytes may stand there all the same.
      BatchOutput token = output;
      for (size_t i = 0; i < std::min<size_t>(4, token.out_batch.size()); ++i) {
        token.out_batch[i] = kFlip;
      }
      outcome.output = Boxed<BatchOutput>(token);
      if (!token.out_batch.empty() && Takes(outcome)) {
        Bytes& mask = allowed.buffers->out_batch.mask;
        mask = Bytes(token.out_batch.size(), 0xff);
        for (size_t i = 0; i < std::min<size_t>(4, mask.size()); ++i) mask[i] = 0;
      }
    }
    Put(std::move(allowed), found);
  }
}

std::vector<AllowedElement> AllowedProber::Elements(Handle map) const {
  std::vector<AllowedElement> elements;
  std::vector<Bytes> keys = Pieces(buffers_, question_.key_size);
  for (uint32_t i = 0; question_.key_size == 4 && i < kMaxCounts; ++i) {
    keys.push_back(Bytes::LittleEndian(i, 4));
  }
  std::sort(keys.begin(), keys.end(), [](const Bytes& a, const Bytes& b) {
    return a.size() == 4 ? a.ToNumber() < b.ToNumber() : a < b;
  });
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  Operation look = question_.operation;
  for (const Bytes& key : keys) {
    if (std::holds_alternative<HelperForEach>(question_.operation.call)) {
      look.call = HelperLookup{map, key, false, {}, false};
    } else {
      look.call = Lookup{.map = map, .key = {Pointer::kValid, key}};
    }
    Outcome absent;
    absent.error = Errno::kENOENT;
    absent.output = Poison(question_.value_size);
    if (Ask(look, absent).kind != Judgement::Kind::kViolation) continue;
    Outcome there;
    there.output = Poison(question_.value_size);
    Judgement judgement = Ask(look, there);
    if (judgement.expected_bytes.size() == question_.value_size) {
      there.output = judgement.expected_bytes;
    }
    if (Ask(look, there).kind != Judgement::Kind::kConforms) continue;
    elements.push_back({key, Masked(look, there, std::get<Bytes>(there.output))});
  }
  return elements;
}

void AllowedProber::AddElementBatches(const LookupBatch& op, std::vector<AllowedOutcome>* found) {
  const auto* boxed = std::get_if<Boxed<BatchOutput>>(&question_.seen.output);
  if (boxed == nullptr || op.elem_flags > BPF_F_LOCK) return;
  const BatchOutput& shape = **boxed;
  std::vector<AllowedElement> elements = Elements(op.map);
  // What earlier pages of this walk gave.
  std::set<Bytes> given;
  for (size_t i = 0; i < question_.outcomes.size(); ++i) {
    const auto* earlier = std::get_if<LookupBatch>(&question_.operations[i].call);
    const auto* page = std::get_if<Boxed<BatchOutput>>(&question_.outcomes[i].output);
    if (earlier == nullptr || page == nullptr || !(earlier->map == op.map)) continue;
    if (earlier->start == LookupBatch::Start::kNull) given.clear();
    for (size_t n = 0; n < (*page)->count && (n + 1) * question_.key_size <= (*page)->keys.size();
         ++n) {
      given.insert((*page)->keys.Slice(n * question_.key_size, question_.key_size));
    }
  }
  std::vector<AllowedElement> rest = elements;
  if (op.start == LookupBatch::Start::kLast) {
    std::erase_if(rest, [&](const AllowedElement& e) { return given.count(e.key) != 0; });
  }

  Outcome outcome;
  const auto ask = [&](std::span<const AllowedElement> page, const Bytes& token) {
    BatchOutput output = OutputOf(page, shape);
    output.out_batch = token;
    outcome.output = Boxed<BatchOutput>(output);
    return Takes(outcome);
  };
  // A token that no array gives: four bytes, and nothing behind them.
  Bytes some_token = Poison(shape.out_batch.size());
  for (size_t i = 0; i < std::min<size_t>(4, some_token.size()); ++i) some_token[i] = kFlip;
  for (const Errno error : {Errno::kNone, Errno::kENOENT}) {
    outcome.error = error;
    for (uint32_t count = 1; count <= std::min<size_t>(op.count, rest.size()); ++count) {
      // In any order: the reverse is as good.
      std::vector<AllowedElement> page(rest.begin(), rest.begin() + count);
      std::vector<AllowedElement> reverse(page.rbegin(), page.rend());
      if (!ask(page, some_token) || !ask(reverse, some_token)) continue;
      AllowedOutcome allowed;
      allowed.errors = {error};
      allowed.count = count;
      allowed.elements = rest;
      Put(std::move(allowed), found);
    }
    // In order, from any place on, and with a token that says how far: arrays.
    for (size_t first = 0; first < elements.size(); ++first) {
      const size_t count = std::min<size_t>(op.count, elements.size() - first);
      const auto page = std::span(elements).subspan(first, count);
      for (const size_t last : {first + count - 1, first + count}) {
        const Bytes token = Bytes::LittleEndian(last, shape.out_batch.size());
        if (count == 0 || ask(page, some_token) || !ask(page, token)) continue;
        AllowedOutcome allowed;
        allowed.errors = {error};
        allowed.count = static_cast<uint32_t>(count);
        const BatchOutput output = OutputOf(page, shape);
        AllowedOutcome::Buffers buffers{Exactly(token), Exactly(output.keys),
                                        Exactly(output.values)};
        if (std::any_of(page.begin(), page.end(),
                        [](const auto& e) { return !e.value.mask.empty(); })) {
          buffers.values.mask = Bytes(output.values.size(), 0xff);
          size_t at = 0;
          for (const AllowedElement& e : page) {
            for (size_t i = 0; i < e.value.bytes.size(); ++i, ++at) {
              buffers.values.mask[at] = e.value.mask.empty() ? 0xff : e.value.mask[i];
            }
          }
        }
        allowed.buffers = std::move(buffers);
        Put(std::move(allowed), found);
      }
    }
  }
}

void AllowedProber::AddWalks(const HelperForEach& op, std::vector<AllowedOutcome>* found) {
  if (!std::holds_alternative<Boxed<BatchOutput>>(question_.seen.output)) return;
  const std::vector<AllowedElement> elements = Elements(op.map);
  const size_t count = std::min<size_t>(elements.size(), kMaxForEachNoted);
  BatchOutput shape;
  shape.keys = Bytes(count * question_.key_size);
  shape.values = Bytes(count * question_.value_size);
  for (size_t visited = 0; visited <= elements.size(); ++visited) {
    const size_t noted = std::min(visited, count);
    shape.keys.Resize(noted * question_.key_size);
    shape.values.Resize(noted * question_.value_size);
    std::vector<AllowedElement> page(elements.begin(),
                                     elements.begin() + static_cast<ptrdiff_t>(noted));
    Outcome outcome;
    outcome.result = static_cast<int64_t>(visited);
    outcome.output = Boxed<BatchOutput>(OutputOf(page, shape));
    if (!Takes(outcome)) continue;
    AllowedOutcome allowed;
    allowed.errors = {Errno::kNone};
    if (visited != 0) allowed.result = outcome.result;
    allowed.count = static_cast<uint32_t>(noted);
    const std::vector<AllowedElement> reverse(page.rbegin(), page.rend());
    outcome.output = Boxed<BatchOutput>(OutputOf(reverse, shape));
    if (noted > 1 && !Takes(outcome)) {
      const BatchOutput output = OutputOf(page, shape);
      allowed.buffers =
          AllowedOutcome::Buffers{Exactly({}), Exactly(output.keys), Exactly(output.values)};
    } else {
      allowed.elements = elements;
    }
    Put(std::move(allowed), found);
  }
}

}  // namespace mapspec
