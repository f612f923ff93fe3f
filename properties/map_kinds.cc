// SPDX-License-Identifier: MIT
#include "properties/map_kinds.h"

namespace mapspec {
namespace {

using enum Action;

// The weights are in parts of roughly a thousand. Creating and closing a map costs a kernel some
// tens of microseconds, mapping one some five: those are rare. Freezing makes a map dull, so it is
// rare as well, and a frozen map does not live long (script_generator.cc). A program run has eight
// helper calls on average: about a third of the calls on elements come from programs.
constexpr ActionWeight kHashWeights[] = {
    {kUpdate, 320},     {kProgramRun, 58},
    {kLookup, 190},     {kDelete, 110},
    {kGetNextKey, 110}, {kLookupAndDelete, 70},
    {kLookupBatch, 40}, {kLookupAndDeleteBatch, 16},
    {kUpdateBatch, 30}, {kDeleteBatch, 20},
    {kFillUp, 6},       {kDrain, 4},
    {kKeyWalk, 8},      {kBatchWalk, 8},
    {kFreeze, 4},       {kGetInfo, 9},
    {kSecondHandle, 3}, {kGetFdById, 4},
    {kGetNextId, 2},    {kPin, 5},
    {kObjGet, 6},       {kUnlink, 4},
    {kClose, 2},        {kMmap, 1},
    {kLoad, 1},         {kStore, 1},
    {kMunmap, 1},       {kPoll, 2},
    {kFdRead, 2},       {kFdWrite, 2},
    {kBtfLoad, 1},      {kCreate, 2},
    {kBadCreate, 9},
};

constexpr ActionWeight kArrayWeights[] = {
    {kUpdate, 300},     {kProgramRun, 54},      {kLookup, 240},     {kDelete, 30},
    {kGetNextKey, 110}, {kLookupAndDelete, 20}, {kLookupBatch, 50}, {kLookupAndDeleteBatch, 5},
    {kUpdateBatch, 40}, {kDeleteBatch, 6},      {kFillUp, 5},       {kDrain, 1},
    {kKeyWalk, 8},      {kBatchWalk, 8},        {kFreeze, 4},       {kGetInfo, 9},
    {kSecondHandle, 3}, {kGetFdById, 4},        {kGetNextId, 2},    {kPin, 5},
    {kObjGet, 6},       {kUnlink, 4},           {kClose, 2},        {kMmap, 8},
    {kLoad, 50},        {kStore, 40},           {kMunmap, 3},       {kPoll, 2},
    {kFdRead, 2},       {kFdWrite, 2},          {kBtfLoad, 1},      {kCreate, 2},
    {kBadCreate, 9},
};

constexpr ActionWeight kPercpuArrayWeights[] = {
    {kUpdate, 300},     {kProgramRun, 60},
    {kLookup, 240},     {kDelete, 30},
    {kGetNextKey, 110}, {kLookupAndDelete, 20},
    {kLookupBatch, 50}, {kLookupAndDeleteBatch, 5},
    {kUpdateBatch, 40}, {kDeleteBatch, 6},
    {kFillUp, 5},       {kDrain, 1},
    {kKeyWalk, 8},      {kBatchWalk, 8},
    {kFreeze, 4},       {kGetInfo, 9},
    {kSecondHandle, 3}, {kGetFdById, 4},
    {kGetNextId, 2},    {kPin, 5},
    {kObjGet, 6},       {kUnlink, 4},
    {kClose, 2},        {kMmap, 1},
    {kLoad, 1},         {kStore, 1},
    {kMunmap, 1},       {kPoll, 2},
    {kFdRead, 2},       {kFdWrite, 2},
    {kBtfLoad, 1},      {kCreate, 2},
    {kBadCreate, 9},
};

constexpr ActionWeight kOuterWeights[] = {
    {kUpdate, 300},     {kProgramRun, 58},
    {kLookup, 190},     {kDelete, 110},
    {kGetNextKey, 110}, {kLookupAndDelete, 10},
    {kLookupBatch, 40}, {kLookupAndDeleteBatch, 16},
    {kUpdateBatch, 30}, {kDeleteBatch, 20},
    {kFillUp, 6},       {kDrain, 1},
    {kKeyWalk, 8},      {kBatchWalk, 8},
    {kFreeze, 4},       {kGetInfo, 9},
    {kSecondHandle, 3}, {kGetFdById, 10},
    {kGetNextId, 2},    {kPin, 5},
    {kObjGet, 6},       {kUnlink, 4},
    {kClose, 2},        {kMmap, 1},
    {kLoad, 1},         {kStore, 1},
    {kMunmap, 1},       {kPoll, 2},
    {kFdRead, 2},       {kFdWrite, 2},
    {kBtfLoad, 1},      {kCreate, 2},
    {kBadCreate, 12},
};

constexpr ActionWeight kQueueWeights[] = {
    {kUpdate, 400},    {kProgramRun, 60}, {kLookup, 190},     {kLookupAndDelete, 270},
    {kDelete, 20},     {kGetNextKey, 20}, {kLookupBatch, 5},  {kLookupAndDeleteBatch, 5},
    {kUpdateBatch, 5}, {kDeleteBatch, 5}, {kFillUp, 12},      {kDrain, 12},
    {kFreeze, 4},      {kGetInfo, 9},     {kSecondHandle, 3}, {kGetFdById, 4},
    {kGetNextId, 2},   {kPin, 5},         {kObjGet, 6},       {kUnlink, 4},
    {kClose, 2},       {kMmap, 1},        {kLoad, 1},         {kStore, 1},
    {kMunmap, 1},      {kPoll, 2},        {kFdRead, 2},       {kFdWrite, 2},
    {kBtfLoad, 1},     {kCreate, 2},      {kBadCreate, 9},
};

// A run of redirects has many programs, and a script with frames a network: fewer of those.
constexpr ActionWeight kXskMapWeights[] = {
    {kUpdate, 330},    {kProgramRun, 60},  {kLookup, 30},
    {kDelete, 110},    {kGetNextKey, 110}, {kLookupAndDelete, 10},
    {kLookupBatch, 5}, {kUpdateBatch, 5},  {kLookupAndDeleteBatch, 5},
    {kDeleteBatch, 5}, {kFillUp, 10},      {kKeyWalk, 8},
    {kFreeze, 4},      {kGetInfo, 9},      {kSecondHandle, 6},
    {kGetFdById, 8},   {kGetNextId, 2},    {kPin, 5},
    {kObjGet, 6},      {kUnlink, 4},       {kClose, 6},
    {kMmap, 1},        {kLoad, 1},         {kStore, 1},
    {kMunmap, 1},      {kPoll, 2},         {kFdRead, 2},
    {kFdWrite, 2},     {kBtfLoad, 1},      {kSocket, 60},
    {kFrames, 60},     {kCreate, 4},       {kBadCreate, 9},
};

constexpr uint32_t kHashFlags[] = {
    BPF_F_NO_PREALLOC, BPF_F_NUMA_NODE,   BPF_F_RDONLY,      BPF_F_WRONLY,
    BPF_F_ZERO_SEED,   BPF_F_RDONLY_PROG, BPF_F_WRONLY_PROG, BPF_F_NO_PREALLOC | BPF_F_NUMA_NODE};
constexpr uint32_t kArrayFlags[] = {
    BPF_F_MMAPABLE,    BPF_F_MMAPABLE,  BPF_F_NUMA_NODE,
    BPF_F_RDONLY,      BPF_F_WRONLY,    BPF_F_RDONLY_PROG,
    BPF_F_WRONLY_PROG, BPF_F_INNER_MAP, BPF_F_MMAPABLE | BPF_F_RDONLY_PROG};
// Programs alone tell an LRU map what is in use.
constexpr ActionWeight kLruWeights[] = {
    {kUpdate, 320},     {kProgramRun, 72},
    {kLookup, 180},     {kDelete, 60},
    {kGetNextKey, 80},  {kLookupAndDelete, 50},
    {kLookupBatch, 50}, {kLookupAndDeleteBatch, 12},
    {kUpdateBatch, 40}, {kDeleteBatch, 12},
    {kFillUp, 12},      {kDrain, 2},
    {kKeyWalk, 8},      {kBatchWalk, 8},
    {kFreeze, 4},       {kGetInfo, 9},
    {kSecondHandle, 3}, {kGetFdById, 4},
    {kGetNextId, 2},    {kPin, 5},
    {kObjGet, 6},       {kUnlink, 4},
    {kClose, 2},        {kMmap, 1},
    {kLoad, 1},         {kStore, 1},
    {kMunmap, 1},       {kPoll, 2},
    {kFdRead, 2},       {kFdWrite, 2},
    {kBtfLoad, 1},      {kCreate, 2},
    {kBadCreate, 9},
};
constexpr uint32_t kLruFlags[] = {BPF_F_NO_COMMON_LRU, BPF_F_NO_COMMON_LRU, BPF_F_NO_COMMON_LRU,
                                  BPF_F_NUMA_NODE,     BPF_F_RDONLY,        BPF_F_WRONLY,
                                  BPF_F_ZERO_SEED,     BPF_F_RDONLY_PROG,   BPF_F_WRONLY_PROG};
constexpr uint32_t kPercpuHashFlags[] = {BPF_F_NO_PREALLOC, BPF_F_NO_PREALLOC, BPF_F_RDONLY,
                                         BPF_F_WRONLY,      BPF_F_ZERO_SEED,   BPF_F_RDONLY_PROG,
                                         BPF_F_WRONLY_PROG};
constexpr uint32_t kPercpuArrayFlags[] = {BPF_F_RDONLY, BPF_F_WRONLY, BPF_F_RDONLY_PROG,
                                          BPF_F_WRONLY_PROG};
constexpr uint32_t kQueueFlags[] = {BPF_F_NUMA_NODE, BPF_F_RDONLY, BPF_F_WRONLY, BPF_F_RDONLY_PROG,
                                    BPF_F_WRONLY_PROG};

constexpr uint32_t kXskMapFlags[] = {BPF_F_NUMA_NODE, BPF_F_RDONLY, BPF_F_WRONLY};

constexpr HelperWeight kKeyedHelpers[] = {
    {Helper::kUpdate, 6}, {Helper::kLookup, 6}, {Helper::kDelete, 3}, {Helper::kForEach, 2}};
constexpr HelperWeight kArrayHelpers[] = {
    {Helper::kUpdate, 6}, {Helper::kLookup, 6}, {Helper::kDelete, 1}, {Helper::kForEach, 2}};
constexpr HelperWeight kPercpuHelpers[] = {{Helper::kUpdate, 6},
                                           {Helper::kLookup, 6},
                                           {Helper::kDelete, 3},
                                           {Helper::kLookupPercpu, 4},
                                           {Helper::kForEach, 2}};
constexpr HelperWeight kPercpuArrayHelpers[] = {{Helper::kUpdate, 6},
                                                {Helper::kLookup, 6},
                                                {Helper::kDelete, 1},
                                                {Helper::kLookupPercpu, 4},
                                                {Helper::kForEach, 2}};
constexpr uint32_t kHashOfMapsFlags[] = {
    BPF_F_NO_PREALLOC, BPF_F_NUMA_NODE,   BPF_F_RDONLY,      BPF_F_WRONLY,
    BPF_F_ZERO_SEED,   BPF_F_RDONLY_PROG, BPF_F_WRONLY_PROG, BPF_F_NO_PREALLOC | BPF_F_NUMA_NODE};
constexpr uint32_t kArrayOfMapsFlags[] = {BPF_F_NUMA_NODE, BPF_F_RDONLY, BPF_F_WRONLY};
constexpr HelperWeight kOuterHelpers[] = {{Helper::kLookupInner, 20}, {Helper::kLookup, 1}};
constexpr HelperWeight kQueueHelpers[] = {
    {Helper::kPush, 4}, {Helper::kPop, 3}, {Helper::kPeek, 2}};

constexpr HelperWeight kXskMapHelpers[] = {{Helper::kLookup, 2}, {Helper::kRedirectMap, 1}};

constexpr MapKind kMapKinds[] = {
    {MapType::HASH, "hash", KeyKind::kBytes, true, true, false, true, kHashFlags, kKeyedHelpers,
     kHashWeights},
    {MapType::ARRAY, "array", KeyKind::kIndex, true, true, true, true, kArrayFlags, kArrayHelpers,
     kArrayWeights},
    {MapType::QUEUE, "queue", KeyKind::kNone, false, false, false, false, kQueueFlags,
     kQueueHelpers, kQueueWeights},
    {MapType::STACK, "stack", KeyKind::kNone, false, false, false, false, kQueueFlags,
     kQueueHelpers, kQueueWeights},
    {MapType::PERCPU_HASH, "percpu_hash", KeyKind::kBytes, true, true, false, false,
     kPercpuHashFlags, kPercpuHelpers, kHashWeights},
    {MapType::PERCPU_ARRAY, "percpu_array", KeyKind::kIndex, true, true, false, false,
     kPercpuArrayFlags, kPercpuArrayHelpers, kPercpuArrayWeights},
    {MapType::LRU_HASH, "lru_hash", KeyKind::kBytes, true, true, false, false, kLruFlags,
     kKeyedHelpers, kLruWeights},
    {MapType::LRU_PERCPU_HASH, "lru_percpu_hash", KeyKind::kBytes, true, true, false, false,
     kLruFlags, kPercpuHelpers, kLruWeights},
    {MapType::ARRAY_OF_MAPS, "array_of_maps", KeyKind::kIndex, true, true, false, false,
     kArrayOfMapsFlags, kOuterHelpers, kOuterWeights, true},
    {MapType::HASH_OF_MAPS, "hash_of_maps", KeyKind::kBytes, true, true, false, false,
     kHashOfMapsFlags, kOuterHelpers, kOuterWeights, true},
    {MapType::XSKMAP, "xskmap", KeyKind::kIndex, false, true, false, false, kXskMapFlags,
     kXskMapHelpers, kXskMapWeights, false, true},
};

}  // namespace

std::span<const MapKind> MapKinds() { return kMapKinds; }

bool Allows(const MapKind& kind, Helper helper) {
  for (const HelperWeight& entry : kind.helpers) {
    if (entry.helper == helper) return true;
  }
  return false;
}

const MapKind* FindMapKind(MapType type) {
  for (const MapKind& kind : kMapKinds) {
    if (kind.type == type) return &kind;
  }
  return nullptr;
}

}  // namespace mapspec
