// SPDX-License-Identifier: MIT
#include "properties/shrink.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "properties/operation_visit.h"
#include "properties/simplify.h"

namespace mapspec {
namespace {

using Phase = ShrinkCursor::Phase;

void Enter(ShrinkCursor* cursor, Phase phase) {
  cursor->phase = phase;
  cursor->position = 0;
  cursor->chunk = 0;
}

Script Without(const Script& script, const std::function<bool(const Operation&)>& drop) {
  Script rest;
  rest.name = script.name;
  for (const Operation& operation : script.operations) {
    if (!drop(operation)) rest.operations.push_back(operation);
  }
  return rest;
}

bool UsesSlot(const Operation& operation, uint16_t slot) {
  bool uses = false;
  Call call = operation.call;
  VisitHandles(call, [&](Handle& handle) { uses |= handle.slot == slot; });
  return uses;
}

std::vector<uint16_t> SlotsOf(const Script& script) {
  std::set<uint16_t> slots;
  for (const Operation& operation : script.operations) {
    Call call = operation.call;
    VisitHandles(call, [&](Handle& handle) { slots.insert(handle.slot); });
  }
  return {slots.begin(), slots.end()};
}

// position: index of the slot. Dropping the only map leaves little, but a violation may be of an
// operation on no map at all.
std::optional<ShrinkStep> DropMaps(const Script& script, ShrinkCursor* cursor) {
  const std::vector<uint16_t> slots = SlotsOf(script);
  while (cursor->position < slots.size()) {
    const uint16_t slot = slots[cursor->position];
    Script rest =
        Without(script, [&](const Operation& operation) { return UsesSlot(operation, slot); });
    ShrinkCursor accepted = *cursor;
    ++cursor->position;
    if (!rest.operations.empty()) return ShrinkStep{std::move(rest), accepted};
  }
  Enter(cursor, Phase::kDropKinds);
  return std::nullopt;
}

// position: index of the alternative of Call.
std::optional<ShrinkStep> DropKinds(const Script& script, ShrinkCursor* cursor) {
  while (cursor->position < std::variant_size_v<Call>) {
    const size_t kind = cursor->position++;
    Script rest =
        Without(script, [&](const Operation& operation) { return operation.call.index() == kind; });
    if (!rest.operations.empty() && rest.operations.size() < script.operations.size()) {
      return ShrinkStep{std::move(rest), *cursor};
    }
  }
  Enter(cursor, Phase::kDropChunks);
  return std::nullopt;
}

// position: operations at the end of the script that were dealt with in this round (what comes last
// is tried first: it most often comes after the violation). chunk: length of the runs of this
// round.
std::optional<ShrinkStep> DropChunks(const Script& script, ShrinkCursor* cursor) {
  const size_t size = script.operations.size();
  if (cursor->chunk == 0) {
    cursor->chunk = std::max<size_t>(1, size / 2);
    cursor->position = 0;
    cursor->changed = false;
  }
  while (true) {
    if (cursor->position >= size || size <= 1) {
      if (size > 1 && (cursor->chunk > 1 || cursor->changed)) {
        // Single operations are tried until none of them can go: the result is 1-minimal.
        cursor->chunk = std::max<size_t>(1, cursor->chunk / 2);
        cursor->position = 0;
        cursor->changed = false;
        continue;
      }
      Enter(cursor, Phase::kBuffers);
      return std::nullopt;
    }
    const size_t end = size - cursor->position;
    const size_t begin = end > cursor->chunk ? end - cursor->chunk : 0;
    ShrinkCursor accepted = *cursor;
    accepted.changed = true;
    cursor->position += end - begin;
    if (end - begin == size) continue;
    Script rest;
    rest.name = script.name;
    rest.operations.reserve(size - (end - begin));
    rest.operations.insert(rest.operations.end(), script.operations.begin(),
                           script.operations.begin() + static_cast<ptrdiff_t>(begin));
    rest.operations.insert(rest.operations.end(),
                           script.operations.begin() + static_cast<ptrdiff_t>(end),
                           script.operations.end());
    return ShrinkStep{std::move(rest), accepted};
  }
}

// position: number of the byte string in order of first occurrence, times the ways to replace one.
// Equal strings are replaced together, or two operations on one key would no longer meet.
std::optional<ShrinkStep> RewriteBuffers(const Script& script, ShrinkCursor* cursor) {
  constexpr size_t kWays = 3;
  std::vector<Bytes> strings;
  for (const Operation& operation : script.operations) {
    Call call = operation.call;
    VisitBuffers(call, [&](Bytes& bytes) {
      if (!bytes.empty() && std::find(strings.begin(), strings.end(), bytes) == strings.end())
        strings.push_back(bytes);
    });
  }
  while (cursor->position < strings.size() * kWays) {
    const size_t index = cursor->position / kWays;
    const size_t way = cursor->position % kWays;
    ++cursor->position;
    const Bytes& old = strings[index];
    // A number that tells it from the others, in as many bytes or in fewer.
    const size_t size = way == 0 ? std::min<size_t>(4, old.size()) : old.size();
    const Bytes replacement = way == 2 ? Bytes(size) : Bytes::LittleEndian(index, size);
    Script changed = script;
    for (Operation& operation : changed.operations) {
      VisitBuffers(operation.call, [&](Bytes& bytes) {
        if (bytes == old) bytes = replacement;
      });
    }
    if (Weight(changed) < Weight(script)) {
      // The list of strings has changed, perhaps; the next one is looked for at the same place.
      ShrinkCursor accepted = *cursor;
      accepted.position = (index + 1) * kWays;
      accepted.changed = true;
      return ShrinkStep{std::move(changed), accepted};
    }
  }
  Enter(cursor, Phase::kFields);
  return std::nullopt;
}

// position: index of the operation; chunk: index of its simpler form.
std::optional<ShrinkStep> SimplifyFields(const Script& script, ShrinkCursor* cursor) {
  while (cursor->position < script.operations.size()) {
    const std::vector<Operation> forms = SimplerForms(script.operations[cursor->position]);
    if (cursor->chunk < forms.size()) {
      ShrinkStep step{script, *cursor};
      step.script.operations[cursor->position] = forms[cursor->chunk];
      step.if_accepted.chunk = 0;
      step.if_accepted.changed = true;
      ++cursor->chunk;
      return step;
    }
    ++cursor->position;
    cursor->chunk = 0;
  }
  Enter(cursor, Phase::kRenumber);
  return std::nullopt;
}

void Renumber(std::map<uint16_t, uint16_t>* names, uint16_t* slot) {
  *slot = names->try_emplace(*slot, static_cast<uint16_t>(names->size())).first->second;
}

// position: 0 before the one attempt, 1 after it.
std::optional<ShrinkStep> RenumberSlots(const Script& script, ShrinkCursor* cursor) {
  if (cursor->position == 0) {
    ++cursor->position;
    Script renumbered = script;
    std::map<uint16_t, uint16_t> handles, views, btfs;
    for (Operation& operation : renumbered.operations) {
      VisitHandles(operation.call, [&](Handle& handle) { Renumber(&handles, &handle.slot); });
      VisitViews(operation.call, [&](uint16_t& slot) { Renumber(&views, &slot); });
      VisitBtfs(operation.call, [&](uint16_t& slot) { Renumber(&btfs, &slot); });
    }
    if (Weight(renumbered) < Weight(script)) return ShrinkStep{std::move(renumbered), *cursor};
  }
  // Simpler operations may have made others superfluous, and the other way round.
  if (cursor->changed) {
    Enter(cursor, Phase::kDropChunks);
    cursor->chunk = std::max<size_t>(1, std::min<size_t>(4, script.operations.size() / 2));
    cursor->changed = false;
  } else {
    Enter(cursor, Phase::kDone);
  }
  return std::nullopt;
}

}  // namespace

std::optional<ShrinkStep> NextShrinkStep(const Script& script, ShrinkCursor* cursor) {
  while (true) {
    std::optional<ShrinkStep> step;
    switch (cursor->phase) {
      case Phase::kDropMaps:
        step = DropMaps(script, cursor);
        break;
      case Phase::kDropKinds:
        step = DropKinds(script, cursor);
        break;
      case Phase::kDropChunks:
        step = DropChunks(script, cursor);
        break;
      case Phase::kBuffers:
        step = RewriteBuffers(script, cursor);
        break;
      case Phase::kFields:
        step = SimplifyFields(script, cursor);
        break;
      case Phase::kRenumber:
        step = RenumberSlots(script, cursor);
        break;
      case Phase::kDone:
        return std::nullopt;
    }
    if (step) return step;
  }
}

ScriptWeight Weight(const Script& script) {
  ScriptWeight weight;
  weight.operations = script.operations.size();
  for (const Operation& operation : script.operations) weight.complexity += Complexity(operation);
  // Slots that operations only use weigh as well, so that renumbering makes progress.
  for (const Operation& operation : script.operations) {
    Call call = operation.call;
    VisitHandles(call, [&](Handle& handle) { weight.complexity += handle.slot; });
    VisitViews(call, [&](uint16_t& slot) { weight.complexity += slot; });
    VisitBtfs(call, [&](uint16_t& slot) { weight.complexity += slot; });
  }
  return weight;
}

ShrinkResult Shrink(const Script& script, const std::function<bool(const Script&)>& still_fails,
                    const ShrinkBudget& budget,
                    const std::function<void(const ShrinkProgress&)>& progress,
                    const std::atomic<bool>* cancel) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point end = Clock::now() + budget.time;
  ShrinkResult result;
  result.script = script;
  ShrinkCursor cursor;
  while (result.executions < budget.executions && Clock::now() < end &&
         (cancel == nullptr || !cancel->load(std::memory_order_relaxed))) {
    std::optional<ShrinkStep> step = NextShrinkStep(result.script, &cursor);
    if (!step) {
      result.complete = true;
      break;
    }
    ++result.executions;
    if (!still_fails(step->script)) continue;
    result.script = std::move(step->script);
    cursor = step->if_accepted;
    ++result.accepted;
    if (progress) progress({result.executions, result.script.operations.size()});
  }
  return result;
}

}  // namespace mapspec
