// SPDX-License-Identifier: MIT
//
// File descriptors as handles: which object does this descriptor mean, with which permission, and
// which handles are gone.
//
// How: a handle is an open file description of a file in memory whose file offset is a cookie,
//   unique and mostly random. One lseek(fd, 0, SEEK_CUR) therefore says whether the descriptor is
//   open, whether it is ours and which handle it is. It is the cheapest question that survives
//   close(2), dup(2), dup2(2) and the reuse of descriptor numbers, none of which can be noticed
//   otherwise. Should somebody move the offset, the file's identity (fstat) finds the handle and
//   the offset is mended. The file of a handle that cannot be mapped is an empty temporary one,
//   open for neither reading nor writing, so that mmap(2) fails; without /dev/shm a sealed memfd,
//   open for writing only. Handles of a mappable array are descriptions of the array's own file,
//   opened with the permission they have.
// Promises: who closes descriptors through Close() alone spares the question, which is a system
//   call: KeepOpen notes the handle under the descriptor's number, and Close drops it. Should the
//   promise be broken, answers are those of the old handle until Sweep drops it, and the note with
//   it; where all handles are kept, that is when there are twice as many. Opening a file and
//   closing it cost more than most commands on maps, so a kept handle that cannot be mapped leaves
//   its description behind for the next: it is idle, and is asked whether it is still that one
//   before it is used.
// Reclaiming: nobody else tells when a description is closed. Sweep() asks every descriptor of the
//   process and drops the handles that none of them means. It looks twice before it drops one,
//   since a descriptor can move while it looks.
// Ownership: the table keeps a handle's object alive until it is swept. Descriptors belong to the
//   caller.
// Thread-safety: Resolve takes no lock, and its result is valid inside the Epoch::Guard it was
//   called in. Open and Sweep serialise, and must not be called inside a Guard.
// Errors: -EBADF a closed descriptor, -EINVAL one that is not ours; Open: those of open(2),
//   notably -EMFILE.
#ifndef BACKENDS_USERSPACE_HANDLE_TABLE_H_
#define BACKENDS_USERSPACE_HANDLE_TABLE_H_

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <random>
#include <vector>

#include "backends/userspace/map.h"

namespace usermaps {

struct Access {
  bool read = true;
  bool write = true;
};

struct Handle {
  uint64_t cookie = 0;
  std::shared_ptr<Object> object;
  Map* map = nullptr;  // object as a map, or null
  Access access;
  dev_t device = 0;
  ino_t inode = 0;
  int access_mode = 0;   // O_ACCMODE of the description
  uint64_t seen_in = 0;  // the last look of Sweep that met this handle
  int kept_at = -1;      // the descriptor that KeepOpen noted it under
};

class HandleTable {
 public:
  static HandleTable& Instance();

  int Resolve(int fd, const Handle** out);

  // The promise that the number `fd` is the only one of its handle and means it until Close(fd). Of
  // handles only, and once for each; otherwise without effect.
  void KeepOpen(int fd);
  // The end of the handle that was kept there, whose descriptor may become idle, or else close(2):
  // 0 or -errno.
  int Close(int fd);

  // A new descriptor for `object`, or -errno.
  int Open(std::shared_ptr<Object> object, Access access);

  void Sweep();
  // Where every handle is promised to be open there is nothing to look for.
  void SweepUnlessAllAreKept();

 private:
  static constexpr uint32_t kSlotsPerChunk = 1U << 12;
  static constexpr uint32_t kMaxChunks = 1U << 12;
  static constexpr int kSlotBits = 24;
  static constexpr int kMaxKept = 1 << 14;  // higher numbers are asked about each time
  static constexpr size_t kMaxIdle = 64;
  using Chunk = std::array<std::atomic<Handle*>, kSlotsPerChunk>;
  // An open description that no handle means: an empty slot is reserved for its cookie.
  struct IdleDescription {
    int fd = -1;
    uint64_t cookie = 0;
    dev_t device = 0;
    ino_t inode = 0;
    int access_mode = 0;
  };

  static uint32_t SlotNumber(uint64_t cookie) { return cookie & ((1U << kSlotBits) - 1); }
  std::atomic<Handle*>* SlotOf(uint64_t cookie);
  Handle* FindByCookie(uint64_t cookie);
  Handle* Kept(int fd) {
    return fd >= 0 && fd < kMaxKept ? kept_[static_cast<size_t>(fd)].load() : nullptr;
  }
  void Forget(Handle* handle);
  // Takes the handle out of its slot, or out of the table with its slot. Its owner deletes it after
  // Epoch::Synchronize().
  void Empty(Handle* handle);
  void Drop(Handle* handle);
  size_t HandlesOf(const Map* map);
  int Identify(int fd, const Handle** out);
  int OpenIdle(const std::shared_ptr<Object>& object, Access access);
  void CloseIdle();
  int Register(int fd, std::shared_ptr<Object> object, Access access);
  void Fill(int fd, std::unique_ptr<Handle> handle);
  bool SweepIsDue() const;
  void SweepAlone();  // Under sweep_mutex_.
  void MarkOpenHandles(uint64_t look);
  void MarkIfHandle(int fd, uint64_t look);
  std::vector<Handle*> Unseen(uint64_t look);

  std::array<std::atomic<Chunk*>, kMaxChunks> chunks_{};
  std::array<std::atomic<Handle*>, kMaxKept> kept_{};  // by descriptor
  std::mutex sweep_mutex_;  // held by a sweep to its end; taken before mutex_
  std::mutex mutex_;        // guards everything below, and writing of slots and of what is kept
  uint32_t used_slots_ = 0;
  std::vector<uint32_t> free_slots_;
  std::vector<IdleDescription> idle_;
  std::mt19937_64 random_{std::random_device{}()};
  uint64_t looks_ = 0;
  size_t live_ = 0;
  size_t live_kept_ = 0;  // of these, those that KeepOpen noted
  int highest_fd_ = 0;    // of those given out
  size_t live_after_sweep_ = 0;
  uint64_t bytes_ = 0;
  uint64_t bytes_after_sweep_ = 0;
};

}  // namespace usermaps

#endif  // BACKENDS_USERSPACE_HANDLE_TABLE_H_
