// SPDX-License-Identifier: MIT
//
// Which bytes of a value are data and which are a bpf_spin_lock.
//
// Purpose: copying values in and out of a map. The lock word belongs to whoever holds the lock:
//   updates leave it alone and lookups read it as zero.
// Units: bytes from the start of the value.
// Thread-safety: immutable. The caller's lock makes copies atomic; the *Locked variants also take
//   the value's own lock (BPF_F_LOCK), so that they wait for a program that holds it.
// Source: kernel 6.18 (a lock inside nested structs and arrays of one element counts; see btf.h).
#ifndef BACKENDS_USERSPACE_VALUE_LAYOUT_H_
#define BACKENDS_USERSPACE_VALUE_LAYOUT_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace usermaps {

class ValueLayout {
 public:
  explicit ValueLayout(uint32_t size, std::vector<uint32_t> lock_offsets = {});

  uint32_t size() const { return size_; }
  bool has_lock() const { return !lock_offsets_.empty(); }

  // user -> map. `take_lock` is BPF_F_LOCK.
  void CopyIn(std::byte* element, const void* value, bool take_lock) const;
  // map -> user. A null `value` is allowed: nothing is copied.
  void CopyOut(void* value, std::byte* element, bool take_lock) const;
  // A new element: everything is data, the lock is free.
  void Initialize(std::byte* element, const void* value) const;

 private:
  void CopyAroundLocks(std::byte* to, const std::byte* from) const;
  uint32_t* LockOf(std::byte* element, bool take_lock) const;

  uint32_t size_;
  std::vector<uint32_t> lock_offsets_;  // ascending
};

}  // namespace usermaps

#endif  // BACKENDS_USERSPACE_VALUE_LAYOUT_H_
