// SPDX-License-Identifier: MIT
#include "backends/userspace/commands.h"

#include <fcntl.h>

#include <map>

#include "backends/userspace/mutant.h"

namespace usermaps {

MapRef::MapRef(int fd) {
  error_ = HandleTable::Instance().Resolve(fd, &handle_);
  if (error_ == 0 && handle_->map == nullptr) error_ = -EINVAL;  // another kind of object
  if (error_ == -EBADF && MUTANT("generic.call.bad-descriptor/wrong-errno")) {
    error_ = -EINVAL;
  } else if (error_ == -EINVAL && MUTANT("generic.call.not-a-map/wrong-errno")) {
    error_ = -EBADF;
  }
  if (error_ == 0 && MUTANT("generic.close.others-stay/goes-with-the-first")) {
    // The map goes with the descriptor it was first used through.
    static std::map<const Map*, int> first;
    if (fcntl(first.try_emplace(handle_->map, fd).first->second, F_GETFD) < 0) error_ = -EBADF;
  }
}

int MapRef::CheckRead() const {
  const Access& access = handle_->access;
  if (!access.write && MUTANT("generic.permission.other-right-stays/rdonly-cannot-read"))
    return -EPERM;
  if (handle_->map->frozen.load() && MUTANT("generic.freeze.still-readable/refused")) return -EPERM;
  return access.read || MUTANT("generic.permission.wronly-refuses-reads/allowed") ? 0 : -EPERM;
}

int MapRef::CheckWrite() const {
  const Access& access = handle_->access;
  if (!access.read && MUTANT("generic.permission.other-right-stays/wronly-cannot-write"))
    return -EPERM;
  if (!access.write && !MUTANT("generic.permission.rdonly-refuses-writes/allowed")) return -EPERM;
  if (!handle_->map->frozen.load() || MUTANT("generic.freeze.no-syscall-writes/allowed")) return 0;
  return MUTANT("generic.freeze.no-syscall-writes-errno/wrong-errno") ? -EBUSY : -EPERM;
}

int ReadAccess(uint32_t flags, Access* access) {
  access->read = (flags & BPF_F_WRONLY) == 0;
  access->write = (flags & BPF_F_RDONLY) == 0;
  return access->read || access->write ? 0 : -EINVAL;
}

int ReadOpenFlags(uint32_t flags, Access* access) {
  if ((flags & ~uint32_t{BPF_F_RDONLY | BPF_F_WRONLY}) != 0) return -EINVAL;
  return ReadAccess(flags, access);
}

}  // namespace usermaps
