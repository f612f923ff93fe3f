// SPDX-License-Identifier: MIT
//
// HASH_OF_MAPS: what a HASH does with elements that hold maps.
#include <cstring>
#include <mutex>

#include "backends/userspace/hash_map.h"
#include "backends/userspace/mutant.h"

namespace usermaps {

int HashMap::UpdateMap(const void* key, const void* value, uint64_t flags) {
  if (flags > BPF_EXIST && MUTANT("hash_of_maps.update.descriptor-first/flags-first"))
    return -EINVAL;
  Map* map = nullptr;
  if (const int err = inner_->Take(value, &map); err != 0) return err;
  const int err = Store(key, &map, flags, SlotChoice::Every());
  if (err != 0 && !MUTANT("hash_of_maps.update.failure-changes-nothing/holds-the-map")) {
    map->LetGo();
  }
  return err;
}

// With the bucket's lock held: the element keeps its map meanwhile.
void HashMap::CopyMapId(void* value, Element* element) const {
  if (value == nullptr) return;
  const uint32_t shown = ShownId(spec().type, *MapOf(element));
  std::memcpy(value, &shown, sizeof shown);
}

void HashMap::LetGoOfMaps() {
  for (uint32_t index = 0; index < bucket_count_ && count_.load() != 0; ++index) {
    Bucket& bucket = BucketAt(index);
    while (bucket.head != nullptr) Unlink(bucket, bucket.head);
  }
}

}  // namespace usermaps
