// SPDX-License-Identifier: MIT
#include "backends/userspace/map.h"

#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>
#include <utility>

#include "backends/userspace/mutant.h"

namespace usermaps {

Map::Map(const MapSpec& spec, uint64_t buffer_size)
    : spec_(spec),
      layout_(spec.value_size, spec.lock_offsets),
      buffer_size_(buffer_size != 0 ? buffer_size : spec.value_size) {}

int Map::LookupAndDelete(const void* /*key*/, void* /*value*/, uint64_t /*flags*/) {
  return -kEnotsupp;
}
void* Map::LookupInPlace(const void* /*key*/) { return nullptr; }
void* Map::LookupInPlaceOfCpu(const void* /*key*/, uint32_t /*cpu*/) { return nullptr; }
long Map::ForEach(Visitor /*visit*/, void* /*visitor_data*/) { return -kEnotsupp; }
int Map::LookupBatch(const Batch& /*batch*/) { return -kEnotsupp; }
int Map::LookupAndDeleteBatch(const Batch& /*batch*/) { return -kEnotsupp; }
int Map::UpdateBatch(const Batch& /*batch*/) { return -kEnotsupp; }
int Map::DeleteBatch(const Batch& /*batch*/) { return -kEnotsupp; }

void Map::Hold(std::shared_ptr<Map> self) {
  if (!shown_.exchange(true)) programs.fetch_add(1);
  std::lock_guard lock(hold_lock_);
  if (holds_++ == 0) self_ = std::move(self);
}

void Map::LetGo() {
  std::shared_ptr<Map> last;  // let go after the lock
  std::lock_guard lock(hold_lock_);
  if (--holds_ == 0) last = std::move(self_);
}

int Map::CheckElementFlags(uint64_t elem_flags) const {
  if ((elem_flags & ~uint64_t{BPF_F_LOCK}) != 0) return -EINVAL;
  if ((elem_flags & BPF_F_LOCK) != 0 && !layout_.has_lock()) return -EINVAL;
  return 0;
}

int Map::GenericLookupBatch(const Batch& batch) {
  if (const int err = CheckElementFlags(batch.elem_flags); err != 0) {
    if (!OWN_MUTANT(kOfArrays, "lookup_batch.elem-flags/ignored")) return err;
  }
  if (MUTANT("array.lookup_batch.lock/refused") && batch.elem_flags != 0) return -EINVAL;
  if (OWN_MUTANT(kOfArrays, "lookup_batch.flags-ignored/refused") && batch.flags != 0)
    return -EINVAL;
  const uint32_t max_count = *batch.count;
  if (max_count == 0) return OWN_MUTANT(kOfArrays, "lookup_batch.count-zero/refused") ? -EINVAL : 0;
  if (!OWN_MUTANT(kOfArrays, "lookup_batch.bad-pointer/keeps-count")) *batch.count = 0;

  const uint32_t key_size = spec_.key_size;
  // The previous key and the one being visited, swapped at every step.
  auto buffers = std::make_unique<std::byte[]>(2 * size_t{key_size});
  std::byte* previous = buffers.get();
  std::byte* key = previous + key_size;
  bool have_previous = batch.in_batch != nullptr;
  if (have_previous) std::memcpy(previous, batch.in_batch, key_size);

  auto* keys = static_cast<std::byte*>(batch.keys);
  auto* values = static_cast<std::byte*>(batch.values);
  uint32_t done = 0;
  int err = 0;
  if (have_previous && OWN_MUTANT(kOfArrays, "lookup_batch.walk/skips-one-between-batches")) {
    GetNextKey(previous, previous);
  }
  const bool shorter =
      max_count > 1 && OWN_MUTANT(kOfValueArrays, "lookup_batch.ascending/short-batches");
  while (done < max_count - (shorter ? 1 : 0)) {
    err = GetNextKey(have_previous ? previous : nullptr, key);
    if (err != 0) break;
    void* value = values == nullptr ? nullptr : values + size_t{done} * buffer_size_;
    // The kernel writes the key before the value: without a place for the key nothing is written.
    err = Lookup(key, keys == nullptr ? nullptr : value, batch.elem_flags & BPF_F_LOCK);
    if (err == 0) {
      if (keys == nullptr) return -EFAULT;
      std::memcpy(keys + size_t{done} * key_size, key, key_size);
      if (values == nullptr) return -EFAULT;
      ++done;
    } else if (err != -ENOENT || MUTANT("array_of_maps.lookup_batch.skips-empty/stops-there")) {
      return err;
    }
    std::swap(previous, key);
    have_previous = true;
  }
  if (OWN_MUTANT(kOfArrays, "lookup_batch.end/succeeds") && err == -ENOENT) err = 0;
  if (OWN_MUTANT(kOfValueArrays, "lookup_batch.end-not-foreseen/foreseen") && err == 0) {
    err = GetNextKey(previous, nullptr);
  }
  if (keys != nullptr && done < max_count &&
      OWN_MUTANT(kOfArrays, "lookup_batch.rest-untouched/clears")) {
    std::memset(keys + size_t{done} * key_size, 0, key_size);
  }
  *batch.count = OWN_MUTANT(kOfArrays, "lookup_batch.end/count-as-asked") ? max_count : done;
  if (done == 0 && !OWN_MUTANT(kOfArrays, "lookup_batch.token/written-without-elements"))
    return err;
  if (batch.out_batch == nullptr) {
    return OWN_MUTANT(kOfArrays, "lookup_batch.bad-out-batch/ignored") ? err : -EFAULT;
  }
  if (done == 0) previous[0] ^= std::byte{0xff};
  std::memcpy(batch.out_batch, previous, key_size);
  return err;
}

int Map::GenericUpdateBatch(const Batch& batch) {
  if (const int err = CheckElementFlags(batch.elem_flags); err != 0) {
    if (!OWN_MUTANT(kOfHashes, "update_batch.elem-flags/ignored")) return err;
  }
  if (OWN_MUTANT(kOfHashes, "update_batch.flags-ignored/refused") && batch.flags != 0)
    return -EINVAL;
  const uint32_t max_count = *batch.count;
  if (max_count == 0) return 0;
  if (!OWN_MUTANT(kOfKeyed, "update_batch.bad-pointer/keeps-count")) *batch.count = 0;
  if (batch.keys == nullptr || batch.values == nullptr) return -EFAULT;
  const auto* keys = static_cast<const std::byte*>(batch.keys);
  const auto* values = static_cast<const std::byte*>(batch.values);
  uint32_t done = 0;
  int err = 0;
  for (; done < max_count; ++done) {
    if (done + 1 == max_count && OWN_MUTANT(kOfKeyed, "update_batch.applies/not-the-last"))
      continue;
    err = Update(keys + size_t{done} * spec_.key_size, values + size_t{done} * buffer_size_,
                 batch.elem_flags);
    if (OWN_MUTANT(kOfPlainHashes | kOfArrays, "update_batch.stops/goes-on")) continue;
    if (err != 0) break;
  }
  if (err != 0 && OWN_MUTANT(kOfValueArrays, "update_batch.out-of-range/wrong-errno")) {
    err = -ENOENT;
  }
  *batch.count = done;
  if (err != 0 && OWN_MUTANT(kOfPlainHashes, "update_batch.stops/counts-the-failed")) {
    ++*batch.count;
  }
  return err;
}

int Map::GenericDeleteBatch(const Batch& batch) {
  if (const int err = CheckElementFlags(batch.elem_flags); err != 0) return err;
  const uint32_t max_count = *batch.count;
  if (max_count == 0) return 0;
  *batch.count = 0;
  if (batch.keys == nullptr) return -EFAULT;
  const auto* keys = static_cast<const std::byte*>(batch.keys);
  uint32_t done = 0;
  int err = 0;
  for (; done < max_count; ++done) {
    if (OWN_MUTANT(kOfHashes, "delete_batch.deletes/not-the-last") && done + 1 == max_count)
      continue;
    err = Delete(keys + size_t{done} * spec_.key_size);
    if (OWN_MUTANT(kOfHashes, "delete_batch.stops/skips-absent-keys") && err == -ENOENT) err = 0;
    if (err != 0) break;
  }
  *batch.count = OWN_MUTANT(kOfHashes, "delete_batch.stops/count-as-asked") ? max_count : done;
  return err;
}

}  // namespace usermaps
