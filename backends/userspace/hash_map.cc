// SPDX-License-Identifier: MIT
#include "backends/userspace/hash_map.h"

#include <sys/random.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

#include "backends/userspace/hash_key.h"
#include "backends/userspace/mutant.h"

// LeakSanitizer, when it is there, does not look for pointers in mapped memory unless told.
extern "C" {
void __lsan_register_root_region(const void* begin, size_t size) __attribute__((weak));
void __lsan_unregister_root_region(const void* begin, size_t size) __attribute__((weak));
}

namespace usermaps {
namespace {

// One number from the system is enough for all maps: each goes on from it (splitmix64).
uint64_t RandomSeed() {
  static std::atomic<uint64_t> state = [] {
    uint64_t seed = 0;
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != sizeof seed) {
      seed = reinterpret_cast<uint64_t>(&seed);
    }
    return seed;
  }();
  uint64_t z = state.fetch_add(0x9e3779b97f4a7c15, std::memory_order_relaxed);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace

HashMap::HashMap(const MapSpec& spec, std::unique_ptr<const InnerTemplate> inner)
    : Map(spec, IsPerCpuHash(spec.type) ? CpuSlots(spec).size() : 0),
      per_cpu_(IsPerCpuHash(spec.type)),
      slots_(spec),
      inner_(std::move(inner)),
      value_offset_(RoundUp8(spec.key_size)),
      bucket_count_(std::bit_ceil(spec.max_entries)),
      seed_((spec.flags & BPF_F_ZERO_SEED) != 0 ? 0 : RandomSeed()) {}

HashMap::~HashMap() {
  if (inner_ != nullptr && buckets_.data() != nullptr) LetGoOfMaps();
  if (pool_.preallocated() || buckets_.data() == nullptr) return;
  if (__lsan_unregister_root_region != nullptr) {
    __lsan_unregister_root_region(buckets_.data(), buckets_.size());
  }
  for (uint32_t i = 0; i < bucket_count_; ++i) {
    for (Element* element = BucketAt(i).head; element != nullptr;) {
      pool_.Free(reinterpret_cast<std::byte*>(std::exchange(element, element->next)));
    }
  }
}

int HashMap::Init() {
  const uint64_t element_size = sizeof(Element) + value_offset_ + RoundUp8(buffer_size());
  static_assert(sizeof(Bucket) == 16);
  // First: where there are no buckets, the destructor has nothing to undo.
  if (const int err = Area::Make((bucket_count_ + 63) / 64 * sizeof(uint64_t), &occupied_);
      err != 0) {
    return err;
  }
  if (const int err = Area::Make(bucket_count_ * sizeof(Bucket), &buckets_); err != 0) return err;
  const bool preallocate = (spec().flags & BPF_F_NO_PREALLOC) == 0;
  if (!preallocate && __lsan_register_root_region != nullptr) {
    __lsan_register_root_region(buckets_.data(), buckets_.size());
  }
  if (const int err = pool_.Init(spec().max_entries, element_size, preallocate); err != 0) {
    return err;
  }
  if (!IsLruHash(spec().type)) return 0;
  const bool common = (spec().flags & BPF_F_NO_COMMON_LRU) == 0 ||
                      OWN_MUTANT(kOfLru, "evict.own-share/one-list-for-all");
  const uint32_t lists = common ? 1 : PossibleCpus::Instance().count();
  uint32_t capacity = spec().max_entries / lists;
  if (OWN_MUTANT(kOfLru, "evict.never-more/one-more")) ++capacity;  // The pool has some to spare.
  if (OWN_MUTANT(kOfLru, "evict.at-capacity/one-less") && capacity > 1) --capacity;
  if (OWN_MUTANT(kOfLru, "evict.half-full/at-half") && capacity > 4) capacity /= 2;
  lru_ = std::make_unique<LruLists>();
  return lru_->Init(pool_.capacity(), lists, capacity);
}

void HashMap::SetHead(Bucket& bucket, Element* element) {
  const bool was_empty = bucket.head == nullptr;
  bucket.head = element;
  if (was_empty == (element == nullptr)) return;
  const auto index = static_cast<uint32_t>(&bucket - &BucketAt(0));
  std::atomic_ref<uint64_t> word(reinterpret_cast<uint64_t*>(occupied_.data())[index / 64]);
  const uint64_t bit = uint64_t{1} << (index % 64);
  if (was_empty) {
    word.fetch_or(bit, std::memory_order_relaxed);
  } else {
    word.fetch_and(~bit, std::memory_order_relaxed);
  }
}

uint32_t HashMap::NextOccupied(uint32_t index) const {
  auto* words = reinterpret_cast<uint64_t*>(occupied_.data());
  uint64_t skipped = index % 64;
  for (uint32_t word = index / 64; index < bucket_count_; ++word, skipped = 0) {
    const uint64_t bits = std::atomic_ref<uint64_t>(words[word]).load(std::memory_order_relaxed);
    if (const uint64_t rest = bits >> skipped << skipped; rest != 0) {
      return word * 64 + static_cast<uint32_t>(std::countr_zero(rest));
    }
    index = (word + 1) * 64;
  }
  return bucket_count_;
}

uint32_t HashMap::Hash(const void* key) const {
  // Without the last byte in the hash, keys that differ only there meet in one bucket, where Find
  // can confuse them.
  const bool confuse =
      OWN_MUTANT(kOfHashes, "lookup.present/ignores-last-key-byte") && spec().key_size > 1;
  return HashKey(key, spec().key_size - (confuse ? 1 : 0), seed_);
}

HashMap::Element* HashMap::Find(Bucket& bucket, uint32_t hash, const void* key) const {
  const bool confuse =
      OWN_MUTANT(kOfHashes, "lookup.present/ignores-last-key-byte") && spec().key_size > 1;
  const size_t compared = spec().key_size - (confuse ? 1 : 0);
  for (Element* element = bucket.head; element != nullptr; element = element->next) {
    if (element->hash != hash || std::memcmp(element->key(), key, compared) != 0) continue;
    if (lru_ != nullptr && OWN_MUTANT(kOfLru, "create.own-lists/others-not-found") &&
        lru_->ListOf(NumberOf(element)) != lru_->OwnList()) {
      continue;
    }
    return element;
  }
  return nullptr;
}

int HashMap::Lookup(const void* key, void* value, uint64_t flags) {
  if (frozen.load() && MUTANT("hash_of_maps.freeze.inner-stays-writable/no-lookups") &&
      inner_ != nullptr) {
    return -EPERM;
  }
  if (MUTANT("hash.lookup.lock/refused") && (flags & BPF_F_LOCK) != 0) return -EINVAL;
  if constexpr (kUsermapsMutants) SpoilBeforeLookup();
  const uint32_t hash = Hash(key);
  Bucket& bucket = BucketOf(hash);
  std::lock_guard lock(bucket.lock);
  Element* element = Find(bucket, hash, key);
  if (element == nullptr) {
    if constexpr (kUsermapsMutants) {
      if (OWN_MUTANT(kOfLru, "evict.wholly/key-stays") && IsEvicted(key)) return 0;
    }
    if (OWN_MUTANT(kOfHashes, "lookup.absent/gives-zeros")) {
      if (value != nullptr) std::memset(value, 0, layout().size());
      return 0;
    }
    return OWN_MUTANT(kOfHashes, "lookup.absent/wrong-errno") ? -EINVAL : -ENOENT;
  }
  CopyValueOut(value, element, flags);
  return 0;
}

// False: the map is full. Never counts beyond max_entries, not even for a moment: another thread
// would see a full map.
bool HashMap::CountOneMore() {
  uint32_t limit = spec().max_entries;
  if (OWN_MUTANT(kOfPlainHashes, "update.capacity/one-less") && limit > 1) --limit;
  uint32_t count = count_.load(std::memory_order_relaxed);
  do {
    if (count >= limit) return false;
  } while (!count_.compare_exchange_weak(count, count + 1, std::memory_order_acquire,
                                         std::memory_order_relaxed));
  return true;
}

int HashMap::Store(const void* key, const void* value, uint64_t flags, SlotChoice choice) {
  uint64_t mode = flags & ~uint64_t{BPF_F_LOCK};
  if (OWN_MUTANT(kOfHashes, "update.flags/high-bits-ignored")) mode &= 0xffffffff;
  if (OWN_MUTANT(kOfHash | kOfLruHash | kOfHashOfMaps, "update.flags/cpu-flags-accepted"))
    mode &= ~uint64_t{8 | 16};
  if (per_cpu_) mode = WithoutCpuFlags(spec().type, mode, choice.slot != SlotChoice::kEvery);
  const bool late = OWN_MUTANT(kOfHashes, "update.flags-first/existing-key-first");
  if (mode > BPF_EXIST && !late) return -EINVAL;
  if (LacksLock(flags) && !late) return -EINVAL;
  if (MUTANT("hash.update.lock/refused") && mode != flags && mode != BPF_NOEXIST) return -EINVAL;
  if (MUTANT("hash.update.lock-exist-flags/ignored-beside-lock") && mode != flags) mode = BPF_ANY;
  if constexpr (kUsermapsMutants) {
    if (SpoiltUpdate(key, mode)) return 0;
  }
  const uint32_t hash = Hash(key);
  Bucket& bucket = BucketOf(hash);
  std::unique_lock lock(bucket.lock);
  if (Element* element = Find(bucket, hash, key); element != nullptr) {
    if (MovesBetweenLists(element, mode)) {
      return StoreLru(bucket, lock, hash, key, value, mode, choice);
    }
    return Replace(bucket, element, value, mode | (flags & BPF_F_LOCK), choice);
  }
  if (mode > BPF_EXIST) return -EINVAL;
  if (OWN_MUTANT(kOfPlainHashes, "update.full-after-exist/full-first") &&
      count() == spec().max_entries) {
    return -E2BIG;
  }
  if (mode == BPF_EXIST && !OWN_MUTANT(kOfHashes, "update.exist-absent-key/creates")) {
    if (lru_ != nullptr && OWN_MUTANT(kOfLru, "evict.failing-update/wrong-errno") &&
        count() == spec().max_entries) {
      return -E2BIG;
    }
    return OWN_MUTANT(kOfHashes, "update.exist-absent-key/wrong-errno") ? -EINVAL : -ENOENT;
  }
  if constexpr (kUsermapsMutants) {
    if (mode == BPF_EXIST) mode = BPF_ANY;  // The mutant that creates.
  }
  if (OWN_MUTANT(kOfHashes, "update.noexist-creates/refused") && mode == BPF_NOEXIST)
    return -ENOENT;
  if (OWN_MUTANT(kOfHashes, "update.any-creates/adds-nothing") && mode == BPF_ANY) return 0;
  if (lru_ != nullptr) return StoreLru(bucket, lock, hash, key, value, mode, choice);
  return Insert(bucket, hash, key, value, choice);
}

int HashMap::Replace(Bucket& bucket, Element* element, const void* value, uint64_t flags,
                     SlotChoice choice) {
  const uint64_t mode = flags & ~uint64_t{BPF_F_LOCK};
  if (OWN_MUTANT(kOfHashes, "update.flags-first/existing-key-first") && (mode & BPF_NOEXIST) != 0) {
    return -EEXIST;
  }
  if (mode > BPF_EXIST) return -EINVAL;
  if (mode == BPF_NOEXIST && !OWN_MUTANT(kOfHashes, "update.noexist-existing-key/replaces")) {
    if (OWN_MUTANT(kOfValueHashes, "update.failure-changes-nothing/writes-anyway")) {
      layout().CopyIn(ValueOf(element), value, false);
    }
    return OWN_MUTANT(kOfHashes, "update.noexist-existing-key/wrong-errno") ? -ENOENT : -EEXIST;
  }
  if (OWN_MUTANT(kOfPlainHashes, "update.full-existing-key/e2big") && count() == spec().max_entries)
    return -E2BIG;
  if (OWN_MUTANT(kOfHashes, "update.exist-replaces/keeps-old") && mode == BPF_EXIST) return 0;
  if (OWN_MUTANT(kOfHashes, "update.any-replaces/keeps-old") && mode == BPF_ANY) return 0;
  if (inner_ != nullptr) {
    Map* const before = MapOf(element);
    std::memcpy(&MapOf(element), value, sizeof before);
    LetGoOfInner(spec().type, before, MapOf(element));
    return 0;
  }
  if (OWN_MUTANT(kOfValueHashes, "update.any-replaces/not-the-last-byte") && layout().size() > 1) {
    std::memcpy(ValueOf(element), value, layout().size() - 1);
    return 0;
  }
  if (lru_ != nullptr) lru_->Mark(NumberOf(element));
  if (per_cpu_) {
    if (OWN_MUTANT(kOfPerCpuHash | kOfLruPerCpuHash, "program.update-in-place/swaps")) {
      std::vector<std::byte> slots(slots_.size());
      slots_.Read(slots.data(), ValueOf(element));
      slots_.Write(slots.data(), value, choice);
      return Swap(bucket, element, slots.data());
    }
    slots_.Write(ValueOf(element), value, choice);
    return 0;
  }
  const bool locked = (flags & BPF_F_LOCK) != 0;
  const bool swap = locked ? MUTANT("hash.program.lock-in-place/swaps")
                           : !OWN_MUTANT(kOfHash | kOfLruHash, "program.replace-swaps/in-place");
  if (swap && programs.load(std::memory_order_relaxed) != 0) return Swap(bucket, element, value);
  layout().CopyIn(ValueOf(element), value, locked);
  return 0;
}

int HashMap::Swap(Bucket& bucket, Element* old, const void* value) {
  Element* element = Allocate();
  if (element == nullptr) return -ENOMEM;
  Fill(element, old->hash, old->key(), value, SlotChoice::Every());
  element->next = old->next;
  Relink(bucket, old, element);
  if (lru_ != nullptr) {
    lru_->Remove(NumberOf(old));
    lru_->Add(lru_->ListOf(NumberOf(old)), NumberOf(element));
  }
  Release(old);
  return 0;
}

void HashMap::Fill(Element* element, uint32_t hash, const void* key, const void* value,
                   SlotChoice choice) {
  // Atomic, since MakeRoom looks at the hash of elements that it does not own.
  std::atomic_ref<uint32_t>(element->hash).store(hash, std::memory_order_relaxed);
  std::memcpy(element->key(), key, spec().key_size);
  if (per_cpu_) {
    slots_.Initialize(ValueOf(element), value, choice);
  } else if (inner_ != nullptr) {
    std::memcpy(&MapOf(element), value, sizeof(Map*));
  } else if (pool_.preallocated()) {
    // A program may hold the lock of an element that was deleted meanwhile. The word was zero when
    // the map was made, and whoever takes the lock gives it back.
    layout().CopyIn(ValueOf(element), value, false);
  } else {
    layout().Initialize(ValueOf(element), value);
  }
}

int HashMap::Insert(Bucket& bucket, uint32_t hash, const void* key, const void* value,
                    SlotChoice choice) {
  if (!CountOneMore())
    return OWN_MUTANT(kOfPlainHashes, "update.full/wrong-errno") ? -ENOSPC : -E2BIG;
  Element* element = Allocate();
  if (element == nullptr) {
    count_.fetch_sub(1, std::memory_order_release);
    return -ENOMEM;
  }
  Fill(element, hash, key, value, choice);
  element->next = bucket.head;
  SetHead(bucket, element);
  return 0;
}

void HashMap::Relink(Bucket& bucket, Element* element, Element* successor) {
  if (bucket.head == element) {
    SetHead(bucket, successor);
    return;
  }
  Element* before = bucket.head;
  while (before->next != element) before = before->next;
  before->next = successor;
}

void HashMap::Release(Element* element) {
  auto* memory = reinterpret_cast<std::byte*>(element);
  if (programs.load(std::memory_order_relaxed) != 0) {
    pool_.Retire(memory);
  } else {
    pool_.Free(memory);
  }
}

void HashMap::Unlink(Bucket& bucket, Element* element) {
  Relink(bucket, element, element->next);
  if (inner_ != nullptr) LetGoOfInner(spec().type, MapOf(element), nullptr);
  if (OWN_MUTANT(kOfPlainHashes, "update.capacity/delete-makes-no-room")) return;
  if (OWN_MUTANT(kOfValueHashes, "program.delete-keeps-memory/clears-it")) {
    std::memset(ValueOf(element), 0, layout().size());
  }
  // In this order: whoever counts himself in must find a free element.
  if (lru_ != nullptr) {
    const uint32_t list = lru_->ListOf(NumberOf(element));
    lru_->Remove(NumberOf(element));
    Release(element);
    lru_->CountOut(list);
    return;
  }
  Release(element);
  count_.fetch_sub(1, std::memory_order_release);
}

HashMap::Element* HashMap::FindAndMark(Bucket& bucket, uint32_t hash, const void* key) const {
  Element* element = Find(bucket, hash, key);
  if (element != nullptr && lru_ != nullptr) lru_->Mark(NumberOf(element));
  return element;
}

void* HashMap::LookupInPlace(const void* key) {
  const uint32_t hash = Hash(key);
  Bucket& bucket = BucketOf(hash);
  std::lock_guard lock(bucket.lock);
  Element* element = FindAndMark(bucket, hash, key);
  if constexpr (kUsermapsMutants) {
    if (element == nullptr) return SpoiltLookupInPlace(key);
  }
  return element == nullptr ? nullptr : OwnValueOf(element);
}

void* HashMap::LookupInPlaceOfCpu(const void* key, uint32_t cpu) {
  if (!per_cpu_) return nullptr;
  const uint32_t hash = Hash(key);
  Bucket& bucket = BucketOf(hash);
  std::lock_guard lock(bucket.lock);
  Element* element = FindAndMark(bucket, hash, key);
  if (element == nullptr &&
      OWN_MUTANT(kOfPerCpuHash | kOfLruPerCpuHash, "lookup_percpu.absent/finds-zeros")) {
    static thread_local std::vector<std::byte> zeros;
    zeros.assign(layout().size(), std::byte{0});
    return zeros.data();
  }
  return element == nullptr ? nullptr : slots_.OfCpu(ValueOf(element), cpu);
}

int HashMap::Delete(const void* key) {
  if constexpr (kUsermapsMutants) SpoilBeforeDelete();
  const uint32_t hash = Hash(key);
  Bucket& bucket = BucketOf(hash);
  std::unique_lock lock(bucket.lock);
  Element* element = Find(bucket, hash, key);
  if (element == nullptr) {
    if (OWN_MUTANT(kOfHashes, "delete.absent/succeeds")) return 0;
    if (OWN_MUTANT(kOfHashes, "delete_batch.absent-errno/wrong-errno")) return -EINVAL;
    return OWN_MUTANT(kOfHashes, "delete.absent/wrong-errno") ? -EINVAL : -ENOENT;
  }
  if (OWN_MUTANT(kOfHashes, "delete.present/keeps-it")) return 0;
  Unlink(bucket, element);
  lock.unlock();
  if constexpr (kUsermapsMutants) SpoilAfterDelete();
  return 0;
}

int HashMap::LookupAndDelete(const void* key, void* value, uint64_t flags) {
  if (inner_ != nullptr && !MUTANT("hash_of_maps.lookup_and_delete.unsupported/takes")) {
    return -kEnotsupp;
  }
  if (MUTANT("hash.lookup_and_delete.lock/refused") && (flags & BPF_F_LOCK) != 0) return -EINVAL;
  const uint32_t hash = Hash(key);
  Bucket& bucket = BucketOf(hash);
  std::lock_guard lock(bucket.lock);
  Element* element = Find(bucket, hash, key);
  if (element == nullptr) {
    if (OWN_MUTANT(kOfValueHashes, "lookup_and_delete.absent/succeeds")) return 0;
    return OWN_MUTANT(kOfValueHashes, "lookup_and_delete.absent-errno/wrong-errno") ? -EINVAL
                                                                                    : -ENOENT;
  }
  if (!OWN_MUTANT(kOfValueHashes, "lookup_and_delete.takes/value-not-given")) {
    CopyValueOut(value, element, flags);
  }
  if (value == nullptr &&
      OWN_MUTANT(kOfValueHashes, "lookup_and_delete.bad-value-pointer/keeps-it"))
    return 0;
  if (OWN_MUTANT(kOfValueHashes, "lookup_and_delete.takes/only-looks-up")) return 0;
  Unlink(bucket, element);
  return 0;
}

}  // namespace usermaps
