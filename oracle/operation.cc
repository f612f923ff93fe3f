// SPDX-License-Identifier: MIT
#include "oracle/operation.h"

#include <utility>

namespace mapspec {
namespace {

struct Namer {
  std::string_view operator()(const MapCreate&) const { return "BPF_MAP_CREATE"; }
  std::string_view operator()(const Lookup&) const { return "BPF_MAP_LOOKUP_ELEM"; }
  std::string_view operator()(const LookupAndDelete&) const {
    return "BPF_MAP_LOOKUP_AND_DELETE_ELEM";
  }
  std::string_view operator()(const Update&) const { return "BPF_MAP_UPDATE_ELEM"; }
  std::string_view operator()(const Delete&) const { return "BPF_MAP_DELETE_ELEM"; }
  std::string_view operator()(const GetNextKey&) const { return "BPF_MAP_GET_NEXT_KEY"; }
  std::string_view operator()(const LookupBatch& batch) const {
    return batch.and_delete ? "BPF_MAP_LOOKUP_AND_DELETE_BATCH" : "BPF_MAP_LOOKUP_BATCH";
  }
  std::string_view operator()(const UpdateBatch&) const { return "BPF_MAP_UPDATE_BATCH"; }
  std::string_view operator()(const DeleteBatch&) const { return "BPF_MAP_DELETE_BATCH"; }
  std::string_view operator()(const Freeze&) const { return "BPF_MAP_FREEZE"; }
  std::string_view operator()(const GetInfo&) const { return "BPF_OBJ_GET_INFO_BY_FD"; }
  std::string_view operator()(const GetFdById&) const { return "BPF_MAP_GET_FD_BY_ID"; }
  std::string_view operator()(const GetNextId&) const { return "BPF_MAP_GET_NEXT_ID"; }
  std::string_view operator()(const Pin&) const { return "BPF_OBJ_PIN"; }
  std::string_view operator()(const ObjGet&) const { return "BPF_OBJ_GET"; }
  std::string_view operator()(const Unlink&) const { return "unlink"; }
  std::string_view operator()(const Close&) const { return "close"; }
  std::string_view operator()(const Mmap&) const { return "mmap"; }
  std::string_view operator()(const MemRead&) const { return "load"; }
  std::string_view operator()(const MemWrite&) const { return "store"; }
  std::string_view operator()(const Munmap&) const { return "munmap"; }
  std::string_view operator()(const Poll&) const { return "poll"; }
  std::string_view operator()(const FdRead&) const { return "read"; }
  std::string_view operator()(const FdWrite&) const { return "write"; }
  std::string_view operator()(const BtfLoad&) const { return "BPF_BTF_LOAD"; }
  std::string_view operator()(const SocketOpen&) const { return "socket"; }
  std::string_view operator()(const SendFrames&) const { return "send-frames"; }
  std::string_view operator()(const ReceiveFrames&) const { return "receive-frames"; }
  std::string_view operator()(const HelperLookup&) const { return "bpf_map_lookup_elem"; }
  std::string_view operator()(const HelperUpdate&) const { return "bpf_map_update_elem"; }
  std::string_view operator()(const HelperDelete&) const { return "bpf_map_delete_elem"; }
  std::string_view operator()(const HelperPush&) const { return "bpf_map_push_elem"; }
  std::string_view operator()(const HelperPop&) const { return "bpf_map_pop_elem"; }
  std::string_view operator()(const HelperPeek&) const { return "bpf_map_peek_elem"; }
  std::string_view operator()(const HelperLookupPercpu&) const {
    return "bpf_map_lookup_percpu_elem";
  }
  std::string_view operator()(const HelperForEach&) const { return "bpf_for_each_map_elem"; }
  std::string_view operator()(const HelperLookupInner&) const {
    return "bpf_map_lookup_elem (inner)";
  }
  std::string_view operator()(const HelperRedirectMap&) const { return "bpf_redirect_map"; }
};

template <size_t... I>
std::vector<Call> CallsOf(std::index_sequence<I...>) {
  return {Call(std::in_place_index<I>)...};
}

}  // namespace

const std::vector<Call>& EveryCall() {
  static const std::vector<Call> all = [] {
    std::vector<Call> calls = CallsOf(std::make_index_sequence<std::variant_size_v<Call>>());
    calls.emplace_back(LookupBatch{.map = {}, .and_delete = true, .in_batch = {}});
    return calls;
  }();
  return all;
}

std::string_view OperationName(const Call& call) { return std::visit(Namer(), call); }

bool IsProgramPath(const Call& call) {
  // Where it stands in the variant, without making one: this is asked before each operation.
  constexpr size_t kFirst = []<typename... T>(std::type_identity<std::variant<T...>>) {
    size_t before = 0;
    const auto is_first = [&before]<typename U>(std::type_identity<U>) {
      if (std::is_same_v<U, HelperLookup>) return true;
      ++before;
      return false;
    };
    (is_first(std::type_identity<T>()) || ...);
    return before;
  }(std::type_identity<Call>());
  return call.index() >= kFirst;
}

}  // namespace mapspec
