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

#include "backends/userspace/map.h"
#include "backends/userspace/mutant.h"
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

// For the mutants that take BPF_F_CPU and BPF_F_ALL_CPUS, or two flags that exclude each other, of
// a per-CPU map's update: the flags that are left then.
inline uint64_t WithoutCpuFlags(uint32_t type, uint64_t flags, bool by_program) {
  constexpr uint64_t kCpuFlags = 8 | 16;
  const bool ignored = by_program
                           ? TYPE_MUTANT(type, kOfPerCpu, "update.cpu-flags-by-program/ignored")
                           : TYPE_MUTANT(type, kOfPerCpu, "update.cpu-flags-unsupported/ignored");
  if (ignored) flags &= ~kCpuFlags;
  const bool both = flags == (BPF_NOEXIST | BPF_EXIST);
  return both && TYPE_MUTANT(type, kOfPerCpu, "update.both-flags/as-any") ? uint64_t{BPF_ANY}
                                                                          : flags;
}

class CpuSlots {
 public:
  explicit CpuSlots(const MapSpec& spec)
      : type_(spec.type),
        value_size_(spec.value_size),
        stride_(TYPE_MUTANT(type_, kOfPerCpu, "lookup.every-cpu/not-padded")
                    ? spec.value_size
                    : (uint64_t{spec.value_size} + 7) / 8 * 8) {}

  // Of a whole value, in a map as in a buffer.
  uint64_t size() const { return stride_ * cpus_.count(); }

  // The slots of an element that exists. `value` is size() bytes for every slot, value_size bytes
  // for a single one.
  void Write(std::byte* slots, const void* value, SlotChoice choice) const {
    if (choice.slot == SlotChoice::kEvery) return WriteEvery(slots, value);
    if (TYPE_MUTANT(type_, kOfPerCpu, "program.own-slot/writes-the-first")) choice.slot = 0;
    std::memcpy(At(slots, choice.slot), value, value_size_);
    if (!TYPE_MUTANT(type_, kOfPerCpu, "program.own-slot/writes-every")) return;
    for (uint32_t i = 0; i < cpus_.count(); ++i) {
      std::memcpy(At(slots, static_cast<int>(i)), value, value_size_);
    }
  }
  // The same of a new element: the slots that are not chosen become zero.
  void Initialize(std::byte* slots, const void* value, SlotChoice choice) const {
    if (choice.slot != SlotChoice::kEvery &&
        !TYPE_MUTANT(type_, kOfPerCpuHash | kOfLruPerCpuHash, "program.new-element/not-cleared")) {
      std::memset(slots, 0, size());
    }
    if (TYPE_MUTANT(type_, kOfPerCpuHash | kOfLruPerCpuHash, "program.new-element/next-cpu-too")) {
      std::memcpy(At(slots, static_cast<int>((cpus_.OwnSlot() + 1) % cpus_.count())), value,
                  value_size_);
    }
    Write(slots, value, choice);
  }
  // A null `value` is allowed: nothing is copied.
  void Read(void* value, const std::byte* slots) const {
    if (value == nullptr) return;
    std::memcpy(value, slots, size());
    if (TYPE_MUTANT(type_, kOfPerCpu, "lookup.every-cpu/the-first-for-all")) {
      for (uint32_t i = 1; i < cpus_.count(); ++i) {
        std::memcpy(static_cast<std::byte*>(value) + stride_ * i, slots, stride_);
      }
    }
  }

  std::byte* Own(std::byte* slots) const {
    if (TYPE_MUTANT(type_, kOfPerCpu, "program.own-slot/finds-the-first")) return slots;
    return At(slots, static_cast<int>(cpus_.OwnSlot()));
  }
  // What a walk's callback gets.
  std::byte* OwnOfWalk(std::byte* slots) const {
    return TYPE_MUTANT(type_, kOfPerCpu, "for_each.own-slot/the-first") ? slots : Own(slots);
  }
  // Null: there is no such CPU.
  std::byte* OfCpu(std::byte* slots, uint32_t cpu) const {
    if (TYPE_MUTANT(type_, kOfPerCpu, "lookup_percpu.slot/one-off")) {
      cpu = cpu == 0 ? cpus_.count() - 1 : cpu - 1;
    }
    if (TYPE_MUTANT(type_, kOfPerCpu, "lookup_percpu.slot/the-own")) return Own(slots);
    const int slot = cpus_.SlotOf(cpu);
    if (slot < 0 && TYPE_MUTANT(type_, kOfPerCpu, "lookup_percpu.invalid-cpu/gives-the-first")) {
      return slots;
    }
    return slot < 0 ? nullptr : At(slots, slot);
  }

 private:
  std::byte* At(std::byte* slots, int slot) const {
    return slots + stride_ * static_cast<uint64_t>(slot);
  }
  void WriteEvery(std::byte* slots, const void* value) const {
    std::memcpy(slots, value, size());
    if (!TYPE_MUTANT(type_, kOfPerCpu, "lookup.padding/cleared")) return;
    for (uint32_t i = 0; i < cpus_.count(); ++i) {
      std::memset(At(slots, static_cast<int>(i)) + value_size_, 0, stride_ - value_size_);
    }
  }

  const uint32_t type_;
  const uint32_t value_size_;
  const uint64_t stride_;
  const PossibleCpus& cpus_ = PossibleCpus::Instance();
};

}  // namespace usermaps

#endif  // BACKENDS_USERSPACE_CPU_SLOTS_H_
