// SPDX-License-Identifier: MIT
#include "backends/userspace/hash_map.h"

#include <sys/random.h>

#include <atomic>
#include <bit>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <utility>

#include "backends/userspace/area.h"
#include "backends/userspace/element_pool.h"
#include "backends/userspace/hash_key.h"
#include "backends/userspace/mutant.h"
#include "backends/userspace/spin_lock.h"

namespace usermaps {
namespace {

constexpr uint32_t kCreateFlags =
    kAccessFlags | BPF_F_NUMA_NODE | BPF_F_NO_PREALLOC | BPF_F_ZERO_SEED;

// What the kernel stores beside key and value; it bounds the sizes that can be asked for.
constexpr uint64_t kKernelElementOverhead = 48;
constexpr uint64_t kKernelBucketSize = 16;

// Followed by the key and, at value_offset, the value.
struct Element {
  Element* next;
  uint32_t hash;
  std::byte* key() { return reinterpret_cast<std::byte*>(this + 1); }
};

// Lives in mapped memory that was never constructed: all zero is an empty, unlocked bucket.
struct Bucket {
  Element* head;  // written under the lock, glanced at without it
  SpinLock lock;
  bool LooksEmpty() {
    return std::atomic_ref<Element*>(head).load(std::memory_order_relaxed) == nullptr;
  }
  void SetHead(Element* element) {
    std::atomic_ref<Element*>(head).store(element, std::memory_order_relaxed);
  }
};
static_assert(sizeof(Bucket) == 16);

uint64_t RandomSeed() {
  uint64_t seed = 0;
  if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != sizeof seed)
    seed = reinterpret_cast<uint64_t>(&seed);
  return seed;
}

class HashMap final : public Map {
 public:
  explicit HashMap(const MapSpec& spec)
      : Map(spec),
        value_offset_(RoundUp8(spec.key_size)),
        bucket_count_(std::bit_ceil(spec.max_entries)),
        seed_((spec.flags & BPF_F_ZERO_SEED) != 0 ? 0 : RandomSeed()) {}

  ~HashMap() override {
    if (pool_.preallocated() || buckets_.data() == nullptr) return;
    for (uint32_t i = 0; i < bucket_count_; ++i) {
      for (Element* element = BucketAt(i).head; element != nullptr;) {
        pool_.Free(reinterpret_cast<std::byte*>(std::exchange(element, element->next)));
      }
    }
  }

  int Init() {
    const uint64_t element_size = sizeof(Element) + value_offset_ + RoundUp8(spec().value_size);
    if (const int err = Area::Make(bucket_count_ * sizeof(Bucket), &buckets_); err != 0) return err;
    return pool_.Init(spec().max_entries, element_size, (spec().flags & BPF_F_NO_PREALLOC) == 0);
  }

  int Lookup(const void* key, void* value, uint64_t flags) override {
    const uint32_t hash = Hash(key);
    Bucket& bucket = BucketOf(hash);
    std::lock_guard lock(bucket.lock);
    Element* element = Find(bucket, hash, key);
    if (element == nullptr)
      return MUTANT("hash.lookup.absent-enoent/zero-value") ? FakeZeros(value) : -ENOENT;
    layout().CopyOut(value, ValueOf(element), (flags & BPF_F_LOCK) != 0);
    return 0;
  }

  int Update(const void* key, const void* value, uint64_t flags) override;
  int Delete(const void* key) override { return Remove(key, nullptr, 0); }
  int LookupAndDelete(const void* key, void* value, uint64_t flags) override {
    return Remove(key, value, flags);
  }
  int GetNextKey(const void* key, void* next_key) override;

  int LookupBatch(const Batch& batch) override { return WalkBatch(batch, false); }
  int LookupAndDeleteBatch(const Batch& batch) override { return WalkBatch(batch, true); }
  int UpdateBatch(const Batch& batch) override { return GenericUpdateBatch(batch); }
  int DeleteBatch(const Batch& batch) override { return GenericDeleteBatch(batch); }

  uint64_t Footprint() const override { return buckets_.size() + pool_.Footprint(); }

 private:
  uint32_t Hash(const void* key) const { return HashKey(key, spec().key_size, seed_); }
  Bucket& BucketAt(uint32_t index) const {
    return reinterpret_cast<Bucket*>(buckets_.data())[index];
  }
  Bucket& BucketOf(uint32_t hash) const { return BucketAt(hash & (bucket_count_ - 1)); }
  std::byte* ValueOf(Element* element) const { return element->key() + value_offset_; }
  int FakeZeros(void* value) const {
    if (value != nullptr) std::memset(value, 0, layout().size());
    return 0;
  }

  Element* Find(Bucket& bucket, uint32_t hash, const void* key) const {
    size_t compared = spec().key_size;
    if (MUTANT("hash.lookup.whole-key-compared/ignores-last-byte") && compared > 1) --compared;
    for (Element* e = bucket.head; e != nullptr; e = e->next) {
      if ((e->hash == hash || compared != spec().key_size) &&
          std::memcmp(e->key(), key, compared) == 0)
        return e;
    }
    return nullptr;
  }

  bool CountOneMore();
  int Remove(const void* key, void* value, uint64_t flags);
  void Unlink(Bucket& bucket, Element* element);
  int WalkBatch(const Batch& batch, bool remove);
  void EmitBucket(Bucket& bucket, const Batch& batch, uint32_t done, bool remove);

  const uint64_t value_offset_;  // from the start of the key
  const uint32_t bucket_count_;  // a power of two
  const uint64_t seed_;
  Area buckets_;
  ElementPool pool_;
  std::atomic<uint32_t> count_{0};
};

// False: the map is full. Never counts beyond max_entries, not even for a moment: another thread
// would see a full map.
bool HashMap::CountOneMore() {
  uint32_t limit = spec().max_entries;
  if (MUTANT("hash.update.capacity/one-less") && limit > 1) --limit;
  uint32_t count = count_.load(std::memory_order_relaxed);
  do {
    if (count >= limit) return false;
  } while (!count_.compare_exchange_weak(count, count + 1, std::memory_order_acquire,
                                         std::memory_order_relaxed));
  return true;
}

int HashMap::Update(const void* key, const void* value, uint64_t flags) {
  const uint64_t mode = flags & ~uint64_t{BPF_F_LOCK};
  if (mode > BPF_EXIST && !MUTANT("hash.update.unknown-flags/accepts")) return -EINVAL;
  const uint32_t hash = Hash(key);
  Bucket& bucket = BucketOf(hash);
  std::lock_guard lock(bucket.lock);
  if (Element* element = Find(bucket, hash, key); element != nullptr) {
    if (mode == BPF_NOEXIST) {
      if (MUTANT("hash.update.noexist-existing-key/wrong-errno")) return -ENOENT;
      if (!MUTANT("hash.update.noexist-existing-key/replaces")) return -EEXIST;
    }
    if (MUTANT("hash.update.at-capacity-existing-key/e2big") && count_.load() == spec().max_entries)
      return -E2BIG;
    if (MUTANT("hash.update.any-replaces-value/keeps-old") && mode == BPF_ANY) return 0;
    if (MUTANT("hash.update.exist-replaces-value/keeps-old") && mode == BPF_EXIST) return 0;
    layout().CopyIn(ValueOf(element), value, (flags & BPF_F_LOCK) != 0);
    return 0;
  }
  if (mode == BPF_EXIST) {
    if (MUTANT("hash.update.exist-absent-key/wrong-errno")) return -EINVAL;
    if (!MUTANT("hash.update.exist-absent-key/creates")) return -ENOENT;
  }
  if (!CountOneMore()) return MUTANT("hash.update.full-e2big/wrong-errno") ? -ENOSPC : -E2BIG;
  auto* element = reinterpret_cast<Element*>(pool_.Allocate());
  if (element == nullptr) {
    count_.fetch_sub(1, std::memory_order_release);
    return -ENOMEM;
  }
  element->hash = hash;
  std::memcpy(element->key(), key, spec().key_size);
  layout().Initialize(ValueOf(element), value);
  element->next = bucket.head;
  bucket.SetHead(element);
  return 0;
}

void HashMap::Unlink(Bucket& bucket, Element* element) {
  if (bucket.head == element) {
    bucket.SetHead(element->next);
  } else {
    Element* before = bucket.head;
    while (before->next != element) before = before->next;
    before->next = element->next;
  }
  pool_.Free(reinterpret_cast<std::byte*>(element));
  if (MUTANT("hash.delete.frees-capacity/leaks")) return;
  count_.fetch_sub(1, std::memory_order_release);
}

int HashMap::Remove(const void* key, void* value, uint64_t flags) {
  const uint32_t hash = Hash(key);
  Bucket& bucket = BucketOf(hash);
  std::lock_guard lock(bucket.lock);
  Element* element = Find(bucket, hash, key);
  if (element == nullptr) return MUTANT("hash.delete.absent-enoent/succeeds") ? 0 : -ENOENT;
  layout().CopyOut(value, ValueOf(element), (flags & BPF_F_LOCK) != 0);
  if (MUTANT("hash.lookup_and_delete.deletes/only-looks-up") && value != nullptr) return 0;
  if (MUTANT("hash.delete.present/keeps-it") && value == nullptr) return 0;
  Unlink(bucket, element);
  return 0;
}

int HashMap::GetNextKey(const void* key, void* next_key) {
  uint32_t index = 0;
  if (key != nullptr) {
    const uint32_t hash = Hash(key);
    Bucket& bucket = BucketOf(hash);
    std::lock_guard lock(bucket.lock);
    if (Element* element = Find(bucket, hash, key); element != nullptr) {
      if (element->next != nullptr &&
          !MUTANT("hash.get_next_key.visits-each-once/skips-rest-of-bucket")) {
        if (next_key != nullptr) std::memcpy(next_key, element->next->key(), spec().key_size);
        return 0;
      }
      index = (hash & (bucket_count_ - 1)) + 1;
    } else if (MUTANT("hash.get_next_key.absent-key-gives-first/enoent")) {
      return -ENOENT;
    }
  }
  for (; index < bucket_count_; ++index) {
    Bucket& bucket = BucketAt(index);
    if (bucket.LooksEmpty()) continue;
    std::lock_guard lock(bucket.lock);
    if (bucket.head == nullptr) continue;
    if (next_key != nullptr) std::memcpy(next_key, bucket.head->key(), spec().key_size);
    return 0;
  }
  if (MUTANT("hash.get_next_key.last-enoent/repeats-last") && key != nullptr) return 0;
  return -ENOENT;
}

// Copies the elements of a locked bucket behind the first `done` of the batch. Buffers that are
// null get nothing; values without keys get nothing either, since the kernel writes keys first.
void HashMap::EmitBucket(Bucket& bucket, const Batch& batch, uint32_t done, bool remove) {
  const uint64_t key_size = spec().key_size;
  const uint64_t value_size = layout().size();
  for (Element* element = bucket.head; element != nullptr; ++done) {
    Element* next = element->next;
    if (batch.keys != nullptr) {
      std::memcpy(static_cast<std::byte*>(batch.keys) + done * key_size, element->key(), key_size);
      std::byte* values = static_cast<std::byte*>(batch.values);
      layout().CopyOut(values == nullptr ? nullptr : values + done * value_size, ValueOf(element),
                       (batch.elem_flags & BPF_F_LOCK) != 0);
    }
    if (remove) Unlink(bucket, element);
    element = next;
  }
}

// The position in a batch is the index of the next bucket: buckets are returned whole or not at
// all.
int HashMap::WalkBatch(const Batch& batch, bool remove) {
  if (const int err = CheckElementFlags(batch.elem_flags); err != 0) return err;
  if (batch.flags != 0 && !MUTANT("hash.lookup_batch.flags-refused/accepts")) return -EINVAL;
  const uint32_t max_count = *batch.count;
  if (max_count == 0) return 0;
  *batch.count = 0;
  uint32_t index = 0;
  if (batch.in_batch != nullptr) std::memcpy(&index, batch.in_batch, sizeof index);
  if (index >= bucket_count_) return -ENOENT;

  uint32_t done = 0;
  int err = -ENOENT;  // reached the end
  for (; index < bucket_count_; ++index) {
    Bucket& bucket = BucketAt(index);
    if (bucket.LooksEmpty()) continue;
    std::lock_guard lock(bucket.lock);
    uint32_t chain = 0;
    for (Element* element = bucket.head; element != nullptr; element = element->next) ++chain;
    if (chain > max_count - done) {
      err = done == 0 ? -ENOSPC : 0;
      if (err == -ENOSPC && MUTANT("hash.lookup_batch.bucket-too-big-enospc/returns-success"))
        err = 0;
      break;
    }
    EmitBucket(bucket, batch, done,
               remove && !MUTANT("hash.lookup_and_delete_batch.deletes/only-looks-up"));
    if (chain != 0 && (batch.keys == nullptr || batch.values == nullptr)) return -EFAULT;
    done += chain;
    if (MUTANT("hash.lookup_batch.resumes-after-token/skips-a-bucket") && done == max_count)
      ++index;
  }
  if (batch.out_batch == nullptr) return -EFAULT;
  std::memcpy(batch.out_batch, &index, sizeof index);
  *batch.count = MUTANT("hash.lookup_batch.count-out/one-less") && done != 0 ? done - 1 : done;
  if (err == -ENOENT && MUTANT("hash.lookup_batch.end-enoent/returns-success")) err = 0;
  return err;
}

int Check(const MapSpec& spec) {
  if ((spec.flags & ~kCreateFlags) != 0 && !MUTANT("hash.create.unknown-flags/accepts"))
    return -EINVAL;
  if (!ProgramAccessOk(spec.flags)) return -EINVAL;
  if (spec.max_entries == 0 && !MUTANT("hash.create.max-entries-0/accepts-as-1")) return -EINVAL;
  if (spec.key_size == 0 || spec.value_size == 0) return -EINVAL;
  if (uint64_t{spec.key_size} + spec.value_size >= kKmallocMaxSize - kKernelElementOverhead) {
    return MUTANT("hash.create.too-big-e2big/wrong-errno") ? -EINVAL : -E2BIG;
  }
  return 0;
}

int Make(const MapSpec& spec, std::shared_ptr<Map>* out) {
  if (spec.max_entries > 1U << 31) return -E2BIG;
  if (std::bit_ceil(spec.max_entries) > UINT32_MAX / kKernelBucketSize) return -E2BIG;
  auto map = std::make_shared<HashMap>(spec);
  if (const int err = map->Init(); err != 0) return err;
  *out = std::move(map);
  return 0;
}

}  // namespace

constexpr MapType kHashMapType = {.type = BPF_MAP_TYPE_HASH,
                                  .may_hold_lock = true,
                                  .key_must_be_int32 = false,
                                  .check = &Check,
                                  .make = &Make};

}  // namespace usermaps
