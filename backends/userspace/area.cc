// SPDX-License-Identifier: MIT
#include "backends/userspace/area.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace usermaps {
namespace {

uint64_t PageSize() {
  static const auto size = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return size;
}

uint64_t PhysicalMemory() {
  static const uint64_t bytes = static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * PageSize();
  return bytes;
}

// Below this the heap is used: three mappings and as many page faults cost a small map more than
// all else that its creation does, and clearing this much costs less than one of them.
constexpr uint64_t kSmall = 16 << 10;

// By this name the file shows in /proc/self/maps.
constexpr char kSharedName[] = "bpf-map-data";

}  // namespace

int MoveFdUp(int fd) {
  constexpr int kFirstInternalFd = 512;
  const int moved = fcntl(fd, F_DUPFD_CLOEXEC, kFirstInternalFd);
  if (moved < 0) return fd;
  close(fd);
  return moved;
}

Area::~Area() {
  if (data_ != nullptr && file_ < 0 && size_ < kSmall) {
    std::free(data_);
  } else if (data_ != nullptr) {
    munmap(data_, size_);
  }
  if (file_ >= 0) close(file_);
}

Area::Area(Area&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      file_(std::exchange(other.file_, -1)) {}

Area& Area::operator=(Area&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(file_, other.file_);
  return *this;
}

int Area::Make(uint64_t size, Area* out) {
  if (size > PhysicalMemory()) return -ENOMEM;
  void* data = size < kSmall ? std::calloc(1, size)
                             : mmap(nullptr, size, PROT_READ | PROT_WRITE,
                                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == nullptr || data == MAP_FAILED) return -ENOMEM;
  Area area;
  area.data_ = static_cast<std::byte*>(data);
  area.size_ = size;
  *out = std::move(area);
  return 0;
}

int Area::MakeShared(uint64_t size, Area* out) {
  size = (size + PageSize() - 1) / PageSize() * PageSize();
  if (size > PhysicalMemory()) return -ENOMEM;
  Area area;
  area.file_ = memfd_create(kSharedName, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (area.file_ < 0) return -errno;
  area.file_ = MoveFdUp(area.file_);
  if (ftruncate(area.file_, static_cast<off_t>(size)) != 0) return -ENOMEM;
  if (fcntl(area.file_, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) != 0) return -errno;
  void* data =
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, area.file_, 0);
  if (data == MAP_FAILED) return -ENOMEM;
  area.data_ = static_cast<std::byte*>(data);
  area.size_ = size;
  *out = std::move(area);
  return 0;
}

Area::Mapped Area::Mappings() const {
  Mapped mapped;
  struct stat self;
  if (file_ < 0 || fstat(file_, &self) != 0) return mapped;
  FILE* maps = std::fopen("/proc/self/maps", "re");
  if (maps == nullptr) return mapped;
  char buffer[1 << 14];  // The less often it is read, the better.
  std::setvbuf(maps, buffer, _IOFBF, sizeof buffer);
  char line[512];
  while (std::fgets(line, sizeof line, maps) != nullptr) {
    if (std::strstr(line, kSharedName) == nullptr) continue;
    uint64_t begin = 0;
    uint64_t inode = 0;
    char permissions[5] = {};
    unsigned int dev_major = 0;
    unsigned int dev_minor = 0;
    const int fields = std::sscanf(line, "%" SCNx64 "-%*x %4s %*x %x:%x %" SCNu64, &begin,
                                   permissions, &dev_major, &dev_minor, &inode);
    if (fields != 5 || inode != self.st_ino || makedev(dev_major, dev_minor) != self.st_dev)
      continue;
    const auto own = reinterpret_cast<uint64_t>(data_);
    if (own <= begin && begin < own + size_) continue;
    mapped.any = true;
    mapped.writable = mapped.writable || permissions[1] == 'w';
  }
  std::fclose(maps);
  return mapped;
}

}  // namespace usermaps
