// SPDX-License-Identifier: MIT
//
// Objects by id and by pin.
//
// Ids: given in rising order and not reused until they wrap; they do not keep an object alive.
// Pins: a pin is a regular file made for it; the registry holds a descriptor of the file, which
//   tells when the last link is gone (unlink, also after a rename) and keeps the inode number from
//   being reused. A pin keeps its object alive.
// Thread-safety: all members may be called by any thread, outside an Epoch::Guard.
// Errors: 0 or -errno, those of bpf(2) on bpffs where a general file system can give them.
#ifndef BACKENDS_USERSPACE_OBJECT_REGISTRY_H_
#define BACKENDS_USERSPACE_OBJECT_REGISTRY_H_

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "backends/userspace/btf.h"
#include "backends/userspace/map.h"

namespace usermaps {

class ObjectRegistry {
 public:
  static ObjectRegistry& Instance();

  void AddMap(const std::shared_ptr<Map>& map);  // gives it its id
  void AddBtf(const std::shared_ptr<Btf>& btf);

  // Null: no map with that id has a handle or a pin.
  std::shared_ptr<Map> FindMap(uint32_t id);
  // The smallest id above `id`; 0: none.
  uint32_t NextMapId(uint32_t id);

  int Pin(std::shared_ptr<Object> object, const char* path);
  int GetPinned(const char* path, int access_mode, std::shared_ptr<Object>* out);

  // Lets go of everything that nothing refers to any more.
  void Reclaim();

 private:
  // Whether anything refers to a map, as far as can be told without a system call.
  enum class Life : uint8_t { kGone, kSure, kDoubtful };
  static Life LifeOf(const std::shared_ptr<Map>& map);
  std::shared_ptr<Map> LockMap(uint32_t id);
  // The map with the smallest id above `id`.
  std::shared_ptr<Map> LockNextMap(uint32_t id);
  void ReclaimPins();
  void DropExpired();

  struct PinnedFile {
    int fd;
    dev_t device;
    ino_t inode;
    std::shared_ptr<Object> object;
  };

  std::mutex mutex_;
  uint32_t last_map_id_ = 0;
  uint32_t last_btf_id_ = 0;
  std::map<uint32_t, std::weak_ptr<Map>> maps_;
  size_t maps_after_drop_ = 0;
  std::vector<PinnedFile> pins_;
  size_t pins_after_reclaim_ = 0;
};

}  // namespace usermaps

#endif  // BACKENDS_USERSPACE_OBJECT_REGISTRY_H_
