// SPDX-License-Identifier: MIT
//
// New elements of LRU maps: there is always room, if need be that of an element not used for long.
#include <sched.h>

#include <cerrno>
#include <mutex>

#include "backends/userspace/hash_map.h"
#include "backends/userspace/mutant.h"

namespace usermaps {

bool HashMap::MovesBetweenLists(Element* element, uint64_t mode) const {
  return lru_ != nullptr && !per_cpu_ && mode <= BPF_EXIST && mode != BPF_NOEXIST &&
         lru_->ListOf(NumberOf(element)) != lru_->OwnList();
}

int HashMap::StoreLru(Bucket& bucket, std::unique_lock<SpinLock>& lock, uint32_t hash,
                      const void* key, const void* value, uint64_t mode, SlotChoice choice) {
  const uint32_t list = lru_->OwnList();
  Element* element = nullptr;
  const bool fits = lru_->CountIn(list);
  if (fits) {
    element = Allocate();
  } else {
    if (OWN_MUTANT(kOfLru, "evict.makes-room/e2big")) return -E2BIG;
    if (OWN_MUTANT(kOfLru, "evict.makes-room/adds-nothing")) return 0;
    // The victim is in another bucket, or in this one.
    lock.unlock();
    element = MakeRoom(list);
    lock.lock();
  }
  Element* const old = Find(bucket, hash, key);
  const bool replaces = old != nullptr && !MovesBetweenLists(old, mode);
  if (replaces || (old == nullptr && mode == BPF_EXIST)) {
    Release(element);
    lru_->CountOut(list);
    return replaces ? Replace(bucket, old, value, mode, choice) : -ENOENT;
  }
  Fill(element, hash, key, value, choice);
  if constexpr (kUsermapsMutants) SpoilNew(element, !fits);
  if (old == nullptr) {
    element->next = bucket.head;
    SetHead(bucket, element);
  } else {
    element->next = old->next;
    Relink(bucket, old, element);
    const uint32_t list_before = lru_->ListOf(NumberOf(old));
    lru_->Remove(NumberOf(old));
    Release(old);
    lru_->CountOut(list_before);
  }
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
