// SPDX-License-Identifier: MIT
//
// The helpers that programs call: which programs are not loaded, what a helper returns, and what a
// program sees through the pointers that it holds. A helper asks the map type's model as the
// syscall does; what stands here is what differs.
#include "oracle/checker_state.h"
#include "oracle/model_visit.h"

namespace mapspec {
namespace {

using G = clause::generic;
using Settled = Checker::State::Settled;

// bpf_redirect_map() on any map, and every helper on an XSKMAP.
Expectation ExpectLoadWithXskMap(const MapState& map, const ProgramUse& use) {
  using Helper = ProgramUse::Helper;
  using X = clause::xskmap;
  const bool xsk = std::holds_alternative<XskMapModel>(map.model);
  switch (use.helper) {
    case Helper::kRedirect:
      if (!xsk) return Expectation::Refused(Errno::kEINVAL, X::redirect_map_other_types);
      break;
    case Helper::kKeyed:
      if (use.changes) {
        return Expectation::Refused(Errno::kEINVAL, X::program_no_changes,
                                    X::program_no_changes_errno);
      }
      // A lock, too, would have to stand in what the pointer leads to.
      if (use.takes_lock || use.writes) {
        return Expectation::Refused(Errno::kEACCES, X::program_entry_read_only);
      }
      break;
    case Helper::kQueue:
    case Helper::kPercpu:
      return Expectation::Refused(Errno::kEINVAL, X::program_no_other_helpers);
    case Helper::kForEach:
      return Expectation::Refused(Errno::kENOTSUPP, X::for_each_refused);
    case Helper::kInner:
      return Expectation::Anything();
  }
  return Expectation::Succeeds(G::program_loads);
}

// In the order in which the verifier meets what it objects to: the map, the helper's arguments, the
// access of the helper, whether the type has it, and then what follows the call.
Expectation ExpectLoad(const HandleState& handle, const MapState* map, const ProgramUse& use,
                       const Traits& traits) {
  using Helper = ProgramUse::Helper;
  // A helper that does not exist.
  if (use.helper == Helper::kForEach && !traits.for_each_map_elem) return Expectation::Anything();
  if (use.helper == Helper::kPercpu && !traits.lookup_percpu_helper) return Expectation::Anything();
  if (handle.kind == HandleState::Kind::kClosed) {
    return Expectation::Refused(Errno::kEBADF, G::program_bad_descriptor);
  }
  if (map == nullptr) return Expectation::Refused(Errno::kEINVAL, G::program_not_a_map);
  if (std::holds_alternative<std::monostate>(map->model)) return Expectation::Anything();
  if (use.helper == Helper::kRedirect || std::holds_alternative<XskMapModel>(map->model)) {
    return ExpectLoadWithXskMap(*map, use);
  }
  if (IsMapOfMaps(map->attributes.type)) {
    return Checker::State::ExpectLoadForOuter(*map, use);
  }
  const bool keyless = IsQueueOrStack(*map);
  if (keyless && use.helper != Helper::kQueue && use.helper != Helper::kForEach) {
    return OfQueueOrStack(*map, [](auto clauses) {
      using C = decltype(clauses);
      return Expectation::Refused(Errno::kEACCES, C::program_no_key_helpers,
                                  C::program_no_key_helpers_errno);
    });
  }
  const auto read_only = [] {
    return Expectation::Refused(Errno::kEACCES, G::program_rdonly_prog,
                                G::program_rdonly_prog_errno);
  };
  const bool rdonly = (map->attributes.map_flags & BPF_F_RDONLY_PROG) != 0;
  const bool wronly = (map->attributes.map_flags & BPF_F_WRONLY_PROG) != 0;
  if (rdonly && use.changes) return read_only();
  if (use.helper == Helper::kPercpu && !map->attributes.per_cpu()) {
    return OfHashOrArray(*map, [](const auto& c) {
      return Expectation::Refused(Errno::kEINVAL, c.program_no_percpu_lookup);
    });
  }
  if (use.helper == Helper::kInner) {
    return Expectation::Refused(Errno::kEACCES, G::program_inner_of_value);
  }
  if (!keyless && use.helper == Helper::kQueue) {
    return OfHashOrArray(*map, [](const auto& c) {
      return Expectation::Refused(Errno::kEINVAL, c.program_no_queue_helpers,
                                  c.program_no_queue_helpers_errno);
    });
  }
  if (keyless && use.helper == Helper::kForEach) {
    return OfQueueOrStack(*map, [](auto clauses) {
      return Expectation::Refused(Errno::kENOTSUPP, decltype(clauses)::for_each_refused);
    });
  }
  if (use.takes_lock && !map->attributes.has_lock()) {
    return traits.spin_lock_absent_einval
               ? Expectation::Refused(Errno::kEINVAL, G::program_spin_lock_absent,
                                      G::program_spin_lock_absent_errno)
               : Expectation::Refused(Errno::kEACCES, G::program_spin_lock_absent,
                                      G::program_spin_lock_absent_eacces);
  }
  // Of a value that is all lock there is nothing to read or write.
  const bool touchable = !map->attributes.has_lock() || map->attributes.value_size > 4;
  if (wronly && use.reads && touchable) {
    return Expectation::Refused(Errno::kEACCES, G::program_wronly_prog,
                                G::program_wronly_prog_errno);
  }
  if (rdonly && use.reads && map->frozen && map->attributes.type == MapType::ARRAY &&
      map->attributes.max_entries != 1) {
    return Expectation::Refused(Errno::kENOTSUPP, clause::array::program_frozen_rdonly_prog);
  }
  if (rdonly && use.writes && touchable) return read_only();
  return Expectation::Succeeds(G::program_loads);
}

// What the helper's own arguments add to what the model says of an update.
Expectation ExpectUpdate(const Bytes& key, uint64_t flags, uint16_t cpu, MapState* map) {
  const bool lock_missing = (flags & BPF_F_LOCK) != 0 && !map->attributes.has_lock();
  const auto no_lock = [] {
    return Expectation::Fails(Errno::kEINVAL, G::program_lock_flag_without_lock);
  };
  if (auto* array = std::get_if<ArrayModel>(&map->model)) {
    Expectation model = array->ExpectUpdate(key, flags);
    model.Also(array->clauses().update_cpu_flags_by_program,
               (flags & (BPF_F_CPU | BPF_F_ALL_CPUS)) != 0);
    if (!lock_missing) return model;
    if (model.AllowsSuccess()) return no_lock();
    Expectation refused = model;
    return refused.Also(array->clauses().program_lock_flag_last);
  }
  Expectation model = std::get<HashModel>(map->model).ExpectUpdate(key, flags, cpu);
  model.Also(std::get<HashModel>(map->model).clauses().update_cpu_flags_by_program,
             (flags & (BPF_F_CPU | BPF_F_ALL_CPUS)) != 0);
  // Unknown flags are told first.
  return lock_missing && (flags & ~BPF_F_LOCK) <= BPF_EXIST ? no_lock() : model;
}

Expectation ExpectLookup(MapState* map, const Bytes& key, uint32_t cpu) {
  return std::visit(
      Overloaded{[&](HashModel& hash) { return hash.ExpectProgramLookup(key, cpu); },
                 [&](ArrayModel& array) { return array.ExpectProgramLookup(key, cpu); },
                 [](auto&) { return Expectation::Anything(); }},
      map->model);
}

// The value that a pointer to the element shows on that CPU; nullptr where there is no element.
// Valid until the next call.
const Bytes* ValueOf(MapState* map, const Bytes& key, uint32_t cpu) {
  return ExpectLookup(map, key, cpu).output;
}

// Calls f with the model and its clauses.
template <typename F>
void WithQueueOrStack(MapState* map, F f) {
  if (auto* queue = std::get_if<QueueModel>(&map->model)) f(*queue, clause::queue{});
  if (auto* stack = std::get_if<StackModel>(&map->model)) f(*stack, clause::stack{});
}

}  // namespace

void Checker::State::CiteOwnSlot(MapState* map) {
  if (auto* hash = std::get_if<HashModel>(&map->model)) Cite(hash->clauses().program_own_slot);
  if (auto* array = std::get_if<ArrayModel>(&map->model)) Cite(array->clauses().program_own_slot);
}

void Checker::State::CompareOfCpu(const Bytes& key, uint32_t of_cpu, Expectation expected,
                                  const Outcome& outcome, MapState* map) {
  auto* hash = std::get_if<HashModel>(&map->model);
  if (hash != nullptr && map->attributes.per_cpu()) {
    hash->LearnOfCpu(key, OutputBytes(outcome), of_cpu);
    expected.output = ValueOf(map, key, of_cpu);
  }
  CompareOutput(expected, outcome, map);
}

bool Checker::State::SettleLoad(Handle slot, const ProgramUse& use, const Outcome& outcome) {
  const HandleState& handle = world.At(slot);
  MapState* map = world.MapOfOrNull(slot);
  const Expectation load = ExpectLoad(handle, map, use, profile.traits);
  // A program that is loaded, expected or not, may hold the map a little longer than the script.
  if (map != nullptr && outcome.completion == Completion::kReturned) map->released_late = true;
  if (load.at_load || load.anything || outcome.completion == Completion::kRefused) {
    // What is not run says nothing of the map.
    Settle(load, outcome, load.anything ? nullptr : map);
    return false;
  }
  if (outcome.completion != Completion::kReturned) return true;
  Cite(G::program_loads);
  if (!handle.can_read || !handle.can_write) Cite(G::program_descriptor_access);
  if (map->frozen && (use.changes || use.writes)) Cite(G::program_frozen);
  if ((map->attributes.map_flags & BPF_F_RDONLY_PROG) != 0) {
    Cite(G::program_rdonly_prog);
    if (const auto* array = std::get_if<ArrayModel>(&map->model); map->frozen && array != nullptr) {
      Cite(array->clauses().program_frozen_rdonly_prog);
    }
  }
  if ((map->attributes.map_flags & BPF_F_WRONLY_PROG) != 0) Cite(G::program_wronly_prog);
  if (IsQueueOrStack(*map) && !use.changes &&
      (map->attributes.map_flags & (BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG)) != 0) {
    Cite(map->attributes.type == MapType::STACK ? clause::stack::program_peek_access_flags
                                                : clause::queue::program_peek_access_flags);
  }
  return true;
}

template <typename C>
bool Checker::State::TakeHead(const Expectation& expected, C, const Outcome& outcome,
                              MapState* map) {
  const Settled settled = SettleHelper(expected, outcome, map);
  if (settled == Settled::kSucceeded) {
    CompareOutput(expected, outcome, map);
    return true;
  }
  if (settled == Settled::kStop) return false;
  Cite(C::program_empty_errno);
  Cite(C::program_empty_zeroes);
  const Bytes zeros(map->attributes.value_size);
  if (!(OutputBytes(outcome) == zeros)) {
    Compare({C::program_empty_zeroes, zeros.ToHex(), OutputBytes(outcome).ToHex()}, map);
  }
  return false;
}

Errno Checker::State::HelperError(const Outcome& outcome) const {
  constexpr int64_t kLowestHalf = int64_t{UINT32_MAX} - 4094;
  const bool half = !profile.traits.helper_results_64_bit && outcome.result >= kLowestHalf &&
                    outcome.result <= int64_t{UINT32_MAX};
  return half ? static_cast<Errno>(-static_cast<int32_t>(outcome.result)) : outcome.error;
}

Settled Checker::State::SettleHelper(const Expectation& expected, const Outcome& outcome,
                                     MapState* map) {
  const Errno error = HelperError(outcome);
  if (outcome.result == 0 || NoAnswer(outcome)) {
    const Settled settled = Settle(expected, outcome, map);
    if (settled == Settled::kFailed) Cite(G::program_result);
    return settled;
  }
  if (error == Errno::kNone) {  // Neither 0 nor a negative errno.
    Compare({G::program_result, expected.ToString(),
             "the return value " + std::to_string(outcome.result)},
            map);
    return Settled::kStop;
  }
  Outcome widened = outcome;
  widened.error = error;
  widened.result = 0;
  const Settled settled = Settle(expected, widened, map);
  if (settled == Settled::kFailed) Cite(G::program_result_32_bit);
  return settled;
}

void Checker::State::CompareHeld(const Bytes* value, ClauseId clause, const Outcome& outcome,
                                 MapState* map) {
  const Bytes& got = OutputBytes(outcome);
  if (value == nullptr) {
    if (!IsPoison(got)) {
      Compare(
          {G::call_failure_leaves_outputs, "nothing read, as there was no element", got.ToHex()},
          map);
    }
    return;
  }
  Cite(clause);
  if (got == *value) return;
  Compare({clause, value->ToHex(), got.ToHex()}, map);
  if (judgement.kind == Judgement::Kind::kViolation) judgement.expected_bytes = *value;
}

void Checker::State::On(const HelperLookup& op, const Outcome& outcome) {
  MapState* map = world.MapOfOrNull(op.map);
  if (map != nullptr && IsMapOfMaps(map->attributes.type)) return LookupInOuter(op, outcome);
  const ProgramUse use{.takes_lock = op.lock, .reads = true, .writes = op.store};
  if (SettleLoad(op.map, use, outcome)) AccessElement(op, map, outcome);
}

void Checker::State::AccessElement(const HelperLookup& op, MapState* map, const Outcome& outcome) {
  const Bytes& key = Fit(op.key, map->attributes.key_size, &key_scratch);
  if (auto* xsk = std::get_if<XskMapModel>(&map->model)) {
    const Expectation entry = xsk->ExpectProgramLookup(key);
    const Settled settled = SettleHelper(entry, outcome, map);
    if (settled == Settled::kSucceeded) CompareOutput(entry, outcome, map);
    if (settled == Settled::kFailed) CompareUntouched(outcome, map);
    return;
  }
  auto* hash = std::get_if<HashModel>(&map->model);
  auto* array = std::get_if<ArrayModel>(&map->model);
  const Expectation expected = ExpectLookup(map, key, cpu);
  const Settled settled = SettleHelper(expected, outcome, map);
  if (settled == Settled::kStop) return;
  if (settled == Settled::kFailed) {
    if (hash != nullptr) hash->Absent(key);
    return CompareUntouched(outcome, map);
  }
  CompareOfCpu(key, cpu, expected, outcome, map);
  if (op.lock) Cite(G::program_spin_lock);
  if (hash != nullptr) hash->Present(key);
  if (!op.store || judgement.kind != Judgement::Kind::kConforms) return;
  if (!KnowsCpu(map->attributes, cpu)) return Unjudged(map);
  const Bytes& value = Fit(op.value, map->attributes.value_size, &value_scratch);
  if (hash != nullptr) {
    Cite(hash->clauses().program_store);
    hash->Store(key, value, cpu);
  } else {
    Cite(array->clauses().program_store);
    array->UpdateByProgram(key, value, cpu);
  }
}

void Checker::State::On(const HelperUpdate& op, const Outcome& outcome) {
  if (!SettleLoad(op.map, {.changes = true, .reads = op.hold}, outcome)) return;
  MapState* map = world.MapOfOrNull(op.map);
  const Bytes& key = Fit(op.key, map->attributes.key_size, &key_scratch);
  const Bytes& value = Fit(op.value, map->attributes.value_size, &value_scratch);
  auto* hash = std::get_if<HashModel>(&map->model);
  auto* array = std::get_if<ArrayModel>(&map->model);
  const bool per_cpu = map->attributes.per_cpu();
  const bool in_place =
      array != nullptr || per_cpu || ((op.flags & BPF_F_LOCK) != 0 && map->attributes.has_lock());
  // An element that may be evicted may be the very one that comes in its place.
  const bool doubtful = hash != nullptr && (hash->IsDoubtful(key) || hash->MayEvict(op.flags, cpu));
  const bool is_new = hash != nullptr && per_cpu && !hash->ExpectLookup(key).AllowsSuccess();
  if (op.hold && hash != nullptr) hash->LearnOfCpu(key, OutputBytes(outcome), cpu);
  const Bytes* before = op.hold ? ValueOf(map, key, cpu) : nullptr;
  const bool had = before != nullptr;
  Bytes held = had ? *before : Bytes();

  const Settled settled = SettleHelper(ExpectUpdate(key, op.flags, cpu, map), outcome, map);
  if (settled == Settled::kStop) return;
  if (hash != nullptr && FoundOut(HelperError(outcome))) hash->MakeRoom(op.flags, cpu);
  if (settled == Settled::kSucceeded) {
    if (!KnowsCpu(map->attributes, cpu)) return Unjudged(map);
    if (hash != nullptr) {
      if (is_new) Cite(hash->clauses().program_new_element);
      hash->UpdateByProgram(key, value, cpu);
    } else {
      array->UpdateByProgram(key, value, cpu);
    }
    if (per_cpu) CiteOwnSlot(map);
    if (had && in_place) held = *ValueOf(map, key, cpu);
  } else if (hash != nullptr) {
    const Errno error = HelperError(outcome);
    if (error == Errno::kEEXIST) hash->Present(key);
    if (error == Errno::kENOENT || error == Errno::kE2BIG) hash->Absent(key);
  }
  if (!op.hold || doubtful || !KnowsCpu(map->attributes, cpu)) return;
  CompareHeld(had ? &held : nullptr,
              array != nullptr ? array->clauses().program_update_in_place
              : per_cpu        ? hash->clauses().program_update_in_place
              : in_place       ? hash->clauses().program_lock_in_place
                               : hash->clauses().program_replace_swaps,
              outcome, map);
}

void Checker::State::On(const HelperDelete& op, const Outcome& outcome) {
  if (!SettleLoad(op.map, {.changes = true, .reads = op.hold}, outcome)) return;
  MapState* map = world.MapOfOrNull(op.map);
  const Bytes& key = Fit(op.key, map->attributes.key_size, &key_scratch);
  auto* hash = std::get_if<HashModel>(&map->model);
  const bool doubtful = hash != nullptr && hash->IsDoubtful(key);
  if (op.hold && hash != nullptr) hash->LearnOfCpu(key, OutputBytes(outcome), cpu);
  const Bytes* before = op.hold ? ValueOf(map, key, cpu) : nullptr;
  const bool had = before != nullptr;
  const Bytes held = had ? *before : Bytes();
  const Expectation expected =
      hash != nullptr ? hash->ExpectDelete(key) : std::get<ArrayModel>(map->model).ExpectDelete();
  const Settled settled = SettleHelper(expected, outcome, map);
  if (settled == Settled::kStop) return;
  if (hash != nullptr) {
    if (settled == Settled::kSucceeded) hash->Delete(key);
    if (HelperError(outcome) == Errno::kENOENT) hash->Absent(key);
  }
  if (!op.hold || doubtful || !KnowsCpu(map->attributes, cpu)) return;
  CompareHeld(had ? &held : nullptr,
              hash != nullptr ? hash->clauses().program_delete_keeps_memory
                              : std::get<ArrayModel>(map->model).clauses().program_update_in_place,
              outcome, map);
}

void Checker::State::On(const HelperPush& op, const Outcome& outcome) {
  const ProgramUse use{.helper = ProgramUse::Helper::kQueue, .changes = true};
  if (!SettleLoad(op.map, use, outcome)) return;
  MapState* map = world.MapOfOrNull(op.map);
  const Bytes& value = Fit(op.value, map->attributes.value_size, &value_scratch);
  WithQueueOrStack(map, [&](auto& model, auto) {
    if (SettleHelper(model.ExpectPush(op.flags), outcome, map) == Settled::kSucceeded) {
      model.Push(value);
    }
  });
}

void Checker::State::On(const HelperPop& op, const Outcome& outcome) {
  const ProgramUse use{.helper = ProgramUse::Helper::kQueue, .changes = true};
  if (!SettleLoad(op.map, use, outcome)) return;
  MapState* map = world.MapOfOrNull(op.map);
  WithQueueOrStack(map, [&](auto& model, auto clauses) {
    if (TakeHead(model.ExpectPop(), clauses, outcome, map)) model.Pop();
  });
}

void Checker::State::On(const HelperPeek& op, const Outcome& outcome) {
  const ProgramUse use{.helper = ProgramUse::Helper::kQueue};
  if (!SettleLoad(op.map, use, outcome)) return;
  MapState* map = world.MapOfOrNull(op.map);
  WithQueueOrStack(
      map, [&](auto& model, auto clauses) { TakeHead(model.ExpectPeek(), clauses, outcome, map); });
}

void Checker::State::On(const HelperLookupPercpu& op, const Outcome& outcome) {
  const ProgramUse use{.helper = ProgramUse::Helper::kPercpu, .reads = true};
  if (!SettleLoad(op.map, use, outcome)) return;
  MapState* map = world.MapOfOrNull(op.map);
  const Bytes& key = Fit(op.key, map->attributes.key_size, &key_scratch);
  auto* hash = std::get_if<HashModel>(&map->model);
  const bool invalid = op.of_cpu >= map->attributes.possible_cpus;
  Expectation expected = ExpectLookup(map, key, op.of_cpu);
  const auto judge = [&](const auto& c, ClauseId absent) {
    if (invalid) {
      expected = Expectation::Fails(Errno::kENOENT, c.lookup_percpu_invalid_cpu);
      return;
    }
    for (uint8_t i = 0; i < expected.count; ++i) {
      Expectation::Alternative& alternative = expected.alternatives[i];
      const ClauseId clause = alternative.error == Errno::kNone ? c.lookup_percpu_slot : absent;
      alternative.clause = alternative.exact = clause;
    }
    expected.output_clause = c.lookup_percpu_slot;
  };
  if (hash != nullptr) {
    judge(hash->clauses(), hash->clauses().lookup_percpu_absent);
  } else {
    const ArrayClauses& c = std::get<ArrayModel>(map->model).clauses();
    judge(c, c.lookup_percpu_out_of_range);
  }
  const Settled settled = SettleHelper(expected, outcome, map);
  if (settled == Settled::kStop) return;
  if (settled == Settled::kFailed) {
    if (hash != nullptr && !invalid) hash->Absent(key);
    return CompareUntouched(outcome, map);
  }
  CompareOfCpu(key, op.of_cpu, expected, outcome, map);
  if (hash != nullptr) hash->Present(key);
}

void Checker::State::On(const HelperForEach& op, const Outcome& outcome) {
  const ProgramUse use{.helper = ProgramUse::Helper::kForEach, .reads = true};
  if (!SettleLoad(op.map, use, outcome)) return;
  MapState* map = world.MapOfOrNull(op.map);
  auto* hash = std::get_if<HashModel>(&map->model);
  const Expectation expected = OfHashOrArray(*map, [&](const auto& c) {
    return op.flags != 0
               ? Expectation::Fails(Errno::kEINVAL, c.for_each_flags)
               : Expectation::Succeeds(c.for_each_visits).Also(c.for_each_stops, op.limit != 0);
  });
  if (op.flags != 0 || outcome.result <= 0 || outcome.completion != Completion::kReturned) {
    if (SettleHelper(expected, outcome, map) != Settled::kSucceeded) return;
  } else {
    Outcome visited = outcome;
    visited.result = 0;
    if (SettleHelper(expected, visited, map) != Settled::kSucceeded) return;
  }
  if (hash == nullptr) Cite(std::get<ArrayModel>(map->model).clauses().for_each_ascending);
  const auto visited = static_cast<uint64_t>(outcome.result);
  const BatchOutput& noted = OutputBatch(outcome);
  Compare(hash != nullptr
              ? hash->CheckForEach(op.limit, visited, noted, cpu)
              : std::get<ArrayModel>(map->model).CheckForEach(op.limit, visited, noted, cpu),
          map);
  if (!map->attributes.per_cpu() || noted.count == 0) return;
  Cite(hash != nullptr ? hash->clauses().for_each_own_slot
                       : std::get<ArrayModel>(map->model).clauses().for_each_own_slot);
}

}  // namespace mapspec
