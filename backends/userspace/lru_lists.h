// SPDX-License-Identifier: MIT
//
// Which element of an LRU map goes next: elements in the order in which they came, with a second
// chance for those that were used since.
//
// How: each list is doubly linked, newest first, and counts the elements that belong to it, up to
//   its capacity. Whoever wants room takes the oldest element that is not marked as used; marked
//   ones that it meets on the way lose the mark and begin anew as the newest. A map has one list,
//   or with BPF_F_NO_COMMON_LRU one for each possible CPU.
// Units: elements are numbers below the count given to Init.
// Ownership: an element that was counted in belongs to its list until it is counted out, also while
//   it is not linked: taken, or not yet added.
// Thread-safety: all functions may be called at any time; each list has a lock that is held for a
//   few steps. Add, Remove and IsLinked of one element must not run at once: the map calls them
//   with the element's bucket locked (list locks come after bucket locks). TakeOldest needs no
//   other lock.
#ifndef BACKENDS_USERSPACE_LRU_LISTS_H_
#define BACKENDS_USERSPACE_LRU_LISTS_H_

#include <atomic>
#include <cstdint>
#include <memory>

#include "backends/userspace/area.h"
#include "backends/userspace/spin_lock.h"

namespace usermaps {

class LruLists {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  // `lists` is 1 or the number of possible CPUs.
  int Init(uint32_t elements, uint32_t lists, uint32_t list_capacity);

  // The list that the calling thread adds to.
  uint32_t OwnList() const;

  // False: the list has as many elements as it may.
  bool CountIn(uint32_t list);
  void CountOut(uint32_t list);
  // Of all lists.
  uint32_t count() const;

  // Makes `element` the newest of `list`, not marked.
  void Add(uint32_t list, uint32_t element);
  // Of an element that is not linked: nothing.
  void Remove(uint32_t element);
  bool IsLinked(uint32_t element);
  // The list that it was last added to.
  uint32_t ListOf(uint32_t element) const { return NodeOf(element).list; }

  // Unlinks an element that has not been used for long. kNone: none is linked at the moment.
  uint32_t TakeOldest(uint32_t list);

  // It has been used.
  void Mark(uint32_t element);
  bool IsMarked(uint32_t element) const;

  uint64_t Footprint() const { return nodes_.size(); }

 private:
  // Lives in mapped memory that was never constructed: all zero is not linked.
  struct Node {
    uint32_t newer;
    uint32_t older;
    uint32_t list;
    uint16_t linked;
    uint16_t marked;  // written without the lock
  };
  struct alignas(64) List {
    SpinLock lock;  // guards the links of its elements and the rest
    uint32_t newest = kNone;
    uint32_t oldest = kNone;
    std::atomic<uint32_t> count{0};
  };

  Node& NodeOf(uint32_t element) const { return reinterpret_cast<Node*>(nodes_.data())[element]; }
  void Link(List& list, uint32_t element);
  void Unlink(List& list, uint32_t element);

  Area nodes_;
  uint32_t list_count_ = 0;
  uint32_t list_capacity_ = 0;
  std::unique_ptr<List[]> lists_;
};

}  // namespace usermaps

#endif  // BACKENDS_USERSPACE_LRU_LISTS_H_
