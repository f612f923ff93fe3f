// SPDX-License-Identifier: MIT
//
// Commands on whole objects: freeze, info, ids, pins.
#include <fcntl.h>

#include <utility>

#include "backends/userspace/btf.h"
#include "backends/userspace/commands.h"
#include "backends/userspace/mutant.h"
#include "backends/userspace/object_registry.h"
#include "backends/userspace/possible_cpus.h"
#include "backends/userspace/usermaps.h"

namespace usermaps {
namespace {

constexpr size_t kLargestStruct = 4096;  // a page: the kernel refuses longer structs outright

// struct bpf_map_info as of Linux 6.18; the installed header may be older.
struct MapInfo {
  uint32_t type;
  uint32_t id;
  uint32_t key_size;
  uint32_t value_size;
  uint32_t max_entries;
  uint32_t map_flags;
  char name[BPF_OBJ_NAME_LEN];
  uint32_t ifindex;
  uint32_t btf_vmlinux_value_type_id;
  uint64_t netns_dev;
  uint64_t netns_ino;
  uint32_t btf_id;
  uint32_t btf_key_type_id;
  uint32_t btf_value_type_id;
  uint32_t btf_vmlinux_id;
  uint64_t map_extra;
  uint64_t hash;  // in: where to put a digest of the contents
  uint32_t hash_size;
  uint32_t padding;
};
static_assert(sizeof(MapInfo) == 104);

// A struct longer than we know is fine as long as what we do not know is zero.
int CheckTail(const void* info, size_t known, uint32_t length) {
  if (length > kLargestStruct)
    return MUTANT("generic.info.length-too-large/wrong-errno") ? -EINVAL : -E2BIG;
  if (length <= known) return 0;
  if (info == nullptr) return -EFAULT;
  const auto* bytes = static_cast<const std::byte*>(info);
  for (size_t i = known; i < length; ++i) {
    if (bytes[i] != std::byte{0}) return -E2BIG;
  }
  return 0;
}

int GetMapInfo(const Handle& handle, void* out, uint32_t* length) {
  if (const int err = CheckTail(out, offsetof(MapInfo, padding), *length); err != 0) return err;
  const auto size = static_cast<uint32_t>(std::min<size_t>(*length, sizeof(MapInfo)));
  if (out == nullptr && size != 0) return MUTANT("generic.info.bad-pointer/succeeds") ? 0 : -EFAULT;
  // Linux reads the struct before it fills it in: fields that do not apply to the map keep the
  // caller's bytes.
  MapInfo info{};
  if (size != 0) std::memcpy(&info, out, size);
  if (info.hash != 0 || info.hash_size != 0) return -EINVAL;  // no map here computes a digest

  const MapSpec& spec = handle.map->spec();
  info.type = spec.type;
  info.id = handle.map->id;
  if (!handle.access.read && MUTANT("generic.info.id/not-for-wronly")) info.id = 0;
  info.key_size = spec.key_size;
  info.value_size = spec.value_size;
  info.max_entries = spec.max_entries;
  if (MUTANT("generic.info.attributes/no-value-size")) info.value_size = 0;
  if (MUTANT("generic.info.attributes/max-entries-rounded-up")) info.max_entries |= 1;
  info.map_flags = spec.flags;
  if (!MUTANT("generic.info.no-access-flags/shown"))
    info.map_flags &= ~uint32_t{BPF_F_RDONLY | BPF_F_WRONLY};
  std::memset(info.name, 0, sizeof info.name);
  if (!MUTANT("generic.info.attributes/no-name")) spec.name.copy(info.name, sizeof(info.name) - 1);
  info.btf_vmlinux_value_type_id = 0;
  info.map_extra = spec.map_extra;
  if (spec.btf != nullptr && !MUTANT("generic.info.btf/not-told")) {
    info.btf_id = spec.btf->id;
    info.btf_key_type_id = spec.btf_key_type_id;
    info.btf_value_type_id = spec.btf_value_type_id;
  }
  const bool skip = size < 80 && MUTANT("generic.info.length-limits/short-gets-nothing");
  if (size != 0 && !skip) std::memcpy(out, &info, size);
  if (!MUTANT("generic.info.length-returned/left-alone")) *length = size;
  return 0;
}

int GetBtfInfo(const Btf& btf, void* out, uint32_t* length) {
  if (const int err = CheckTail(out, sizeof(bpf_btf_info), *length); err != 0) return err;
  const auto size = static_cast<uint32_t>(std::min<size_t>(*length, sizeof(bpf_btf_info)));
  if (out == nullptr && size != 0) return -EFAULT;
  bpf_btf_info info{};
  if (size != 0) std::memcpy(&info, out, size);
  const size_t copied = std::min<size_t>(info.btf_size, btf.blob().size());
  if (copied != 0) {
    if (info.btf == 0) return -EFAULT;
    std::memcpy(reinterpret_cast<void*>(info.btf), btf.blob().data(), copied);
  }
  if ((info.name == 0) != (info.name_len == 0)) return -EINVAL;
  if (info.name_len != 0)
    *reinterpret_cast<char*>(info.name) = '\0';  // only the kernel's own BTF has a name
  info.id = btf.id;
  info.btf_size = static_cast<uint32_t>(btf.blob().size());
  info.name_len = 0;
  info.kernel_btf = 0;
  if (size != 0) std::memcpy(out, &info, size);
  *length = size;
  return 0;
}

int GetInfo(int fd, void* info, uint32_t* length) {
  const Epoch::Guard guard;
  const Handle* handle = nullptr;
  const int err = HandleTable::Instance().Resolve(fd, &handle);
  if (err == -EBADF && !MUTANT("generic.info.bad-descriptor/ebadf"))
    return -EBADFD;  // this command alone
  if (err != 0) return err;
  if (length == nullptr) return -EFAULT;
  if (handle->map != nullptr) return GetMapInfo(*handle, info, length);
  return GetBtfInfo(*handle->object->AsBtf(), info, length);
}

int Freeze(int fd) {
  std::shared_ptr<Object> object;
  {
    const MapRef map(fd);
    if (map.error() != 0) return map.error();
    if (map->layout().has_lock() && !MUTANT("generic.freeze.spin-lock/freezes")) return -kEnotsupp;
    if (MUTANT("generic.freeze.succeeds/refused")) return -kEnotsupp;
    if (!map.handle().access.read && MUTANT("generic.freeze.wronly-descriptor/refused"))
      return -EPERM;
    if (map->frozen.load() && MUTANT("generic.freeze.again/succeeds")) return 0;
    if (const int err = map.CheckWrite(); err != 0) {
      if (map.handle().access.write || !MUTANT("generic.freeze.rdonly-descriptor/succeeds"))
        return err;
    }
    object = map.handle().object;
  }
  Map& map = *object->AsMap();
  if (const int err = map.SealMappings(); err != 0) return err;
  if (map.frozen.exchange(true)) return -EPERM;  // another thread froze it meanwhile
  // Whoever looked before the exchange may still be writing; afterwards nothing changes any more.
  Epoch::Synchronize();
  return 0;
}

int GetFdById(uint32_t id, const bpf_get_fd_by_id_opts* opts) {
  bpf_get_fd_by_id_opts options;
  const size_t known = offsetof(bpf_get_fd_by_id_opts, open_flags) + sizeof(options.open_flags);
  if (const int err = ReadOpts(opts, known, &options); err != 0) return err;
  Access access;
  if (const int err = ReadOpenFlags(options.open_flags, &access); err != 0) {
    if (!MUTANT("generic.get_fd_by_id.open-flags/ignored")) return err;
  }
  if (MUTANT("generic.get_fd_by_id.access/always-both")) access = {};
  std::shared_ptr<Map> map = ObjectRegistry::Instance().FindMap(id);
  if (map == nullptr) return MUTANT("generic.get_fd_by_id.unknown/wrong-errno") ? -EINVAL : -ENOENT;
  return HandleTable::Instance().Open(std::move(map), access);
}

int GetNextId(uint32_t start, uint32_t* next) {
  if (start >= INT32_MAX && !MUTANT("generic.get_next_id.start-too-large/enoent")) return -EINVAL;
  if (MUTANT("generic.get_next_id.greater/passes-one-over")) ++start;
  const uint32_t id = ObjectRegistry::Instance().NextMapId(start);
  if (id == 0) return MUTANT("generic.get_next_id.end/wrong-errno") ? -EINVAL : -ENOENT;
  if (next == nullptr) return -EFAULT;
  *next = id;
  return 0;
}

int Pin(int fd, const char* path) {
  std::shared_ptr<Object> object;
  {
    // A closed descriptor is -EINVAL here, as any other that is not a BPF object.
    const MapRef map(fd);
    if (map.error() != 0) return MUTANT("generic.pin.bad-descriptor/ebadf") ? -EBADF : -EINVAL;
    object = map.handle().object;
  }
  return ObjectRegistry::Instance().Pin(std::move(object), path);
}

int GetPinned(const char* path, const struct bpf_obj_get_opts* opts) {
  struct bpf_obj_get_opts options;
  const size_t known = offsetof(struct bpf_obj_get_opts, file_flags) + sizeof(options.file_flags);
  if (const int err = ReadOpts(opts, known, &options); err != 0) return err;
  Access access;
  if (const int err = ReadOpenFlags(options.file_flags, &access); err != 0) {
    if (!MUTANT("generic.obj_get.file-flags/ignored")) return err;
  }
  std::shared_ptr<Object> object;
  const int mode = !access.write ? O_RDONLY : !access.read ? O_WRONLY : O_RDWR;
  if (const int err = ObjectRegistry::Instance().GetPinned(path, mode, &object); err != 0) {
    return err == -ENOENT && MUTANT("generic.obj_get.missing/wrong-errno") ? -EACCES : err;
  }
  if (MUTANT("generic.obj_get.access/always-both")) access = {};
  return HandleTable::Instance().Open(std::move(object), access);
}

}  // namespace
}  // namespace usermaps

int usermaps_map_freeze(int fd) {
  return usermaps::ReturnFrom([&] { return usermaps::Freeze(fd); });
}

int usermaps_obj_get_info_by_fd(int fd, void* info, __u32* info_len) {
  return usermaps::ReturnFrom([&] { return usermaps::GetInfo(fd, info, info_len); });
}

int usermaps_map_get_fd_by_id(__u32 id) { return usermaps_map_get_fd_by_id_opts(id, nullptr); }

int usermaps_map_get_fd_by_id_opts(__u32 id, const struct bpf_get_fd_by_id_opts* opts) {
  return usermaps::ReturnFrom([&] { return usermaps::GetFdById(id, opts); });
}

int usermaps_map_get_next_id(__u32 start_id, __u32* next_id) {
  return usermaps::ReturnFrom([&] { return usermaps::GetNextId(start_id, next_id); });
}

int usermaps_obj_pin(int fd, const char* pathname) {
  return usermaps::ReturnFrom([&] { return usermaps::Pin(fd, pathname); });
}

int usermaps_obj_get(const char* pathname) { return usermaps_obj_get_opts(pathname, nullptr); }

int usermaps_obj_get_opts(const char* pathname, const struct bpf_obj_get_opts* opts) {
  return usermaps::ReturnFrom([&] { return usermaps::GetPinned(pathname, opts); });
}

int usermaps_set_own_cpu(int cpu) {
  return usermaps::ReturnFrom(
      [&] { return usermaps::PossibleCpus::Instance().SetOwnCpu(cpu) ? 0 : -EINVAL; });
}

void usermaps_keep_open(int fd) { usermaps::HandleTable::Instance().KeepOpen(fd); }

int usermaps_close(int fd) {
  return usermaps::ReturnFrom([&] { return usermaps::HandleTable::Instance().Close(fd); });
}
