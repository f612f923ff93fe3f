// SPDX-License-Identifier: MIT
//
// The helpers of programs. What a helper has in common with the command of bpf(2) is in the map
// types; this is what differs: no descriptors, no permissions, pointers instead of copies.
#include <cerrno>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "backends/userspace/commands.h"
#include "backends/userspace/epoch.h"
#include "backends/userspace/map.h"
#include "backends/userspace/map_in_map.h"
#include "backends/userspace/mutant.h"
#include "backends/userspace/program_map.h"
#include "backends/userspace/spin_lock.h"
#include "backends/userspace/usermaps_prog.h"

namespace usermaps {
namespace {

// What usermaps_prog_map_get gives.
struct OwningProgramMap : usermaps_prog_map {
  explicit OwningProgramMap(const Handle& handle)
      : usermaps_prog_map{*handle.map, handle.access.write}, object(handle.object) {
    map.programs.fetch_add(1);
  }
  ~OwningProgramMap() { map.programs.fetch_sub(1); }
  OwningProgramMap(const OwningProgramMap&) = delete;
  OwningProgramMap& operator=(const OwningProgramMap&) = delete;

  const std::shared_ptr<Object> object;
};

bool HasKeys(const Map& map) { return map.spec().key_size != 0; }
bool IsStack(const Map& map) { return map.spec().type == BPF_MAP_TYPE_STACK; }
bool IsOfMaps(const Map& map) { return HoldsMaps(map.spec().type); }
uint32_t TypeOf(const usermaps_prog_map* map) { return map->map.spec().type; }
bool IsArray(const Map& map) { return map.spec().type == BPF_MAP_TYPE_ARRAY; }

// Whether a mutant keeps the program from changing the map.
bool MayNotChange(const usermaps_prog_map& map) {
  if (!map.descriptor_writes && MUTANT("generic.program.descriptor-access/binds-programs"))
    return true;
  return map.map.frozen.load() && MUTANT("generic.program.frozen/binds-programs");
}

long Result(int result) {
  return result < 0 && MUTANT("generic.program.result/positive-errno") ? -result : result;
}

// For the mutants whose lookups do not give the map's own memory.
void* CopyOf(const Map& map, void* value) {
  if (value == nullptr) return nullptr;
  static thread_local std::vector<std::byte> copy;
  const auto* bytes = static_cast<const std::byte*>(value);
  copy.assign(bytes, bytes + map.layout().size());
  return copy.data();
}

// What a lookup in a map of maps gives: a map or null.
void* InnerFor(const usermaps_prog_map& outer, void* inner) {
  const MapSpec& spec = outer.map.spec();
  constexpr uint32_t kProgramFlags = BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG;
  if (TYPE_MUTANT(spec.type, kOfMaps, "program.inner-lookup/finds-nothing")) return nullptr;
  if (inner == nullptr) return EmptyElement(spec.type);
  const bool no_lookup = MUTANT("hash_of_maps.program.outer-access-flags/no-lookups");
  return no_lookup && (spec.flags & kProgramFlags) != 0 ? nullptr : inner;
}
// What a lookup in a map gives that may be an inner one: its outer map is not known.
void* OfInner(const usermaps_prog_map& map, void* value) {
  if (!map.map.may_be_seen_by_programs()) return value;
  const bool copies = MUTANT("array_of_maps.program.inner-store/to-a-copy") ||
                      MUTANT("hash_of_maps.program.inner-store/to-a-copy");
  const bool zeros = MUTANT("array_of_maps.program.inner-absent/finds-zeros") ||
                     MUTANT("hash_of_maps.program.inner-absent/finds-zeros");
  if (copies) return CopyOf(map.map, value);
  if (value != nullptr || !zeros) return value;
  static thread_local std::vector<std::byte> nothing;
  nothing.assign(map.map.layout().size(), std::byte{0});
  return nothing.data();
}

// A pop or a peek that found nothing.
long ZeroIfEmpty(const Map& map, int result, void* value) {
  if (result != -ENOENT) return Result(result);
  if (!FAMILY_MUTANT(IsStack(map), "program.empty-zeroes/left-alone")) {
    std::memset(value, 0, map.layout().size());
  }
  return FAMILY_MUTANT(IsStack(map), "program.empty-errno/wrong-errno") ? -EINVAL : Result(result);
}

struct Callback {
  usermaps_prog_map* map;
  usermaps_prog_callback function;
  void* context;
  bool first = true;

  static long Call(void* self, void* key, void* value) {
    auto* callback = static_cast<Callback*>(self);
    const uint32_t type = callback->map->map.spec().type;
    if (callback->first) {
      callback->first = false;
      if (TYPE_MUTANT(type, kOfValues, "for_each.visits/passes-one-over")) return 0;
    }
    const long stop = callback->function(callback->map, key, value, callback->context);
    return TYPE_MUTANT(type, kOfValues, "for_each.stops/goes-on") ? 0 : stop;
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
  auto* handle = new (std::nothrow) usermaps::OwningProgramMap(map.handle());
  if (handle == nullptr) errno = ENOMEM;
  return handle;
}

void usermaps_prog_map_put(usermaps_prog_map* map) {
  delete static_cast<usermaps::OwningProgramMap*>(map);
}

void usermaps_prog_enter() { usermaps::Epoch::EnterProgram(); }
void usermaps_prog_exit() { usermaps::Epoch::LeaveProgram(); }

void* usermaps_prog_map_lookup_elem(usermaps_prog_map* map, const void* key) {
  void* const value = map->map.LookupInPlace(key);
  if (usermaps::IsOfMaps(map->map)) return usermaps::InnerFor(*map, value);
  if (TYPE_MUTANT(usermaps::TypeOf(map), usermaps::kOfValues, "program.store/to-a-copy") ||
      TYPE_MUTANT(usermaps::TypeOf(map), usermaps::kOfValueArrays,
                  "program.update-in-place/copy-held")) {
    return usermaps::CopyOf(map->map, value);
  }
  return usermaps::OfInner(*map, value);
}

long usermaps_prog_map_update_elem(usermaps_prog_map* map, const void* key, const void* value,
                                   __u64 flags) {
  if (!usermaps::HasKeys(map->map) || usermaps::IsOfMaps(map->map)) return -EINVAL;
  if (usermaps::MayNotChange(*map)) return -EPERM;
  if (map->map.LacksLock(flags)) {
    if (usermaps::IsArray(map->map) && MUTANT("array.program.lock-flag-last/first")) return -EINVAL;
    if (MUTANT("generic.program.lock-flag-without-lock/ignored")) flags &= ~uint64_t{BPF_F_LOCK};
  }
  return usermaps::Result(map->map.UpdateFromProgram(key, value, flags));
}

long usermaps_prog_map_delete_elem(usermaps_prog_map* map, const void* key) {
  if (usermaps::IsOfMaps(map->map)) return -EINVAL;
  if (usermaps::MayNotChange(*map)) return -EPERM;
  return usermaps::Result(map->map.Delete(key));
}

long usermaps_prog_map_push_elem(usermaps_prog_map* map, const void* value, __u64 flags) {
  if (usermaps::HasKeys(map->map)) return -usermaps::kEnotsupp;
  if (usermaps::MayNotChange(*map)) return -EPERM;
  return usermaps::Result(map->map.Update(nullptr, value, flags));
}

long usermaps_prog_map_pop_elem(usermaps_prog_map* map, void* value) {
  if (usermaps::HasKeys(map->map)) return -usermaps::kEnotsupp;
  if (usermaps::MayNotChange(*map)) return -EPERM;
  return usermaps::ZeroIfEmpty(map->map, map->map.LookupAndDelete(nullptr, value, 0), value);
}

long usermaps_prog_map_peek_elem(usermaps_prog_map* map, void* value) {
  if (usermaps::HasKeys(map->map)) return -usermaps::kEnotsupp;
  if ((map->map.spec().flags & (BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG)) != 0 &&
      FAMILY_MUTANT(usermaps::IsStack(map->map), "program.peek-access-flags/refused")) {
    return -EACCES;
  }
  return usermaps::ZeroIfEmpty(map->map, map->map.Lookup(nullptr, value, 0), value);
}

void* usermaps_prog_map_lookup_percpu_elem(usermaps_prog_map* map, const void* key, __u32 cpu) {
  return map->map.LookupInPlaceOfCpu(key, cpu);
}

long usermaps_prog_for_each_map_elem(usermaps_prog_map* map, usermaps_prog_callback callback,
                                     void* context, __u64 flags) {
  if (flags != 0 &&
      !TYPE_MUTANT(usermaps::TypeOf(map), usermaps::kOfValues, "for_each.flags/ignored"))
    return -EINVAL;
  usermaps::Callback data{map, callback, context};
  try {
    return map->map.ForEach(&usermaps::Callback::Call, &data);
  } catch (const std::bad_alloc&) {
    return -ENOMEM;
  }
}

void usermaps_prog_spin_lock(void* lock) { usermaps::LockWord(usermaps::LockWordAt(lock)); }
void usermaps_prog_spin_unlock(void* lock) {
  if (MUTANT("generic.program.spin-lock/unlock-clears-more")) std::memset(lock, 0, 8);
  usermaps::UnlockWord(usermaps::LockWordAt(lock));
}
