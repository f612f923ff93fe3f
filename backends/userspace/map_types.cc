// SPDX-License-Identifier: MIT
//
// The map types that exist. A new type is one more file and one more line here.
#include <array>

#include "backends/userspace/array_map.h"
#include "backends/userspace/array_of_maps.h"
#include "backends/userspace/hash_map.h"
#include "backends/userspace/percpu_array_map.h"
#include "backends/userspace/queue_stack_map.h"

namespace usermaps {

const MapType* FindMapType(uint32_t type) {
  static constexpr std::array kTypes = {
      &kHashMapType,        &kArrayMapType,      &kQueueMapType,   &kStackMapType,
      &kPerCpuArrayMapType, &kPerCpuHashMapType, &kLruHashMapType, &kLruPerCpuHashMapType,
      &kArrayOfMapsType,    &kHashOfMapsType};
  for (const MapType* candidate : kTypes) {
    if (candidate->type == type) return candidate;
  }
  return nullptr;
}

}  // namespace usermaps
