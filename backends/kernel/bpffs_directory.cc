// SPDX-License-Identifier: MIT
#include "backends/kernel/bpffs_directory.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace mapspec {
namespace {

// The C library knows these calls only since glibc 2.36, the kernel since 5.2.
constexpr unsigned kFsopenCloexec = 1;
constexpr unsigned kFsconfigCmdCreate = 6;
constexpr unsigned kFsmountCloexec = 1;

// The root of a new, detached instance of a file system; -1 and errno.
int MountDetached(const char* file_system) {
  const long context = syscall(SYS_fsopen, file_system, kFsopenCloexec);
  if (context < 0) return -1;
  long mount = syscall(SYS_fsconfig, context, kFsconfigCmdCreate, nullptr, nullptr, 0);
  if (mount == 0) mount = syscall(SYS_fsmount, context, kFsmountCloexec, 0);
  const int error = errno;
  close(static_cast<int>(context));
  errno = error;
  return static_cast<int>(mount);
}

class BpffsDirectory : public PinDirectory {
 public:
  BpffsDirectory(int inside, int outside) : inside_(inside), outside_(outside) {}
  ~BpffsDirectory() override {
    close(inside_);
    close(outside_);
  }
  BpffsDirectory(const BpffsDirectory&) = delete;
  BpffsDirectory& operator=(const BpffsDirectory&) = delete;

  std::string Resolve(std::string_view path) override {
    constexpr std::string_view kOutside = "outside/";
    const bool outside = path.starts_with(kOutside);
    if (outside) path.remove_prefix(kOutside.size());
    return "/proc/self/fd/" + std::to_string(outside ? outside_ : inside_) + "/" +
           std::string(path);
  }

 private:
  int inside_;
  int outside_;
};

}  // namespace

std::unique_ptr<PinDirectory> MakeBpffsDirectory(std::string* error) {
  const int inside = MountDetached("bpf");
  if (inside < 0) {
    *error = std::string("cannot mount a bpffs (it takes CAP_SYS_ADMIN and Linux 5.2): ") +
             std::strerror(errno);
    return nullptr;
  }
  const int outside = MountDetached("tmpfs");
  if (outside < 0) {
    *error = std::string("cannot mount a tmpfs: ") + std::strerror(errno);
    close(inside);
    return nullptr;
  }
  auto directory = std::make_unique<BpffsDirectory>(inside, outside);
  if (access(directory->Resolve("").c_str(), F_OK) != 0) {
    *error = "cannot reach a private bpffs through /proc/self/fd: is /proc mounted?";
    return nullptr;
  }
  return directory;
}

}  // namespace mapspec
