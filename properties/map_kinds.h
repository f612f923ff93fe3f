// SPDX-License-Identifier: MIT
//
// What generators know of map types: one row for each type, data only. A new type is a new row;
// nothing here says what a map answers (that is the oracle's business), only what is worth asking
// it. Constant data: any thread may read it.
#ifndef PROPERTIES_MAP_KINDS_H_
#define PROPERTIES_MAP_KINDS_H_

#include <cstdint>
#include <span>
#include <string_view>

#include "oracle/uapi.h"

namespace mapspec {

// One step of a generator: an operation, or a short run of operations that belong together.
enum class Action : uint8_t {
  kUpdate,
  kLookup,
  kDelete,
  kGetNextKey,
  kLookupAndDelete,
  kLookupBatch,
  kLookupAndDeleteBatch,
  kUpdateBatch,
  kDeleteBatch,
  kFillUp,      // New elements until one more than fits.
  kDrain,       // Takes out elements one by one until nothing should be left.
  kKeyWalk,     // GET_NEXT_KEY from NULL over the keys that may be there.
  kBatchWalk,   // Batches that go on where the last one ended.
  kProgramRun,  // Helpers called by programs, a few of them many times.
  kFreeze,
  kGetInfo,
  kSecondHandle,  // GET_INFO, then GET_FD_BY_ID.
  kGetFdById,
  kGetNextId,
  kPin,
  kObjGet,
  kUnlink,
  kClose,
  kMmap,
  kLoad,
  kStore,
  kMunmap,
  kPoll,
  kFdRead,
  kFdWrite,
  kBtfLoad,
  kSocket,     // Opens or closes one.
  kFrames,     // Sends some, and mostly looks who got them.
  kCreate,     // One more map.
  kBadCreate,  // With attributes that are wrong in some way.
  kCount,
};

struct ActionWeight {
  Action action;
  uint16_t weight;
};

// A helper that a program may call on a map.
enum class Helper : uint8_t {
  kLookup,
  kUpdate,
  kDelete,
  kPush,
  kPop,
  kPeek,
  kLookupPercpu,
  kForEach,
  kLookupInner,
  kRedirectMap,
};
inline constexpr uint32_t kHelpers = 10;

struct HelperWeight {
  Helper helper;
  uint16_t weight;
};

// What the keys of a type are.
enum class KeyKind : uint8_t {
  kBytes,  // Any byte string of key_size.
  kIndex,  // Four bytes: an index below max_entries.
  kNone,   // key_size 0, NULL in every call.
};

struct MapKind {
  MapType type;
  std::string_view name;  // Of properties: "hash.random-scripts".
  KeyKind key_kind;
  bool batches;
  bool walks;  // GET_NEXT_KEY is implemented.
  bool mmaps;  // BPF_F_MMAPABLE is.
  bool locks;  // A bpf_spin_lock may stand in the value.
  // map_flags that creation may accept, each alone or in combination.
  std::span<const uint32_t> create_flags;
  // The helpers that programs may call on such a map, and how often they do; the first entry is
  // what exhausted entropy gives. With the others a program is refused, which is asked seldom.
  std::span<const HelperWeight> helpers;
  // How often what is done; the first entry is what exhausted entropy gives.
  std::span<const ActionWeight> weights;
  bool of_maps = false;     // Values are maps, all like one that it is created with.
  bool of_sockets = false;  // Values are sockets.
};

// The types scripts are generated for.
std::span<const MapKind> MapKinds();
// Whether programs may call the helper on maps of the kind.
bool Allows(const MapKind& kind, Helper helper);
// nullptr for a type without a row.
const MapKind* FindMapKind(MapType type);

}  // namespace mapspec

#endif  // PROPERTIES_MAP_KINDS_H_
