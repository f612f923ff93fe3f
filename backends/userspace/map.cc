// SPDX-License-Identifier: MIT
#include "backends/userspace/map.h"

#include <cerrno>
#include <cstring>
#include <memory>

#include "backends/userspace/mutant.h"

namespace usermaps {

Map::Map(const MapSpec& spec) : spec_(spec), layout_(spec.value_size, spec.lock_offsets) {}

int Map::LookupAndDelete(const void* /*key*/, void* /*value*/, uint64_t /*flags*/) {
  return -kEnotsupp;
}
int Map::LookupBatch(const Batch& /*batch*/) { return -kEnotsupp; }
int Map::LookupAndDeleteBatch(const Batch& /*batch*/) { return -kEnotsupp; }
int Map::UpdateBatch(const Batch& /*batch*/) { return -kEnotsupp; }
int Map::DeleteBatch(const Batch& /*batch*/) { return -kEnotsupp; }

int Map::CheckElementFlags(uint64_t elem_flags) const {
  if ((elem_flags & ~uint64_t{BPF_F_LOCK}) != 0 &&
      !MUTANT("generic.batch.elem-flags-checked/ignores-unknown")) {
    return -EINVAL;
  }
  if ((elem_flags & BPF_F_LOCK) != 0 && !layout_.has_lock()) return -EINVAL;
  return 0;
}

int Map::GenericLookupBatch(const Batch& batch) {
  if (const int err = CheckElementFlags(batch.elem_flags); err != 0) return err;
  const uint32_t max_count = *batch.count;
  if (max_count == 0) return 0;
  *batch.count = 0;

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
  while (done < max_count) {
    err = GetNextKey(have_previous ? previous : nullptr, key);
    if (err != 0) break;
    void* value = values == nullptr ? nullptr : values + size_t{done} * layout_.size();
    err = Lookup(key, keys == nullptr ? nullptr : value, batch.elem_flags);
    if (err == 0) {
      if (keys == nullptr) return -EFAULT;
      std::memcpy(keys + size_t{done} * key_size, key, key_size);
      if (values == nullptr) return -EFAULT;
      ++done;
    } else if (err != -ENOENT) {
      return err;
    }
    std::swap(previous, key);
    have_previous = true;
  }
  if (MUTANT("generic.lookup_batch.end-enoent/returns-success") && err == -ENOENT) err = 0;
  *batch.count = MUTANT("generic.lookup_batch.count-out/keeps-input") ? max_count : done;
  if (done != 0) {
    if (batch.out_batch == nullptr) return -EFAULT;
    std::memcpy(batch.out_batch, previous, key_size);
  }
  return err;
}

int Map::GenericUpdateBatch(const Batch& batch) {
  if (const int err = CheckElementFlags(batch.elem_flags); err != 0) return err;
  const uint32_t max_count = *batch.count;
  if (max_count == 0) return 0;
  *batch.count = 0;
  if (batch.keys == nullptr || batch.values == nullptr) return -EFAULT;
  const auto* keys = static_cast<const std::byte*>(batch.keys);
  const auto* values = static_cast<const std::byte*>(batch.values);
  uint32_t done = 0;
  int err = 0;
  for (; done < max_count; ++done) {
    err = Update(keys + size_t{done} * spec_.key_size, values + size_t{done} * layout_.size(),
                 batch.elem_flags);
    if (err != 0 && !MUTANT("generic.update_batch.stops-at-first-error/goes-on")) break;
  }
  *batch.count = MUTANT("generic.update_batch.count-out/one-too-many") ? done + 1 : done;
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
    err = Delete(keys + size_t{done} * spec_.key_size);
    if (err == -ENOENT && MUTANT("generic.delete_batch.stops-at-absent-key/skips-it")) err = 0;
    if (err != 0) break;
  }
  *batch.count = MUTANT("generic.delete_batch.count-out/always-input") ? max_count : done;
  return err;
}

}  // namespace usermaps
