// SPDX-License-Identifier: MIT
#include "runners/bare_script.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <type_traits>

namespace mapspec {
namespace {

constexpr size_t kOutput = BareScript::kMaxElement;

template <typename T>
constexpr bool kIsElement =
    std::is_same_v<T, Lookup> || std::is_same_v<T, LookupAndDelete> || std::is_same_v<T, Update> ||
    std::is_same_v<T, Delete> || std::is_same_v<T, GetNextKey>;

}  // namespace

bool CanRunBare(const Operation& operation) {
  if (operation.caller != Caller::kPrivileged) return false;
  return std::visit(
      [](const auto& call) {
        using T = std::decay_t<decltype(call)>;
        if constexpr (std::is_same_v<T, MapCreate>) {
          return call.btf == kNoBtf && call.inner_map == kBadFd && call.attr_size == 0 &&
                 call.key_size <= BareScript::kMaxElement &&
                 call.value_size <= BareScript::kMaxElement;
        } else if constexpr (kIsElement<T> || std::is_same_v<T, Freeze>) {
          return call.map.slot < kMaxSlots;
        } else {
          return false;
        }
      },
      operation.call);
}

BareScript::BareScript(const Script& script)
    : output_(new uint8_t[kOutput]), descriptors_(kMaxSlots, -1) {
  for (const Operation& operation : script.operations) {
    if (const auto* create = std::get_if<MapCreate>(&operation.call)) {
      padding_ = std::max({padding_, create->key_size, create->value_size});
    }
  }
  for (const Operation& operation : script.operations) {
    Call bare = {};
    bare.result = kMaxSlots;
    std::visit(
        [&](const auto& call) {
          using T = std::decay_t<decltype(call)>;
          if constexpr (std::is_same_v<T, MapCreate>) {
            bare.command = BPF_MAP_CREATE;
            bare.result = call.result.slot;
            bare.attr.map_type = static_cast<uint32_t>(call.type);
            bare.attr.key_size = call.key_size;
            bare.attr.value_size = call.value_size;
            bare.attr.max_entries = call.max_entries;
            bare.attr.map_flags = call.map_flags;
            bare.attr.numa_node = call.numa_node;
            bare.attr.map_extra = call.map_extra;
            std::memcpy(bare.attr.map_name, call.name.data(),
                        std::min<size_t>(call.name.size(), 15));
          } else if constexpr (kIsElement<T>) {
            bare.slot = call.map.slot;
            bare.attr.key = Input(call.key);
            if constexpr (std::is_same_v<T, Lookup> || std::is_same_v<T, LookupAndDelete>) {
              bare.command =
                  std::is_same_v<T, Lookup> ? BPF_MAP_LOOKUP_ELEM : BPF_MAP_LOOKUP_AND_DELETE_ELEM;
              bare.attr.value = Output(call.value);
              bare.attr.flags = call.flags;
            } else if constexpr (std::is_same_v<T, Update>) {
              bare.command = BPF_MAP_UPDATE_ELEM;
              bare.attr.value = Input(call.value);
              bare.attr.flags = call.flags;
            } else if constexpr (std::is_same_v<T, Delete>) {
              bare.command = BPF_MAP_DELETE_ELEM;
            } else {
              bare.command = BPF_MAP_GET_NEXT_KEY;
              bare.attr.next_key = Output(call.next_key);
            }
          } else if constexpr (std::is_same_v<T, Freeze>) {
            bare.command = BPF_MAP_FREEZE;
            bare.slot = call.map.slot;
          }
        },
        operation.call);
    calls_.push_back(bare);
  }
}

void BareScript::Run() {
  for (Call& call : calls_) {
    if (call.result == kMaxSlots) call.attr.map_fd = static_cast<uint32_t>(descriptors_[call.slot]);
    const long result = syscall(SYS_bpf, call.command, &call.attr, sizeof call.attr);
    if (call.result != kMaxSlots) descriptors_[call.result] = static_cast<int>(result);
  }
  for (const Call& call : calls_) {
    if (call.result == kMaxSlots || descriptors_[call.result] < 0) continue;
    close(descriptors_[call.result]);
    descriptors_[call.result] = -1;
  }
}

uint64_t BareScript::Input(const InBuffer& buffer) {
  if (buffer.pointer != Pointer::kValid) return 0;
  // Equal inputs share memory, as a hand-written loop would have it; else the cache misses would be
  // measured.
  std::unique_ptr<uint8_t[]>& memory = inputs_[buffer.bytes];
  if (memory == nullptr) {
    // Zeros behind the bytes, as many as any map wants.
    memory.reset(new uint8_t[buffer.bytes.size() + padding_]());
    std::copy(buffer.bytes.begin(), buffer.bytes.end(), memory.get());
  }
  return reinterpret_cast<uintptr_t>(memory.get());
}

uint64_t BareScript::Output(Pointer pointer) {
  return pointer == Pointer::kValid ? reinterpret_cast<uintptr_t>(output_.get()) : 0;
}

}  // namespace mapspec
