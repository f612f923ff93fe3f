// SPDX-License-Identifier: MIT
#include "backends/userspace/handle_table.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "backends/userspace/epoch.h"
#include "backends/userspace/mutant.h"

namespace usermaps {
namespace {

// Opens the file behind `fd` a second time, as a description of its own.
int Reopen(int fd, int flags) {
  char path[32];
  std::snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  const int again = open(path, flags | O_CLOEXEC);
  return again < 0 ? -errno : again;
}

// A description of a new empty file that can be neither read, written nor mapped, in the lowest
// free descriptor.
int OpenUnmappable() {
  // One call where there is a tmpfs: the access mode 3 permits nothing but to ask and to seek.
  constexpr int kNoAccess = O_ACCMODE;
  const int temporary = open("/dev/shm", O_TMPFILE | kNoAccess | O_CLOEXEC, 0);
  if (temporary >= 0) return temporary;
  if (errno == EMFILE || errno == ENFILE) return -errno;
  const int fd = memfd_create("bpf-map", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return -errno;
  fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_WRITE | F_SEAL_SEAL);
  // Write-only makes mmap(2) fail. Without a second descriptor or without /proc the handle stays as
  // it is, and works.
  const int write_only = Reopen(fd, O_WRONLY);
  if (write_only >= 0) {
    dup3(write_only, fd, O_CLOEXEC);
    close(write_only);
  }
  return fd;
}

int OpenMappable(const Map& map, Access access) {
  int mode = O_RDWR;
  if (!access.write || (map.spec().flags & BPF_F_RDONLY_PROG) != 0) mode = O_RDONLY;
  if (!access.read) mode = O_WRONLY;
  return Reopen(map.MappableArea()->file(), mode);
}

const Area* AreaOf(const Handle& handle) {
  return handle.map == nullptr ? nullptr : handle.map->MappableArea();
}

bool StandsAt(int fd, uint64_t cookie) {
  return lseek(fd, 0, SEEK_CUR) == static_cast<off_t>(cookie);
}

// The handle that this thread opened last. KeepOpen is called right after that, as a rule.
thread_local int last_opened_fd = -1;
thread_local uint64_t last_opened_cookie = 0;

// As libbpf: never hand out the numbers of the standard streams.
int AvoidStandardStreams(int fd) {
  if (fd < 0 || fd > STDERR_FILENO) return fd;
  const int moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  const int error = errno;
  close(fd);
  return moved < 0 ? -error : moved;
}

}  // namespace

HandleTable& HandleTable::Instance() {
  static auto* table = new HandleTable;
  return *table;
}

std::atomic<Handle*>* HandleTable::SlotOf(uint64_t cookie) {
  const uint32_t slot = SlotNumber(cookie);
  Chunk* chunk = chunks_[slot / kSlotsPerChunk].load(std::memory_order_acquire);
  return chunk == nullptr ? nullptr : &(*chunk)[slot % kSlotsPerChunk];
}

Handle* HandleTable::FindByCookie(uint64_t cookie) {
  std::atomic<Handle*>* slot = SlotOf(cookie);
  if (slot == nullptr) return nullptr;
  // Sequentially consistent, to be ordered after the entry into the epoch.
  Handle* handle = slot->load();
  return handle != nullptr && handle->cookie == cookie ? handle : nullptr;
}

int HandleTable::Resolve(int fd, const Handle** out) {
  if (const Handle* kept = Kept(fd); kept != nullptr) {
    *out = kept;
    return 0;
  }
  if (fd < 0) return -EBADF;
  const off_t offset = lseek(fd, 0, SEEK_CUR);
  if (offset < 0) return errno == EBADF ? -EBADF : -EINVAL;
  *out = FindByCookie(static_cast<uint64_t>(offset));
  return *out != nullptr ? 0 : Identify(fd, out);
}

void HandleTable::KeepOpen(int fd) {
  if (fd < 0 || fd >= kMaxKept) return;
  // Under the lock, so that no sweep drops the handle in between.
  std::lock_guard lock(mutex_);
  const off_t offset =
      fd == last_opened_fd ? static_cast<off_t>(last_opened_cookie) : lseek(fd, 0, SEEK_CUR);
  last_opened_fd = -1;
  if (offset < 0) return;
  Handle* handle = FindByCookie(static_cast<uint64_t>(offset));
  if (handle == nullptr || handle->kept_at >= 0) return;
  if (Handle* before = Kept(fd); before != nullptr) Forget(before);  // That promise was broken.
  handle->kept_at = fd;
  ++live_kept_;
  if (handle->map != nullptr) ++handle->map->kept_handles;
  kept_[static_cast<size_t>(fd)].store(handle);
}

int HandleTable::Close(int fd) {
  Handle* dropped = nullptr;
  bool idle = false;
  {
    std::lock_guard lock(mutex_);
    if (Handle* handle = Kept(fd); handle != nullptr) {
      Forget(handle);
      // A map that may still be mapped Sweep looks after.
      const Area* area = AreaOf(*handle);
      const bool was_mapped = area != nullptr && area->was_mapped();
      if ((!was_mapped || HandlesOf(handle->map) > 1) &&
          !MUTANT("generic.close.deletes-map/never-reclaims")) {
        dropped = handle;
        idle = area == nullptr && idle_.size() < kMaxIdle;
        if (idle) {
          idle_.push_back({fd, handle->cookie, handle->device, handle->inode, handle->access_mode});
          Empty(handle);
        } else {
          Drop(handle);
        }
      }
    } else {
      for (const IdleDescription& one : idle_) {
        if (one.fd == fd && StandsAt(fd, one.cookie)) return -EBADF;
      }
    }
  }
  const int result = idle || close(fd) == 0 ? 0 : -errno;
  if (dropped != nullptr) {
    Epoch::Synchronize();
    delete dropped;
  }
  return result;
}

void HandleTable::Forget(Handle* handle) {
  if (handle->kept_at < 0) return;
  kept_[static_cast<size_t>(handle->kept_at)].store(nullptr);
  handle->kept_at = -1;
  --live_kept_;
  if (handle->map != nullptr) --handle->map->kept_handles;
}

void HandleTable::Empty(Handle* handle) {
  SlotOf(handle->cookie)->store(nullptr);
  --live_;
  if (handle->map != nullptr) bytes_ -= handle->map->Footprint();
}

void HandleTable::Drop(Handle* handle) {
  Empty(handle);
  free_slots_.push_back(SlotNumber(handle->cookie));
}

size_t HandleTable::HandlesOf(const Map* map) {
  size_t count = 0;
  for (uint32_t slot = 0; slot < used_slots_; ++slot) {
    const Handle* handle = SlotOf(slot)->load();
    count += handle != nullptr && handle->map == map ? 1 : 0;
  }
  return count;
}

// The slow way: by the file. Two handles of one mappable array differ by their access mode, if at
// all. The descriptor may be closed by another thread meanwhile; that is this function's business
// and no mistake, so it asks with statx, which ThreadSanitizer (unlike fstat) does not watch.
int HandleTable::Identify(int fd, const Handle** out) {
  struct statx file;
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || statx(fd, "", AT_EMPTY_PATH, STATX_INO, &file) != 0) {
    return errno == EBADF ? -EBADF : -EINVAL;
  }
  const dev_t device = makedev(file.stx_dev_major, file.stx_dev_minor);
  std::lock_guard lock(mutex_);
  for (const IdleDescription& idle : idle_) {
    if (idle.device == device && idle.inode == file.stx_ino) return -EBADF;
  }
  for (uint32_t slot = 0; slot < used_slots_; ++slot) {
    Handle* handle = SlotOf(slot)->load();
    if (handle != nullptr && handle->device == device && handle->inode == file.stx_ino &&
        handle->access_mode == (flags & O_ACCMODE)) {
      lseek(fd, static_cast<off_t>(handle->cookie), SEEK_SET);
      *out = handle;
      return 0;
    }
  }
  return -EINVAL;
}

int HandleTable::Open(std::shared_ptr<Object> object, Access access) {
  {
    std::unique_lock lock(mutex_);
    const bool due = SweepIsDue();
    lock.unlock();
    if (due) Sweep();
  }
  Map* map = object->AsMap();
  const bool mappable = map != nullptr && map->MappableArea() != nullptr;
  if (!mappable) {
    if (const int fd = OpenIdle(object, access); fd >= 0) return fd;
  }
  const auto open = [&] {
    return AvoidStandardStreams(mappable ? OpenMappable(*map, access) : OpenUnmappable());
  };
  int fd = open();
  if (fd == -EMFILE || fd == -ENFILE) {
    CloseIdle();
    fd = open();
  }
  if (fd < 0) return fd;
  if (const int err = Register(fd, std::move(object), access); err != 0) {
    close(fd);
    return err;
  }
  return fd;
}

// -1 when there is none.
int HandleTable::OpenIdle(const std::shared_ptr<Object>& object, Access access) {
  std::lock_guard lock(mutex_);
  while (!idle_.empty()) {
    const IdleDescription idle = idle_.back();
    idle_.pop_back();
    // Whoever closes all descriptors, or puts another at this number, had this one in mind too.
    if (!StandsAt(idle.fd, idle.cookie)) {
      free_slots_.push_back(SlotNumber(idle.cookie));
      continue;
    }
    auto handle = std::make_unique<Handle>();
    handle->cookie = idle.cookie;
    handle->object = object;
    handle->access = access;
    handle->device = idle.device;
    handle->inode = idle.inode;
    handle->access_mode = idle.access_mode;
    Fill(idle.fd, std::move(handle));
    return idle.fd;
  }
  return -1;
}

void HandleTable::CloseIdle() {
  std::lock_guard lock(mutex_);
  for (const IdleDescription& idle : idle_) {
    if (StandsAt(idle.fd, idle.cookie)) close(idle.fd);
    free_slots_.push_back(SlotNumber(idle.cookie));
  }
  idle_.clear();
}

int HandleTable::Register(int fd, std::shared_ptr<Object> object, Access access) {
  struct stat file;
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fstat(fd, &file) != 0) return -errno;
  auto handle = std::make_unique<Handle>();
  handle->object = std::move(object);
  handle->access = access;
  handle->device = file.st_dev;
  handle->inode = file.st_ino;
  handle->access_mode = flags & O_ACCMODE;

  std::lock_guard lock(mutex_);
  uint32_t slot = used_slots_;
  if (!free_slots_.empty()) {
    slot = free_slots_.back();
    free_slots_.pop_back();
  } else if (used_slots_ == kMaxChunks * kSlotsPerChunk) {
    return -ENFILE;
  } else {
    std::atomic<Chunk*>& chunk = chunks_[slot / kSlotsPerChunk];
    if (chunk.load() == nullptr) chunk.store(new Chunk{});
    ++used_slots_;
  }
  // 62 bits, so that it is a valid offset; the high bits are random, so that an offset of another
  // file is not a cookie.
  handle->cookie = ((random_() >> 2) & ~((uint64_t{1} << kSlotBits) - 1)) | slot;
  if (lseek(fd, static_cast<off_t>(handle->cookie), SEEK_SET) < 0) {
    free_slots_.push_back(slot);
    return -errno;
  }
  Fill(fd, std::move(handle));
  return 0;
}

void HandleTable::Fill(int fd, std::unique_ptr<Handle> handle) {
  handle->map = handle->object->AsMap();
  handle->seen_in = looks_;
  ++live_;
  highest_fd_ = std::max(highest_fd_, fd);
  if (handle->map != nullptr) bytes_ += handle->map->Footprint();
  last_opened_fd = fd;
  last_opened_cookie = handle->cookie;
  SlotOf(handle->cookie)->store(handle.release());
}

// Amortised: a sweep costs a system call per open descriptor, so it waits until there are twice as
// many handles (or twice as many bytes) as survived the last one.
bool HandleTable::SweepIsDue() const {
  constexpr size_t kFewHandles = 64;
  constexpr uint64_t kFewBytes = uint64_t{256} << 20;
  return live_ >= std::max(kFewHandles, 2 * live_after_sweep_) ||
         bytes_ >= std::max(kFewBytes, 2 * bytes_after_sweep_);
}

void HandleTable::MarkIfHandle(int fd, uint64_t look) {
  const off_t offset = lseek(fd, 0, SEEK_CUR);
  if (offset <= 0) return;
  if (Handle* handle = FindByCookie(static_cast<uint64_t>(offset)); handle != nullptr)
    handle->seen_in = look;
}

void HandleTable::MarkOpenHandles(uint64_t look) {
  if (DIR* directory = opendir("/proc/self/fd"); directory != nullptr) {
    while (const dirent* entry = readdir(directory)) {
      if (entry->d_name[0] != '.') MarkIfHandle(std::atoi(entry->d_name), look);
    }
    closedir(directory);
    return;
  }
  // No descriptor left for the directory, or no /proc: ask every number there can be. The soft
  // limit may have been lowered below what is open.
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  constexpr rlim_t kSane = 1U << 20;
  const int end = std::max(static_cast<int>(std::min(limit.rlim_max, kSane)), highest_fd_ + 1);
  for (int fd = 0; fd < end; ++fd) MarkIfHandle(fd, look);
}

std::vector<Handle*> HandleTable::Unseen(uint64_t look) {
  std::vector<Handle*> unseen;
  std::vector<const Map*> kept_maps;
  for (uint32_t slot = 0; slot < used_slots_; ++slot) {
    Handle* handle = SlotOf(slot)->load();
    if (handle == nullptr || handle->seen_in >= look) continue;
    // A mapping keeps its map as a descriptor does, and one handle with it.
    const Area* area = AreaOf(*handle);
    const bool kept = std::find(kept_maps.begin(), kept_maps.end(), handle->map) != kept_maps.end();
    if (area != nullptr && !kept && area->Mappings().any &&
        !MUTANT("array.mmap.outlives-descriptor/forgotten")) {
      kept_maps.push_back(handle->map);
      continue;
    }
    unseen.push_back(handle);
  }
  return unseen;
}

// What another thread's sweep has dropped from the table but not yet deleted is not gone: its
// object can still be found by its id. Hence one at a time, and nothing is known while one goes on.

void HandleTable::SweepUnlessAllAreKept() {
  std::lock_guard sweeping(sweep_mutex_);
  {
    std::lock_guard lock(mutex_);
    if (live_kept_ == live_) return;
  }
  SweepAlone();
}

void HandleTable::Sweep() {
  std::lock_guard sweeping(sweep_mutex_);
  SweepAlone();
}

void HandleTable::SweepAlone() {
  if (MUTANT("generic.close.deletes-map/never-reclaims")) return;
  std::vector<Handle*> dropped;
  {
    std::lock_guard lock(mutex_);
    const uint64_t first_look = ++looks_;
    MarkOpenHandles(first_look);
    if (!Unseen(first_look).empty()) {
      // A handle must be missed by both looks.
      MarkOpenHandles(++looks_);
      for (Handle* handle : Unseen(first_look)) {
        Forget(handle);
        Drop(handle);
        dropped.push_back(handle);
      }
    }
    live_after_sweep_ = live_;
    bytes_after_sweep_ = bytes_;
  }
  if (dropped.empty()) return;
  Epoch::Synchronize();
  for (Handle* handle : dropped) delete handle;
}

}  // namespace usermaps
