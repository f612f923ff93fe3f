// SPDX-License-Identifier: MIT
//
// The helpers of programs. What a helper has in common with the command of bpf(2) is in the map
// types; this is what differs: no descriptors, no permissions, pointers instead of copies.
#include <cerrno>
#include <cstring>
#include <memory>
#include <new>

#include "backends/userspace/commands.h"
#include "backends/userspace/epoch.h"
#include "backends/userspace/map.h"
#include "backends/userspace/spin_lock.h"
#include "backends/userspace/usermaps_prog.h"

struct usermaps_prog_map {
  explicit usermaps_prog_map(std::shared_ptr<usermaps::Object> its_object)
      : object(std::move(its_object)), map(*object->AsMap()) {
    map.programs.fetch_add(1);
  }
  ~usermaps_prog_map() { map.programs.fetch_sub(1); }
  usermaps_prog_map(const usermaps_prog_map&) = delete;
  usermaps_prog_map& operator=(const usermaps_prog_map&) = delete;

  const std::shared_ptr<usermaps::Object> object;
  usermaps::Map& map;
};

namespace usermaps {
namespace {

bool HasKeys(const Map& map) { return map.spec().key_size != 0; }

// A pop or a peek that found nothing.
long ZeroIfEmpty(const Map& map, int result, void* value) {
  if (result == -ENOENT) std::memset(value, 0, map.layout().size());
  return result;
}

struct Callback {
  usermaps_prog_map* map;
  usermaps_prog_callback function;
  void* context;

  static long Call(void* self, void* key, void* value) {
    const auto* callback = static_cast<Callback*>(self);
    return callback->function(callback->map, key, value, callback->context);
  }
};

}  // namespace
}  // namespace usermaps

usermaps_prog_map* usermaps_prog_map_get(int fd) {
  const usermaps::MapRef map(fd);
  if (map.error() != 0) {
    errno = -map.error();
    return nullptr;
  }
  auto* handle = new (std::nothrow) usermaps_prog_map(map.handle().object);
  if (handle == nullptr) errno = ENOMEM;
  return handle;
}

void usermaps_prog_map_put(usermaps_prog_map* map) { delete map; }

void usermaps_prog_enter() { usermaps::Epoch::EnterProgram(); }
void usermaps_prog_exit() { usermaps::Epoch::LeaveProgram(); }

void* usermaps_prog_map_lookup_elem(usermaps_prog_map* map, const void* key) {
  return map->map.LookupInPlace(key);
}

long usermaps_prog_map_update_elem(usermaps_prog_map* map, const void* key, const void* value,
                                   __u64 flags) {
  if (!usermaps::HasKeys(map->map)) return -EINVAL;
  return map->map.Update(key, value, flags);
}

long usermaps_prog_map_delete_elem(usermaps_prog_map* map, const void* key) {
  return map->map.Delete(key);
}

long usermaps_prog_map_push_elem(usermaps_prog_map* map, const void* value, __u64 flags) {
  if (usermaps::HasKeys(map->map)) return -usermaps::kEnotsupp;
  return map->map.Update(nullptr, value, flags);
}

long usermaps_prog_map_pop_elem(usermaps_prog_map* map, void* value) {
  if (usermaps::HasKeys(map->map)) return -usermaps::kEnotsupp;
  return usermaps::ZeroIfEmpty(map->map, map->map.LookupAndDelete(nullptr, value, 0), value);
}

long usermaps_prog_map_peek_elem(usermaps_prog_map* map, void* value) {
  if (usermaps::HasKeys(map->map)) return -usermaps::kEnotsupp;
  return usermaps::ZeroIfEmpty(map->map, map->map.Lookup(nullptr, value, 0), value);
}

void* usermaps_prog_map_lookup_percpu_elem(usermaps_prog_map* /*map*/, const void* /*key*/,
                                           __u32 /*cpu*/) {
  return nullptr;
}

long usermaps_prog_for_each_map_elem(usermaps_prog_map* map, usermaps_prog_callback callback,
                                     void* context, __u64 flags) {
  if (flags != 0) return -EINVAL;
  usermaps::Callback data{map, callback, context};
  try {
    return map->map.ForEach(&usermaps::Callback::Call, &data);
  } catch (const std::bad_alloc&) {
    return -ENOMEM;
  }
}

void usermaps_prog_spin_lock(void* lock) { usermaps::LockWord(usermaps::LockWordAt(lock)); }
void usermaps_prog_spin_unlock(void* lock) { usermaps::UnlockWord(usermaps::LockWordAt(lock)); }
