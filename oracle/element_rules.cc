// SPDX-License-Identifier: MIT
//
// The operations on single elements: which refusals come before the map type's model is asked, and
// what an answer means for it.
#include "oracle/checker_state.h"
#include "oracle/cpu_flags.h"
#include "oracle/model_visit.h"

namespace mapspec {
namespace {

using G = clause::generic;
using Settled = Checker::State::Settled;

// A call that would succeed cannot write its output: EFAULT, by this clause. What fails for another
// reason keeps its error.
Expectation WithFault(Expectation expected, ClauseId fault, ClauseId error_first) {
  for (uint8_t i = 0; i < expected.count; ++i) {
    Expectation::Alternative& alternative = expected.alternatives[i];
    if (alternative.error == Errno::kNone) {
      alternative = {Errno::kEFAULT, fault, fault};
    } else {
      expected.Also(error_first);
    }
  }
  expected.output = nullptr;
  return expected;
}

// Flags of an update that have no meaning for any map, or only for per-CPU maps.
bool NoTypeHas(uint64_t flags, const MapAttributes& attributes) {
  const bool cpu = (flags & BPF_F_CPU) != 0;
  const bool cpu_flags = (flags & (BPF_F_CPU | BPF_F_ALL_CPUS)) != 0;
  return (flags >> 32 != 0 && !cpu) || (cpu_flags && !attributes.per_cpu());
}

Expectation CpuFlagsOf(const MapState& map, uint64_t flags) {
  if (!TakesCpuFlags(map.attributes)) return Expectation::Succeeds(kNoClause);
  return OfHashOrArray(map,
                       [&](const auto& c) { return ExpectCpuFlags(map.attributes, flags, c); });
}
ClauseId OneCpuClause(const MapState& map) {
  const auto* array = std::get_if<ArrayModel>(&map.model);
  return array != nullptr ? array->clauses().lookup_one_cpu
                          : HashClausesOf(map.attributes.type).lookup_one_cpu;
}
ClauseId AllCpusRefused(const MapState* map, uint64_t flags) {
  if (map == nullptr || !map->attributes.per_cpu() || (flags & BPF_F_ALL_CPUS) == 0) {
    return kNoClause;
  }
  const auto* array = std::get_if<ArrayModel>(&map->model);
  return array != nullptr ? array->clauses().lookup_all_cpus_refused
                          : HashClausesOf(map->attributes.type).lookup_all_cpus_refused;
}
// The clauses of an update with such flags; `c`: those of the map's type.
template <typename Clauses>
Expectation WithCpuFlags(Expectation expected, const MapAttributes& map, uint64_t flags,
                         bool is_new, const Clauses& c) {
  if (!map.per_cpu()) return expected;
  const bool one = NamesCpu(map, flags);
  const bool all = IsForAllCpus(map, flags);
  return expected.Also(c.update_one_cpu, one)
      .Also(c.update_one_cpu_new, one && is_new)
      .Also(c.update_all_cpus, all && (flags & 3) == 0)
      .Also(c.update_all_cpus_alone, all && (flags & 3) != 0)
      .Also(c.update_existence_forgotten, ForgetsExistence(map, flags))
      .Also(c.update_both_flags, !TakesCpuFlags(map) && (flags & 3) == 3)
      .Also(c.update_cpu_flags_unsupported, !TakesCpuFlags(map) && (flags & kCpuFlags) != 0);
}

}  // namespace

void Checker::State::LearnValue(MapState* map, const Bytes& key_bytes, uint64_t flags,
                                const Outcome& outcome) {
  if (!map->attributes.per_cpu()) return;
  const Bytes& key = Fit(key_bytes, map->attributes.key_size, &key_scratch);
  if (NamesCpu(map->attributes, flags)) {
    Bytes slot = OutputBytes(outcome);
    slot.Resize(map->attributes.value_size);
    if (auto* hash = std::get_if<HashModel>(&map->model)) hash->LearnOfCpu(key, slot, CpuIn(flags));
    return;
  }
  const auto learn = [&](auto& model) {
    model.Learn(key, OutputBytes(outcome));
    Cite(model.clauses().lookup_every_cpu);
    if (HasPadding(map->attributes)) Cite(PaddingClause(model.clauses(), profile.traits));
  };
  if (auto* hash = std::get_if<HashModel>(&map->model)) learn(*hash);
  if (auto* array = std::get_if<ArrayModel>(&map->model)) learn(*array);
}

bool Checker::State::ApplyCpuFlags(MapState* map, const Bytes& key, const Bytes& value,
                                   uint64_t flags) {
  const bool all = IsForAllCpus(map->attributes, flags);
  if (!all && !NamesCpu(map->attributes, flags)) return false;
  const auto apply = [&](auto& model) {
    if (all) return model.Update(key, OfEveryCpu(map->attributes, value));
    model.UpdateByProgram(key, value, CpuIn(flags));
  };
  if (auto* hash = std::get_if<HashModel>(&map->model)) apply(*hash);
  if (auto* array = std::get_if<ArrayModel>(&map->model)) apply(*array);
  return true;
}

// What a lookup that names a CPU leaves in its buffer: the value of that CPU, and nothing else.
Expectation Checker::State::OfOneCpu(const Lookup& op, MapState* map) {
  const Bytes& key = Fit(op.key.bytes, map->attributes.key_size, &key_scratch);
  Expectation expected;
  if (auto* hash = std::get_if<HashModel>(&map->model)) expected = hash->ExpectLookup(key);
  if (auto* array = std::get_if<ArrayModel>(&map->model)) expected = array->ExpectLookup(key, 0);
  if (expected.output == nullptr) return expected;
  const Bytes slot = map->attributes.OfCpu(*expected.output, CpuIn(op.flags));
  value_scratch = Poison(map->attributes.buffer_size());
  for (size_t i = 0; i < slot.size(); ++i) value_scratch[i] = slot[i];
  return Expectation::SucceedsWith(OneCpuClause(*map), value_scratch);
}

void Checker::State::On(const Lookup& op, const Outcome& outcome) {
  const HandleState& handle = world.At(op.map);
  MapState* map = world.MapOfOrNull(op.map);
  const bool bad_pointers = op.key.pointer == Pointer::kBad || op.value != Pointer::kValid;
  const auto expect = [&]() -> Expectation {
    const bool one_cpu = map != nullptr && NamesCpu(map->attributes, op.flags);
    const uint64_t known = one_cpu ? ~uint64_t{0xffffffff} | BPF_F_LOCK | BPF_F_CPU : BPF_F_LOCK;
    const bool bad_flags = (op.flags & ~known) != 0;
    const bool no_permission = map != nullptr && !MayRead(handle);
    if (bad_flags && profile.traits.lookup_flags_first) {
      return Expectation::Fails(Errno::kEINVAL, G::lookup_unknown_flags)
          .Also(G::lookup_flags_before_descriptor, map == nullptr || no_permission)
          .Also(AllCpusRefused(map, op.flags));
    }
    if (map == nullptr) return ExpectMapFd(handle, bad_pointers);
    if (no_permission) {
      return Expectation::Fails(Errno::kEPERM, G::permission_wronly_refuses_reads)
          .Also(G::permission_before_arguments, bad_pointers || op.flags != 0)
          .Also(G::lookup_permission_before_flags, bad_flags);
    }
    if (bad_flags) {
      return Expectation::Fails(Errno::kEINVAL, G::lookup_unknown_flags)
          .Also(AllCpusRefused(map, op.flags));
    }
    if ((op.flags & BPF_F_LOCK) != 0 && !map->attributes.has_lock()) {
      return Expectation::Fails(Errno::kEINVAL, G::lock_without_spin_lock);
    }
    if (const Expectation flags = CpuFlagsOf(*map, op.flags); !flags.AllowsSuccess()) return flags;
    if (IsQueueOrStack(*map)) {
      if (op.key.pointer != Pointer::kNull) {
        return OfQueueOrStack(*map, [](auto clauses) {
          using C = decltype(clauses);
          return Expectation::Fails(Errno::kEINVAL, C::peek_key_given, C::peek_key_given_errno);
        });
      }
    } else if (op.key.pointer != Pointer::kValid) {
      return Expectation::Fails(Errno::kEFAULT, G::call_bad_key_pointer);
    }
    const Bytes& key = Fit(op.key.bytes, map->attributes.key_size, &key_scratch);
    Expectation model = std::visit(
        Overloaded{[](auto&) { return Expectation::Anything(); },
                   [&](HashModel& hash) {
                     return hash.ExpectLookup(key).Also(hash.clauses().lookup_lock, op.flags != 0);
                   },
                   [&](ArrayModel& array) { return array.ExpectLookup(key, op.flags); },
                   [&](ArrayOfMapsModel& array) { return array.ExpectLookup(key); },
                   [](XskMapModel& xsk) { return xsk.ExpectLookup(); },
                   []<typename C>(QueueStackModel<C>& queue) { return queue.ExpectPeek(); }},
        map->model);
    if (one_cpu) model.Also(OneCpuClause(*map));
    if (op.value != Pointer::kValid) {
      return WithFault(model, G::lookup_bad_value_pointer, G::lookup_absent_before_bad_value);
    }
    return model;
  };
  const Expectation expected = expect();
  const Settled settled = Settle(expected, outcome, map);
  if (settled == Settled::kStop) return;
  if (settled == Settled::kSucceeded) {
    CiteRead(handle, *map);
    Cite(G::lookup_writes_value_size);
    if (map->attributes.has_lock()) {
      Cite(op.flags != 0 ? G::lock_word_hidden : G::lock_word_hidden_without_flag);
    }
    LearnValue(map, op.key.bytes, op.flags, outcome);
    CompareOutput(NamesCpu(map->attributes, op.flags) ? OfOneCpu(op, map) : expected, outcome, map);
  } else if (op.value == Pointer::kValid) {
    CompareUntouched(outcome, map);
  }
  if (map == nullptr) return;
  if (auto* hash = std::get_if<HashModel>(&map->model)) {
    const Bytes& key = Fit(op.key.bytes, map->attributes.key_size, &key_scratch);
    if (settled == Settled::kSucceeded) hash->Present(key);
    if (outcome.error == Errno::kENOENT) hash->Absent(key);
  }
}

void Checker::State::On(const LookupAndDelete& op, const Outcome& outcome) {
  const HandleState& handle = world.At(op.map);
  MapState* map = world.MapOfOrNull(op.map);
  bool removes = false;  // The call gets as far as removing the element, should there be one.
  const auto expect = [&]() -> Expectation {
    // Before 5.14 the command had no flags at all.
    const uint64_t known_flags = profile.traits.hash_lookup_and_delete ? BPF_F_LOCK : 0;
    if ((op.flags & ~known_flags) != 0) {
      const Expectation refused =
          Expectation::Fails(Errno::kEINVAL, G::lookup_and_delete_unknown_flags);
      if (map == nullptr || !IsQueueOrStack(*map)) return refused;
      return OfQueueOrStack(*map, [](auto clauses) {
        using C = decltype(clauses);
        return Expectation::Fails(Errno::kEINVAL, C::pop_flags, G::lookup_and_delete_unknown_flags)
            .Also(C::pop_flags_errno);
      });
    }
    if (map == nullptr) return ExpectMapFd(handle, op.value != Pointer::kValid || op.flags != 0);
    if (!MayRead(handle) || !MayWrite(handle)) {
      const bool more =
          op.value != Pointer::kValid || op.key.pointer == Pointer::kBad || op.flags != 0;
      if (map->frozen && handle.can_read && handle.can_write) return RefusedFrozen(more);
      return Expectation::Fails(Errno::kEPERM, G::permission_lookup_and_delete_needs_both)
          .Also(G::permission_before_arguments, more);
    }
    if (IsQueueOrStack(*map)) {
      if (op.flags != 0) {
        return OfQueueOrStack(*map, [](auto clauses) {
          using C = decltype(clauses);
          return Expectation::Fails(Errno::kEINVAL, C::pop_flags, C::pop_flags_errno);
        });
      }
      if (op.key.pointer != Pointer::kNull) {
        return OfQueueOrStack(*map, [](auto clauses) {
          using C = decltype(clauses);
          return Expectation::Fails(Errno::kEINVAL, C::pop_key_given, C::pop_key_given_errno);
        });
      }
    } else {
      if (op.flags != 0 && !map->attributes.has_lock()) {
        return Expectation::Fails(Errno::kEINVAL, G::lock_without_spin_lock);
      }
      if (op.key.pointer != Pointer::kValid) {
        return Expectation::Fails(Errno::kEFAULT, G::call_bad_key_pointer);
      }
    }
    const Bytes& key = Fit(op.key.bytes, map->attributes.key_size, &key_scratch);
    const Expectation model = std::visit(
        Overloaded{[](auto&) { return Expectation::Anything(); },
                   [&](HashModel& hash) { return hash.ExpectLookupAndDelete(key, op.flags); },
                   [](ArrayModel& array) { return array.ExpectLookupAndDelete(); },
                   [](ArrayOfMapsModel& array) { return array.ExpectLookupAndDelete(); },
                   [](XskMapModel& xsk) { return xsk.ExpectLookupAndDelete(); },
                   []<typename C>(QueueStackModel<C>& queue) { return queue.ExpectPop(); }},
        map->model);
    removes = model.AllowsSuccess();
    if (op.value == Pointer::kValid) return model;
    if (auto* hash = std::get_if<HashModel>(&map->model)) {
      return WithFault(model, hash->clauses().lookup_and_delete_bad_value_pointer, kNoClause);
    }
    if (!IsQueueOrStack(*map)) return model;
    return OfQueueOrStack(*map, [&](auto clauses) {
      return WithFault(model, decltype(clauses)::pop_bad_value_pointer, kNoClause);
    });
  };
  const Expectation expected = expect();
  const Settled settled = Settle(expected, outcome, map);
  if (settled == Settled::kStop) return;
  if (settled == Settled::kSucceeded) {
    if (caller == Caller::kUnprivileged) Cite(G::permission_unprivileged_descriptor);
    LearnValue(map, op.key.bytes, op.flags, outcome);
    CompareOutput(expected, outcome, map);
  } else if (op.value == Pointer::kValid) {
    CompareUntouched(outcome, map);
  }
  if (!removes || map->unspecified) return;
  // The element is gone even when its value could not be handed over.
  const bool gone = settled == Settled::kSucceeded || outcome.error == Errno::kEFAULT;
  const Bytes& key = Fit(op.key.bytes, map->attributes.key_size, &key_scratch);
  std::visit(
      Overloaded{[](auto&) {}, [&](HashModel& hash) { gone ? hash.Delete(key) : hash.Absent(key); },
                 [](ArrayModel&) {},
                 [&]<typename C>(QueueStackModel<C>& queue) {
                   if (gone) queue.Pop();
                 }},
      map->model);
}

void Checker::State::On(const Update& op, const Outcome& outcome) {
  const HandleState& handle = world.At(op.map);
  MapState* map = world.MapOfOrNull(op.map);
  const bool bad_value = op.value_fd == kNoFd && op.value.pointer != Pointer::kValid;
  const bool bad_pointers = op.key.pointer == Pointer::kBad || bad_value;
  const bool odd_flags = op.flags > BPF_EXIST;
  const uint64_t flags = map == nullptr ? op.flags : ElementFlags(map->attributes, op.flags);
  const auto expect = [&]() -> Expectation {
    if (map == nullptr) return ExpectMapFd(handle, bad_pointers || odd_flags);
    if (!MayWrite(handle)) return RefusedWrite(handle, bad_pointers || odd_flags);
    if (profile.traits.update_unknown_flags_first && NoTypeHas(op.flags, map->attributes)) {
      const Expectation refused = Expectation::Fails(Errno::kEINVAL, G::update_unknown_flags_first);
      if (!IsQueueOrStack(*map)) return refused;
      return OfQueueOrStack(*map, [](auto clauses) {
        using C = decltype(clauses);
        return Expectation::Fails(Errno::kEINVAL, C::push_flags, C::push_flags_errno)
            .Also(G::update_unknown_flags_first);
      });
    }
    if ((op.flags & BPF_F_LOCK) != 0 && !map->attributes.has_lock()) {
      if (!IsQueueOrStack(*map))
        return Expectation::Fails(Errno::kEINVAL, G::lock_without_spin_lock);
      return OfQueueOrStack(*map, [](auto clauses) {
        using C = decltype(clauses);
        return Expectation::Fails(Errno::kEINVAL, C::push_flags, C::push_flags_errno)
            .Also(G::lock_without_spin_lock);
      });
    }
    if (const Expectation refused = CpuFlagsOf(*map, op.flags); !refused.AllowsSuccess()) {
      return refused;
    }
    if (IsQueueOrStack(*map)) {
      if (op.key.pointer != Pointer::kNull) {
        return OfQueueOrStack(*map, [](auto clauses) {
          using C = decltype(clauses);
          return Expectation::Fails(Errno::kEINVAL, C::push_key_given, C::push_key_given_errno);
        });
      }
    } else if (op.key.pointer != Pointer::kValid) {
      return Expectation::Fails(Errno::kEFAULT, G::call_bad_key_pointer)
          .Also(G::update_pointers_before_flags, odd_flags)
          .Also(G::update_pointers_before_unknown_flags, NoTypeHas(op.flags, map->attributes));
    }
    if (bad_value) {
      return Expectation::Fails(Errno::kEFAULT, G::update_bad_value_pointer)
          .Also(G::update_pointers_before_flags, odd_flags)
          .Also(G::update_pointers_before_unknown_flags, NoTypeHas(op.flags, map->attributes));
    }
    const Bytes& key = Fit(op.key.bytes, map->attributes.key_size, &key_scratch);
    if (IsMapOfMaps(map->attributes.type)) {
      return ExpectUpdateOfOuter(*map, key, op.flags, op.value_fd);
    }
    return std::visit(
        Overloaded{
            [](auto&) { return Expectation::Anything(); },
            [&](HashModel& hash) {
              const bool is_new =
                  map->attributes.per_cpu() && !hash.ExpectLookup(key).AllowsSuccess();
              const Expectation model = hash.ExpectUpdate(key, flags, cpu);
              return WithCpuFlags(model, map->attributes, op.flags, is_new, hash.clauses());
            },
            [&](ArrayModel& array) {
              return WithCpuFlags(array.ExpectUpdate(key, flags), map->attributes, op.flags, false,
                                  array.clauses());
            },
            [&](XskMapModel& xsk) { return xsk.ExpectUpdate(key, op.flags, DescriptorOf(op)); },
            [&]<typename C>(QueueStackModel<C>& queue) { return queue.ExpectPush(op.flags); }},
        map->model);
  };
  const Settled settled = Settle(expect(), outcome, map);
  if (settled == Settled::kStop || map == nullptr) return;
  const Bytes& key = Fit(op.key.bytes, map->attributes.key_size, &key_scratch);
  if (auto* hash = std::get_if<HashModel>(&map->model);
      hash != nullptr && FoundOut(outcome.error)) {
    hash->MakeRoom(flags, cpu);
  }
  if (settled == Settled::kFailed) {
    if (auto* hash = std::get_if<HashModel>(&map->model)) {
      if (outcome.error == Errno::kEEXIST) hash->Present(key);
      if (outcome.error == Errno::kENOENT || outcome.error == Errno::kE2BIG) hash->Absent(key);
    }
    return;
  }
  CiteWrite(handle);
  if (op.value_fd != kNoFd && !TakesDescriptors(map->attributes.type)) return Lose(map);
  if (IsMapOfMaps(map->attributes.type)) value_scratch = InnerValue(op.value_fd);
  const Bytes& value =
      IsMapOfMaps(map->attributes.type)
          ? value_scratch
          : Fit(op.value.bytes, ValueSizeWith(map->attributes, op.flags), &value_scratch);
  if (ApplyCpuFlags(map, key, value, op.flags)) return;
  std::visit(
      Overloaded{[](auto&) {}, [&](HashModel& hash) { hash.Update(key, value); },
                 [&](ArrayModel& array) { array.Update(key, value); },
                 [&](ArrayOfMapsModel& array) { array.Update(key, value); },
                 [&](XskMapModel&) { world.PutSocket(handle.map, key, DescriptorOf(op).socket); },
                 [&]<typename C>(QueueStackModel<C>& queue) { queue.Push(value); }},
      map->model);
}

void Checker::State::On(const Delete& op, const Outcome& outcome) {
  const HandleState& handle = world.At(op.map);
  MapState* map = world.MapOfOrNull(op.map);
  const auto expect = [&]() -> Expectation {
    const bool bad_pointer = op.key.pointer != Pointer::kValid;
    if (map == nullptr) return ExpectMapFd(handle, bad_pointer);
    if (!MayWrite(handle)) return RefusedWrite(handle, bad_pointer);
    if (bad_pointer && !IsQueueOrStack(*map)) {
      return Expectation::Fails(Errno::kEFAULT, G::call_bad_key_pointer);
    }
    const Bytes& key = Fit(op.key.bytes, map->attributes.key_size, &key_scratch);
    return std::visit(
        Overloaded{[](auto&) { return Expectation::Anything(); },
                   [&](HashModel& hash) { return hash.ExpectDelete(key); },
                   [](ArrayModel& array) { return array.ExpectDelete(); },
                   [&](ArrayOfMapsModel& array) { return array.ExpectDelete(key); },
                   [&](XskMapModel& xsk) { return xsk.ExpectDelete(key); },
                   []<typename C>(QueueStackModel<C>& queue) { return queue.ExpectDelete(); }},
        map->model);
  };
  const Settled settled = Settle(expect(), outcome, map);
  if (settled == Settled::kStop || map == nullptr) return;
  if (settled == Settled::kSucceeded) CiteWrite(handle);
  const Bytes& key = Fit(op.key.bytes, map->attributes.key_size, &key_scratch);
  if (auto* array = std::get_if<ArrayOfMapsModel>(&map->model);
      array != nullptr && settled == Settled::kSucceeded) {
    array->Delete(key);
  }
  if (auto* hash = std::get_if<HashModel>(&map->model)) {
    if (settled == Settled::kSucceeded) hash->Delete(key);
    if (outcome.error == Errno::kENOENT) hash->Absent(key);
  }
  if (std::holds_alternative<XskMapModel>(map->model) && settled == Settled::kSucceeded) {
    world.RemoveSocket(handle.map, key);
  }
}

void Checker::State::On(const GetNextKey& op, const Outcome& outcome) {
  const HandleState& handle = world.At(op.map);
  MapState* map = world.MapOfOrNull(op.map);
  const Bytes* key = nullptr;
  if (map != nullptr && op.key.pointer == Pointer::kValid) {
    key = &Fit(op.key.bytes, map->attributes.key_size, &key_scratch);
  }
  const auto expect = [&]() -> Expectation {
    const bool bad_pointers = op.key.pointer == Pointer::kBad || op.next_key != Pointer::kValid;
    if (map == nullptr) return ExpectMapFd(handle, bad_pointers);
    if (!MayRead(handle)) {
      return Expectation::Fails(Errno::kEPERM, G::permission_wronly_refuses_reads)
          .Also(G::permission_before_arguments, bad_pointers);
    }
    if (op.key.pointer == Pointer::kBad && !IsQueueOrStack(*map)) {
      return Expectation::Fails(Errno::kEFAULT, G::call_bad_key_pointer);
    }
    const Expectation model = std::visit(
        Overloaded{[](auto&) { return Expectation::Anything(); },
                   [&](HashModel& hash) { return hash.ExpectGetNextKey(key); },
                   [&](ArrayModel& array) { return array.ExpectGetNextKey(key); },
                   [&](ArrayOfMapsModel& array) { return array.ExpectGetNextKey(key); },
                   [&](XskMapModel& xsk) { return xsk.ExpectGetNextKey(key); },
                   []<typename C>(QueueStackModel<C>& queue) { return queue.ExpectGetNextKey(); }},
        map->model);
    if (op.next_key == Pointer::kValid) return model;
    return WithFault(model, G::get_next_key_bad_next_key_pointer,
                     IsQueueOrStack(*map) ? kNoClause : G::get_next_key_end_before_bad_pointer);
  };
  const Expectation expected = expect();
  const Settled settled = Settle(expected, outcome, map);
  if (settled == Settled::kStop) return;
  if (settled == Settled::kSucceeded) {
    CiteRead(handle, *map);
    CompareOutput(expected, outcome, map);
  } else if (op.next_key == Pointer::kValid) {
    CompareUntouched(outcome, map);
  }
  if (map == nullptr || map->unspecified || judgement.kind != Judgement::Kind::kConforms) return;
  auto* hash = std::get_if<HashModel>(&map->model);
  const bool answered = settled == Settled::kSucceeded || outcome.error == Errno::kENOENT;
  if (hash == nullptr || !answered) return;
  Compare(hash->CheckNextKey(key, settled == Settled::kSucceeded ? &OutputBytes(outcome) : nullptr),
          map);
}

}  // namespace mapspec
