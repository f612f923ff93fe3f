// SPDX-License-Identifier: MIT
//
// A value of a per-CPU map: one slot for each possible CPU, side by side.
//
// Layout: a slot is the value and its padding up to 8 bytes. Buffers of bpf(2) have the same
// layout,
//   and the padding in them is kept as it is given (Linux up to 6.18).
// Units: bytes; slots as in possible_cpus.h.
// Thread-safety: immutable. The caller's lock makes copies atomic; programs write to their slots
//   without it.
// Source: kernel 6.18 by observation; Documentation/bpf/map_hash.rst, "Per CPU Hashes".
#ifndef BACKENDS_USERSPACE_CPU_SLOTS_H_
#define BACKENDS_USERSPACE_CPU_SLOTS_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "backends/userspace/possible_cpus.h"

namespace usermaps {

// What the kernel's allocator gives for one CPU at most.
inline constexpr uint32_t kMaxPerCpuValueSize = 32768;

// Which slots an update writes: all of them, each with its own bytes, or a single one.
struct SlotChoice {
  static constexpr int kEvery = -1;
  int slot = kEvery;

  static SlotChoice Every() { return {kEvery}; }
  // The one of the calling thread's CPU.
  static SlotChoice Own() { return {static_cast<int>(PossibleCpus::Instance().OwnSlot())}; }
};

class CpuSlots {
 public:
  explicit CpuSlots(uint32_t value_size)
      : value_size_(value_size), stride_((uint64_t{value_size} + 7) / 8 * 8) {}

  // Of a whole value, in a map as in a buffer.
  uint64_t size() const { return stride_ * cpus_.count(); }

  // The slots of an element that exists. `value` is size() bytes for every slot, value_size bytes
  // for a single one.
  void Write(std::byte* slots, const void* value, SlotChoice choice) const {
    if (choice.slot == SlotChoice::kEvery) {
      std::memcpy(slots, value, size());
    } else {
      std::memcpy(At(slots, choice.slot), value, value_size_);
    }
  }
  // The same of a new element: the slots that are not chosen become zero.
  void Initialize(std::byte* slots, const void* value, SlotChoice choice) const {
    if (choice.slot != SlotChoice::kEvery) std::memset(slots, 0, size());
    Write(slots, value, choice);
  }
  // A null `value` is allowed: nothing is copied.
  void Read(void* value, const std::byte* slots) const {
    if (value != nullptr) std::memcpy(value, slots, size());
  }

  std::byte* Own(std::byte* slots) const { return At(slots, static_cast<int>(cpus_.OwnSlot())); }
  // Null: there is no such CPU.
  std::byte* OfCpu(std::byte* slots, uint32_t cpu) const {
    const int slot = cpus_.SlotOf(cpu);
    return slot < 0 ? nullptr : At(slots, slot);
  }

 private:
  std::byte* At(std::byte* slots, int slot) const {
    return slots + stride_ * static_cast<uint64_t>(slot);
  }

  const uint32_t value_size_;
  const uint64_t stride_;
  const PossibleCpus& cpus_ = PossibleCpus::Instance();
};

}  // namespace usermaps

#endif  // BACKENDS_USERSPACE_CPU_SLOTS_H_
