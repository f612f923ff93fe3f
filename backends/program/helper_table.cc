// SPDX-License-Identifier: MIT
//
// Which actions a map type has: what is put together into one program, so that calls of different
// helpers that follow one another run at once. Whether a map really takes a helper is for the
// verifier to say, and for the oracle to judge: what this table leaves out, and everything where a
// program put together is refused, is loaded on its own.
#include <algorithm>

#include "backends/program/helper_program.h"

namespace mapspec {
namespace {

using enum HelperAction;

constexpr HelperAction kElements[] = {kLookup,     kLookupStore, kUpdate,
                                      kUpdateHold, kDelete,      kDeleteHold};
constexpr HelperAction kElementsWithLock[] = {kLookup, kLookupStore, kUpdate,     kUpdateHold,
                                              kDelete, kDeleteHold,  kLookupLock, kLookupStoreLock};
constexpr HelperAction kElementsPercpu[] = {kLookup, kLookupStore, kUpdate,      kUpdateHold,
                                            kDelete, kDeleteHold,  kLookupPercpu};
constexpr HelperAction kInner[] = {kLookupInner, kLookupInnerStore};
constexpr HelperAction kQueue[] = {kPush, kPop, kPeek};

struct Row {
  MapType type;
  std::span<const HelperAction> plain;
  std::span<const HelperAction> with_lock;
};
constexpr Row kRows[] = {
    {MapType::HASH, kElements, kElementsWithLock},
    {MapType::ARRAY, kElements, kElementsWithLock},
    {MapType::PERCPU_HASH, kElementsPercpu, kElementsPercpu},
    {MapType::PERCPU_ARRAY, kElementsPercpu, kElementsPercpu},
    {MapType::QUEUE, kQueue, kQueue},
    {MapType::STACK, kQueue, kQueue},
    {MapType::ARRAY_OF_MAPS, kInner, kInner},
    {MapType::HASH_OF_MAPS, kInner, kInner},
};

// Beyond this every action copies so much that loading all for the sake of one costs more than it
// gains.
constexpr uint32_t kLongValue = 256;

}  // namespace

std::span<const HelperAction> ActionsTogether(const MapShape& shape) {
  if (std::max(shape.value_size, shape.inner_value_size) > kLongValue) return {};
  for (const Row& row : kRows) {
    if (row.type == shape.type) return shape.lock_offset >= 0 ? row.with_lock : row.plain;
  }
  return {};
}

}  // namespace mapspec
