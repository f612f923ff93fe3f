// SPDX-License-Identifier: MIT
//
// mmap(2) of a map with the kernel's rules, for callers that can route their call here. A plain
// mmap(2) of the handle works too, but only knows a memfd's rules.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "backends/userspace/commands.h"
#include "backends/userspace/mutant.h"
#include "backends/userspace/usermaps.h"

namespace usermaps {
namespace {

// What Linux 6.18 says before it maps anything: first the rules of every file, then those of maps,
// then the array's.
int CheckMapping(const MapRef& map, uint64_t length, int protection, int flags, off_t offset) {
  const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  const auto start = static_cast<uint64_t>(offset);
  if (length == 0 || start % page != 0) {
    return MUTANT("generic.mmap.bad-range/wrong-errno") ? -ENODEV : -EINVAL;
  }
  const Access& access = map.handle().access;
  const bool shared = (flags & MAP_SHARED) != 0;
  const bool writable = (protection & PROT_WRITE) != 0;
  if (!access.read || (shared && writable && !access.write)) {
    return MUTANT("generic.mmap.descriptor-access/wrong-errno") ? -EPERM : -EACCES;
  }
  const uint32_t map_flags = map->spec().flags;
  if (map->spec().type != BPF_MAP_TYPE_ARRAY || map->layout().has_lock()) {
    if (map->layout().has_lock() && MUTANT("array.mmap.spin-lock/wrong-errno")) return -EINVAL;
    return MUTANT("generic.mmap.unsupported/wrong-errno") ? -EINVAL : -kEnotsupp;
  }
  if (!shared && !MUTANT("array.mmap.private/accepted")) return -EINVAL;
  // To the kernel a shared mapping of a file that is not open for writing is a private one.
  if (!access.write && !MUTANT("array.mmap.rdonly-descriptor/readable")) return -EINVAL;
  if (writable && map->frozen.load() && !MUTANT("array.mmap.after-freeze/writable")) return -EPERM;
  if (writable && (map_flags & BPF_F_RDONLY_PROG) != 0) {
    return MUTANT("array.mmap.read-only-for-programs/wrong-errno") ? -EPERM : -EACCES;
  }
  if (map->MappableArea() == nullptr)
    return MUTANT("array.mmap.not-mmapable/wrong-errno") ? -ENODEV : -EINVAL;
  if (!writable && map->frozen.load() && MUTANT("array.mmap.after-freeze-readable/refused"))
    return -EPERM;
  const uint64_t pages = (length + page - 1) / page * page;
  if (start > map->MappableArea()->size() || pages > map->MappableArea()->size() - start) {
    if (!MUTANT("array.mmap.beyond-data/accepted")) return -EINVAL;
  }
  return 0;
}

// Maps, or returns null and sets `error`.
void* Mmap(void* address, size_t length, int protection, int flags, int fd, off_t offset,
           int* error) {
  *error = 0;
  if ((flags & MAP_ANONYMOUS) == 0) {
    const MapRef map(fd);
    if (map.error() == -EBADF && MUTANT("generic.mmap.bad-descriptor/wrong-errno")) {
      *error = -EINVAL;
      return nullptr;
    }
    if (map.error() == 0) {
      *error = CheckMapping(map, length, protection, flags, offset);
      if (*error != 0) return nullptr;
      // A mapping that begins as read-only stays so (mprotect(2) says EACCES): it is made through a
      // file that is open for reading only.
      const bool writable = (protection & PROT_WRITE) != 0;
      char path[32];
      std::snprintf(path, sizeof path, "/proc/self/fd/%d", map->MappableArea()->file());
      const int file = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
      if (file < 0) {
        *error = -errno;
        return nullptr;
      }
      if (MUTANT("array.mmap.shared/private-copy")) flags = (flags & ~MAP_SHARED) | MAP_PRIVATE;
      void* mapped = mmap(address, length, protection, flags, file, offset);
      if (mapped == MAP_FAILED) *error = -errno;
      map->MappableArea()->NoteMapped();
      close(file);
      return mapped;
    }
  }
  void* mapped = mmap(address, length, protection, flags, fd, offset);
  if (mapped == MAP_FAILED) *error = -errno;
  return mapped;
}

}  // namespace
}  // namespace usermaps

void* usermaps_mmap(void* address, size_t length, int protection, int flags, int fd, off_t offset) {
  int error = 0;
  void* mapped = usermaps::Mmap(address, length, protection, flags, fd, offset, &error);
  if (error == 0) return mapped;
  errno = -error;
  return MAP_FAILED;
}
