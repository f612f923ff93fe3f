// SPDX-License-Identifier: MIT
#include "properties/script_generator.h"

#include <algorithm>
#include <cassert>

#include "properties/operation_writer.h"

namespace mapspec {
namespace {

// Whether any operation of this action can be carried out; what remains is filtered one by one.
bool Possible(Action action, const GeneratorOptions& options) {
  using enum Capability;
  const CapabilitySet& capabilities = options.capabilities;
  const auto has = [&](Capability capability) { return Has(capabilities, capability); };
  switch (action) {
    case Action::kUpdate:
    case Action::kFillUp:
      return has(kMapUpdateElem);
    case Action::kLookup:
      return has(kMapLookupElem) || has(kMapLookupElemFlags);
    case Action::kDelete:
      return has(kMapDeleteElem);
    case Action::kGetNextKey:
    case Action::kKeyWalk:
      return has(kMapGetNextKey);
    case Action::kLookupAndDelete:
    case Action::kDrain:
      return has(kMapLookupAndDeleteElem) || has(kMapLookupAndDeleteElemFlags);
    case Action::kLookupBatch:
    case Action::kBatchWalk:
      return has(kMapLookupBatch);
    case Action::kLookupAndDeleteBatch:
      return has(kMapLookupAndDeleteBatch);
    case Action::kUpdateBatch:
      return has(kMapUpdateBatch);
    case Action::kDeleteBatch:
      return has(kMapDeleteBatch);
    case Action::kProgramRun:
      return CallsHelpers(capabilities);
    case Action::kFreeze:
      return has(kMapFreeze) && !options.one_history;
    case Action::kGetInfo:
      return has(kObjGetInfoByFd);
    case Action::kSecondHandle:
      return has(kObjGetInfoByFd) && (has(kMapGetFdById) || has(kMapGetFdByIdOpts));
    case Action::kGetFdById:
      return has(kMapGetFdById) || has(kMapGetFdByIdOpts);
    case Action::kGetNextId:
      return has(kMapGetNextId);
    case Action::kPin:
    case Action::kUnlink:
      return has(kObjPin);
    case Action::kObjGet:
      return has(kObjGet) || has(kObjGetOpts);
    case Action::kMmap:
    case Action::kLoad:
    case Action::kStore:
    case Action::kMunmap:
      return has(kMmap);
    case Action::kPoll:
    case Action::kFdRead:
    case Action::kFdWrite:
      return has(kFdOps);
    case Action::kBtfLoad:
      return has(kBtfLoad);
    case Action::kSocket:
    case Action::kFrames:
      return has(kAfXdp);
    case Action::kCreate:
      return has(kMapCreate) && !options.one_history;
    case Action::kBadCreate:
      return has(kMapCreate);
    case Action::kClose:
      return !options.one_history;
    case Action::kCount:
      break;
  }
  return false;
}

// On whole maps rather than on elements.
bool IsOfAnObject(Action action) {
  switch (action) {
    case Action::kFreeze:
    case Action::kGetInfo:
    case Action::kSecondHandle:
    case Action::kGetFdById:
    case Action::kGetNextId:
    case Action::kPin:
    case Action::kObjGet:
    case Action::kUnlink:
    case Action::kClose:
    case Action::kMmap:
    case Action::kMunmap:
    case Action::kBtfLoad:
    case Action::kCreate:
    case Action::kBadCreate:
      return true;
    default:
      return false;
  }
}

ScriptGenerator::ActionTable MakeTable(const MapKind& kind, const GeneratorOptions& options) {
  const auto weight = [&](const ActionWeight& entry) -> uint32_t {
    const bool of_an_object = IsOfAnObject(entry.action);
    uint32_t times = 1;
    if (options.focus == Focus::kElements && !of_an_object) times = 4;
    if (options.focus == Focus::kObjects && of_an_object) times = 16;
    if (options.focus == Focus::kPrograms && entry.action == Action::kProgramRun) times = 8;
    return entry.weight * times;
  };
  ScriptGenerator::ActionTable table;
  table.fill(Action::kClose);
  uint32_t total = 0;
  for (const ActionWeight& entry : kind.weights) {
    if (Possible(entry.action, options)) total += weight(entry);
  }
  // Every possible action gets at least one place, the first entry those that remain.
  uint32_t place = ScriptGenerator::kDrawBound;
  uint32_t seen = 0;
  for (auto entry = kind.weights.rbegin(); entry != kind.weights.rend(); ++entry) {
    if (!Possible(entry->action, options)) continue;
    seen += weight(*entry);
    uint32_t places = std::max<uint32_t>(1, weight(*entry) * ScriptGenerator::kDrawBound / total);
    if (seen == total) places = place;
    for (; places != 0 && place != 0; --places) table[--place] = entry->action;
  }
  return table;
}

}  // namespace

bool CallsHelpers(const CapabilitySet& capabilities) {
  using enum Capability;
  for (const Capability helper :
       {kHelperLookupElem, kHelperUpdateElem, kHelperDeleteElem, kHelperPushElem, kHelperPopElem,
        kHelperPeekElem, kHelperLookupPercpuElem, kHelperForEachElem, kHelperLookupInner}) {
    if (Has(capabilities, helper)) return true;
  }
  return false;
}

ScriptGenerator::ScriptGenerator(const GeneratorOptions& options)
    : options_(options), all_capabilities_(options.capabilities.all()) {
  assert(options_.min_operations >= 1 && options_.min_operations <= options_.max_operations);
  const auto among = [](const std::vector<MapType>& types, MapType type) {
    return std::find(types.begin(), types.end(), type) != types.end();
  };
  for (const MapKind& kind : MapKinds()) {
    const bool wanted = options_.types.empty() || among(options_.types, kind.type);
    if (!wanted || among(options_.lacking, kind.type)) continue;
    kinds_.push_back({&kind, MakeTable(kind, options_)});
  }
  assert(!kinds_.empty());
  const bool of_maps = std::any_of(kinds_.begin(), kinds_.end(),
                                   [](const Kind& kind) { return kind.kind->of_maps; });
  for (const MapKind& kind : MapKinds()) {
    if (!of_maps || kind.of_maps) continue;
    if (kind.type == MapType::PERCPU_ARRAY && !options_.any_inner_percpu_array) continue;
    if (among(options_.lacking, kind.type)) continue;
    inner_kinds_.push_back({&kind, MakeTable(kind, options_)});
  }
}

void ScriptGenerator::Generate(Entropy& entropy, Script* script) const {
  Generate(entropy, entropy.Between(options_.min_operations, options_.max_operations), script);
}

void ScriptGenerator::Generate(Entropy& entropy, size_t operations, Script* script) const {
  OperationWriter writer(entropy, options_, kinds_, inner_kinds_, all_capabilities_);
  writer.Begin(operations, &script->operations);
  writer.CreateFirstMaps();
  while (!writer.full() && !entropy.exhausted()) writer.Step();
  script->operations.resize(writer.size());
}

ScriptStream::ScriptStream(const ScriptGenerator& generator, Entropy& entropy, size_t operations)
    : generator_(generator), entropy_(entropy), left_(operations) {}
ScriptStream::~ScriptStream() = default;

bool ScriptStream::Next(size_t most, Script* script) {
  const size_t wanted = std::min(most, left_);
  if (wanted == 0 || entropy_.exhausted()) {
    script->operations.clear();
    return false;
  }
  const bool first = writer_ == nullptr;
  if (first) {
    writer_ =
        std::make_unique<OperationWriter>(entropy_, generator_.options_, generator_.kinds_,
                                          generator_.inner_kinds_, generator_.all_capabilities_);
  }
  writer_->Begin(wanted, &script->operations);
  if (first) writer_->CreateFirstMaps();
  while (!writer_->full() && !entropy_.exhausted()) writer_->Step();
  script->operations.resize(writer_->size());
  left_ -= std::min(left_, writer_->size());
  return true;
}

}  // namespace mapspec
