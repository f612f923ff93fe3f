// SPDX-License-Identifier: MIT
#include "backends/libbpf_api/scratch_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace mapspec {
namespace {

constexpr std::string_view kOfAProcess = "mapspec-scratch-";

std::string Base() {
  const char* base = std::getenv("MAPSPEC_SCRATCH");
  if (base == nullptr || *base == '\0') base = std::getenv("TMPDIR");
  if (base == nullptr || *base == '\0') base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
  return base;
}

std::string MakeIn(const std::string& base, std::string_view prefix, std::string* error) {
  std::string path = base + "/" + std::string(prefix) + "XXXXXX";
  if (mkdtemp(path.data()) != nullptr) return path;
  *error = "cannot make a directory in " + base + ": " + std::strerror(errno);
  return {};
}

// An open descriptor of the directory that holds its lock, or -1.
int Lock(const std::string& directory) {
  const int fd = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
  close(fd);
  return -1;
}

void RemoveLeftOvers(const std::string& base) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(base, ignored)) {
    if (!entry.path().filename().string().starts_with(kOfAProcess)) continue;
    const int lock = Lock(entry.path());
    if (lock < 0) continue;  // It is in use, or another user's.
    RemoveTree(entry.path());
    close(lock);
  }
}

struct OwnDirectory {
  std::string path;
  pid_t owner = -1;
};
OwnDirectory& Own() {
  static OwnDirectory own;
  return own;
}

}  // namespace

std::string MakeTemporaryDirectory(std::string* error) { return MakeIn(Base(), "mapspec-", error); }

void RemoveTree(const std::string& directory) {
  std::error_code ignored;
  std::filesystem::remove_all(directory, ignored);
}

bool UseScratchDirectory(std::string* error) {
  const std::string base = Base();
  RemoveLeftOvers(base);
  // Before it was locked somebody may have taken it for left over.
  for (int tries = 0; tries < 3; ++tries) {
    const std::string path = MakeIn(base, kOfAProcess, error);
    if (path.empty()) return false;
    const int lock = Lock(path);  // Kept until the process ends, and its children.
    struct stat status {};
    if (lock >= 0 && fstat(lock, &status) == 0 && status.st_nlink != 0) {
      Own() = {path, getpid()};
      setenv("MAPSPEC_SCRATCH", path.c_str(), 1);
      std::atexit(RemoveScratchDirectory);
      return true;
    }
    if (lock >= 0) close(lock);
  }
  *error = "cannot keep a directory in " + base;
  return false;
}

void RemoveScratchDirectory() {
  if (!Own().path.empty() && Own().owner == getpid()) RemoveTree(Own().path);
}

}  // namespace mapspec
