// SPDX-License-Identifier: MIT
//
// What the tests of usermaps share: a descriptor that closes itself, short ways to make maps, and a
// BTF blob with a spin lock.
//
// Ownership: Fd owns its descriptor.
// Thread-safety: as what it wraps.
#ifndef BACKENDS_USERSPACE_USERMAPS_TEST_SUPPORT_H_
#define BACKENDS_USERSPACE_USERMAPS_TEST_SUPPORT_H_

#include <linux/btf.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "backends/userspace/possible_cpus.h"
#include "backends/userspace/usermaps.h"

namespace usermaps::testing {

class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  ~Fd() { Close(); }
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  // NOLINTNEXTLINE(google-explicit-constructor): it stands for the number everywhere.
  operator int() const { return fd_; }
  void Close() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
};

inline uint32_t CpuCount() { return PossibleCpus::Instance().count(); }

inline Fd MakeMap(bpf_map_type type, uint32_t key_size, uint32_t value_size, uint32_t max_entries,
                  uint32_t flags = 0) {
  bpf_map_create_opts opts{};
  opts.sz = sizeof opts;
  opts.map_flags = flags;
  return Fd(usermaps_map_create(type, "test", key_size, value_size, max_entries, &opts));
}
inline Fd MakeHash(uint32_t max_entries, uint32_t flags = 0) {
  return MakeMap(BPF_MAP_TYPE_HASH, 4, 4, max_entries, flags);
}
inline Fd MakeArray(uint32_t max_entries, uint32_t flags = 0) {
  return MakeMap(BPF_MAP_TYPE_ARRAY, 4, 4, max_entries, flags);
}
inline Fd MakeQueue(uint32_t max_entries) { return MakeMap(BPF_MAP_TYPE_QUEUE, 0, 4, max_entries); }
inline Fd MakeStack(uint32_t max_entries) { return MakeMap(BPF_MAP_TYPE_STACK, 0, 4, max_entries); }

inline int Put(int fd, uint32_t key, uint32_t value, uint64_t flags = BPF_ANY) {
  return usermaps_map_update_elem(fd, &key, &value, flags);
}
// The value, or -errno.
inline int64_t Get(int fd, uint32_t key) {
  uint32_t value = 0;
  const int result = usermaps_map_lookup_elem(fd, &key, &value);
  return result == 0 ? int64_t{value} : result;
}
inline int Push(int fd, uint32_t value, uint64_t flags = BPF_ANY) {
  return usermaps_map_update_elem(fd, nullptr, &value, flags);
}
inline int64_t Pop(int fd) {
  uint32_t value = 0;
  const int result = usermaps_map_lookup_and_delete_elem(fd, nullptr, &value);
  return result == 0 ? int64_t{value} : result;
}
inline bpf_map_info Info(int fd) {
  bpf_map_info info{};
  uint32_t length = sizeof info;
  usermaps_obj_get_info_by_fd(fd, &info, &length);
  return info;
}

// BTF with: 1 int, 2 struct bpf_spin_lock, 3 struct { struct bpf_spin_lock lock; int a, b, c; } of
// 16 bytes, 4 a pointer.
inline constexpr uint32_t kIntType = 1;
inline constexpr uint32_t kLockedType = 3;
inline constexpr uint32_t kPointerType = 4;
inline std::vector<char> LockBtf() {
  constexpr std::string_view kStrings("\0int\0bpf_spin_lock\0val\0v\0lock\0a\0b\0c\0", 37);
  const auto name = [&](std::string_view text) {
    return static_cast<uint32_t>(kStrings.find(std::string("\0", 1) + std::string(text) + '\0') +
                                 1);
  };
  const std::vector<uint32_t> types = {name("int"),
                                       BTF_KIND_INT << 24,
                                       4,
                                       BTF_INT_SIGNED << 24 | 32,  //
                                       name("bpf_spin_lock"),
                                       BTF_KIND_STRUCT << 24 | 1,
                                       4,
                                       name("val"),
                                       1,
                                       0,  //
                                       name("v"),
                                       BTF_KIND_STRUCT << 24 | 4,
                                       16,
                                       name("lock"),
                                       2,
                                       0,
                                       name("a"),
                                       1,
                                       32,  //
                                       name("b"),
                                       1,
                                       64,
                                       name("c"),
                                       1,
                                       96,  //
                                       0,
                                       BTF_KIND_PTR << 24,
                                       1};
  btf_header header{};
  header.magic = BTF_MAGIC;
  header.version = BTF_VERSION;
  header.hdr_len = sizeof header;
  header.type_len = static_cast<uint32_t>(types.size() * 4);
  header.str_off = header.type_len;
  header.str_len = kStrings.size();
  std::vector<char> blob(sizeof header + header.type_len + header.str_len);
  std::memcpy(blob.data(), &header, sizeof header);
  std::memcpy(blob.data() + sizeof header, types.data(), header.type_len);
  std::memcpy(blob.data() + sizeof header + header.type_len, kStrings.data(), kStrings.size());
  return blob;
}

inline Fd MakeLockedMap(bpf_map_type type, uint32_t flags = 0) {
  const std::vector<char> blob = LockBtf();
  const Fd btf(usermaps_btf_load(blob.data(), blob.size(), nullptr));
  bpf_map_create_opts opts{};
  opts.sz = sizeof opts;
  opts.map_flags = flags;
  opts.btf_fd = static_cast<uint32_t>(int{btf});
  opts.btf_key_type_id = kIntType;
  opts.btf_value_type_id = kLockedType;
  return Fd(usermaps_map_create(type, "locked", 4, 16, 4, &opts));
}

}  // namespace usermaps::testing

#endif  // BACKENDS_USERSPACE_USERMAPS_TEST_SUPPORT_H_
