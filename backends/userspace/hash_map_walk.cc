// SPDX-License-Identifier: MIT
//
// Ways through a whole HASH: key by key, and in batches of buckets.
#include <cerrno>
#include <cstring>
#include <mutex>
#include <vector>

#include "backends/userspace/hash_map.h"
#include "backends/userspace/mutant.h"

namespace usermaps {

void HashMap::CopyKey(Element* element, void* out) const {
  if (out == nullptr) return;
  std::memcpy(out, element->key(), spec().key_size);
  if (OWN_MUTANT(kOfHashes, "get_next_key.live-key/invents-keys")) {
    auto* last = static_cast<std::byte*>(out) + spec().key_size - 1;
    *last ^= std::byte{0x80};
  }
}

int HashMap::GetNextKey(const void* key, void* next_key) {
  uint32_t index = 0;
  if (key != nullptr) {
    const uint32_t hash = Hash(key);
    Bucket& bucket = BucketOf(hash);
    std::lock_guard lock(bucket.lock);
    if (Element* element = Find(bucket, hash, key); element != nullptr) {
      if (element->next != nullptr &&
          !OWN_MUTANT(kOfHashes, "get_next_key.walk/skips-rest-of-bucket")) {
        CopyKey(element->next, next_key);
        return 0;
      }
      index = BucketIndex(hash) + 1;
    } else if (OWN_MUTANT(kOfHashes, "get_next_key.absent-key/enoent")) {
      return -ENOENT;
    } else if (OWN_MUTANT(kOfHashes, "get_next_key.deleted-key/goes-on-behind-it")) {
      index = BucketIndex(hash);
    }
  } else if (OWN_MUTANT(kOfHashes, "get_next_key.null-key/efault")) {
    return -EFAULT;
  }
  // A walk that begins elsewhere whenever the map has another size.
  const uint32_t turn =
      OWN_MUTANT(kOfHashes, "get_next_key.stable-order/turns-with-size") ? count() : 0;
  for (; index < bucket_count_; ++index) {
    if (turn == 0 && (index = NextOccupied(index)) == bucket_count_) break;
    Bucket& bucket = BucketAt((index + turn) & (bucket_count_ - 1));
    std::lock_guard lock(bucket.lock);
    if (bucket.head == nullptr) continue;
    CopyKey(bucket.head, next_key);
    return 0;
  }
  if constexpr (kUsermapsMutants) {
    if (SpoiltEndOfWalk(key, next_key)) return 0;
  }
  if (OWN_MUTANT(kOfHashes, "get_next_key.empty/wrong-errno") && count() == 0) return -EINVAL;
  if (OWN_MUTANT(kOfHashes, "get_next_key.last-key/succeeds") && count() != 0) return 0;
  return -ENOENT;
}

bool HashMap::Contains(const Bucket& bucket, const Element* element) {
  const Element* linked = bucket.head;
  while (linked != nullptr && linked != element) linked = linked->next;
  return linked != nullptr;
}

// The callback may do anything to the map, so it is called without the bucket's lock, for what the
// bucket held when the walk came to it and still holds. The elements are not freed meanwhile: the
// caller is a program that runs.
long HashMap::ForEach(Visitor visit, void* visitor_data) {
  if (inner_ != nullptr) return -kEnotsupp;
  long visited = 0;
  std::vector<Element*> elements;
  for (uint32_t index = NextOccupied(0); index < bucket_count_; index = NextOccupied(index + 1)) {
    Bucket& bucket = BucketAt(index);
    elements.clear();
    {
      std::lock_guard lock(bucket.lock);
      for (Element* element = bucket.head; element != nullptr; element = element->next) {
        elements.push_back(element);
      }
    }
    for (Element* element : elements) {
      {
        std::lock_guard lock(bucket.lock);
        if (!Contains(bucket, element)) continue;
      }
      ++visited;
      void* const value = per_cpu_ ? slots_.OwnOfWalk(ValueOf(element)) : OwnValueOf(element);
      if (visit(visitor_data, element->key(), value) != 0) return visited;
    }
  }
  return visited;
}

// Copies the elements of a locked bucket behind the first `done` of the batch. Buffers that are
// null get nothing; values without keys get nothing either, since the kernel writes keys first.
void HashMap::EmitBucket(Bucket& bucket, const Batch& batch, uint32_t done, bool remove) {
  const uint64_t key_size = spec().key_size;
  const uint64_t value_size = buffer_size();
  for (Element* element = bucket.head; element != nullptr; ++done) {
    Element* next = element->next;
    if (batch.keys != nullptr) {
      std::memcpy(static_cast<std::byte*>(batch.keys) + done * key_size, element->key(), key_size);
      auto* values = static_cast<std::byte*>(batch.values);
      CopyValueOut(values == nullptr ? nullptr : values + done * value_size, element,
                   batch.elem_flags);
    }
    if (remove) Unlink(bucket, element);
    element = next;
  }
}

// The position in a batch is the index of the next bucket: buckets are returned whole or not at
// all.
int HashMap::WalkBatch(const Batch& batch, bool remove) {
  if (const int err = CheckElementFlags(batch.elem_flags); err != 0) {
    if (!OWN_MUTANT(kOfHashes, "lookup_batch.elem-flags/ignored")) return err;
  }
  if (MUTANT("hash.lookup_batch.lock/refused") && batch.elem_flags != 0) return -EINVAL;
  if (batch.flags != 0 && !OWN_MUTANT(kOfHashes, "lookup_batch.flags/ignored")) return -EINVAL;
  const uint32_t max_count = *batch.count;
  if (max_count == 0) return OWN_MUTANT(kOfHashes, "lookup_batch.count-zero/refused") ? -EINVAL : 0;
  if (!OWN_MUTANT(kOfHashes, "lookup_batch.bad-pointer/keeps-count")) *batch.count = 0;
  uint32_t index = 0;
  if (batch.in_batch != nullptr) std::memcpy(&index, batch.in_batch, sizeof index);
  if (index >= bucket_count_) {
    if (OWN_MUTANT(kOfHashes, "lookup_batch.token-outside/starts-anew")) {
      index = 0;
    } else {
      return -ENOENT;
    }
  }
  const bool really_remove =
      remove ? !OWN_MUTANT(kOfHashes, "lookup_and_delete_batch.takes/only-looks-up")
             : OWN_MUTANT(kOfHashes, "lookup_batch.keeps-elements/removes-them");

  uint32_t done = 0;
  int err = -ENOENT;  // reached the end
  for (index = NextOccupied(index); index < bucket_count_; index = NextOccupied(index + 1)) {
    Bucket& bucket = BucketAt(index);
    std::lock_guard lock(bucket.lock);
    uint32_t chain = 0;
    for (Element* element = bucket.head; element != nullptr; element = element->next) ++chain;
    if (chain > max_count - done) {
      err = done == 0 ? -ENOSPC : 0;
      if (done == 0 && remove &&
          OWN_MUTANT(kOfHashes, "lookup_and_delete_batch.bucket-too-large/removes")) {
        Unlink(bucket, bucket.head);
      }
      break;
    }
    EmitBucket(bucket, batch, done, really_remove);
    if (chain != 0 && (batch.keys == nullptr || batch.values == nullptr)) {
      if (remove && OWN_MUTANT(kOfHash | kOfPerCpuHash,
                               "lookup_and_delete_batch.bad-pointer-loses/and-its-room")) {
        count_.store(spec().max_entries);
      }
      return OWN_MUTANT(kOfHashes, "lookup_batch.bad-pointer/wrong-errno") ? -EINVAL : -EFAULT;
    }
    done += chain;
    if (OWN_MUTANT(kOfHashes, "lookup_batch.walk/skips-a-bucket") && done == max_count) ++index;
  }
  return EndBatch(batch, index, done, err);
}

// What the caller is told: where to go on, how many elements it got, and whether this was the end.
int HashMap::EndBatch(const Batch& batch, uint32_t index, uint32_t done, int err) const {
  if (err == -ENOSPC && OWN_MUTANT(kOfHashes, "lookup_batch.bucket-too-large/wrong-errno"))
    err = -E2BIG;
  if (err == -ENOSPC && OWN_MUTANT(kOfHashes, "lookup_batch.success-means-more/nothing-given"))
    err = 0;
  if (err == -ENOENT && OWN_MUTANT(kOfHashes, "lookup_batch.end/succeeds")) err = 0;
  if (batch.keys != nullptr && err == 0 &&
      OWN_MUTANT(kOfHashes, "lookup_batch.rest-untouched/clears-next")) {
    std::memset(static_cast<std::byte*>(batch.keys) + size_t{done} * spec().key_size, 0, 1);
  }
  if (batch.out_batch == nullptr) return -EFAULT;
  const uint64_t wide = index;
  std::memcpy(batch.out_batch, &wide,
              OWN_MUTANT(kOfHashes, "lookup_batch.token/eight-bytes") ? sizeof wide : sizeof index);
  *batch.count =
      OWN_MUTANT(kOfHashes, "lookup_batch.end-count/one-less") && done != 0 ? done - 1 : done;
  return err;
}

}  // namespace usermaps
