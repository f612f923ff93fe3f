// SPDX-License-Identifier: MIT
//
// BPF_MAP_TYPE_QUEUE and BPF_MAP_TYPE_STACK. The two differ only in which end is read: a queue
// gives the oldest element, a stack the newest. C is the group of clauses, clause::queue or
// clause::stack. This is the reference: simple, not fast, never to be used as an implementation.
// Source: map_queue_stack.rst.
#ifndef ORACLE_QUEUE_STACK_MODEL_H_
#define ORACLE_QUEUE_STACK_MODEL_H_

#include <cstdint>
#include <vector>

#include "oracle/clauses.gen.h"
#include "oracle/expectation.h"
#include "oracle/map_attributes.h"
#include "oracle/operation.h"

namespace mapspec {

template <typename C>
class QueueStackModel {
 public:
  explicit QueueStackModel(const MapAttributes& attributes) : attributes_(attributes) {}

  static Expectation ExpectCreate(const MapCreate& create, const Traits& traits);

  Expectation ExpectPush(uint64_t flags) const;
  Expectation ExpectPeek() const;
  Expectation ExpectPop() const;
  Expectation ExpectDelete() const;
  Expectation ExpectGetNextKey() const;

  // The effects of the calls that succeeded.
  void Push(const Bytes& value);
  void Pop();

 private:
  bool full() const { return size_ == attributes_.max_entries; }
  // The element that is read next; there must be one.
  const Bytes& Head() const;

  MapAttributes attributes_;
  // A ring: elements_[oldest_], … size_ of them, oldest first.
  std::vector<Bytes> elements_;
  size_t oldest_ = 0;
  size_t size_ = 0;
};

using QueueModel = QueueStackModel<clause::queue>;
using StackModel = QueueStackModel<clause::stack>;

}  // namespace mapspec

#endif  // ORACLE_QUEUE_STACK_MODEL_H_
