// SPDX-License-Identifier: MIT
//
// The batch commands. The four share what comes first (descriptor, permission, whether the type has
// the command at all); lookups go to the model as a whole, updates and deletions are judged element
// by element, by what the same call on a single element may answer.
#include "oracle/checker_state.h"
#include "oracle/cpu_flags.h"
#include "oracle/limits.h"
#include "oracle/map_of_maps.h"
#include "oracle/model_visit.h"

namespace mapspec {
namespace {

using G = clause::generic;
using Settled = Checker::State::Settled;

// The clauses of the element-wise batches, by map type.
struct ElementBatchClauses {
  ClauseId applies, stops, elem_flags, flags_ignored, lock, count_zero, bad_pointer;
};
ElementBatchClauses UpdateClauses(const HashClauses& c) {
  // An LRU map has room for every element: nothing stops.
  const ClauseId stops =
      c.update_batch_stops != kNoClause ? c.update_batch_stops : c.update_batch_applies;
  return {c.update_batch_applies,    stops,
          c.update_batch_elem_flags, c.update_batch_flags_ignored,
          c.lookup_batch_lock,       c.lookup_batch_count_zero,
          c.update_batch_bad_pointer};
}
ElementBatchClauses UpdateClauses(const ArrayClauses& c) {
  return {c.update_batch_applies,       c.update_batch_stops, c.lookup_batch_elem_flags,
          c.lookup_batch_flags_ignored, c.lookup_batch_lock,  c.lookup_batch_count_zero,
          c.update_batch_bad_pointer};
}
ElementBatchClauses DeleteClauses(const HashClauses& c) {
  return {c.delete_batch_deletes,       c.delete_batch_stops, c.update_batch_elem_flags,
          c.update_batch_flags_ignored, c.lookup_batch_lock,  c.lookup_batch_count_zero,
          c.update_batch_bad_pointer};
}

// What is decided before any element is looked at; Succeeds when the elements decide.
Expectation ExpectElementBatch(const MapState& map, const ElementBatchClauses& clauses,
                               uint32_t count, uint64_t elem_flags) {
  if ((elem_flags & ~BPF_F_LOCK) != 0 || (elem_flags != 0 && !map.attributes.has_lock())) {
    return Expectation::Fails(Errno::kEINVAL, clauses.elem_flags);
  }
  if (count == 0) return Expectation::Succeeds(clauses.count_zero);
  return Expectation::Succeeds(clauses.applies);
}

bool ArrayHasBatches(const MapState& map) {
  return !map.attributes.per_cpu() || map.attributes.traits.percpu_array_batches;
}

bool HashHasBatches(const MapState& map) {
  return !IsMapOfMaps(map.attributes.type) || map.attributes.traits.map_in_map_batches;
}

ElementBatchClauses UpdateClausesOfSlots() {
  using C = clause::array_of_maps;
  return {C::update_batch_applies,
          C::update_batch_stops,
          C::lookup_batch_elem_flags,
          C::lookup_batch_flags_ignored,
          kNoClause,
          C::lookup_batch_count_zero,
          C::update_batch_bad_pointer};
}

std::string CountIs(uint64_t count) { return "count " + std::to_string(count); }

}  // namespace

Expectation Checker::State::ExpectBatch(const HandleState& handle, bool reads, bool writes,
                                        bool more_wrong, bool supported) {
  if (handle.kind != HandleState::Kind::kMap) {
    return ExpectMapFd(handle, more_wrong).Also(G::call_refused_batch_keeps_count);
  }
  if (reads && !MayRead(handle)) {
    return Expectation::Fails(Errno::kEPERM, writes ? G::permission_lookup_and_delete_needs_both
                                                    : G::permission_wronly_refuses_reads)
        .Also(G::permission_before_arguments, more_wrong || !supported)
        .Also(G::call_refused_batch_keeps_count);
  }
  if (writes && !MayWrite(handle)) {
    Expectation refused = RefusedWrite(handle, more_wrong || !supported);
    if (reads && handle.can_read && !handle.can_write) {
      refused = Expectation::Fails(Errno::kEPERM, G::permission_lookup_and_delete_needs_both)
                    .Also(G::permission_before_arguments, more_wrong || !supported);
    }
    return refused.Also(G::call_refused_batch_keeps_count);
  }
  if (!supported) {
    const MapState& map = world.MapOf(handle);
    const auto* array = std::get_if<ArrayModel>(&map.model);
    return Expectation::Fails(Errno::kENOTSUPP, G::lookup_batch_unsupported)
        .Also(array != nullptr && !ArrayHasBatches(map) ? array->clauses().lookup_batch_unsupported
                                                        : kNoClause)
        .Also(IsMapOfMaps(map.attributes.type)
                  ? MapOfMapsClausesOf(map.attributes.type).delete_batch_unsupported
                  : kNoClause)
        .Also(G::call_refused_batch_keeps_count);
  }
  return Expectation::Succeeds(G::call_returns);
}

void Checker::State::On(const LookupBatch& op, const Outcome& outcome) {
  const HandleState& handle = world.At(op.map);
  MapState* map = world.MapOfOrNull(op.map);
  const BatchOutput& output = OutputBatch(outcome);
  const bool hash = map != nullptr && std::holds_alternative<HashModel>(map->model);
  const bool slots = map != nullptr && std::holds_alternative<ArrayOfMapsModel>(map->model);
  const bool array = map != nullptr && std::holds_alternative<ArrayModel>(map->model);
  const bool supported = (hash && HashHasBatches(*map)) ||
                         (array && !op.and_delete && ArrayHasBatches(*map)) ||
                         (slots && !op.and_delete && profile.traits.map_in_map_batches);

  // A copy: what the map remembers of the last token changes below.
  Bytes token;
  const Bytes* in_batch = nullptr;
  if (map != nullptr && op.start != LookupBatch::Start::kNull) {
    // A token is a key for an array, and four bytes for a hash.
    const size_t size = hash ? 4 : map->attributes.key_size;
    token = op.start == LookupBatch::Start::kLast ? map->last_batch : op.in_batch;
    token.Resize(size);
    in_batch = &token;
  }
  Expectation expected =
      ExpectBatch(handle, /*reads=*/true, /*writes=*/op.and_delete,
                  op.flags != 0 || op.elem_flags != 0 || op.count == 0, supported);
  bool decided_by_model = false;
  if (expected.AllowsSuccess()) {
    if (auto* model = std::get_if<HashModel>(&map->model)) {
      expected = model->ExpectLookupBatch(op, in_batch);
      decided_by_model = true;
    } else if (auto* indexed = std::get_if<ArrayModel>(&map->model)) {
      expected = indexed->ExpectLookupBatch(op, in_batch);
      decided_by_model = true;
    } else if (auto* of_maps = std::get_if<ArrayOfMapsModel>(&map->model)) {
      expected = of_maps->ExpectLookupBatch(op, in_batch);
      decided_by_model = true;
    }
  }
  const Settled settled = Settle(expected, outcome, map);
  if (map != nullptr && !output.out_batch.empty() && !IsPoison(output.out_batch)) {
    map->last_batch = output.out_batch;
  }
  if (settled == Settled::kStop) return;
  const bool refused =
      !decided_by_model || outcome.error == Errno::kEINVAL || outcome.error == Errno::kERANGE;
  if (refused || op.count == 0)
    return CompareCount(G::call_refused_batch_keeps_count, op.count, output, map);
  if (settled == Settled::kSucceeded || outcome.error == Errno::kENOENT) CiteRead(handle, *map);
  if (auto* model = std::get_if<HashModel>(&map->model)) {
    Compare(model->CheckLookupBatch(op, in_batch, outcome, output), map);
  } else if (auto* indexed = std::get_if<ArrayModel>(&map->model)) {
    Compare(indexed->CheckLookupBatch(op, in_batch, outcome, output), map);
  } else if (auto* of_maps = std::get_if<ArrayOfMapsModel>(&map->model)) {
    Compare(of_maps->CheckLookupBatch(op, in_batch, outcome, output), map);
  }
}

// `count` after a batch that was refused, or done, as a whole.
void Checker::State::CompareCount(ClauseId clause, uint32_t count, const BatchOutput& output,
                                  MapState* map) {
  Cite(clause);
  if (output.count != count) return Compare({clause, CountIs(count), CountIs(output.count)}, map);
  if (Untouched(output)) return;
  Compare({clause, "buffers untouched", "bytes were written"}, map);
}

void Checker::State::On(const UpdateBatch& op, const Outcome& outcome) {
  const HandleState& handle = world.At(op.map);
  MapState* map = world.MapOfOrNull(op.map);
  const BatchOutput& output = OutputBatch(outcome);
  auto* hash = map == nullptr ? nullptr : std::get_if<HashModel>(&map->model);
  auto* array = map == nullptr ? nullptr : std::get_if<ArrayModel>(&map->model);
  auto* slots = map == nullptr ? nullptr : std::get_if<ArrayOfMapsModel>(&map->model);
  const ElementBatchClauses clauses = hash != nullptr    ? UpdateClauses(hash->clauses())
                                      : array != nullptr ? UpdateClauses(array->clauses())
                                      : slots != nullptr ? UpdateClausesOfSlots()
                                                         : ElementBatchClauses{};

  Expectation expected = ExpectBatch(handle, /*reads=*/false, /*writes=*/true,
                                     op.flags != 0 || op.elem_flags != 0 || op.count == 0,
                                     (hash != nullptr && HashHasBatches(*map)) ||
                                         (array != nullptr && ArrayHasBatches(*map)) ||
                                         (slots != nullptr && profile.traits.map_in_map_batches));
  const bool elements = expected.AllowsSuccess();
  if (elements) {
    expected = ExpectElementBatch(*map, clauses, op.count, op.elem_flags);
    if (TakesCpuFlags(map->attributes) && (op.elem_flags & kCpuFlags) != 0) {
      const Expectation flags = OfHashOrArray(*map, [&](const auto& c) {
        return ExpectCpuElemFlags(map->attributes, op.elem_flags, true, c, clauses.elem_flags)
            .Also(c.update_batch_cpu_flags);
      });
      expected = flags.AllowsSuccess()
                     ? ExpectElementBatch(*map, clauses, op.count, 0).Also(flags.also[0])
                     : flags;
    }
  }
  if (!elements || op.count == 0 || !expected.AllowsSuccess()) {
    if (Settle(expected, outcome, map) != Settled::kStop) {
      CompareCount(G::call_refused_batch_keeps_count, op.count, output, map);
    }
    return;
  }
  const bool no_values = op.value_fds.empty() && op.values.pointer != Pointer::kValid;
  if (op.keys.pointer != Pointer::kValid || no_values) {
    if (Settle(Expectation::Fails(Errno::kEFAULT, clauses.bad_pointer), outcome, map) !=
        Settled::kStop) {
      CompareCount(clauses.bad_pointer, 0, output, map);
    }
    return;
  }
  const bool of_maps = map != nullptr && IsMapOfMaps(map->attributes.type);
  const auto descriptor = [&op](uint32_t n) {
    return n < op.value_fds.size() ? op.value_fds[n] : kNoFd;
  };
  uint32_t place = 0;  // Of the element that `expect` is asked about.
  const auto expect = [&](const Bytes& key) {
    if (of_maps) return ExpectUpdateOfOuter(*map, key, op.elem_flags, descriptor(place++));
    const uint64_t flags = ElementFlags(map->attributes, op.elem_flags);
    return hash != nullptr ? hash->ExpectUpdate(key, flags, cpu) : array->ExpectUpdate(key, flags);
  };
  const auto apply = [&](uint32_t n, const Bytes& key) {
    const Bytes value =
        of_maps ? InnerValue(descriptor(n))
                : ElementOf(op.values.bytes, n, ValueSizeWith(map->attributes, op.elem_flags));
    if (slots != nullptr) return slots->Update(key, value);
    if (hash != nullptr) hash->MakeRoom(ElementFlags(map->attributes, op.elem_flags), cpu);
    if (ApplyCpuFlags(map, key, value, op.elem_flags)) {
      Cite(hash != nullptr ? hash->clauses().update_batch_cpu_flags
                           : array->clauses().update_batch_cpu_flags);
      return;
    }
    hash != nullptr ? hash->Update(key, value) : array->Update(key, value);
  };
  JudgeElements(op.count, op.keys.bytes, clauses.applies, clauses.stops, outcome, output, map,
                expect, apply);
  if (!op.value_fds.empty() && !TakesDescriptors(map->attributes.type)) Lose(map);
  if (array != nullptr && outcome.error == Errno::kE2BIG) {
    Cite(array->clauses().update_batch_out_of_range);
  }
  if (op.flags != 0) Cite(clauses.flags_ignored);
  if ((op.elem_flags & BPF_F_LOCK) != 0) Cite(clauses.lock);
}

void Checker::State::On(const DeleteBatch& op, const Outcome& outcome) {
  const HandleState& handle = world.At(op.map);
  MapState* map = world.MapOfOrNull(op.map);
  const BatchOutput& output = OutputBatch(outcome);
  auto* hash = map == nullptr ? nullptr : std::get_if<HashModel>(&map->model);
  const ElementBatchClauses clauses =
      hash != nullptr ? DeleteClauses(hash->clauses()) : ElementBatchClauses{};

  Expectation expected = ExpectBatch(handle, /*reads=*/false, /*writes=*/true,
                                     op.flags != 0 || op.elem_flags != 0 || op.count == 0,
                                     hash != nullptr && HashHasBatches(*map));
  const bool elements = expected.AllowsSuccess();
  if (elements) expected = ExpectElementBatch(*map, clauses, op.count, op.elem_flags);
  if (!elements || op.count == 0 || !expected.AllowsSuccess()) {
    if (Settle(expected, outcome, map) != Settled::kStop) {
      CompareCount(G::call_refused_batch_keeps_count, op.count, output, map);
    }
    return;
  }
  if (op.keys.pointer != Pointer::kValid) {
    if (Settle(Expectation::Fails(Errno::kEFAULT, clauses.bad_pointer), outcome, map) !=
        Settled::kStop) {
      CompareCount(clauses.bad_pointer, 0, output, map);
    }
    return;
  }
  const auto expect = [&](const Bytes& key) {
    Expectation one = hash->ExpectDelete(key);
    for (uint8_t i = 0; i < one.count; ++i) {
      Expectation::Alternative& alternative = one.alternatives[i];
      if (alternative.error == Errno::kENOENT)
        alternative.exact = hash->clauses().delete_batch_absent_errno;
    }
    return one;
  };
  const auto apply = [&](uint32_t, const Bytes& key) { hash->Delete(key); };
  JudgeElements(op.count, op.keys.bytes, clauses.applies, clauses.stops, outcome, output, map,
                expect, apply);
  if (op.flags != 0) Cite(clauses.flags_ignored);
}

Bytes Checker::State::ElementOf(const Bytes& elements, uint64_t n, size_t size) {
  Bytes element(size);
  for (uint64_t i = 0; i < size && n * size + i < elements.size(); ++i) {
    element[i] = elements[n * size + i];
  }
  return element;
}

void Checker::State::JudgeElements(uint32_t count, const Bytes& keys, ClauseId applies,
                                   ClauseId stops, const Outcome& outcome,
                                   const BatchOutput& output, MapState* map,
                                   const std::function<Expectation(const Bytes&)>& expect,
                                   const std::function<void(uint32_t, const Bytes&)>& apply) {
  if (NoAnswer(outcome)) return;
  if (map->unspecified) return Unjudged(map);
  Cite(applies);
  const bool all = outcome.error == Errno::kNone;
  if (all ? output.count != count : output.count >= count) {
    return Compare(
        {all ? applies : stops, all ? CountIs(count) : "a count below " + std::to_string(count),
         CountIs(output.count)},
        map);
  }
  for (uint32_t n = 0; n < output.count; ++n) {
    const Bytes key = ElementOf(keys, n, map->attributes.key_size);
    const Expectation expected = expect(key);
    if (!expected.AllowsSuccess()) {
      return Compare(
          {stops, "to stop at element " + std::to_string(n) + " with " + expected.ToString(),
           ErrnoName(outcome.error) + " and " + CountIs(output.count)},
          map);
    }
    apply(n, key);
  }
  if (all) return;
  Cite(stops);
  const Bytes key = ElementOf(keys, output.count, map->attributes.key_size);
  Settle(expect(key), outcome, map);
}

}  // namespace mapspec
