// SPDX-License-Identifier: MIT
#include "backends/userspace/possible_cpus.h"

#include <sched.h>
#include <unistd.h>

#include <charconv>
#include <fstream>
#include <string>

namespace usermaps {
namespace {

std::string ReadList() {
  std::ifstream file("/sys/devices/system/cpu/possible");
  std::string list;
  if (std::getline(file, list) && !list.empty()) return list;
  const long configured = sysconf(_SC_NPROCESSORS_CONF);
  return "0-" + std::to_string(configured > 0 ? configured - 1 : 0);
}

// -1: where the thread runs.
thread_local int t_own_cpu = -1;

}  // namespace

const PossibleCpus& PossibleCpus::Instance() {
  static const auto* const cpus = new PossibleCpus(ReadList());
  return *cpus;
}

PossibleCpus::PossibleCpus(std::string_view list) {
  const char* at = list.data();
  const char* const end = at + list.size();
  while (at < end) {
    uint32_t first = 0;
    at = std::from_chars(at, end, first).ptr;
    uint32_t last = first;
    if (at < end && *at == '-') at = std::from_chars(at + 1, end, last).ptr;
    if (slots_.size() <= last) slots_.resize(last + 1, -1);
    for (uint32_t cpu = first; cpu <= last; ++cpu) slots_[cpu] = static_cast<int>(count_++);
    ++at;  // The comma.
  }
}

uint32_t PossibleCpus::OwnSlot() const {
  const int cpu = t_own_cpu >= 0 ? t_own_cpu : sched_getcpu();
  const int slot = cpu < 0 ? -1 : SlotOf(static_cast<uint32_t>(cpu));
  return slot < 0 ? 0 : static_cast<uint32_t>(slot);
}

bool PossibleCpus::SetOwnCpu(int cpu) const {
  if (cpu >= 0 && SlotOf(static_cast<uint32_t>(cpu)) < 0) return false;
  t_own_cpu = cpu < 0 ? -1 : cpu;
  return true;
}

}  // namespace usermaps
