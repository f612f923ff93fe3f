// SPDX-License-Identifier: MIT
//
// Writes the operations of one script under construction, one step after the other. A detail of
// script_generator.cc; lives on the stack of one Generate() call.
#ifndef PROPERTIES_OPERATION_WRITER_H_
#define PROPERTIES_OPERATION_WRITER_H_

#include <cstdint>
#include <span>
#include <vector>

#include "properties/generator_world.h"

namespace mapspec {

class OperationWriter {
 public:
  OperationWriter(Entropy& entropy, const GeneratorOptions& options,
                  std::span<const ScriptGenerator::Kind> kinds,
                  std::span<const ScriptGenerator::Kind> inner_kinds, bool all_capabilities)
      : entropy_(entropy),
        options_(options),
        kinds_(kinds),
        inner_kinds_(inner_kinds),
        all_capabilities_(all_capabilities),
        all_element_commands_(HasElementCommands(options.capabilities)),
        wanders_(Has(options.capabilities, Capability::kPinnedThread) &&
                 entropy.OneIn(HasLru(kinds) ? kLruScriptsToAWanderer : kScriptsToAWanderer)),
        has_network_(UsesSockets(kinds) && Has(options.capabilities, Capability::kAfXdp) &&
                     entropy.OneIn(kScriptsToANetwork)),
        home_(DrawHome()) {}

  // Where the operations that follow go, from the first place on, and how many there should be. Of
  // pieces of one script, each begins anew. Comes before everything else.
  void Begin(size_t wanted, std::vector<Operation>* operations) {
    wanted_ = wanted;
    operations_ = operations;
    size_ = 0;
  }
  size_t size() const { return size_; }
  bool full() const { return size_ >= wanted_; }
  // One map mostly; mixed scripts have several from the start.
  void CreateFirstMaps();
  // A map with sensible attributes, now and then with BTF and a lock.
  void CreateMap();
  // One action on some live map.
  void Step();

 private:
  static bool HasElementCommands(const CapabilitySet& capabilities) {
    for (auto i = static_cast<size_t>(Capability::kMapLookupElem);
         i <= static_cast<size_t>(Capability::kMapDeleteBatch); ++i) {
      if (!capabilities[i]) return false;
    }
    return true;
  }

  // What is odd about an operation that is ordinary otherwise. Most have nothing, some one thing, a
  // few several: which error wins is a promise too.
  struct Quirks {
    bool flags = false;
    bool null_key = false, bad_key = false;
    bool null_value = false, bad_value = false;
    bool handle = false;
    bool unprivileged = false;
    bool short_buffer = false, long_buffer = false;
    bool other = false;
  };
  Quirks DrawQuirks();

  template <typename T>
  T& Add();
  // Says who makes the call just added, and where, then Check().
  void Finish(const Quirks& quirks);
  // Undoes the last Add() when the backend cannot carry it out.
  void Check();

  uint16_t PickSlot();
  uint16_t FreeSlot();
  Handle PickHandle(uint16_t slot, const Quirks& quirks);
  Pointer DrawPointer(bool null, bool bad);
  void KeyBuffer(const MapFacts& map, const Quirks& quirks, InBuffer* buffer);
  void KeyBufferAt(const MapFacts& map, uint32_t index, InBuffer* buffer);
  void ValueBuffer(const MapFacts& map, const Quirks& quirks, InBuffer* buffer);
  void BatchBuffers(const MapFacts& map, uint32_t count, InBuffer* keys, InBuffer* values);

  void Run(Action action, uint16_t slot);
  void Element(Action action, uint16_t slot);
  void Batch(Action action, uint16_t slot);
  void Walk(Action action, uint16_t slot);
  void ProgramRun(uint16_t slot);
  void ObjectAction(Action action, uint16_t slot);
  void ViewAction(Action action, uint16_t slot);
  // In operation_writer_network.cc.
  void ToggleSocket();
  void SendSomeFrames(uint16_t slot);
  static Handle SocketSlot(uint64_t socket);
  // A live socket, mostly, or something else that an XSKMAP will not take.
  Handle DrawDescriptor(const Quirks& quirks);
  uint32_t RedirectKey(const MapFacts& map);
  uint64_t RedirectFlags(const Quirks& quirks);
  static bool UsesSockets(std::span<const ScriptGenerator::Kind> kinds);
  void Create(bool corrupt);
  // Maps of maps (operation_writer_inner.cc): a map to create one with, into create->inner_map; one
  // more like it; the descriptor of a map to put into one, which `may_create` lets be a new map's.
  void PickTemplate(MapCreate* create, MapFacts* map);
  uint16_t AddInner(const InnerFacts& inner);
  Handle PickInner(const MapFacts& outer, bool may_create);
  // Puts a map into an element that nothing else holds afterwards.
  void LetGo(uint16_t slot);
  // Closes the map that one was created with, and asks whether it is gone.
  void LetGoOfTemplate(Handle inner);
  void LoadBtf(uint16_t slot, uint32_t key_size, uint32_t value_size, int32_t lock_offset);

  // What one program does: the helper it calls, and what it does around the call.
  struct ProgramForm {
    Helper helper = Helper::kLookup;
    bool store = false, lock = false, hold = false;
    bool refused = false;  // Most likely not loaded.
  };
  // Making a call elsewhere costs as much as some hundred others, and waits for the CPU's turn:
  // most scripts stay where they are.
  static constexpr uint64_t kScriptsToAWanderer = 16;
  static constexpr uint64_t kLruScriptsToAWanderer = 8;
  static bool HasLru(std::span<const ScriptGenerator::Kind> kinds);
  // What an LRU map evicts is known better when one CPU makes all calls: mostly it does.
  uint16_t DrawHome();
  // Making a network takes as long as some thousand calls.
  static constexpr uint64_t kScriptsToANetwork = 48;
  // A CPU and a thread.
  struct Place {
    uint16_t cpu = kAnyCpu;
    uint8_t thread = 0;
  };
  Place DrawPlace();
  uint16_t DrawCpu();
  bool DrawForm(const MapFacts& map, ProgramForm* form);
  void AddHelper(const ProgramForm& form, const MapFacts& map, Handle handle, uint32_t index,
                 const Quirks& quirks);
  void HelperKey(const MapFacts& map, uint32_t index, const Quirks& quirks, Bytes* key);
  void HelperValue(const MapFacts& map, const Quirks& quirks, Bytes* value);

  Entropy& entropy_;
  const GeneratorOptions& options_;
  std::span<const ScriptGenerator::Kind> kinds_;
  std::span<const ScriptGenerator::Kind> inner_kinds_;
  bool all_capabilities_;
  bool all_element_commands_;  // No command on elements is lacking, bad pointers perhaps.
  size_t wanted_ = 0;
  std::vector<Operation>* operations_ = nullptr;
  bool wanders_;      // Some calls are made on other CPUs and threads.
  bool has_network_;  // Sockets are bound to devices, and frames are sent.
  uint16_t home_;     // The CPU of all others; kAnyCpu: none in particular.
  size_t size_ = 0;
  GeneratorWorld world_;
};

template <typename T>
T& OperationWriter::Add() {
  if (size_ == operations_->size()) operations_->emplace_back();
  Operation& operation = (*operations_)[size_++];
  operation.caller = Caller::kPrivileged;
  operation.cpu = home_;
  operation.thread = 0;
  return operation.call.emplace<T>();
}

}  // namespace mapspec

#endif  // PROPERTIES_OPERATION_WRITER_H_
