// SPDX-License-Identifier: MIT
#include "runners/guest/guest_setup.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace mapspec {
namespace {

struct FileSystem {
  const char* type;
  const char* place;
};

}  // namespace

std::string MountFileSystems() {
  constexpr FileSystem kFileSystems[] = {
      {"proc", "/proc"}, {"sysfs", "/sys"},      {"devtmpfs", "/dev"},         {"tmpfs", "/tmp"},
      {"tmpfs", "/run"}, {"bpf", "/sys/fs/bpf"}, {"cgroup2", "/sys/fs/cgroup"}};
  std::string trouble;
  for (const FileSystem& system : kFileSystems) {
    mkdir(system.place, 0755);
    // A kernel may mount devtmpfs by itself.
    if (mount(system.type, system.place, system.type, 0, nullptr) != 0 && errno != EBUSY) {
      trouble += fmt::format("{}: no {}: {}; ", system.place, system.type, strerror(errno));
    }
  }
  return trouble;
}

std::string LoadModule(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const long result = fd < 0 ? -1 : syscall(SYS_finit_module, fd, "", 0);
  const int failure = errno;
  if (fd >= 0) close(fd);
  if (result == 0 || failure == EEXIST) return "";
  return fmt::format("{}: cannot be loaded: {}; ", path, strerror(failure));
}

void BringUpLoopback() {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  ifreq request{};
  std::strncpy(request.ifr_name, "lo", sizeof(request.ifr_name) - 1);
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  ioctl(fd, SIOCSIFFLAGS, &request);
  close(fd);
}

}  // namespace mapspec
