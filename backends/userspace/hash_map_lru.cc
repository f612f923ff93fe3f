// SPDX-License-Identifier: MIT
//
// New elements of LRU maps: there is always room, if need be that of an element not used for long.
#include <sched.h>

#include <cerrno>
#include <mutex>

#include "backends/userspace/hash_map.h"
#include "backends/userspace/mutant.h"

namespace usermaps {

int HashMap::InsertLru(Bucket& bucket, std::unique_lock<SpinLock>& lock, uint32_t hash,
                       const void* key, const void* value, uint64_t mode, SlotChoice choice) {
  const uint32_t list = lru_->OwnList();
  Element* element = nullptr;
  bool evicted = false;
  if (lru_->CountIn(list)) {
    element = Allocate();
  } else {
    if (OWN_MUTANT(kOfLru, "evict.makes-room/e2big")) return -E2BIG;
    if (OWN_MUTANT(kOfLru, "evict.makes-room/adds-nothing")) return 0;
    evicted = true;
    // The victim is in another bucket, or in this one.
    lock.unlock();
    element = MakeRoom(list);
    lock.lock();
    if (Element* rival = Find(bucket, hash, key); rival != nullptr) {
      Release(element);
      lru_->CountOut(list);
      return Replace(bucket, rival, value, mode, choice);
    }
  }
  Fill(element, hash, key, value, choice);
  if constexpr (kUsermapsMutants) SpoilNew(element, evicted);
  element->next = bucket.head;
  bucket.SetHead(element);
  lru_->Add(list, NumberOf(element));
  return 0;
}

// An element that was counted into `list` and is in no bucket.
HashMap::Element* HashMap::MakeRoom(uint32_t list) {
  for (;;) {
    if (lru_->CountIn(list)) return Allocate();
    const uint32_t number = lru_->TakeOldest(list);
    if (number == LruLists::kNone) {
      sched_yield();  // All of its elements are in the hands of other threads at the moment.
      continue;
    }
    auto* victim = reinterpret_cast<Element*>(pool_.At(number));
    Bucket& bucket =
        BucketOf(std::atomic_ref<uint32_t>(victim->hash).load(std::memory_order_relaxed));
    std::lock_guard lock(bucket.lock);
    // Between the two locks it may have been deleted, and even have become the element of another
    // key: then it is none of ours.
    if (!Contains(bucket, victim) || lru_->ListOf(number) != list || lru_->IsLinked(number)) {
      continue;
    }
    if (lru_->IsMarked(number)) {
      lru_->Add(list, number);
      continue;
    }
    Relink(bucket, victim, victim->next);
    if constexpr (kUsermapsMutants) NoteEvicted(victim);
    return victim;
  }
}

}  // namespace usermaps
