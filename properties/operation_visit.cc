// SPDX-License-Identifier: MIT
#include "properties/operation_visit.h"

#include <type_traits>

namespace mapspec {
namespace {

template <typename T>
concept HasMap = requires(T op) {
  op.map;
};
template <typename T>
concept HasResultHandle = requires(T op) {
  requires std::is_same_v<decltype(op.result), Handle>;
};
template <typename T>
concept HasOf = requires(T op) {
  op.of;
};
template <typename T>
concept HasView = requires(T op) {
  op.view;
};

void VisitSlot(Handle& handle, const std::function<void(Handle&)>& visit) {
  if (handle.slot < kMaxSlots) visit(handle);
}

}  // namespace

void VisitHandles(Call& call, const std::function<void(Handle&)>& visit) {
  std::visit(
      [&](auto& op) {
        using Op = std::decay_t<decltype(op)>;
        if constexpr (HasMap<Op>) VisitSlot(op.map, visit);
        if constexpr (HasResultHandle<Op>) VisitSlot(op.result, visit);
        if constexpr (HasOf<Op>) VisitSlot(op.of, visit);
        if constexpr (std::is_same_v<Op, MapCreate>) VisitSlot(op.inner_map, visit);
        if constexpr (std::is_same_v<Op, Update>) VisitSlot(op.value_fd, visit);
        if constexpr (std::is_same_v<Op, UpdateBatch>) {
          for (Handle& fd : op.value_fds) VisitSlot(fd, visit);
        }
        if constexpr (std::is_same_v<Op, ReceiveFrames>) VisitSlot(op.socket, visit);
      },
      call);
}

void VisitBuffers(Call& call, const std::function<void(Bytes&)>& visit) {
  if (auto* lookup = std::get_if<Lookup>(&call)) visit(lookup->key.bytes);
  if (auto* taking = std::get_if<LookupAndDelete>(&call)) visit(taking->key.bytes);
  if (auto* removal = std::get_if<Delete>(&call)) visit(removal->key.bytes);
  if (auto* next = std::get_if<GetNextKey>(&call)) visit(next->key.bytes);
  if (auto* store = std::get_if<MemWrite>(&call)) visit(store->bytes);
  if (auto* update = std::get_if<Update>(&call)) {
    visit(update->key.bytes);
    visit(update->value.bytes);
  }
  if (auto* batch = std::get_if<UpdateBatch>(&call)) {
    visit(batch->keys.bytes);
    visit(batch->values.bytes);
  }
  if (auto* batch = std::get_if<DeleteBatch>(&call)) visit(batch->keys.bytes);
  // Of helpers: their bytes stand for themselves.
  std::visit(
      [&](auto& op) {
        if constexpr (requires { requires std::is_same_v<decltype(op.key), Bytes>; }) visit(op.key);
        if constexpr (requires { requires std::is_same_v<decltype(op.value), Bytes>; }) {
          visit(op.value);
        }
        if constexpr (requires { op.inner_key; }) visit(op.inner_key);
      },
      call);
}

void VisitViews(Call& call, const std::function<void(uint16_t&)>& visit) {
  std::visit(
      [&](auto& op) {
        using Op = std::decay_t<decltype(op)>;
        if constexpr (HasView<Op>) visit(op.view);
        if constexpr (std::is_same_v<Op, Mmap>) visit(op.result);
      },
      call);
}

void VisitBtfs(Call& call, const std::function<void(uint16_t&)>& visit) {
  if (auto* load = std::get_if<BtfLoad>(&call)) visit(load->result);
  if (auto* create = std::get_if<MapCreate>(&call)) {
    if (create->btf < kMaxSlots) visit(create->btf);
  }
}

}  // namespace mapspec
