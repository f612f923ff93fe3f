// SPDX-License-Identifier: MIT
//
// Where the maps of a VM's programs come from: usermaps, or a library that was loaded. Programs
// hold VmMaps; their sessions make and fill the same maps through libbpf's API.
//
// Ownership: a VmMap must go before its store. Thread-safety: as the implementation; Enter and Exit
// bracket a run on the thread that runs it. Errors: as helpers have them, and text for a person.
#ifndef BACKENDS_VM_VM_STORE_H_
#define BACKENDS_VM_VM_STORE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "backends/capability.h"
#include "backends/libbpf_api/bpf_api.h"
#include "backends/userspace/usermaps_prog.h"

namespace mapspec {

// A map as programs see it: what a helper's first argument points to. Answers are those of the
// helpers. What the store has no capability for is never called.
class VmMap {
 public:
  virtual ~VmMap() = default;
  virtual void* Lookup(const void* key);
  virtual int64_t Update(const void* key, const void* value, uint64_t flags);
  virtual int64_t Delete(const void* key);
  virtual int64_t Push(const void* value, uint64_t flags);
  virtual int64_t Pop(void* value);
  virtual int64_t Peek(void* value);
  virtual void* LookupPercpu(const void* key, uint32_t cpu);
  // Of a map of maps: the map there, nullptr where there is none. To be used, and to be gone, in
  // the run that asked.
  virtual std::unique_ptr<VmMap> LookupMap(const void* key);
  using Visit = std::function<int64_t(void* key, void* value)>;
  virtual int64_t ForEach(const Visit& visit, uint64_t flags);
};

class VmStore {
 public:
  virtual ~VmStore() = default;
  // Those of kHelper…
  virtual CapabilitySet helpers() const = 0;
  // nullptr after filling *error.
  virtual std::unique_ptr<VmMap> Open(int map_fd, std::string* error) = 0;
  virtual void Enter() {}
  virtual void Exit() {}
  virtual void SpinLock(void*) {}
  virtual void SpinUnlock(void*) {}
};

// The functions of usermaps_prog.h, without "usermaps_prog_".
#define MAPSPEC_PROG_API(X) \
  X(map_get)                \
  X(map_put)                \
  X(enter)                  \
  X(exit)                   \
  X(map_lookup_elem)        \
  X(map_update_elem)        \
  X(map_delete_elem)        \
  X(map_push_elem)          \
  X(map_pop_elem)           \
  X(map_peek_elem)          \
  X(map_lookup_percpu_elem) \
  X(for_each_map_elem)      \
  X(spin_lock)              \
  X(spin_unlock)

struct ProgApi {
#define MAPSPEC_MEMBER(name) decltype(&::usermaps_prog_##name) name = nullptr;
  MAPSPEC_PROG_API(MAPSPEC_MEMBER)
#undef MAPSPEC_MEMBER
};

// Maps of an implementation that has helpers: all members of `api`.
std::unique_ptr<VmStore> MakeHelperStore(const ProgApi& api);

// Maps of one that has only the functions of bpf(2), which serve as helpers as far as they can:
// nothing returns a pointer into a map, so there are no lookups and no walks.
std::unique_ptr<VmStore> MakeLibbpfStore(const BpfApi& api);

}  // namespace mapspec

#endif  // BACKENDS_VM_VM_STORE_H_
