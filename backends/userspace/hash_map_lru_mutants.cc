// SPDX-License-Identifier: MIT
//
// What mutants of LRU maps do that needs more than a line: they remember what was evicted, and
// evict where nothing should be.
#include <cstring>
#include <mutex>
#include <vector>

#include "backends/userspace/hash_map.h"
#include "backends/userspace/mutant.h"

#ifdef USERMAPS_MUTANTS

namespace usermaps {
namespace {

// The element that went last, of whatever map.
struct LastEvicted {
  std::mutex mutex;
  const void* map = nullptr;
  std::vector<std::byte> key, value;
};
LastEvicted& TheLast() {
  static auto* last = new LastEvicted;
  return *last;
}

}  // namespace

void HashMap::NoteEvicted(Element* victim) {
  LastEvicted& last = TheLast();
  std::lock_guard lock(last.mutex);
  last.map = this;
  last.key.assign(victim->key(), victim->key() + spec().key_size);
  last.value.assign(ValueOf(victim), ValueOf(victim) + buffer_size());
}

bool HashMap::IsEvicted(const void* key) const {
  LastEvicted& last = TheLast();
  std::lock_guard lock(last.mutex);
  return last.map == this && std::memcmp(last.key.data(), key, last.key.size()) == 0;
}

void HashMap::SpoilNew(Element* element, bool evicted) {
  LastEvicted& last = TheLast();
  const bool again = IsEvicted(element->key());
  const bool old = (evicted && OWN_MUTANT(kOfLru, "evict.not-the-new/with-the-evicted-value")) ||
                   (again && OWN_MUTANT(kOfLru, "evict.wholly/old-value-again"));
  std::lock_guard lock(last.mutex);
  if (old && last.map == this) std::memcpy(ValueOf(element), last.value.data(), last.value.size());
}

void* HashMap::SpoiltLookupInPlace(const void* key) const {
  if (!OWN_MUTANT(kOfLru, "evict.wholly/programs-find-it") || !IsEvicted(key)) return nullptr;
  return TheLast().value.data();
}

bool HashMap::SpoiltEndOfWalk(const void* key, void* next_key) const {
  if (!OWN_MUTANT(kOfLru, "evict.wholly/walks-give-it")) return false;
  if (key != nullptr && IsEvicted(key)) return false;
  LastEvicted& last = TheLast();
  std::lock_guard lock(last.mutex);
  if (last.map != this || next_key == nullptr) return false;
  std::memcpy(next_key, last.key.data(), last.key.size());
  return true;
}

bool HashMap::SpoiltUpdate(const void* key, uint64_t mode) {
  if (mode == BPF_EXIST && OWN_MUTANT(kOfLru, "evict.wholly/exist-succeeds") && IsEvicted(key)) {
    return true;
  }
  if (lru_ == nullptr || count() < spec().max_entries) return false;
  if (OWN_MUTANT(kOfLru, "evict.few/everything")) EvictIfFull(spec().max_entries);
  if (mode == BPF_EXIST && MUTANT("lru_percpu_hash.evict.exist-in-place/evicts") && per_cpu_) {
    EvictIfFull(1);
  }
  // Lost, and yet a success.
  return mode == BPF_EXIST && OWN_MUTANT(kOfLru, "evict.own-key/success") && Delete(key) == 0;
}

void HashMap::SpoilBeforeLookup() {
  if (lru_ != nullptr && OWN_MUTANT(kOfLru, "evict.only-updates/lookups-too")) EvictIfFull(1);
}
void HashMap::SpoilBeforeDelete() {
  if (lru_ != nullptr && OWN_MUTANT(kOfLru, "evict.only-updates/deletions-too")) EvictIfFull(1);
}

void HashMap::SpoilAfterDelete() {
  if (lru_ == nullptr || !OWN_MUTANT(kOfLru, "evict.wholly/comes-back")) return;
  std::vector<std::byte> key, value;
  {
    LastEvicted& last = TheLast();
    std::lock_guard lock(last.mutex);
    if (last.map != this) return;
    key = last.key;
    value = last.value;
  }
  Store(key.data(), value.data(), BPF_ANY, SlotChoice::Every());
}

void HashMap::EvictIfFull(uint32_t most) {
  if (count() < spec().max_entries) return;
  for (uint32_t i = 0; i < most && count() != 0; ++i) {
    const uint32_t list = lru_->OwnList();
    const uint32_t number = lru_->TakeOldest(list);
    if (number == LruLists::kNone) return;
    auto* victim = reinterpret_cast<Element*>(pool_.At(number));
    Bucket& bucket = BucketOf(victim->hash);
    std::lock_guard lock(bucket.lock);
    Unlink(bucket, victim);
  }
}

}  // namespace usermaps

#endif
