// SPDX-License-Identifier: MIT
//
// Maps of maps, as far as more than one map is concerned: ids and descriptors stand for maps of
// this script, elements hold references, and a program goes through the outer map to an inner one's
// elements.
//
// Models know a map by its index in the World. A script names a map by a descriptor when it puts it
// into another one, and the kernel by an id when it shows what is there. An id that nobody told yet
// is learned when it is seen in the place of a map whose id is unknown; from then on it must be
// this map's.
#include <algorithm>

#include "oracle/checker_state.h"
#include "oracle/map_of_maps.h"
#include "oracle/model_visit.h"

namespace mapspec {
namespace {

using G = clause::generic;
using Settled = Checker::State::Settled;

constexpr uint32_t kNobody = 0xffffffff;

Bytes ValueOf(uint32_t map_index) { return Bytes::LittleEndian(map_index, 4); }

// The value of an element of an outer map; nullptr where there surely is none.
const Bytes* InnerMapAt(MapState& outer, const Bytes& key) {
  return std::visit(
      Overloaded{[](auto&) -> const Bytes* { return nullptr; },
                 [&](HashModel& hash) { return hash.ExpectLookup(key).output; },
                 [&](ArrayOfMapsModel& array) { return array.ExpectLookup(key).output; }},
      outer.model);
}

// Whether elements may or may not be there.
bool HasDoubts(const MapState& outer) {
  const auto* hash = std::get_if<HashModel>(&outer.model);
  return hash != nullptr && hash->has_doubts();
}

// The map that a call is about, where the call may change its elements.
const Handle* ChangedBy(const Call& call) {
  if (const auto* op = std::get_if<Update>(&call)) return &op->map;
  if (const auto* op = std::get_if<Delete>(&call)) return &op->map;
  if (const auto* op = std::get_if<UpdateBatch>(&call)) return &op->map;
  if (const auto* op = std::get_if<DeleteBatch>(&call)) return &op->map;
  if (const auto* op = std::get_if<LookupBatch>(&call)) return op->and_delete ? &op->map : nullptr;
  return nullptr;
}

// Helper lookups in maps of these types are what the oracle knows about.
bool HasElements(MapType type) {
  switch (type) {
    case MapType::HASH:
    case MapType::ARRAY:
    case MapType::PERCPU_HASH:
    case MapType::PERCPU_ARRAY:
    case MapType::LRU_HASH:
    case MapType::LRU_PERCPU_HASH:
      return true;
    default:
      return false;
  }
}

}  // namespace

uint32_t Checker::State::MapWithId(const Bytes& id_bytes, const Bytes* expected) {
  const auto id = static_cast<uint32_t>(id_bytes.ToNumber());
  const bool given = id != 0 && !IsPoison(id_bytes);
  const auto index = expected != nullptr ? static_cast<uint32_t>(expected->ToNumber()) : kNobody;
  if (given && index != kNobody) {
    // A stranger may be a map that is known by another name, or was taken for gone.
    const MapState& map = world.map(index);
    const bool stranger = map.attributes.type == MapType::UNSPEC;
    if (map.id == id || (stranger && map.id == 0)) return index;
  }
  if (const std::optional<uint32_t> known = world.FindAnyById(id)) return *known;
  if (!given || index == kNobody) return kNobody;
  if (world.map(index).id != 0) return kNobody;
  world.LearnId(index, id);
  return index;
}

bool Checker::State::TranslateIds(const Call& call, const Outcome& outcome) {
  const auto* lookup = std::get_if<Lookup>(&call);
  const auto* batch = std::get_if<LookupBatch>(&call);
  if (lookup == nullptr && batch == nullptr) return false;
  MapState* map = world.MapOfOrNull(lookup != nullptr ? lookup->map : batch->map);
  if (map == nullptr || !IsMapOfMaps(map->attributes.type) || map->unspecified) return false;
  if (lookup != nullptr) {
    if (!outcome.ok() || OutputBytes(outcome).size() != 4) return false;
    if (map->frozen) {
      Cite(MapOfMapsClausesOf(map->attributes.type).freeze_inner_stays_writable);
    }
    const Bytes& key = Fit(lookup->key.bytes, map->attributes.key_size, &key_scratch);
    translated = outcome;
    translated.output = ValueOf(MapWithId(OutputBytes(outcome), InnerMapAt(*map, key)));
    return true;
  }
  // With other errors `count` is as it was, and nothing was given.
  if (!outcome.ok() && outcome.error != Errno::kENOENT && outcome.error != Errno::kEFAULT) {
    return false;
  }
  const BatchOutput& output = OutputBatch(outcome);
  const size_t key_size = map->attributes.key_size;
  if (output.values.size() < size_t{output.count} * 4 ||
      output.keys.size() < size_t{output.count} * key_size) {
    return false;
  }
  translated = outcome;
  auto* named = std::get_if<Boxed<BatchOutput>>(&translated.output);
  for (size_t n = 0; named != nullptr && n < output.count; ++n) {
    const Bytes key = output.keys.Slice(n * key_size, key_size);
    const Bytes value = ValueOf(MapWithId(output.values.Slice(n * 4, 4), InnerMapAt(*map, key)));
    std::copy(value.begin(), value.end(), (*named)->values.data() + n * 4);
  }
  return true;
}

void Checker::State::NameId(const Outcome& outcome) {
  if (judgement.kind != Judgement::Kind::kViolation) return;
  const Bytes& got = OutputBytes(outcome);
  if (judgement.expected_bytes.size() != 4 || got.size() != 4) return;
  const uint32_t id = world.map(static_cast<uint32_t>(judgement.expected_bytes.ToNumber())).id;
  judgement.expected = "the id of the map that was put there";
  if (id != 0) judgement.expected += ", " + std::to_string(id);
  judgement.got = "id " + std::to_string(got.ToNumber());
  judgement.expected_bytes = id != 0 ? Bytes::LittleEndian(id, 4) : Bytes();
}

std::optional<uint32_t> Checker::State::InnerAt(MapState& outer, const Bytes& key) {
  const Bytes* value = InnerMapAt(outer, Fit(key, outer.attributes.key_size, &key_scratch));
  if (value == nullptr) return std::nullopt;
  return static_cast<uint32_t>(value->ToNumber());
}

void Checker::State::NoteInner(const Call& call) {
  noted_key = nullptr;
  const auto* update = std::get_if<Update>(&call);
  const auto* removal = std::get_if<Delete>(&call);
  if (update == nullptr && removal == nullptr) return;
  MapState* outer = world.MapOfOrNull(update != nullptr ? update->map : removal->map);
  if (outer == nullptr || !IsMapOfMaps(outer->attributes.type) || outer->unspecified) return;
  if (HasDoubts(*outer)) return;
  noted_key = update != nullptr ? &update->key.bytes : &removal->key.bytes;
  noted_inner = InnerAt(*outer, *noted_key);
}

void Checker::State::FollowInnerMaps(const Call& call, const Outcome& outcome) {
  const Handle* changed = ChangedBy(call);
  if (changed == nullptr) return;
  MapState* outer = world.MapOfOrNull(*changed);
  if (outer == nullptr || !IsMapOfMaps(outer->attributes.type)) return;
  // What was lost with a page that could not be handed over is not known, and so not what is held.
  if (std::holds_alternative<LookupBatch>(call) && outcome.error == Errno::kEFAULT) {
    return Lose(outer);
  }
  if (!outer->unspecified) {
    const uint32_t index = world.At(*changed).map;
    if (noted_key == nullptr || HasDoubts(*outer)) return world.SyncInner(index);
    return world.SyncInner(index, noted_inner, InnerAt(*outer, *noted_key));
  }
  // Any map that is put into it may stay there.
  const auto may_stay = [&](Handle value) {
    if (MapState* inner = world.MapOfOrNull(value)) {
      inner->released_late = true;
      outer->may_hold.push_back(world.At(value).map);
    }
  };
  if (const auto* op = std::get_if<Update>(&call)) may_stay(op->value_fd);
  if (const auto* op = std::get_if<UpdateBatch>(&call)) {
    for (const Handle value : op->value_fds) may_stay(value);
  }
}

void Checker::State::Lose(MapState* map) {
  map->unspecified = true;
  world.LoseInner(map);
}

Bytes Checker::State::InnerValue(Handle value_fd) const { return ValueOf(world.At(value_fd).map); }

Expectation Checker::State::ExpectUpdateOfOuter(MapState& outer, const Bytes& key, uint64_t flags,
                                                Handle value_fd) {
  const MapOfMapsClauses& c = MapOfMapsClausesOf(outer.attributes.type);
  // Bytes of the script may be the number of any descriptor.
  const Expectation inner =
      value_fd == kNoFd ? Expectation::Anything()
                        : ExpectInnerMap(outer, world.At(value_fd), world.MapOfOrNull(value_fd));
  const bool template_gone =
      outer.created_with.has_value() && !world.map(*outer.created_with).alive();
  const auto join = [&](Expectation element) {
    for (const ClauseId clause : inner.also) element.Also(clause);
    return element.Also(c.create_template_may_go, template_gone);
  };
  if (auto* array = std::get_if<ArrayOfMapsModel>(&outer.model)) {
    const Expectation slot = array->ExpectUpdate(key, flags);
    if (!slot.AllowsSuccess()) {
      return Expectation(slot).Also(c.update_descriptor_first, !inner.AllowsSuccess());
    }
    if (inner.anything || !inner.AllowsSuccess()) return inner;
    return join(slot);
  }
  auto* hash = std::get_if<HashModel>(&outer.model);
  if (hash == nullptr || inner.anything) return Expectation::Anything();
  const Expectation element = hash->ExpectUpdate(key, flags);
  if (!inner.AllowsSuccess()) {
    return Expectation(inner).Also(c.update_descriptor_first, !element.AllowsSuccess());
  }
  return join(element);
}

// ---- Programs

Expectation Checker::State::ExpectLoadForOuter(const MapState& outer, const ProgramUse& use) {
  using Helper = ProgramUse::Helper;
  const MapOfMapsClauses& c = MapOfMapsClausesOf(outer.attributes.type);
  if ((outer.attributes.map_flags & BPF_F_RDONLY_PROG) != 0 && use.changes) {
    return Expectation::Refused(Errno::kEACCES, c.program_change_refused,
                                G::program_rdonly_prog_errno)
        .Also(G::program_rdonly_prog)
        .Also(c.program_outer_access_flags);
  }
  switch (use.helper) {
    case Helper::kForEach:
      return Expectation::Refused(Errno::kENOTSUPP, c.program_for_each_refused);
    case Helper::kPercpu:
      return Expectation::Refused(Errno::kEINVAL, c.program_no_percpu_lookup);
    case Helper::kQueue:
      return Expectation::Refused(Errno::kEINVAL, c.program_other_helpers_refused);
    case Helper::kKeyed:
      if (use.changes) {
        return Expectation::Refused(Errno::kEINVAL, c.program_change_refused,
                                    c.program_change_refused_errno);
      }
      if (use.takes_lock) return Expectation::Anything();
      if (use.writes) return Expectation::Refused(Errno::kEACCES, c.program_outer_store_refused);
      // What the pointer itself shows is the kernel's own business.
      return Expectation::Anything();
    case Helper::kRedirect:  // The same on all maps without endpoints (ExpectLoad).
    case Helper::kInner:
      break;
  }
  const InnerMapShape& inner = outer.attributes.inner;
  if (inner.type == MapType::QUEUE || inner.type == MapType::STACK) {
    return Expectation::Refused(Errno::kEACCES, c.program_inner_of_queue);
  }
  if (!HasElements(inner.type)) return Expectation::Anything();
  // Of a value that is all lock there is nothing to read or write.
  const bool touchable = inner.lock_offset < 0 || inner.value_size > 4;
  const uint32_t refusing = use.writes ? BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG : BPF_F_WRONLY_PROG;
  if (touchable && (inner.map_flags & refusing) != 0) {
    return Expectation::Refused(Errno::kEACCES, c.program_inner_access_flags);
  }
  return Expectation::Succeeds(c.program_inner_lookup);
}

void Checker::State::LookupInOuter(const HelperLookup& op, const Outcome& outcome) {
  if (op.store || op.lock) {
    const ProgramUse use{.takes_lock = op.lock, .reads = true, .writes = op.store};
    SettleLoad(op.map, use, outcome);
    return;
  }
  MapState* outer = world.MapOfOrNull(op.map);
  if (outcome.completion != Completion::kReturned || outer->unspecified) return Unjudged(nullptr);
  outer->released_late = true;
  const MapOfMapsClauses& c = MapOfMapsClausesOf(outer->attributes.type);
  const bool there =
      InnerMapAt(*outer, Fit(op.key, outer->attributes.key_size, &key_scratch)) != nullptr;
  SettleHelper(there ? Expectation::Succeeds(c.program_outer_pointer)
                     : Expectation::Fails(Errno::kENOENT, c.program_outer_pointer)
                           .Also(c.program_lookup_empty),
               outcome, outer);
}

void Checker::State::On(const HelperLookupInner& op, const Outcome& outcome) {
  const ProgramUse use{.helper = ProgramUse::Helper::kInner, .reads = true, .writes = op.store};
  MapState* outer = world.MapOfOrNull(op.map);
  if (outer != nullptr && outer->unspecified) {
    // Which map the program came to is not known, and so not what it saw and did there.
    const std::vector<uint32_t> touched = outcome.ok() ? outer->may_hold : std::vector<uint32_t>();
    for (const uint32_t inner : touched) Lose(&world.map(inner));
    return Unjudged(nullptr);
  }
  if (!SettleLoad(op.map, use, outcome) || NoAnswer(outcome)) return;
  const MapOfMapsClauses& c = MapOfMapsClausesOf(outer->attributes.type);
  Cite(c.program_inner_lookup);
  if ((outer->attributes.map_flags & (BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG)) != 0) {
    Cite(c.program_outer_access_flags);
  }
  const Bytes* element = InnerMapAt(*outer, Fit(op.key, outer->attributes.key_size, &key_scratch));
  if (element == nullptr) {
    const Settled settled =
        SettleHelper(Expectation::Fails(Errno::kENOENT, c.program_lookup_empty), outcome, outer);
    if (settled == Settled::kFailed) CompareUntouched(outcome, outer);
    return;
  }
  MapState& inner = world.map(static_cast<uint32_t>(element->ToNumber()));
  if (inner.unspecified || std::holds_alternative<std::monostate>(inner.model)) {
    // Elements may have changed in a way that nobody can say.
    return Unjudged(&inner);
  }
  // Whose size bounds the lookup, Linux versions do not agree about (specs/ledger-notes.md).
  const uint32_t both = std::min(inner.attributes.max_entries, outer->attributes.inner.max_entries);
  if (inner.attributes.type == MapType::PERCPU_ARRAY &&
      Fit(op.inner_key, 4, &key_scratch).ToNumber() >= both &&
      inner.attributes.max_entries != outer->attributes.inner.max_entries) {
    return Unjudged(&inner);
  }
  const HelperLookup access{op.map, op.inner_key, op.store, op.value, false};
  AccessElement(access, &inner, outcome);
  if (judgement.kind != Judgement::Kind::kConforms) return;
  if (!outcome.ok()) return Cite(c.program_inner_absent);
  if (op.store) Cite(c.program_inner_store);
}

}  // namespace mapspec
