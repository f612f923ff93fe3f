// SPDX-License-Identifier: MIT
//
// Commands on one element. The order of the checks is the order in which Linux 6.18 lets errors
// win: flags the command does not know (lookups and delete only), descriptor, permission,
// BPF_F_LOCK without a lock, key, value, the map's own.
#include "backends/userspace/commands.h"
#include "backends/userspace/mutant.h"
#include "backends/userspace/usermaps.h"

namespace usermaps {

bool MapRef::readable() const {
  return handle_->access.read || MUTANT("generic.lookup.wronly-handle-eperm/allows");
}

bool MapRef::writable() const {
  if (!handle_->access.write && !MUTANT("generic.update.rdonly-handle-eperm/allows")) return false;
  return !handle_->map->frozen.load() || MUTANT("generic.update.frozen-eperm/allows");
}

int ReadAccess(uint32_t flags, Access* access) {
  access->read = (flags & BPF_F_WRONLY) == 0;
  access->write = (flags & BPF_F_RDONLY) == 0;
  if (!access->read && !access->write) {
    if (!MUTANT("generic.create.rdonly-wronly-together/accepts")) return -EINVAL;
    *access = {};
  }
  return 0;
}

namespace {

int CheckLockFlag(const Map& map, uint64_t flags) {
  if ((flags & BPF_F_LOCK) == 0 || map.layout().has_lock()) return 0;
  return MUTANT("generic.lookup.f-lock-without-lock/ignores") ? 0 : -EINVAL;
}

// A map without keys wants a null key, every other one a key.
int CheckKey(const Map& map, const void* key) {
  if (map.spec().key_size == 0) {
    return key == nullptr || MUTANT("queue.update.key-not-null/ignores") ? 0 : -EINVAL;
  }
  return key == nullptr ? -EFAULT : 0;
}

int Lookup(int fd, const void* key, void* value, uint64_t flags) {
  if ((flags & ~uint64_t{BPF_F_LOCK}) != 0 && !MUTANT("generic.lookup.unknown-flags/ignores"))
    return -EINVAL;
  const MapRef map(fd);
  if (map.error() != 0) return map.error();
  if (!map.readable()) return -EPERM;
  if (const int err = CheckLockFlag(*map, flags); err != 0) return err;
  if (const int err = CheckKey(*map, key); err != 0) return err;
  const int result = map->Lookup(key, value, flags);
  if (result == 0 && value == nullptr) return -EFAULT;
  return result;
}

int Update(int fd, const void* key, const void* value, uint64_t flags) {
  const MapRef map(fd);
  if (map.error() != 0) return map.error();
  if (!map.writable()) return -EPERM;
  if (const int err = CheckLockFlag(*map, flags); err != 0) return err;
  if (const int err = CheckKey(*map, key); err != 0) return err;
  if (value == nullptr)
    return MUTANT("generic.update.null-value-efault/wrong-errno") ? -EINVAL : -EFAULT;
  return map->Update(key, value, flags);
}

int LookupAndDelete(int fd, const void* key, void* value, uint64_t flags) {
  if ((flags & ~uint64_t{BPF_F_LOCK}) != 0) return -EINVAL;
  const MapRef map(fd);
  if (map.error() != 0) return map.error();
  if (!map.readable() || !map.writable()) return -EPERM;
  if (const int err = CheckLockFlag(*map, flags); err != 0) return err;
  if (const int err = CheckKey(*map, key); err != 0) return err;
  const int result = map->LookupAndDelete(key, value, flags);
  if (result == 0 && value == nullptr) return -EFAULT;  // the element is gone all the same
  return result;
}

int Delete(int fd, const void* key, uint64_t flags) {
  if (flags != 0) return -EINVAL;
  const MapRef map(fd);
  if (map.error() != 0) return map.error();
  if (!map.writable()) return -EPERM;
  // QUEUE and STACK check the key before they refuse.
  if (const int err = CheckKey(*map, key); err != 0) return err;
  return map->Delete(key);
}

int GetNextKey(int fd, const void* key, void* next_key) {
  const MapRef map(fd);
  if (map.error() != 0) return map.error();
  if (!map.readable()) return -EPERM;
  if (key != nullptr) {
    if (const int err = CheckKey(*map, key); err != 0) return err;
  }
  const int result = map->GetNextKey(key, next_key);
  if (result == 0 && next_key == nullptr) return -EFAULT;
  return result;
}

}  // namespace
}  // namespace usermaps

int usermaps_map_lookup_elem(int fd, const void* key, void* value) {
  return usermaps::Return(usermaps::Lookup(fd, key, value, 0));
}

int usermaps_map_lookup_elem_flags(int fd, const void* key, void* value, __u64 flags) {
  return usermaps::Return(usermaps::Lookup(fd, key, value, flags));
}

int usermaps_map_update_elem(int fd, const void* key, const void* value, __u64 flags) {
  return usermaps::Return(usermaps::Update(fd, key, value, flags));
}

int usermaps_map_lookup_and_delete_elem(int fd, const void* key, void* value) {
  return usermaps::Return(usermaps::LookupAndDelete(fd, key, value, 0));
}

int usermaps_map_lookup_and_delete_elem_flags(int fd, const void* key, void* value, __u64 flags) {
  return usermaps::Return(usermaps::LookupAndDelete(fd, key, value, flags));
}

int usermaps_map_delete_elem(int fd, const void* key) {
  return usermaps::Return(usermaps::Delete(fd, key, 0));
}

int usermaps_map_delete_elem_flags(int fd, const void* key, __u64 flags) {
  return usermaps::Return(usermaps::Delete(fd, key, flags));
}

int usermaps_map_get_next_key(int fd, const void* key, void* next_key) {
  return usermaps::Return(usermaps::GetNextKey(fd, key, next_key));
}
