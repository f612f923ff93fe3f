// SPDX-License-Identifier: MIT
//
// A map as a program sees it, for tests of the helpers.
//
// Ownership: InProgram owns the descriptor and the handle, and its life is a run of the program.
// Thread-safety: belongs to the thread that made it.
#ifndef BACKENDS_USERSPACE_USERMAPS_PROG_TEST_SUPPORT_H_
#define BACKENDS_USERSPACE_USERMAPS_PROG_TEST_SUPPORT_H_

#include <cstdint>
#include <utility>

#include "backends/userspace/usermaps_prog.h"
#include "backends/userspace/usermaps_test_support.h"

namespace usermaps::testing {

// A map, and a handle of it inside a run.
class InProgram {
 public:
  explicit InProgram(Fd fd) : fd_(std::move(fd)), map_(usermaps_prog_map_get(fd_)) {
    usermaps_prog_enter();
  }
  ~InProgram() {
    usermaps_prog_exit();
    usermaps_prog_map_put(map_);
  }
  InProgram(const InProgram&) = delete;
  InProgram& operator=(const InProgram&) = delete;

  int fd() const { return fd_; }
  void CloseFd() { fd_.Close(); }
  usermaps_prog_map* map() const { return map_; }
  uint32_t* Find(uint32_t key) const {
    return static_cast<uint32_t*>(usermaps_prog_map_lookup_elem(map_, &key));
  }
  long Set(uint32_t key, uint32_t value, uint64_t flags = BPF_ANY) const {
    return usermaps_prog_map_update_elem(map_, &key, &value, flags);
  }
  long Remove(uint32_t key) const { return usermaps_prog_map_delete_elem(map_, &key); }
  long Push(uint32_t value, uint64_t flags = BPF_ANY) const {
    return usermaps_prog_map_push_elem(map_, &value, flags);
  }

 private:
  Fd fd_;
  usermaps_prog_map* map_;
};

}  // namespace usermaps::testing

#endif  // BACKENDS_USERSPACE_USERMAPS_PROG_TEST_SUPPORT_H_
