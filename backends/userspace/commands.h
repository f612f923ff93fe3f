// SPDX-License-Identifier: MIT
//
// What the commands share: the way from a file descriptor to a map, option structs, and the libbpf
// return convention.
//
// Thread-safety: a MapRef belongs to one thread; the functions may be called by any.
// Errors: 0 or -errno inside the library; Return() turns that into what a caller of libbpf gets.
#ifndef BACKENDS_USERSPACE_COMMANDS_H_
#define BACKENDS_USERSPACE_COMMANDS_H_

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>

#include "backends/userspace/epoch.h"
#include "backends/userspace/handle_table.h"
#include "backends/userspace/map.h"

namespace usermaps {

// libbpf 1.x: -errno is returned and errno set.
inline int Return(int result) {
  if (result < 0) errno = -result;
  return result;
}

// Runs a command that allocates; nothing is thrown across the C interface.
template <typename Command>
int ReturnFrom(const Command& command) noexcept {
  try {
    return Return(command());
  } catch (const std::exception&) {
    return Return(-ENOMEM);
  }
}

// The map a descriptor means, for the length of one operation. Keeps the handle (and so the map)
// from being reclaimed.
class MapRef {
 public:
  explicit MapRef(int fd);

  int error() const { return error_; }  // 0, -EBADF or -EINVAL; if not 0, nothing else may be asked
  Map* operator->() const { return handle_->map; }
  Map& operator*() const { return *handle_->map; }
  const Handle& handle() const { return *handle_; }

  // 0 or -EPERM. No handle of a frozen map may write.
  int CheckRead() const;
  int CheckWrite() const;

 private:
  Epoch::Guard guard_;  // first: it protects what follows
  const Handle* handle_ = nullptr;
  int error_ = 0;
};

// A copy of a versioned option struct: fields beyond the caller's `sz` are zero. `known` is the end
// of the last field that this library knows; -EINVAL if the caller set something beyond it. A null
// `from` is all zeros.
template <typename Opts>
int ReadOpts(const Opts* from, size_t known, Opts* to) {
  *to = Opts{};
  if (from == nullptr) return 0;
  if (from->sz < sizeof(from->sz)) return -EINVAL;
  const auto* bytes = reinterpret_cast<const std::byte*>(from);
  for (size_t i = known; i < from->sz; ++i) {
    if (bytes[i] != std::byte{0}) return -EINVAL;
  }
  std::memcpy(to, from, std::min({from->sz, known, sizeof(Opts)}));
  return 0;
}

// BPF_F_RDONLY and BPF_F_WRONLY of a creation or an opening; -EINVAL if both are set.
int ReadAccess(uint32_t flags, Access* access);
// The same for commands that know no other flag; -EINVAL for one.
int ReadOpenFlags(uint32_t flags, Access* access);

}  // namespace usermaps

#endif  // BACKENDS_USERSPACE_COMMANDS_H_
