// SPDX-License-Identifier: MIT
//
// What every map has, and what a map type provides.
//
// Purpose: the boundary between the commands (permissions, NULL pointers, descriptors:
//   commands_*.cc) and the types (hash_map.cc, array_map.cc, …). A type is one file with a MapType
//   and one line in map_types.cc.
// Ownership: maps are held by handles and pins through std::shared_ptr<Object>.
// Thread-safety: all operations may run at once; each type does its own locking. `frozen` is read
//   inside an Epoch::Guard, see usermaps_map_freeze.
// Errors: 0 or -errno throughout.
#ifndef BACKENDS_USERSPACE_MAP_H_
#define BACKENDS_USERSPACE_MAP_H_

#include <linux/bpf.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "backends/userspace/area.h"
#include "backends/userspace/mutant.h"
#include "backends/userspace/program_map.h"
#include "backends/userspace/spin_lock.h"
#include "backends/userspace/value_layout.h"

namespace usermaps {

// The kernel's "operation not supported by this map type"; libc has no name for it.
inline constexpr int kEnotsupp = 524;
// The kernel's largest contiguous allocation, which bounds several sizes.
inline constexpr uint32_t kKmallocMaxSize = 4U << 20;

// No certain node.
inline constexpr uint32_t kNoNumaNode = UINT32_MAX;

class Btf;
class Map;

// What a handle can refer to.
class Object {
 public:
  virtual ~Object() = default;
  virtual Map* AsMap() { return nullptr; }
  virtual Btf* AsBtf() { return nullptr; }
};

// A map as it was asked for. `flags` still contains BPF_F_RDONLY and BPF_F_WRONLY.
struct MapSpec {
  uint32_t type = 0;
  uint32_t key_size = 0;
  uint32_t value_size = 0;
  uint32_t max_entries = 0;
  uint32_t flags = 0;
  uint64_t map_extra = 0;
  uint32_t inner_map_fd = 0;
  uint32_t numa_node = kNoNumaNode;
  std::string name;
  std::shared_ptr<Btf> btf;
  uint32_t btf_key_type_id = 0;
  uint32_t btf_value_type_id = 0;
  std::vector<uint32_t> lock_offsets;
};

// The arguments of a batch command; `count` is read and written.
struct Batch {
  const void* in_batch = nullptr;
  void* out_batch = nullptr;
  void* keys = nullptr;
  void* values = nullptr;
  uint32_t* count = nullptr;
  uint64_t elem_flags = 0;
  uint64_t flags = 0;
};

class Map : public Object {
 public:
  // `buffer_size` 0: the value itself.
  explicit Map(const MapSpec& spec, uint64_t buffer_size = 0);

  Map* AsMap() override { return this; }
  const MapSpec& spec() const { return spec_; }
  const ValueLayout& layout() const { return layout_; }
  // Bytes that a command of bpf(2) reads or writes for one value.
  uint64_t buffer_size() const { return buffer_size_; }

  // BPF_F_LOCK is asked for, and there is no lock to take.
  bool LacksLock(uint64_t flags) const {
    if ((flags & BPF_F_LOCK) == 0 || layout_.has_lock()) return false;
    return !MUTANT("generic.lock.without-spin-lock/ignored");
  }

  // Element operations. `key` is key_size readable bytes (null if key_size is 0). An output pointer
  // may be null: the operation then happens without the copy, which is what becomes of an element
  // whose buffer cannot be written.
  virtual int Lookup(const void* key, void* value, uint64_t flags) = 0;
  virtual int Update(const void* key, const void* value, uint64_t flags) = 0;
  virtual int Delete(const void* key) = 0;
  virtual int LookupAndDelete(const void* key, void* value, uint64_t flags);
  virtual int GetNextKey(const void* key, void* next_key) = 0;  // key may be null: the first key

  // For programs. The element's own memory, or null: there is none, or the type does not let
  // programs at its elements. It stays readable and writable for the run of the calling program.
  virtual void* LookupInPlace(const void* key);
  // The same of another CPU; null for types that keep no value per CPU.
  virtual void* LookupInPlaceOfCpu(const void* key, uint32_t cpu);
  // bpf_map_update_elem(), where it is something else than Update: `value` is value_size bytes.
  virtual int UpdateFromProgram(const void* key, const void* value, uint64_t flags) {
    return Update(key, value, flags);
  }
  // Calls back for each element until that returns something else than 0, outside all locks. The
  // number of calls, or -errno.
  using Visitor = long (*)(void* visitor_data, void* key, void* value);
  virtual long ForEach(Visitor visit, void* visitor_data);

  virtual int LookupBatch(const Batch& batch);
  virtual int LookupAndDeleteBatch(const Batch& batch);
  virtual int UpdateBatch(const Batch& batch);
  virtual int DeleteBatch(const Batch& batch);

  // The memory that mmap(2) of a handle should reach; null: this map cannot be mapped.
  virtual const Area* MappableArea() const { return nullptr; }
  // Called once when the map becomes frozen: -EBUSY if someone can still write through a mapping.
  virtual int SealMappings() { return 0; }
  virtual uint64_t Footprint() const = 0;  // bytes of memory this map may use

  // An element of a map of maps holds this map; `self` owns it. From the first time on programs may
  // come upon it at any time, so that it counts as used by one for good.
  void Hold(std::shared_ptr<Map> self);
  // Undoes one Hold. The last owner may be gone then: see buried_maps.h.
  void LetGo();
  bool may_be_seen_by_programs() const { return shown_.load(); }
  // What programs get that find it in a map of maps.
  usermaps_prog_map* program_map() { return &program_map_; }

  uint32_t id = 0;
  std::atomic<bool> frozen{false};
  // How many handles are surely open: see HandleTable::KeepOpen.
  std::atomic<uint32_t> kept_handles{0};
  // How many programs may use the map. While it is 0 nobody has a pointer to an element: elements
  // can be overwritten and freed at once. Read under the lock that LookupInPlace takes as well, so
  // that a program that came later does not find what was unlinked before.
  std::atomic<uint32_t> programs{0};

 protected:
  // Batches built from single operations, for types that have no better way.
  int GenericLookupBatch(const Batch& batch);
  int GenericUpdateBatch(const Batch& batch);
  int GenericDeleteBatch(const Batch& batch);
  int CheckElementFlags(uint64_t elem_flags) const;

 private:
  const MapSpec spec_;
  const ValueLayout layout_;
  const uint64_t buffer_size_;
  usermaps_prog_map program_map_{*this};
  std::atomic<bool> shown_{false};
  SpinLock hold_lock_;  // guards the rest
  uint32_t holds_ = 0;
  std::shared_ptr<Map> self_;  // while holds_ is not 0
};

struct MapType {
  uint32_t type;
  bool may_hold_lock;      // bpf_spin_lock in the value
  bool key_must_be_int32;  // when BTF describes the key
  int (*check)(const MapSpec&);
  int (*make)(const MapSpec&, std::shared_ptr<Map>*);
};

// Null for types that do not exist here.
const MapType* FindMapType(uint32_t type);

// BPF_F_RDONLY_PROG and BPF_F_WRONLY_PROG exclude each other.
inline bool ProgramAccessOk(uint32_t flags) {
  if (MUTANT("generic.create.rdonly-prog-wronly-prog/accepted")) return true;
  return (flags & (BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG)) !=
         (BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG);
}
inline constexpr uint32_t kAccessFlags =
    BPF_F_RDONLY | BPF_F_WRONLY | BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG;

inline uint64_t RoundUp8(uint64_t size) { return (size + 7) / 8 * 8; }

}  // namespace usermaps

#endif  // BACKENDS_USERSPACE_MAP_H_
