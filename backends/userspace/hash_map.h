// SPDX-License-Identifier: MIT
//
// BPF_MAP_TYPE_HASH and its variants PERCPU_HASH, LRU_HASH, LRU_PERCPU_HASH and HASH_OF_MAPS: up to
// max_entries keys of any size, preallocated or not.
//
// Structure: a fixed number of buckets (max_entries rounded up to a power of two), each a chain
//   under its own lock. The table never grows, so a walk meets untouched keys in the same order for
//   the life of the map: new keys go to the head of their chain, updates leave them where they are.
//   An update overwrites the value; when programs use the map it swaps the element for a new one
//   instead (except under BPF_F_LOCK), so that a pointer that a program holds keeps the old value.
// Per CPU: an element has a slot for each possible CPU (cpu_slots.h), and updates are in place.
// LRU (hash_map_lru.cc): a map that is full takes the element of a key that was not used for long
//   (lru_lists.h). Lookups by programs and updates of a key are use, lookups by bpf(2) are not.
//   With a list for each CPU an update moves an element to the list of the CPU that makes it.
// Of maps (hash_map_of_maps.cc): the value is a Map* that the element holds, and changes in place;
//   nobody sees it but under the bucket's lock.
// Thread-safety: an operation on a key holds the lock of its bucket only. Capacity is a counter
//   that is changed inside the bucket lock: an update that fails with -E2BIG failed at a moment
//   when max_entries keys were present. Walks (get_next_key, batches: hash_map_walk.cc) hold one
//   bucket at a time and stop no writer. Programs read and write values through pointers with no
//   lock but the value's own. No thread holds two bucket locks.
// Source: Documentation/bpf/map_hash.rst; kernel 6.18.
#ifndef BACKENDS_USERSPACE_HASH_MAP_H_
#define BACKENDS_USERSPACE_HASH_MAP_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

#include "backends/userspace/area.h"
#include "backends/userspace/cpu_slots.h"
#include "backends/userspace/element_pool.h"
#include "backends/userspace/lru_lists.h"
#include "backends/userspace/map.h"
#include "backends/userspace/map_in_map.h"
#include "backends/userspace/spin_lock.h"

namespace usermaps {

extern const MapType kHashMapType;
extern const MapType kPerCpuHashMapType;
extern const MapType kLruHashMapType;
extern const MapType kLruPerCpuHashMapType;
extern const MapType kHashOfMapsType;

inline bool IsPerCpuHash(uint32_t type) {
  return type == BPF_MAP_TYPE_PERCPU_HASH || type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}
inline bool IsLruHash(uint32_t type) {
  return type == BPF_MAP_TYPE_LRU_HASH || type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

class HashMap final : public Map {
 public:
  // `inner`: of a HASH_OF_MAPS, otherwise null.
  explicit HashMap(const MapSpec& spec, std::unique_ptr<const InnerTemplate> inner = nullptr);
  ~HashMap() override;
  int Init();

  int Lookup(const void* key, void* value, uint64_t flags) override;
  int Update(const void* key, const void* value, uint64_t flags) override {
    if (inner_ != nullptr) return UpdateMap(key, value, flags);
    return Store(key, value, flags, SlotChoice::Every());
  }
  int UpdateFromProgram(const void* key, const void* value, uint64_t flags) override {
    return Store(key, value, flags, per_cpu_ ? SlotChoice::Own() : SlotChoice::Every());
  }
  int Delete(const void* key) override;
  int LookupAndDelete(const void* key, void* value, uint64_t flags) override;
  int GetNextKey(const void* key, void* next_key) override;
  void* LookupInPlace(const void* key) override;
  void* LookupInPlaceOfCpu(const void* key, uint32_t cpu) override;
  long ForEach(Visitor visit, void* visitor_data) override;

  int LookupBatch(const Batch& batch) override { return WalkBatch(batch, false); }
  int LookupAndDeleteBatch(const Batch& batch) override { return WalkBatch(batch, true); }
  int UpdateBatch(const Batch& batch) override { return GenericUpdateBatch(batch); }
  int DeleteBatch(const Batch& batch) override { return GenericDeleteBatch(batch); }

  uint64_t Footprint() const override {
    return buckets_.size() + occupied_.size() + pool_.Footprint() +
           (lru_ == nullptr ? 0 : lru_->Footprint());
  }

 private:
  // Followed by the key and, value_offset_ bytes behind its start, the value.
  struct Element {
    Element* next;
    uint32_t hash;
    std::byte* key() { return reinterpret_cast<std::byte*>(this + 1); }
  };

  // Lives in mapped memory that was never constructed: all zero is an empty, unlocked bucket.
  struct Bucket {
    Element* head;
    SpinLock lock;
  };

  uint32_t Hash(const void* key) const;
  uint32_t BucketIndex(uint32_t hash) const { return hash & (bucket_count_ - 1); }
  Bucket& BucketAt(uint32_t index) const {
    return reinterpret_cast<Bucket*>(buckets_.data())[index];
  }
  Bucket& BucketOf(uint32_t hash) const { return BucketAt(BucketIndex(hash)); }
  std::byte* ValueOf(Element* element) const { return element->key() + value_offset_; }
  // What programs get of an element.
  void* OwnValueOf(Element* element) const {
    if (inner_ != nullptr) return MapOf(element)->program_map();
    return per_cpu_ ? slots_.Own(ValueOf(element)) : ValueOf(element);
  }
  void CopyValueOut(void* value, Element* element, uint64_t flags) const {
    if (per_cpu_) return slots_.Read(value, ValueOf(element));
    if (inner_ != nullptr) return CopyMapId(value, element);
    layout().CopyOut(value, ValueOf(element), (flags & BPF_F_LOCK) != 0);
  }
  int Store(const void* key, const void* value, uint64_t flags, SlotChoice choice);

  // The first bucket from `index` on that does not look empty to who has no lock; bucket_count_ at
  // the end.
  uint32_t NextOccupied(uint32_t index) const;

  // These want the bucket's lock held.
  void SetHead(Bucket& bucket, Element* element);
  Element* Find(Bucket& bucket, uint32_t hash, const void* key) const;
  // Find for a program: marks what it finds as used.
  Element* FindAndMark(Bucket& bucket, uint32_t hash, const void* key) const;
  static bool Contains(const Bucket& bucket, const Element* element);
  int Replace(Bucket& bucket, Element* element, const void* value, uint64_t flags,
              SlotChoice choice);
  int Swap(Bucket& bucket, Element* old, const void* value);
  int Insert(Bucket& bucket, uint32_t hash, const void* key, const void* value, SlotChoice choice);
  // Puts `successor` (may be null) where `element` is in its chain.
  void Relink(Bucket& bucket, Element* element, Element* successor);
  void Release(Element* element);
  void Unlink(Bucket& bucket, Element* element);
  void EmitBucket(Bucket& bucket, const Batch& batch, uint32_t done, bool remove);

  Element* Allocate() { return reinterpret_cast<Element*>(pool_.Allocate()); }
  void Fill(Element* element, uint32_t hash, const void* key, const void* value, SlotChoice choice);
  bool CountOneMore();
  uint32_t count() const { return lru_ == nullptr ? count_.load() : lru_->count(); }

  // LRU maps. An element is in the list of the CPU that updated it last; where it has a value for
  // each CPU, of the CPU that added it.
  bool MovesBetweenLists(Element* element, uint64_t mode) const;
  // A new element, or one that moves. With the bucket's lock held, which is let go for a moment if
  // something has to be evicted.
  int StoreLru(Bucket& bucket, std::unique_lock<SpinLock>& lock, uint32_t hash, const void* key,
               const void* value, uint64_t mode, SlotChoice choice);
  Element* MakeRoom(uint32_t list);
  // For mutants only (hash_map_lru_mutants.cc).
  void NoteEvicted(Element* victim);
  bool IsEvicted(const void* key) const;
  void SpoilNew(Element* element, bool evicted);
  bool SpoiltUpdate(const void* key, uint64_t mode);  // True: it is over.
  void* SpoiltLookupInPlace(const void* key) const;
  bool SpoiltEndOfWalk(const void* key, void* next_key) const;  // True: it is not the end.
  void SpoilBeforeLookup();
  void SpoilBeforeDelete();
  void SpoilAfterDelete();
  void EvictIfFull(uint32_t most);
  uint32_t NumberOf(const Element* element) const {
    return pool_.IndexOf(reinterpret_cast<const std::byte*>(element));
  }

  // Maps of maps.
  Map*& MapOf(Element* element) const { return *reinterpret_cast<Map**>(ValueOf(element)); }
  int UpdateMap(const void* key, const void* value, uint64_t flags);
  void CopyMapId(void* value, Element* element) const;
  void LetGoOfMaps();

  void CopyKey(Element* element, void* out) const;
  int WalkBatch(const Batch& batch, bool remove);
  int EndBatch(const Batch& batch, uint32_t index, uint32_t done, int err) const;

  const bool per_cpu_;
  const CpuSlots slots_;                              // if per_cpu_
  const std::unique_ptr<const InnerTemplate> inner_;  // null: not a map of maps
  const uint64_t value_offset_;
  const uint32_t bucket_count_;  // a power of two
  const uint64_t seed_;
  Area buckets_;
  Area occupied_;  // a bit for each bucket: there is something in it
  ElementPool pool_;
  std::unique_ptr<LruLists> lru_;  // null: not an LRU map. Otherwise it counts the elements.
  std::atomic<uint32_t> count_{0};
};

}  // namespace usermaps

#endif  // BACKENDS_USERSPACE_HASH_MAP_H_
