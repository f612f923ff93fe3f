// SPDX-License-Identifier: MIT
#include "oracle/xskmap_model.h"

#include <algorithm>

#include "oracle/clauses.gen.h"
#include "oracle/limits.h"

namespace mapspec {
namespace {

using X = clause::xskmap;
using Kind = XskDescriptor::Kind;

// enum xdp_action.
constexpr uint32_t kXdpAborted = 0;
constexpr uint32_t kXdpRedirect = 4;
constexpr uint64_t kMissActions = 3;  // The bits of the flags that name the action for a miss.

}  // namespace

Expectation XskMapModel::ExpectCreate(const MapCreate& create) {
  constexpr uint32_t kFlags = BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY;
  if (create.key_size != 4 || create.value_size != 4) {
    return Expectation::Fails(Errno::kEINVAL, X::create_sizes, X::create_sizes_errno);
  }
  if (create.max_entries == 0) return Expectation::Fails(Errno::kEINVAL, X::create_any_entries);
  if ((create.map_flags & ~kFlags) != 0) {
    return Expectation::Fails(Errno::kEINVAL, X::create_flags);
  }
  Expectation expected = Expectation::Succeeds(X::create_creates);
  if (IsLarge(uint64_t{create.max_entries} * sizeof(void*))) {
    expected.OrFails(Errno::kENOMEM, clause::generic::create_no_memory)
        .OrFails(Errno::kE2BIG, clause::generic::create_no_memory);
  }
  return expected.Also(X::create_sizes)
      .Also(X::create_any_entries)
      .Also(X::create_flags, create.map_flags != 0);
}

const XskMapModel::Entry* XskMapModel::At(uint64_t index) const {
  const auto slot = slots_.find(index);
  return slot == slots_.end() ? nullptr : &slot->second;
}

bool XskMapModel::Holds(uint32_t socket) const {
  return std::any_of(slots_.begin(), slots_.end(),
                     [&](const auto& slot) { return slot.second.socket == socket; });
}

Expectation XskMapModel::ExpectLookup() const {
  return Expectation::Fails(Errno::kEOPNOTSUPP, X::lookup_unsupported);
}

Expectation XskMapModel::ExpectUpdate(const Bytes& key, uint64_t flags,
                                      const XskDescriptor& value) const {
  const uint64_t index = key.ToNumber();
  const bool out_of_range = index >= max_entries_;
  const bool no_xsk = value.kind != Kind::kXdp;
  if (flags > BPF_EXIST) {
    return Expectation::Fails(Errno::kEINVAL, X::update_flags)
        .Also(X::update_order, out_of_range || no_xsk);
  }
  if (out_of_range) {
    return Expectation::Fails(Errno::kE2BIG, X::update_out_of_range).Also(X::update_order, no_xsk);
  }
  const Entry* entry = At(index);
  const bool flags_refuse =
      (flags == BPF_NOEXIST && entry != nullptr) || (flags == BPF_EXIST && entry == nullptr);
  switch (value.kind) {
    case Kind::kUnknown:
      return Expectation::Anything();
    case Kind::kClosed:
      return Expectation::Fails(Errno::kEBADF, X::update_wrong_descriptor,
                                X::update_wrong_descriptor_errno)
          .Also(X::update_order, flags_refuse);
    case Kind::kNoSocket:
      return Expectation::Fails(Errno::kENOTSOCK, X::update_wrong_descriptor,
                                X::update_wrong_descriptor_errno)
          .Also(X::update_order, flags_refuse);
    case Kind::kOtherSocket:
      return Expectation::Fails(Errno::kEOPNOTSUPP, X::update_wrong_descriptor,
                                X::update_wrong_descriptor_errno)
          .Also(X::update_order, flags_refuse);
    case Kind::kXdp:
      break;
  }
  if (!value.has_ring && !takes_bare_sockets_) {
    return Expectation::Fails(Errno::kENOBUFS, X::update_no_ring_refused)
        .Also(X::update_order, flags_refuse);
  }
  if (entry != nullptr && entry->socket == value.socket) {
    return flags == BPF_NOEXIST ? Expectation::Succeeds(X::update_noexist_same_socket)
                                : Expectation::Succeeds(X::update_puts);
  }
  if (flags == BPF_NOEXIST && entry != nullptr) {
    return Expectation::Fails(Errno::kEEXIST, X::update_noexist);
  }
  if (flags == BPF_EXIST && entry == nullptr) {
    return Expectation::Fails(Errno::kENOENT, X::update_exist);
  }
  return Expectation::Succeeds(value.has_ring ? X::update_puts : X::update_no_ring)
      .Also(X::update_noexist, flags == BPF_NOEXIST)
      .Also(X::update_exist, flags == BPF_EXIST)
      .Also(X::update_unbound, !value.bound)
      .Also(X::update_several_slots, Holds(value.socket));
}

Expectation XskMapModel::ExpectDelete(const Bytes& key) const {
  if (key.ToNumber() >= max_entries_) {
    return Expectation::Fails(Errno::kEINVAL, X::delete_out_of_range);
  }
  return Expectation::Succeeds(At(key.ToNumber()) == nullptr ? X::delete_empty : X::delete_deletes);
}

Expectation XskMapModel::ExpectLookupAndDelete() const {
  return Expectation::Fails(Errno::kENOTSUPP, X::lookup_and_delete_unsupported);
}

Expectation XskMapModel::ExpectGetNextKey(const Bytes* key) {
  const bool start = key == nullptr || key->ToNumber() >= max_entries_;
  const uint64_t next = start ? 0 : key->ToNumber() + 1;
  if (next == max_entries_) return Expectation::Fails(Errno::kENOENT, X::get_next_key_last);
  scratch_ = Bytes::LittleEndian(next, 4);
  return Expectation::SucceedsWith(start ? X::get_next_key_start : X::get_next_key_successor,
                                   scratch_);
}

Expectation XskMapModel::ExpectProgramLookup(const Bytes& key) {
  const Entry* entry = At(key.ToNumber());
  if (entry == nullptr) {
    return Expectation::Fails(Errno::kENOENT, X::lookup_program_empty)
        .Also(X::socket_close_empties, left_.count(key.ToNumber()) != 0);
  }
  scratch_ = Bytes::LittleEndian(entry->queue_id, 4);
  Expectation expected = Expectation::SucceedsWith(X::lookup_program_finds, scratch_);
  expected.output_clause = X::lookup_program_queue_id;
  return expected;
}

XskRedirect XskMapModel::Redirect(uint32_t key, uint64_t flags) const {
  if (flags > kMissActions) {
    return {kXdpAborted, X::redirect_map_unknown_flags, std::nullopt, false};
  }
  if (const Entry* entry = At(key)) {
    return {kXdpRedirect, X::redirect_map_hit, entry->socket, false};
  }
  return {static_cast<uint32_t>(flags), X::redirect_map_miss, std::nullopt, left_.count(key) != 0};
}

bool XskMapModel::Put(const Bytes& key, uint32_t socket, uint32_t queue_id) {
  left_.erase(key.ToNumber());
  return slots_.insert_or_assign(key.ToNumber(), Entry{socket, queue_id}).second;
}

uint32_t XskMapModel::Remove(const Bytes& key) {
  return static_cast<uint32_t>(slots_.erase(key.ToNumber()));
}

uint32_t XskMapModel::RemoveSocket(uint32_t socket) {
  return static_cast<uint32_t>(std::erase_if(slots_, [&](const auto& slot) {
    if (slot.second.socket != socket) return false;
    left_.insert(slot.first);
    return true;
  }));
}

}  // namespace mapspec
