// SPDX-License-Identifier: MIT
//
// The operations of the program path: helpers called on a map by programs.
//
// Loading a program costs as much as some hundred calls, and calls on one map that follow one
// another may share a run of the program. So helper calls come in runs on one map, of one to three
// forms each (which helper, and what the program does around it).
#include <algorithm>

#include "properties/edge_values.h"
#include "properties/operation_writer.h"

namespace mapspec {
namespace {

// What is longer than this makes programs of thousands of instructions.
constexpr uint32_t kLongestElement = 4096;
constexpr uint32_t kLongestRun = 15;

bool Reads(Helper helper) {
  return helper == Helper::kLookup || helper == Helper::kLookupPercpu || helper == Helper::kForEach;
}
bool Writes(Helper helper) {
  return helper == Helper::kUpdate || helper == Helper::kDelete || helper == Helper::kPush ||
         helper == Helper::kPop;
}

Capability NeededBy(Helper helper) {
  switch (helper) {
    case Helper::kLookup:
      return Capability::kHelperLookupElem;
    case Helper::kUpdate:
      return Capability::kHelperUpdateElem;
    case Helper::kDelete:
      return Capability::kHelperDeleteElem;
    case Helper::kPush:
      return Capability::kHelperPushElem;
    case Helper::kPop:
      return Capability::kHelperPopElem;
    case Helper::kPeek:
      return Capability::kHelperPeekElem;
    case Helper::kLookupPercpu:
      return Capability::kHelperLookupPercpuElem;
    case Helper::kLookupInner:
      return Capability::kHelperLookupInner;
    case Helper::kRedirectMap:
      return Capability::kHelperRedirectMap;
    case Helper::kForEach:
      break;
  }
  return Capability::kHelperForEachElem;
}

Helper DrawAllowed(Entropy& entropy, const MapKind& kind) {
  uint32_t total = 0;
  for (const HelperWeight& entry : kind.helpers) total += entry.weight;
  uint32_t draw = entropy.Below32(total);
  for (const HelperWeight& entry : kind.helpers) {
    if (draw < entry.weight) return entry.helper;
    draw -= entry.weight;
  }
  return kind.helpers.front().helper;
}

}  // namespace

OperationWriter::Place OperationWriter::DrawPlace() {
  Place place;
  // To another thread a call is handed over and waited for, and each is one more to start: both
  // cost far more than a move to another CPU, so that there are few.
  const uint32_t what = entropy_.Below32(8);
  if (what != 6) place.cpu = DrawCpu();
  if (what >= 6) {
    place.thread =
        static_cast<uint8_t>(1 + entropy_.Below(entropy_.OneIn(8) ? kMaxThreads - 1 : 2));
  }
  return place;
}

bool OperationWriter::HasLru(std::span<const ScriptGenerator::Kind> kinds) {
  for (const ScriptGenerator::Kind& each : kinds) {
    const MapType type = each.kind->type;
    if (type == MapType::LRU_HASH || type == MapType::LRU_PERCPU_HASH) return true;
  }
  return false;
}

uint16_t OperationWriter::DrawHome() {
  if (!Has(options_.capabilities, Capability::kPinnedThread) || !HasLru(kinds_)) return kAnyCpu;
  return entropy_.OneIn(4) ? kAnyCpu : DrawCpu();
}

uint16_t OperationWriter::DrawCpu() {
  return static_cast<uint16_t>(entropy_.Below(options_.possible_cpus));
}

// False when the backend has no such form.
bool OperationWriter::DrawForm(const MapFacts& map, ProgramForm* form) {
  const MapKind& kind = *map.kind->kind;
  // What is refused at load is asked of those who refuse.
  const bool verifies = Has(options_.capabilities, Capability::kVerifier);
  const bool foreign = entropy_.OneIn(32) && verifies;
  form->helper =
      foreign ? static_cast<Helper>(entropy_.Below(kHelpers)) : DrawAllowed(entropy_, kind);
  if (!Has(options_.capabilities, NeededBy(form->helper))) return false;
  const bool looks_up = Has(options_.capabilities, Capability::kHelperLookupElem);
  form->store = form->lock = form->hold = false;
  if (form->helper == Helper::kLookupInner) form->store = entropy_.OneIn(2);
  if (form->helper == Helper::kLookup) {
    // Of a socket there is nothing to write.
    form->store =
        kind.of_sockets ? verifies && entropy_.OneIn(16) : entropy_.OneIn(kind.of_maps ? 8 : 2);
    const bool wanted = map.has_lock ? entropy_.OneIn(2) : verifies && entropy_.OneIn(64);
    form->lock = wanted && Has(options_.capabilities, Capability::kHelperSpinLock);
  } else if (form->helper == Helper::kUpdate || form->helper == Helper::kDelete) {
    form->hold = looks_up && entropy_.OneIn(4);
  }
  const bool writes = Writes(form->helper) || form->store;
  const bool reads = Reads(form->helper) || form->hold;
  form->refused = !Allows(kind, form->helper) || (form->lock && !map.has_lock) ||
                  (form->store && kind.of_sockets) ||
                  (writes && (map.map_flags & BPF_F_RDONLY_PROG) != 0) ||
                  (reads && (map.map_flags & BPF_F_WRONLY_PROG) != 0);
  // Once frozen, some of these cannot be read either; whether another handle froze it is not known.
  bool doubtful = reads && (map.map_flags & BPF_F_RDONLY_PROG) != 0;
  if (kind.of_maps && form->helper == Helper::kLookupInner) {
    const uint32_t flags = map.inner.map_flags;
    form->refused = map.inner.key_size == 0 || (flags & BPF_F_WRONLY_PROG) != 0 ||
                    (form->store && (flags & BPF_F_RDONLY_PROG) != 0);
    doubtful = false;
  } else if (kind.of_maps) {
    doubtful = true;  // What the pointer shows is the kernel's.
  }
  return verifies || (!form->refused && !doubtful);
}

void OperationWriter::HelperKey(const MapFacts& map, uint32_t index, const Quirks& quirks,
                                Bytes* key) {
  if (map.key_size == 0) return;
  MakeKey(map, index, key);
  if (quirks.short_buffer) key->Resize(entropy_.Below(map.key_size + 1));
  if (quirks.long_buffer) key->Resize(map.key_size + 1 + entropy_.Below(8));
}

void OperationWriter::HelperValue(const MapFacts& map, const Quirks& quirks, Bytes* value) {
  MakeValue(entropy_, map.value_size, value);
  if (quirks.short_buffer) value->Resize(entropy_.Below(map.value_size + 1));
  if (quirks.long_buffer) value->Resize(map.value_size + 1 + entropy_.Below(8));
}

void OperationWriter::AddHelper(const ProgramForm& form, const MapFacts& map, Handle handle,
                                uint32_t index, const Quirks& quirks) {
  const auto update_flags = [&] {
    return quirks.flags ? AnyFlags(entropy_) : SensibleUpdateFlags(entropy_, map);
  };
  switch (form.helper) {
    case Helper::kLookup: {
      HelperLookup& op = Add<HelperLookup>();
      op.map = handle;
      HelperKey(map, index, quirks, &op.key);
      op.store = form.store;
      if (op.store) HelperValue(map, quirks, &op.value);
      op.lock = form.lock;
      break;
    }
    case Helper::kUpdate: {
      HelperUpdate& op = Add<HelperUpdate>();
      op.map = handle;
      HelperKey(map, index, quirks, &op.key);
      HelperValue(map, quirks, &op.value);
      op.flags = update_flags();
      op.hold = form.hold;
      break;
    }
    case Helper::kDelete: {
      HelperDelete& op = Add<HelperDelete>();
      op.map = handle;
      HelperKey(map, index, quirks, &op.key);
      op.hold = form.hold;
      break;
    }
    case Helper::kPush: {
      HelperPush& op = Add<HelperPush>();
      op.map = handle;
      HelperValue(map, quirks, &op.value);
      op.flags = update_flags();
      break;
    }
    case Helper::kPop:
      Add<HelperPop>().map = handle;
      break;
    case Helper::kPeek:
      Add<HelperPeek>().map = handle;
      break;
    case Helper::kLookupPercpu: {
      static constexpr uint32_t kFar[] = {4096, 0x7fffffffu, 0x80000000u, 0xffffffffu};
      HelperLookupPercpu& op = Add<HelperLookupPercpu>();
      op.map = handle;
      HelperKey(map, index, quirks, &op.key);
      op.of_cpu = entropy_.Below32(options_.possible_cpus);
      if (entropy_.OneIn(4)) op.of_cpu = options_.possible_cpus - 1 + entropy_.Below32(2);
      if (quirks.flags) op.of_cpu = entropy_.Pick(kFar);
      break;
    }
    case Helper::kLookupInner: {
      HelperLookupInner& op = Add<HelperLookupInner>();
      op.map = handle;
      HelperKey(map, index, quirks, &op.key);
      const InnerFacts& facts = map.inner;
      if (facts.kind != nullptr) {
        MapFacts inner;
        inner.kind = facts.kind;
        inner.key_size = facts.key_size;
        inner.value_size = facts.value_size;
        inner.max_entries = facts.max_entries;
        HelperKey(inner, DrawKeyIndex(entropy_, inner), quirks, &op.inner_key);
        if (form.store) HelperValue(inner, quirks, &op.value);
      }
      op.store = form.store;
      break;
    }
    case Helper::kForEach: {
      static constexpr uint32_t kLimits[] = {0, 0, 0, 1, 1, 2, 3, 1000};
      HelperForEach& op = Add<HelperForEach>();
      op.map = handle;
      op.limit = entropy_.Pick(kLimits);
      if (entropy_.OneIn(4)) op.limit = map.max_entries + entropy_.Below32(3) - 1;
      if (quirks.other) op.limit = kMaxForEachNoted + entropy_.Below32(3) - 1;
      if (quirks.flags) op.flags = AnyFlags(entropy_);
      break;
    }
    case Helper::kRedirectMap: {
      HelperRedirectMap& op = Add<HelperRedirectMap>();
      op.map = handle;
      op.key = RedirectKey(map);
      op.flags = RedirectFlags(quirks);
      break;
    }
  }
}

void OperationWriter::ProgramRun(uint16_t slot) {
  const MapFacts map = world_.handles[slot].map;
  const uint32_t inner = std::max(map.inner.key_size, map.inner.value_size);
  if (std::max({map.key_size, map.value_size, inner}) > kLongestElement) {
    return Element(Action::kLookup, slot);
  }
  ProgramForm forms[3];
  uint32_t count = 0;
  for (uint32_t wanted = 1 + entropy_.Below32(3); wanted != 0; --wanted) {
    if (DrawForm(map, &forms[count])) ++count;
  }
  const uint32_t affordable = (16u << 10) / (map.key_size + map.value_size + 1);
  const uint32_t length = std::min(1 + entropy_.Below32(kLongestRun), affordable + 1);
  // The keys one after the other fill a map up, or visit all of it.
  const bool in_order = entropy_.OneIn(4);
  Place place = wanders_ && entropy_.OneIn(8) ? DrawPlace() : Place{home_, 0};
  if (map.cpus != 0) {
    // Which value a program finds is told by its CPU only.
    if (!Has(options_.capabilities, Capability::kPinnedThread)) return;
    if (place.cpu == kAnyCpu) place.cpu = DrawCpu();
  }
  const bool hops = map.cpus != 0 && entropy_.OneIn(8);
  for (uint32_t i = 0; i < length && count != 0 && !full(); ++i) {
    const uint32_t which = entropy_.Below32(count);
    Quirks quirks = DrawQuirks();
    // A program on what is no map is loaded (and refused) for this call alone.
    quirks.handle =
        quirks.handle && entropy_.OneIn(4) && Has(options_.capabilities, Capability::kVerifier);
    quirks.unprivileged = false;
    const Handle handle = PickHandle(slot, quirks);
    AddHelper(forms[which], map, handle, in_order ? i : DrawKeyIndex(entropy_, map), quirks);
    if (hops) place.cpu = DrawCpu();
    (*operations_)[size_ - 1].cpu = place.cpu;
    (*operations_)[size_ - 1].thread = place.thread;
    Finish(quirks);
    if (forms[which].refused) forms[which] = forms[--count];
  }
}

}  // namespace mapspec
