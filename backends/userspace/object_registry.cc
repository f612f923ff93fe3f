// SPDX-License-Identifier: MIT
#include "backends/userspace/object_registry.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

#include "backends/userspace/area.h"
#include "backends/userspace/buried_maps.h"
#include "backends/userspace/handle_table.h"
#include "backends/userspace/mutant.h"

namespace usermaps {
namespace {

// bpffs keeps names with a dot for itself. The directory's own errors come first.
int CheckPinName(std::string_view path) {
  const size_t slash = path.rfind('/');
  const std::string_view name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  if (name == "." || name == ".." || name.find('.') == std::string_view::npos) return 0;
  const std::string directory(slash == std::string_view::npos ? "."
                              : slash == 0                    ? "/"
                                                              : path.substr(0, slash));
  struct stat status;
  if (stat(directory.c_str(), &status) != 0) return -errno;
  if (!S_ISDIR(status.st_mode)) return -ENOTDIR;
  if (MUTANT("generic.pin.dot/accepted")) return 0;
  return MUTANT("generic.pin.dot-errno/wrong-errno") ? -EINVAL : -EPERM;
}

}  // namespace

ObjectRegistry& ObjectRegistry::Instance() {
  static auto* registry = new ObjectRegistry;
  return *registry;
}

void ObjectRegistry::DropExpired() {
  std::erase_if(maps_, [](const auto& entry) { return entry.second.expired(); });
  maps_after_drop_ = maps_.size();
}

void ObjectRegistry::AddMap(const std::shared_ptr<Map>& map) {
  std::lock_guard lock(mutex_);
  // Amortised, and here, since nobody need ever ask for an id.
  constexpr size_t kFewMaps = 64;
  if (maps_.size() >= std::max(kFewMaps, 2 * maps_after_drop_)) DropExpired();
  do {
    last_map_id_ = last_map_id_ >= INT32_MAX - 1 ? 1 : last_map_id_ + 1;
  } while (maps_.contains(last_map_id_) && !maps_[last_map_id_].expired());
  map->id = last_map_id_;
  maps_[last_map_id_] = map;
}

void ObjectRegistry::AddBtf(const std::shared_ptr<Btf>& btf) {
  std::lock_guard lock(mutex_);
  btf->id = ++last_btf_id_;
}

// Most maps that are asked about surely live or surely do not: only for the others somebody has to
// look whether anything still refers to them.
ObjectRegistry::Life ObjectRegistry::LifeOf(const std::shared_ptr<Map>& map) {
  if (map == nullptr) return Life::kGone;
  return map->kept_handles.load() != 0 ? Life::kSure : Life::kDoubtful;
}

std::shared_ptr<Map> ObjectRegistry::LockMap(uint32_t id) {
  std::lock_guard lock(mutex_);
  auto found = maps_.find(id);
  if (found != maps_.end() && MUTANT("generic.get_fd_by_id.same-map/gives-the-first")) {
    found = maps_.begin();
  }
  return found == maps_.end() ? nullptr : found->second.lock();
}

std::shared_ptr<Map> ObjectRegistry::FindMap(uint32_t id) {
  std::shared_ptr<Map> map = LockMap(id);
  if (LifeOf(map) != Life::kDoubtful) return map;
  map.reset();
  Reclaim();
  return LockMap(id);
}

std::shared_ptr<Map> ObjectRegistry::LockNextMap(uint32_t id) {
  std::lock_guard lock(mutex_);
  for (auto next = maps_.upper_bound(id); next != maps_.end(); ++next) {
    if (std::shared_ptr<Map> map = next->second.lock(); map != nullptr) return map;
  }
  return nullptr;
}

uint32_t ObjectRegistry::NextMapId(uint32_t id) {
  std::shared_ptr<Map> map = LockNextMap(id);
  if (LifeOf(map) == Life::kDoubtful) {
    map.reset();
    Reclaim();
    map = LockNextMap(id);
  }
  return map == nullptr ? 0 : map->id;
}

void ObjectRegistry::ReclaimPins() {
  std::vector<std::shared_ptr<Object>> released;  // destroyed after the lock is gone
  std::lock_guard lock(mutex_);
  std::erase_if(pins_, [&](PinnedFile& pin) {
    struct stat status;
    if (fstat(pin.fd, &status) == 0 && status.st_nlink != 0) return false;
    close(pin.fd);
    released.push_back(std::move(pin.object));
    return true;
  });
  pins_after_reclaim_ = pins_.size();
}

void ObjectRegistry::Reclaim() {
  ReclaimPins();
  HandleTable::Instance().SweepUnlessAllAreKept();
  BuriedMaps::Collect();
  std::lock_guard lock(mutex_);
  DropExpired();
}

int ObjectRegistry::Pin(std::shared_ptr<Object> object, const char* path) {
  if (path == nullptr) return -EFAULT;
  if (*path == '\0') return -ENOENT;
  if (MUTANT("generic.pin.creates/refused")) return -EPERM;
  if (const int err = CheckPinName(path); err != 0) return err;
  {
    // Amortised, and here, since nobody need ever ask for what is gone.
    constexpr size_t kFewPins = 16;
    std::unique_lock lock(mutex_);
    const bool due = pins_.size() >= std::max(kFewPins, 2 * pins_after_reclaim_);
    lock.unlock();
    if (due) ReclaimPins();
  }
  const int file = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (file < 0) {
    if (errno == EEXIST && MUTANT("generic.pin.exists/wrong-errno")) return -EPERM;
    if (errno == ENOENT && MUTANT("generic.pin.missing-directory/wrong-errno")) return -EPERM;
    return errno == EISDIR ? -ENOENT : -errno;  // EISDIR: "name/", a directory that does not exist
  }
  struct stat status;
  if (fstat(file, &status) != 0) {
    const int error = errno;
    close(file);
    unlink(path);
    return -error;
  }
  if (MUTANT("generic.pin.keeps-map/forgets")) {
    close(file);
    return 0;
  }
  const int keeper = MoveFdUp(file);
  std::lock_guard lock(mutex_);
  pins_.push_back({keeper, status.st_dev, status.st_ino, std::move(object)});
  return 0;
}

int ObjectRegistry::GetPinned(const char* path, int access_mode, std::shared_ptr<Object>* out) {
  if (path == nullptr) return -EFAULT;
  struct stat status;
  if (stat(path, &status) != 0) return -errno;
  const int wanted = access_mode == O_RDONLY ? R_OK : access_mode == O_WRONLY ? W_OK : R_OK | W_OK;
  if (faccessat(AT_FDCWD, path, wanted, AT_EACCESS) != 0) return -errno;
  std::lock_guard lock(mutex_);
  for (const PinnedFile& pin : pins_) {
    if (pin.device == status.st_dev && pin.inode == status.st_ino) {
      if (MUTANT("generic.obj_get.same-map/gives-the-last-pinned")) {
        *out = pins_.back().object;
        return 0;
      }
      *out = pin.object;
      return 0;
    }
  }
  return -EACCES;
}

}  // namespace usermaps
