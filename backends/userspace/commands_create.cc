// SPDX-License-Identifier: MIT
//
// Creation of maps and BTF objects.
#include <charconv>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>

#include "backends/userspace/btf.h"
#include "backends/userspace/buried_maps.h"
#include "backends/userspace/commands.h"
#include "backends/userspace/map_in_map.h"
#include "backends/userspace/mutant.h"
#include "backends/userspace/object_registry.h"
#include "backends/userspace/usermaps.h"

namespace usermaps {
namespace {

std::string OnlineNodes() {
  std::ifstream file("/sys/devices/system/node/online");
  std::string list;
  return std::getline(file, list) ? list : "0";
}

// Whether `node` was online when this was first asked: in a list such as "0-1,4".
bool NodeIsOnline(uint32_t node) {
  static const std::string list = OnlineNodes();
  const char* at = list.data();
  const char* end = at + list.size();
  while (at < end) {
    uint32_t first = 0;
    at = std::from_chars(at, end, first).ptr;
    uint32_t last = first;
    if (at < end && *at == '-') at = std::from_chars(at + 1, end, last).ptr;
    if (first <= node && node <= last) return true;
    ++at;
  }
  return false;
}

int CheckName(std::string_view name) {
  for (const char c : name) {
    if (c == '.' && MUTANT("generic.create.name-valid/no-dots")) return -EINVAL;
    if ((c & 0x80) != 0 && IsNameCharacter(c) && MUTANT("generic.create.name-latin-1/ascii-only")) {
      return -EINVAL;
    }
    if ((c & 0x80) != 0 && MUTANT("generic.create.name-latin-1/any-byte")) continue;
    if (!IsNameCharacter(c) && !MUTANT("generic.create.name-invalid/accepted")) return -EINVAL;
  }
  return 0;
}

std::shared_ptr<Btf> BtfOf(int fd, int* error) {
  const Epoch::Guard guard;
  const Handle* handle = nullptr;
  *error = HandleTable::Instance().Resolve(fd, &handle);
  if (*error != 0) return nullptr;
  if (handle->object->AsBtf() == nullptr) {
    *error = -EINVAL;
    return nullptr;
  }
  return std::static_pointer_cast<Btf>(handle->object);
}

// Fills in the BTF members of the spec.
int ApplyBtf(const MapType& type, int btf_fd, MapSpec* spec) {
  if (spec->btf_value_type_id == 0) return 0;
  if (MUTANT("generic.create.btf-accepted/refused")) return -EINVAL;
  int error = 0;
  spec->btf = BtfOf(btf_fd, &error);
  if (spec->btf == nullptr) {
    return error == -EBADF && MUTANT("generic.create.btf-bad-descriptor/wrong-errno") ? -EINVAL
                                                                                      : error;
  }
  const Btf& btf = *spec->btf;
  const bool sizes_matter = !MUTANT("generic.create.btf-types/sizes-ignored");
  if (spec->btf_key_type_id == 0) {
    if (spec->key_size == 0 &&
        FAMILY_MUTANT(spec->type == BPF_MAP_TYPE_STACK, "create.btf/accepted"))
      return 0;
    if (spec->type != BPF_MAP_TYPE_ARRAY && spec->type != BPF_MAP_TYPE_PERCPU_ARRAY &&
        !HoldsMaps(spec->type)) {
      return MUTANT("generic.create.btf-value-without-key/accepted") ? 0 : -EINVAL;
    }
  } else if (sizes_matter && btf.SizeOf(spec->btf_key_type_id) != spec->key_size) {
    return -EINVAL;
  }
  if (sizes_matter && btf.SizeOf(spec->btf_value_type_id) != spec->value_size) return -EINVAL;
  std::vector<uint32_t> locks = btf.LockOffsets(spec->btf_value_type_id);
  if (!locks.empty()) {
    if (MUTANT("hash.create.spin-lock/refused")) return -EOPNOTSUPP;
    if ((spec->flags & BPF_F_RDONLY_PROG) != 0 &&
        !MUTANT("generic.create.lock-program-access/accepted")) {
      return -EACCES;
    }
    if ((spec->flags & BPF_F_WRONLY_PROG) != 0 &&
        !MUTANT("generic.create.lock-wronly-prog/accepted")) {
      return -EACCES;
    }
    if (!type.may_hold_lock && !MUTANT("generic.create.lock-refused/accepted")) {
      return MUTANT("generic.create.lock-refused/wrong-errno") ? -EINVAL : -EOPNOTSUPP;
    }
  }
  if (HoldsMaps(spec->type)) {  // told when everything else is right
    if (TYPE_MUTANT(spec->type, kOfMaps, "create.btf-refused/accepted")) return 0;
    return TYPE_MUTANT(spec->type, kOfMaps, "create.btf-refused/wrong-errno") ? -EINVAL
                                                                              : -kEnotsupp;
  }
  // Only the maps that hold a program's global data have no key type; that is told last.
  if (spec->btf_key_type_id == 0 && (spec->type != BPF_MAP_TYPE_ARRAY || spec->max_entries != 1 ||
                                     !btf.IsDataSection(spec->btf_value_type_id))) {
    return -EINVAL;
  }
  if (type.key_must_be_int32 && spec->btf_key_type_id != 0 && !btf.IsInt32(spec->btf_key_type_id) &&
      !TYPE_MUTANT(spec->type, kOfValueArrays, "create.btf-key/any-type")) {
    return -EINVAL;
  }
  if (sizes_matter) spec->lock_offsets = std::move(locks);
  return 0;
}

// What is wrong for a map of any type.
int CheckCommon(const MapSpec& spec, const bpf_map_create_opts& options, Access* access) {
  if (options.btf_vmlinux_value_type_id != 0) return -EINVAL;  // struct_ops only
  if (spec.btf_key_type_id != 0 && spec.btf_value_type_id == 0) {
    if (!MUTANT("generic.create.btf-key-without-value/accepted")) return -EINVAL;
  }
  if (spec.map_extra != 0 && !MUTANT("generic.create.map-extra/accepted")) return -EINVAL;
  if (spec.inner_map_fd != 0 && MUTANT("generic.create.inner-map-ignored/looked-at"))
    return -EINVAL;
  if (options.btf_fd != 0 && spec.btf_value_type_id == 0 &&
      MUTANT("generic.create.btf-without-ids/looked-at")) {
    return -EBADF;
  }
  if (const int err = ReadAccess(spec.flags, access); err != 0) {
    if (!MUTANT("generic.create.rdonly-wronly/accepted")) return err;
    *access = {};
  }
  if ((spec.flags & BPF_F_NUMA_NODE) == 0) return 0;
  if (spec.numa_node == kNoNumaNode) {
    return MUTANT("generic.create.numa-node-accepted/any-refused") ? -EINVAL : 0;
  }
  if (NodeIsOnline(spec.numa_node) || MUTANT("generic.create.numa-node-invalid/accepted")) return 0;
  return -EINVAL;
}

int CreateMap(MapSpec spec, const bpf_map_create_opts& options) {
  Access access;
  if (MUTANT("generic.create.rdonly-wronly-first/after-the-types-own") &&
      FindMapType(spec.type) != nullptr) {
    if (const int err = FindMapType(spec.type)->check(spec); err != 0) return err;
  }
  if (const int err = CheckCommon(spec, options, &access); err != 0) return err;
  const MapType* type = FindMapType(spec.type);
  if (type == nullptr)
    return MUTANT("generic.create.unknown-type/wrong-errno") ? -kEnotsupp : -EINVAL;
  if (MUTANT("generic.create.order/name-first")) {
    if (const int err = CheckName(spec.name); err != 0) return err;
  }
  if (const int err = type->check(spec); err != 0) return err;
  if (options.map_ifindex != 0) return -EINVAL;  // offload

  // The kernel looks at name and BTF only after it allocated the map, so allocation errors win.
  int late_error = CheckName(spec.name);
  if (late_error == 0) late_error = ApplyBtf(*type, static_cast<int>(options.btf_fd), &spec);
  std::shared_ptr<Map> map;
  int err = type->make(spec, &map);
  if (err == -ENOMEM) {
    ObjectRegistry::Instance().Reclaim();  // maps that were closed but not given back yet
    err = type->make(spec, &map);
  }
  if (err == -ENOMEM && MUTANT("generic.create.no-memory/wrong-errno")) err = -E2BIG;
  if (err != 0) return err;
  if (late_error != 0) return late_error;
  if (MUTANT("generic.create.returns-descriptor/refused")) return -ENOMEM;
  BuriedMaps::Collect();
  map = BuriedMaps::Owner(std::move(map));
  ObjectRegistry::Instance().AddMap(map);
  return HandleTable::Instance().Open(std::move(map), access);
}

int LoadBtf(const void* data, size_t size, const bpf_btf_load_opts* opts) {
  bpf_btf_load_opts options;
  const size_t known = offsetof(bpf_btf_load_opts, log_size) + sizeof(options.log_size);
  if (const int err = ReadOpts(opts, known, &options); err != 0) return err;
  if (options.log_size != 0 && options.log_buf == nullptr) return -EINVAL;
  if (options.log_buf != nullptr && options.log_size != 0) options.log_buf[0] = '\0';
  if (size > kMaxBtfSize) return -E2BIG;
  if (size == 0) return -EINVAL;
  if (data == nullptr) return -EFAULT;
  if (MUTANT("generic.btf_load.loads/refused")) return -EINVAL;
  std::shared_ptr<Btf> btf;
  if (const int err = Btf::Parse(data, size, &btf); err != 0) return err;
  ObjectRegistry::Instance().AddBtf(btf);
  return HandleTable::Instance().Open(std::move(btf), {});
}

}  // namespace
}  // namespace usermaps

int usermaps_map_create(enum bpf_map_type map_type, const char* map_name, __u32 key_size,
                        __u32 value_size, __u32 max_entries,
                        const struct bpf_map_create_opts* opts) {
  return usermaps::ReturnFrom([&]() -> int {
    bpf_map_create_opts options;
    const size_t known = offsetof(bpf_map_create_opts, map_ifindex) + sizeof(options.map_ifindex);
    if (const int err = usermaps::ReadOpts(opts, known, &options); err != 0) return err;
    usermaps::MapSpec spec;
    spec.type = map_type;
    spec.key_size = key_size;
    spec.value_size = value_size;
    spec.max_entries = max_entries;
    spec.flags = options.map_flags;
    spec.map_extra = options.map_extra;
    spec.inner_map_fd = options.inner_map_fd;
    if ((spec.flags & BPF_F_NUMA_NODE) != 0) spec.numa_node = options.numa_node;
    spec.btf_key_type_id = options.btf_key_type_id;
    spec.btf_value_type_id = options.btf_value_type_id;
    // libbpf cuts a longer name, so that the kernel never sees it.
    if (map_name != nullptr) spec.name.assign(map_name, strnlen(map_name, BPF_OBJ_NAME_LEN - 1));
    return usermaps::CreateMap(std::move(spec), options);
  });
}

int usermaps_btf_load(const void* btf_data, size_t btf_size, const struct bpf_btf_load_opts* opts) {
  return usermaps::ReturnFrom([&] { return usermaps::LoadBtf(btf_data, btf_size, opts); });
}
