// SPDX-License-Identifier: MIT
#include "backends/vm/vm_store.h"

#include <cerrno>
#include <cstring>
#include <vector>

#include "oracle/uapi.h"

namespace mapspec {

void* VmMap::Lookup(const void*) { return nullptr; }
int64_t VmMap::Update(const void*, const void*, uint64_t) { return -ENOSYS; }
int64_t VmMap::Delete(const void*) { return -ENOSYS; }
int64_t VmMap::Push(const void*, uint64_t) { return -ENOSYS; }
int64_t VmMap::Pop(void*) { return -ENOSYS; }
int64_t VmMap::Peek(void*) { return -ENOSYS; }
void* VmMap::LookupPercpu(const void*, uint32_t) { return nullptr; }
std::unique_ptr<VmMap> VmMap::LookupMap(const void*) { return nullptr; }
int64_t VmMap::ForEach(const Visit&, uint64_t) { return -ENOSYS; }

namespace {

// A map that somebody else keeps.
class HelperMap : public VmMap {
 public:
  HelperMap(const ProgApi& api, usermaps_prog_map* map) : api_(api), map_(map) {}

  void* Lookup(const void* key) override { return api_.map_lookup_elem(map_, key); }
  int64_t Update(const void* key, const void* value, uint64_t flags) override {
    return api_.map_update_elem(map_, key, value, flags);
  }
  int64_t Delete(const void* key) override { return api_.map_delete_elem(map_, key); }
  int64_t Push(const void* value, uint64_t flags) override {
    return api_.map_push_elem(map_, value, flags);
  }
  int64_t Pop(void* value) override { return api_.map_pop_elem(map_, value); }
  int64_t Peek(void* value) override { return api_.map_peek_elem(map_, value); }
  std::unique_ptr<VmMap> LookupMap(const void* key) override {
    auto* const inner = static_cast<usermaps_prog_map*>(api_.map_lookup_elem(map_, key));
    return inner == nullptr ? nullptr : std::make_unique<HelperMap>(api_, inner);
  }
  void* LookupPercpu(const void* key, uint32_t cpu) override {
    return api_.map_lookup_percpu_elem(map_, key, cpu);
  }
  int64_t ForEach(const Visit& visit, uint64_t flags) override {
    const auto call = [](usermaps_prog_map*, void* key, void* value, void* context) -> long {
      return (*static_cast<const Visit*>(context))(key, value);
    };
    return api_.for_each_map_elem(map_, call, const_cast<Visit*>(&visit), flags);
  }

 private:
  const ProgApi& api_;
  usermaps_prog_map* const map_;
};

class OwningHelperMap : public HelperMap {
 public:
  OwningHelperMap(const ProgApi& api, usermaps_prog_map* map)
      : HelperMap(api, map), owned_(map, api.map_put) {}

 private:
  const std::unique_ptr<usermaps_prog_map, void (*)(usermaps_prog_map*)> owned_;
};

class HelperStore : public VmStore {
 public:
  explicit HelperStore(const ProgApi& api) : api_(api) {}

  CapabilitySet helpers() const override {
    CapabilitySet all;
    for (auto i = static_cast<size_t>(Capability::kHelperLookupElem);
         i <= static_cast<size_t>(Capability::kHelperSpinLock); ++i) {
      all.set(i);
    }
    return all;
  }
  std::unique_ptr<VmMap> Open(int map_fd, std::string* error) override {
    usermaps_prog_map* map = api_.map_get(map_fd);
    if (map != nullptr) return std::make_unique<OwningHelperMap>(api_, map);
    *error = "the descriptor gives no map: " + ErrnoName(static_cast<Errno>(errno));
    return nullptr;
  }
  void Enter() override { api_.enter(); }
  void Exit() override { api_.exit(); }
  void SpinLock(void* lock) override { api_.spin_lock(lock); }
  void SpinUnlock(void* lock) override { api_.spin_unlock(lock); }

 private:
  const ProgApi api_;
};

// What a function of libbpf says as a helper would say it.
int64_t AsHelper(int result) {
  return result == -1 && errno != 0 ? int64_t{-errno} : int64_t{result};
}

class LibbpfMap : public VmMap {
 public:
  LibbpfMap(const BpfApi& api, int fd, uint32_t value_size)
      : api_(api), fd_(fd), value_size_(value_size) {}

  int64_t Update(const void* key, const void* value, uint64_t flags) override {
    errno = 0;
    return AsHelper(api_.map_update_elem(fd_, key, value, flags));
  }
  int64_t Delete(const void* key) override {
    errno = 0;
    return AsHelper(api_.map_delete_elem(fd_, key));
  }
  int64_t Push(const void* value, uint64_t flags) override { return Update(nullptr, value, flags); }
  int64_t Pop(void* value) override {
    errno = 0;
    return Emptied(api_.map_lookup_and_delete_elem(fd_, nullptr, value), value);
  }
  int64_t Peek(void* value) override {
    errno = 0;
    return Emptied(api_.map_lookup_elem(fd_, nullptr, value), value);
  }

 private:
  // Programs find zeros where there was nothing; bpf(2) leaves the buffer alone.
  int64_t Emptied(int call, void* value) const {
    const int64_t result = AsHelper(call);
    if (result == -ENOENT) std::memset(value, 0, value_size_);
    return result;
  }

  const BpfApi& api_;
  const int fd_;  // The session's, which forgets its programs before it closes it.
  const uint32_t value_size_;
};

class LibbpfStore : public VmStore {
 public:
  explicit LibbpfStore(const BpfApi& api) : api_(api) {}

  CapabilitySet helpers() const override {
    CapabilitySet some;
    if (api_.obj_get_info_by_fd == nullptr) return some;
    if (api_.map_update_elem != nullptr) {
      Add(&some, Capability::kHelperUpdateElem);
      Add(&some, Capability::kHelperPushElem);
    }
    if (api_.map_delete_elem != nullptr) Add(&some, Capability::kHelperDeleteElem);
    if (api_.map_lookup_and_delete_elem != nullptr) Add(&some, Capability::kHelperPopElem);
    if (api_.map_lookup_elem != nullptr) Add(&some, Capability::kHelperPeekElem);
    return some;
  }
  std::unique_ptr<VmMap> Open(int map_fd, std::string* error) override {
    ::bpf_map_info info{};
    uint32_t length = sizeof(info);
    errno = 0;
    const int64_t result = AsHelper(api_.obj_get_info_by_fd(map_fd, &info, &length));
    if (result == 0) return std::make_unique<LibbpfMap>(api_, map_fd, info.value_size);
    *error = "the descriptor gives no map: " + ErrnoName(static_cast<Errno>(-result));
    return nullptr;
  }

 private:
  const BpfApi api_;
};

}  // namespace

std::unique_ptr<VmStore> MakeHelperStore(const ProgApi& api) {
  return std::make_unique<HelperStore>(api);
}
std::unique_ptr<VmStore> MakeLibbpfStore(const BpfApi& api) {
  return std::make_unique<LibbpfStore>(api);
}

}  // namespace mapspec
