// SPDX-License-Identifier: MIT
#include "backends/userspace/lru_lists.h"

#include <mutex>

#include "backends/userspace/possible_cpus.h"

namespace usermaps {
namespace {

// How many second chances one search gives before it takes what comes next: others wait for the
// lock meanwhile. Far more than a search needs on average, since each removes a mark that a lookup
// set.
constexpr uint32_t kMaxSecondChances = 1024;

}  // namespace

int LruLists::Init(uint32_t elements, uint32_t lists, uint32_t list_capacity) {
  list_count_ = lists;
  list_capacity_ = list_capacity;
  lists_ = std::make_unique<List[]>(lists);
  static_assert(sizeof(Node) == 16);
  return Area::Make(uint64_t{elements} * sizeof(Node), &nodes_);
}

uint32_t LruLists::OwnList() const {
  return list_count_ == 1 ? 0 : PossibleCpus::Instance().OwnSlot();
}

bool LruLists::CountIn(uint32_t list) {
  std::atomic<uint32_t>& counter = lists_[list].count;
  uint32_t count = counter.load(std::memory_order_relaxed);
  do {
    if (count >= list_capacity_) return false;
  } while (!counter.compare_exchange_weak(count, count + 1, std::memory_order_acquire,
                                          std::memory_order_relaxed));
  return true;
}

void LruLists::CountOut(uint32_t list) {
  lists_[list].count.fetch_sub(1, std::memory_order_release);
}

uint32_t LruLists::count() const {
  uint32_t sum = 0;
  for (uint32_t list = 0; list < list_count_; ++list) sum += lists_[list].count.load();
  return sum;
}

void LruLists::Link(List& list, uint32_t element) {
  Node& node = NodeOf(element);
  node.newer = kNone;
  node.older = list.newest;
  (list.newest == kNone ? list.oldest : NodeOf(list.newest).newer) = element;
  list.newest = element;
  node.linked = 1;
}

void LruLists::Unlink(List& list, uint32_t element) {
  Node& node = NodeOf(element);
  (node.newer == kNone ? list.newest : NodeOf(node.newer).older) = node.older;
  (node.older == kNone ? list.oldest : NodeOf(node.older).newer) = node.newer;
  node.linked = 0;
}

void LruLists::Add(uint32_t list, uint32_t element) {
  Node& node = NodeOf(element);
  node.list = list;
  std::atomic_ref<uint16_t>(node.marked).store(0, std::memory_order_relaxed);
  std::lock_guard lock(lists_[list].lock);
  Link(lists_[list], element);
}

void LruLists::Remove(uint32_t element) {
  List& list = lists_[NodeOf(element).list];
  std::lock_guard lock(list.lock);
  if (NodeOf(element).linked != 0) Unlink(list, element);
}

bool LruLists::IsLinked(uint32_t element) {
  std::lock_guard lock(lists_[NodeOf(element).list].lock);
  return NodeOf(element).linked != 0;
}

uint32_t LruLists::TakeOldest(uint32_t number) {
  List& list = lists_[number];
  std::lock_guard lock(list.lock);
  for (uint32_t chances = 0; list.oldest != kNone; ++chances) {
    const uint32_t element = list.oldest;
    Unlink(list, element);
    const bool marked =
        std::atomic_ref<uint16_t>(NodeOf(element).marked).exchange(0, std::memory_order_relaxed) !=
        0;
    if (!marked || chances == kMaxSecondChances) return element;
    Link(list, element);
  }
  return kNone;
}

void LruLists::Mark(uint32_t element) {
  // Most lookups find the mark there, and need not take the cache line from other CPUs.
  if (!IsMarked(element)) {
    std::atomic_ref<uint16_t>(NodeOf(element).marked).store(1, std::memory_order_relaxed);
  }
}

bool LruLists::IsMarked(uint32_t element) const {
  return std::atomic_ref<uint16_t>(NodeOf(element).marked).load(std::memory_order_relaxed) != 0;
}

}  // namespace usermaps
