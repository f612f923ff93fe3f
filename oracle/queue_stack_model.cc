// SPDX-License-Identifier: MIT
#include "oracle/queue_stack_model.h"

#include <type_traits>

#include "oracle/limits.h"

namespace mapspec {

template <typename C>
Expectation QueueStackModel<C>::ExpectCreate(const MapCreate& create, const Traits& traits) {
  constexpr uint32_t kFlags =
      BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY | BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG;
  if (create.max_entries == 0 || create.value_size == 0) {
    return Expectation::Fails(Errno::kEINVAL, C::create_zero_sizes);
  }
  if (create.key_size != 0) return Expectation::Fails(Errno::kEINVAL, C::create_key_size);
  if ((create.map_flags & BPF_F_NO_PREALLOC) != 0) {
    return Expectation::Fails(Errno::kEINVAL, C::create_no_prealloc);
  }
  if ((create.map_flags & ~kFlags) != 0) return Expectation::Fails(Errno::kEINVAL, C::create_flags);
  if (BothAccessFlags(create.map_flags)) {
    return Expectation::Fails(Errno::kEINVAL, clause::generic::create_rdonly_prog_wronly_prog);
  }
  if (create.value_size > kKmallocMaxSize) {
    return Expectation::Fails(Errno::kE2BIG, C::create_value_too_large);
  }
  const uint64_t bytes = (uint64_t{create.max_entries} + 1) * create.value_size;
  if (!traits.queue_overflow_enomem && bytes > UINT32_MAX) {
    return Expectation::Fails(Errno::kE2BIG, C::create_too_many_bytes_e2big)
        .OrFails(Errno::kENOMEM, clause::generic::create_no_memory);
  }
  Expectation expected = bytes > kImpossibleAllocation
                             ? Expectation::Fails(Errno::kENOMEM, C::create_too_many_bytes)
                             : Expectation::Succeeds(C::create_creates);
  if (IsLarge(bytes) && expected.AllowsSuccess()) {
    expected.OrFails(Errno::kENOMEM, C::create_too_many_bytes);
  }
  return expected.Also(C::create_value_too_large, create.value_size == kKmallocMaxSize);
}

template <typename C>
Expectation QueueStackModel<C>::ExpectPush(uint64_t flags) const {
  if ((flags & BPF_NOEXIST) != 0 || flags > BPF_EXIST) {
    return Expectation::Fails(Errno::kEINVAL, C::push_flags, C::push_flags_errno);
  }
  if (!full()) {
    return Expectation::Succeeds(flags == BPF_EXIST ? C::push_exist_not_full : C::push_appends);
  }
  if (flags == BPF_EXIST) return Expectation::Succeeds(C::push_exist_when_full);
  return Expectation::Fails(Errno::kE2BIG, C::push_full);
}

template <typename C>
Expectation QueueStackModel<C>::ExpectPeek() const {
  if (size_ == 0) return Expectation::Fails(Errno::kENOENT, C::peek_empty, C::peek_empty_errno);
  return Expectation::SucceedsWith(C::peek_gives_head, Head()).Also(C::peek_keeps);
}

template <typename C>
Expectation QueueStackModel<C>::ExpectPop() const {
  if (size_ == 0) return Expectation::Fails(Errno::kENOENT, C::pop_empty, C::pop_empty_errno);
  return Expectation::SucceedsWith(C::pop_takes_head, Head());
}

template <typename C>
Expectation QueueStackModel<C>::ExpectDelete() const {
  return Expectation::Fails(Errno::kEINVAL, C::delete_refused);
}

template <typename C>
Expectation QueueStackModel<C>::ExpectGetNextKey() const {
  return Expectation::Fails(Errno::kEINVAL, C::get_next_key_refused);
}

template <typename C>
void QueueStackModel<C>::Push(const Bytes& value) {
  if (full()) {  // BPF_EXIST: the oldest makes room, in a stack too.
    elements_[oldest_] = value;
    oldest_ = (oldest_ + 1) % elements_.size();
    return;
  }
  if (size_ == elements_.size()) {  // Grow the ring: unroll it so that the oldest comes first.
    std::vector<Bytes> unrolled;
    unrolled.reserve(size_ * 2 + 4);
    for (size_t i = 0; i < size_; ++i) unrolled.push_back(elements_[(oldest_ + i) % size_]);
    unrolled.resize(std::min<size_t>(size_ * 2 + 4, attributes_.max_entries));
    elements_ = std::move(unrolled);
    oldest_ = 0;
  }
  elements_[(oldest_ + size_) % elements_.size()] = value;
  ++size_;
}

template <typename C>
void QueueStackModel<C>::Pop() {
  if constexpr (std::is_same_v<C, clause::queue>) {
    oldest_ = (oldest_ + 1) % elements_.size();
  }
  --size_;
}

template <typename C>
const Bytes& QueueStackModel<C>::Head() const {
  const size_t offset = std::is_same_v<C, clause::queue> ? 0 : size_ - 1;
  return elements_[(oldest_ + offset) % elements_.size()];
}

template class QueueStackModel<clause::queue>;
template class QueueStackModel<clause::stack>;

}  // namespace mapspec
