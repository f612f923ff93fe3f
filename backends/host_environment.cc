// SPDX-License-Identifier: MIT
#include "backends/host_environment.h"

#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <charconv>
#include <fstream>

namespace mapspec {
namespace {

std::string FirstLine(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// The number at the front of `text`, which is shortened by it.
bool TakeNumber(std::string_view* text, uint32_t* number) {
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), *number);
  if (error != std::errc()) return false;
  text->remove_prefix(static_cast<size_t>(end - text->data()));
  return true;
}

}  // namespace

uint32_t HighestOfList(std::string_view list) {
  uint32_t count = 0;
  while (!list.empty()) {
    uint32_t number = 0;
    if (!TakeNumber(&list, &number)) return 0;
    if (list.starts_with('-')) {
      list.remove_prefix(1);
      if (!TakeNumber(&list, &number)) return 0;
    }
    if (number + 1 > count) count = number + 1;
    if (!list.empty() && list.front() != ',') return 0;
    if (!list.empty()) list.remove_prefix(1);
  }
  return count;
}

bool ReleaseBefore(std::string_view release, unsigned major, unsigned minor) {
  uint32_t has_major = 0;
  uint32_t has_minor = 0;
  if (!TakeNumber(&release, &has_major)) return false;
  if (release.starts_with('.')) {
    release.remove_prefix(1);
    TakeNumber(&release, &has_minor);
  }
  return has_major != major ? has_major < major : has_minor < minor;
}

void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

std::string HostKernelRelease() {
  utsname names{};
  return uname(&names) == 0 ? names.release : "";
}

Environment HostEnvironment(std::string_view selector) {
  Environment environment;
  environment.backend = selector;
  utsname names{};
  if (uname(&names) == 0) environment.machine = names.machine;
  if (const long page = sysconf(_SC_PAGESIZE); page > 0) {
    environment.page_size = static_cast<uint32_t>(page);
  }
  environment.possible_cpus = HighestOfList(FirstLine("/sys/devices/system/cpu/possible"));
  if (environment.possible_cpus == 0) {
    const long cpus = sysconf(_SC_NPROCESSORS_CONF);
    environment.possible_cpus = cpus > 0 ? static_cast<uint32_t>(cpus) : 1;
  }
  environment.numa_nodes = HighestOfList(FirstLine("/sys/devices/system/node/online"));
  if (environment.numa_nodes == 0) environment.numa_nodes = 1;
  uint32_t disabled = 0;
  const std::string sysctl = FirstLine("/proc/sys/kernel/unprivileged_bpf_disabled");
  std::string_view rest = sysctl;
  if (TakeNumber(&rest, &disabled)) environment.unprivileged_bpf_disabled = disabled;
  return environment;
}

}  // namespace mapspec
