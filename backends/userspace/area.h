// SPDX-License-Identifier: MIT
//
// Zero-filled memory of a map: committed page by page when first touched, unless it is small.
//
// Purpose: a map reserves room for max_entries elements at creation; an untouched element costs
//   nothing.
// Units: bytes.
// Ownership: the Area frees or unmaps (and closes) what it made.
// Errors: -ENOMEM, also for sizes beyond the machine's memory, as the kernel's allocator answers
//   them.
// Thread-safety: the object is immutable once made; the bytes are the caller's business.
#ifndef BACKENDS_USERSPACE_AREA_H_
#define BACKENDS_USERSPACE_AREA_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace usermaps {

class Area {
 public:
  Area() = default;
  ~Area();
  Area(Area&& other) noexcept;
  Area& operator=(Area&& other) noexcept;

  // Private memory.
  static int Make(uint64_t size, Area* out);
  // Memory that others can map through file().
  static int MakeShared(uint64_t size, Area* out);

  std::byte* data() const { return data_; }
  uint64_t size() const { return size_; }
  // The memfd behind shared memory, owned by the Area; -1 for private memory.
  int file() const { return file_; }
  // How this process maps file() besides the Area's own mapping.
  struct Mapped {
    bool any = false;
    bool writable = false;
  };
  Mapped Mappings() const;
  // Whether usermaps_mmap ever mapped it.
  bool was_mapped() const { return was_mapped_.load(std::memory_order_relaxed); }
  void NoteMapped() const { was_mapped_.store(true, std::memory_order_relaxed); }

 private:
  std::byte* data_ = nullptr;
  uint64_t size_ = 0;
  int file_ = -1;
  mutable std::atomic<bool> was_mapped_{false};
};

// Moves a descriptor the library keeps for itself out of the way of the numbers a program may
// expect to get.
int MoveFdUp(int fd);

}  // namespace usermaps

#endif  // BACKENDS_USERSPACE_AREA_H_
