// SPDX-License-Identifier: MIT
//
// What a script under construction has probably made so far: handles, views, pins and BTF objects.
// Fixed storage, no allocation. A detail of script_generator.cc and the files around it.
#ifndef PROPERTIES_GENERATOR_WORLD_H_
#define PROPERTIES_GENERATOR_WORLD_H_

#include <array>
#include <cstdint>

#include "oracle/operation.h"
#include "properties/script_generator.h"

namespace mapspec {

// How the number of a key is spread over its bytes, so that keys which differ only in the last
// byte, or only in one bit among many, come up.
enum class KeyStyle : uint8_t { kLow, kHigh, kInverted };

// What the maps in a map of maps are like.
struct InnerFacts {
  const ScriptGenerator::Kind* kind = nullptr;  // nullptr: not known.
  uint32_t key_size = 0;
  uint32_t value_size = 0;
  uint32_t max_entries = 0;
  uint32_t map_flags = 0;
  uint32_t cpus = 0;
  bool has_lock = false;
};

struct MapFacts {
  const ScriptGenerator::Kind* kind = nullptr;
  uint32_t key_size = 0;
  uint32_t value_size = 0;
  uint32_t cpus = 0;  // That each have a value, of a per-CPU map; else 0.
  uint32_t max_entries = 0;
  uint32_t map_flags = 0;
  bool has_lock = false;
  KeyStyle key_style = KeyStyle::kLow;
  InnerFacts inner;  // Of a map of maps.
  // What a system call reads and writes of a value.
  uint32_t buffer_size() const {
    return cpus == 0 ? value_size : static_cast<uint32_t>(PerCpuStride(value_size)) * cpus;
  }
};

struct HandleFacts {
  bool live = false;
  bool id_known = false;  // GET_INFO was called on this slot.
  uint16_t life = 0;      // Steps until another map takes its place.
  static constexpr uint16_t kForEver = 0xffff;
  MapFacts map;
};

struct ViewFacts {
  bool live = false;
  uint64_t length = 0;
  MapFacts map;
};

struct PinFacts {
  bool live = false;
  MapFacts map;
};

struct BtfFacts {
  bool live = false;
  uint32_t key_size = 0;
  uint32_t value_size = 0;
  int32_t lock_offset = -1;
};

struct SocketFacts {
  bool live = false;
  SocketOpen::Kind kind = SocketOpen::Kind::kXdpUnbound;
  uint32_t device = 0;
  uint32_t queue = 0;
};

struct GeneratorWorld {
  static constexpr uint16_t kHandles = 12;
  static constexpr uint16_t kViews = 4;
  static constexpr uint16_t kPins = 4;
  static constexpr uint16_t kBtfs = 4;
  static constexpr uint16_t kSockets = 6;  // In the slots behind those of maps.

  std::array<HandleFacts, kHandles> handles;
  std::array<ViewFacts, kViews> views;
  std::array<PinFacts, kPins> pins;
  std::array<BtfFacts, kBtfs> btfs;
  std::array<SocketFacts, kSockets> sockets;
  // The live slots, in no order.
  std::array<uint16_t, kHandles> live;
  uint16_t live_count = 0;

  void Fill(uint16_t slot, const MapFacts& map, uint16_t life) {
    if (!handles[slot].live) live[live_count++] = slot;
    handles[slot] = {true, false, life, map};
  }
  void Empty(uint16_t slot) {
    if (!handles[slot].live) return;
    handles[slot].live = false;
    for (uint16_t i = 0; i < live_count; ++i) {
      if (live[i] == slot) {
        live[i] = live[--live_count];
        return;
      }
    }
  }
};

}  // namespace mapspec

#endif  // PROPERTIES_GENERATOR_WORLD_H_
