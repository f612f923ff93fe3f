// SPDX-License-Identifier: MIT
//
// Commands on one element. The order of the checks is the order in which Linux 6.18 lets errors
// win: flags the command does not know (lookups and delete only), descriptor, permission,
// BPF_F_LOCK without a lock, key, value, the map's own.
#include "backends/userspace/commands.h"
#include "backends/userspace/mutant.h"
#include "backends/userspace/usermaps.h"

namespace usermaps {
namespace {

bool IsStack(const Map& map) { return map.spec().type == BPF_MAP_TYPE_STACK; }
bool HasKeys(const Map& map) { return map.spec().key_size != 0; }

int CheckLockFlag(const Map& map, uint64_t flags) { return map.LacksLock(flags) ? -EINVAL : 0; }

// A map without keys wants a null key, every other one a key.
int CheckKey(const Map& map, const void* key) {
  if (!HasKeys(map)) return key == nullptr ? 0 : -EINVAL;
  if (key != nullptr) return 0;
  return MUTANT("generic.call.bad-key-pointer/wrong-errno") ? -EINVAL : -EFAULT;
}

// For a mutant: BPF_F_ALL_CPUS in a lookup.
bool TakesAllCpus(int fd) {
  const MapRef map(fd);
  return map.error() == 0 &&
         TYPE_MUTANT(map->spec().type, kOfPerCpu, "lookup.all-cpus-refused/ignored");
}

int Lookup(int fd, const void* key, void* value, uint64_t flags) {
  constexpr uint64_t kAllCpus = 16;
  if (flags == kAllCpus && TakesAllCpus(fd)) flags = 0;
  const bool bad_flags =
      (flags & ~uint64_t{BPF_F_LOCK}) != 0 && !MUTANT("generic.lookup.unknown-flags/ignored");
  const bool late = MUTANT("generic.lookup.flags-before-descriptor/descriptor-first");
  if (bad_flags && !late) return -EINVAL;
  const MapRef map(fd);
  if (map.error() != 0) return map.error();
  if (const int err = map.CheckRead(); err != 0) return err;
  if (bad_flags) return -EINVAL;
  if (const int err = CheckLockFlag(*map, flags); err != 0) return err;
  if (const int err = CheckKey(*map, key); err != 0) {
    const bool given = !HasKeys(*map);
    if (given && FAMILY_MUTANT(IsStack(*map), "peek.key-given-errno/wrong-errno")) return -EFAULT;
    if (!given || !FAMILY_MUTANT(IsStack(*map), "peek.key-given/ignored")) return err;
  }
  if (value == nullptr && MUTANT("generic.lookup.absent-before-bad-value/efault-first"))
    return -EFAULT;
  // For the mutant that writes too little.
  auto* last = value == nullptr ? nullptr : static_cast<std::byte*>(value) + map->buffer_size() - 1;
  const std::byte before =
      last != nullptr && MUTANT("generic.lookup.writes-value-size/one-less") ? *last : std::byte{0};
  const int result = map->Lookup(key, value, flags);
  if (result == 0) {
    if (value == nullptr) return MUTANT("generic.lookup.bad-value-pointer/succeeds") ? 0 : -EFAULT;
    if (MUTANT("generic.lookup.writes-value-size/one-less")) *last = before;
    if (MUTANT("generic.call.returns/writes-beyond")) last[1] ^= std::byte{1};
  } else if (value != nullptr && MUTANT("generic.call.failure-leaves-outputs/clears")) {
    std::memset(value, 0, map->buffer_size());
  }
  return result;
}

int Update(int fd, const void* key, const void* value, uint64_t flags) {
  const MapRef map(fd);
  if (map.error() != 0) return map.error();
  if (MUTANT("generic.permission.before-arguments/value-first") && value == nullptr) return -EFAULT;
  if (const int err = map.CheckWrite(); err != 0) return err;
  if (const int err = CheckLockFlag(*map, flags); err != 0) return err;
  if (MUTANT("generic.update.pointers-before-unknown-flags/flags-first") && flags > UINT32_MAX)
    return -EINVAL;
  if (MUTANT("generic.update.pointers-before-flags/flags-first") &&
      flags > (BPF_EXIST | BPF_F_LOCK))
    return -EINVAL;
  if (const int err = CheckKey(*map, key); err != 0) {
    const bool given = !HasKeys(*map);
    if (given && FAMILY_MUTANT(IsStack(*map), "push.key-given-errno/wrong-errno")) return -EFAULT;
    if (!given || !FAMILY_MUTANT(IsStack(*map), "push.key-given/ignored")) return err;
  }
  if (value == nullptr)
    return MUTANT("generic.update.bad-value-pointer/wrong-errno") ? -EINVAL : -EFAULT;
  const int result = map->Update(key, value, flags);
  if (result == 0 && (map->spec().flags & BPF_F_NO_PREALLOC) != 0 &&
      TYPE_MUTANT(map->spec().type, kOfPlainHashes, "update.no-prealloc-no-memory/after-all")) {
    return -ENOMEM;
  }
  return result;
}

int LookupAndDelete(int fd, const void* key, void* value, uint64_t flags) {
  if ((flags & ~uint64_t{BPF_F_LOCK}) != 0) {
    if (!MUTANT("generic.lookup_and_delete.unknown-flags/ignored")) return -EINVAL;
    flags &= BPF_F_LOCK;
  }
  const MapRef map(fd);
  if (map.error() != 0) return map.error();
  if (const int err = map.CheckRead(); err != 0) {
    if (!MUTANT("generic.permission.lookup-and-delete-needs-both/write-is-enough")) return err;
  }
  if (const int err = map.CheckWrite(); err != 0) {
    if (!MUTANT("generic.permission.lookup-and-delete-needs-both/read-is-enough")) return err;
  }
  if (const int err = CheckLockFlag(*map, flags); err != 0) {
    if (!HasKeys(*map) && FAMILY_MUTANT(IsStack(*map), "pop.flags-errno/wrong-errno"))
      return -kEnotsupp;
    if (HasKeys(*map) || !FAMILY_MUTANT(IsStack(*map), "pop.flags/ignored")) return err;
  }
  if (const int err = CheckKey(*map, key); err != 0) {
    const bool given = !HasKeys(*map);
    if (given && FAMILY_MUTANT(IsStack(*map), "pop.key-given-errno/wrong-errno")) return -EFAULT;
    if (!given || !FAMILY_MUTANT(IsStack(*map), "pop.key-given/ignored")) return err;
  }
  const int result = map->LookupAndDelete(key, value, flags);
  if (result == 0 && value == nullptr) return -EFAULT;  // the element is gone all the same
  return result;
}

int Delete(int fd, const void* key, uint64_t flags) {
  if (flags != 0) return -EINVAL;
  const MapRef map(fd);
  if (map.error() != 0) return map.error();
  if (const int err = map.CheckWrite(); err != 0) return err;
  if (const int err = CheckKey(*map, key); err != 0) return err;
  return map->Delete(key);
}

int GetNextKey(int fd, const void* key, void* next_key) {
  const MapRef map(fd);
  if (map.error() != 0) return map.error();
  if (const int err = map.CheckRead(); err != 0) return err;
  if (key != nullptr) {
    if (const int err = CheckKey(*map, key); err != 0) return err;
  }
  if (next_key == nullptr && MUTANT("generic.get_next_key.end-before-bad-pointer/efault-first"))
    return -EFAULT;
  const int result = map->GetNextKey(key, next_key);
  if (result == 0 && next_key == nullptr) {
    return MUTANT("generic.get_next_key.bad-next-key-pointer/succeeds") ? 0 : -EFAULT;
  }
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
