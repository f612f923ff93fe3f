// SPDX-License-Identifier: MIT
//
// Where the elements of a hash map come from: a preallocated area, or the heap (BPF_F_NO_PREALLOC).
//
// Units: bytes per element, fixed at creation.
// Ownership: an element belongs to whoever allocated it until it is freed.
// Thread-safety: lock-free (preallocated) or as malloc.
// Errors: Allocate of a preallocated pool never fails while at most max_entries elements are out:
//   the caller counts before allocating and frees before uncounting. Beyond those there are a few
//   spares for callers who need a new element for an instant before they free the old one; when
//   too many do at once they wait for each other. Allocate of a heap pool returns null without
//   memory.
// Programs: preallocated memory is memory of elements for ever, and is used again at once, as in
//   Linux. What comes from the heap and a program may still see goes through Retire.
#ifndef BACKENDS_USERSPACE_ELEMENT_POOL_H_
#define BACKENDS_USERSPACE_ELEMENT_POOL_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "backends/userspace/area.h"
#include "backends/userspace/limbo.h"

namespace usermaps {

class ElementPool {
 public:
  // `preallocate` false: elements come from the heap.
  int Init(uint32_t capacity, uint64_t element_size, bool preallocate);

  std::byte* Allocate();
  void Free(std::byte* element);
  // Free, of an element to which a running program may have a pointer.
  void Retire(std::byte* element);

  // Of a preallocated pool: elements and their numbers, which are below capacity().
  uint32_t capacity() const { return capacity_; }
  uint32_t IndexOf(const std::byte* element) const {
    return static_cast<uint32_t>(static_cast<uint64_t>(element - area_.data()) / element_size_);
  }
  std::byte* At(uint32_t index) const { return area_.data() + index * element_size_; }

  bool preallocated() const { return area_.data() != nullptr; }
  uint64_t Footprint() const { return area_.size() + links_.size(); }

 private:
  uint32_t& LinkOf(uint32_t index) const {
    return reinterpret_cast<uint32_t*>(links_.data())[index];
  }

  uint32_t capacity_ = 0;
  uint64_t element_size_ = 0;
  Limbo limbo_;
  Area area_;
  Area links_;  // for each free element, 1 + the index of the next free one; 0: none
  // The list of freed elements: 1 + index of its head in the low half; the high half counts
  // changes, so that a head that was taken and put back in between is not mistaken for an unchanged
  // list.
  std::atomic<uint64_t> free_{0};
  std::atomic<uint32_t> untouched_{0};  // elements from here on were never used
};

}  // namespace usermaps

#endif  // BACKENDS_USERSPACE_ELEMENT_POOL_H_
