// SPDX-License-Identifier: MIT
//
// The CPUs that a per-CPU map has slots for: all that can ever come online, as the kernel counts
// them.
//
// Units: CPU numbers as in sched_getcpu(3); slots counted from 0 in the order of CPU numbers. The
//   two differ only where the possible CPUs have gaps.
// Thread-safety: immutable once made.
// Errors: where sysfs does not tell, the configured CPUs count (sysconf(3)).
// Source: /sys/devices/system/cpu/possible, a list such as "0-3,8".
#ifndef BACKENDS_USERSPACE_POSSIBLE_CPUS_H_
#define BACKENDS_USERSPACE_POSSIBLE_CPUS_H_

#include <cstdint>
#include <string_view>
#include <vector>

namespace usermaps {

class PossibleCpus {
 public:
  // This machine's.
  static const PossibleCpus& Instance();

  explicit PossibleCpus(std::string_view list);

  uint32_t count() const { return count_; }
  // -1: not possible.
  int SlotOf(uint32_t cpu) const { return cpu < slots_.size() ? slots_[cpu] : -1; }
  // Of the CPU that the calling thread runs on; it may be another one a moment later.
  uint32_t OwnSlot() const;
  // From now on the calling thread's own slot is that of `cpu`, or again that of where it runs
  // (-1). False, and nothing has changed: no possible CPU.
  bool SetOwnCpu(int cpu) const;

 private:
  uint32_t count_ = 0;
  std::vector<int> slots_;  // by CPU number
};

}  // namespace usermaps

#endif  // BACKENDS_USERSPACE_POSSIBLE_CPUS_H_
