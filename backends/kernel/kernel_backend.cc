// SPDX-License-Identifier: MIT
#include "backends/kernel/kernel_backend.h"

#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <vector>

#include "backends/host_environment.h"
#include "backends/kernel/bpffs_directory.h"
#include "backends/kernel/kernel_network.h"
#include "backends/kernel/kernel_program_engine.h"
#include "backends/libbpf_api/api_backend.h"
#include "oracle/profile.h"

namespace mapspec {
namespace {

// Sizes of union bpf_attr as far as the members in use go; the kernel takes shorter ones as
// zero-padded.
constexpr size_t kCreateAttrSize = offsetof(::bpf_attr, map_extra) + sizeof(uint64_t);
constexpr size_t kObjAttrSize = offsetof(::bpf_attr, file_flags) + sizeof(uint32_t);
// Sizes above one page are refused before anything is read; two pages cover every kernel's page
// size that matters to a reader of the attribute.
constexpr size_t kMaxAttrSize = size_t{2} * 65536;

int Bpf(int command, void* attributes, size_t size) {
  const long result = syscall(SYS_bpf, command, attributes, size);
  return result < 0 ? -errno : static_cast<int>(result);
}

BpfApi LibbpfApi() {
  BpfApi api;
#define MAPSPEC_FILL(name, capability) api.name = &::bpf_##name;
  MAPSPEC_BPF_API(MAPSPEC_FILL)
#undef MAPSPEC_FILL
  return api;
}

// Capabilities of the calling thread. The raw system calls: libcap would change every thread.
struct ThreadCapabilities {
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
  int Get() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    return syscall(SYS_capget, &header, data) == 0 ? 0 : errno;
  }
  int Set() const {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    return syscall(SYS_capset, &header, data) == 0 ? 0 : errno;
  }
};

class KernelHost : public CallHost {
 public:
  int RawMapCreate(const MapCreate& create, int inner_map_fd, int btf_fd) override {
    ::bpf_attr attr;
    std::memset(&attr, 0, sizeof(attr));
    attr.map_type = static_cast<uint32_t>(create.type);
    attr.key_size = create.key_size;
    attr.value_size = create.value_size;
    attr.max_entries = create.max_entries;
    attr.map_flags = create.map_flags;
    attr.inner_map_fd = static_cast<uint32_t>(inner_map_fd);
    attr.numa_node = create.numa_node;
    std::memcpy(attr.map_name, create.name.data(),
                std::min(create.name.size(), sizeof(attr.map_name)));
    attr.btf_fd = static_cast<uint32_t>(btf_fd);
    attr.btf_key_type_id = create.btf_key_type_id;
    attr.btf_value_type_id = create.btf_value_type_id;
    attr.map_extra = create.map_extra;
    const size_t size = create.attr_size == 0 ? kCreateAttrSize : create.attr_size;
    std::vector<uint8_t> bytes(std::max(std::min(size, kMaxAttrSize), sizeof(attr)));
    std::memcpy(bytes.data(), &attr, sizeof(attr));
    return Bpf(BPF_MAP_CREATE, bytes.data(), size);
  }

  int RawObjPin(int fd, const char* path, uint32_t file_flags) override {
    ::bpf_attr attr;
    std::memset(&attr, 0, sizeof(attr));
    attr.pathname = reinterpret_cast<uint64_t>(path);
    attr.bpf_fd = static_cast<uint32_t>(fd);
    attr.file_flags = file_flags;
    return Bpf(BPF_OBJ_PIN, &attr, kObjAttrSize);
  }

  int DropCapabilities() override {
    if (const int error = Saved().Get(); error != 0) return error;
    ThreadCapabilities none = Saved();
    for (auto& word : none.data) word.effective = 0;  // What is permitted can be taken back.
    return none.Set();
  }

  void RestoreCapabilities() override { Saved().Set(); }

  std::unique_ptr<PinDirectory> MakePinDirectory(std::string* error) override {
    return MakeBpffsDirectory(error);
  }

  std::unique_ptr<ScriptNetwork> MakeNetwork(std::string*) override { return MakeKernelNetwork(); }

 private:
  static ThreadCapabilities& Saved() {
    thread_local ThreadCapabilities saved;
    return saved;
  }
};

// Before 5.11 the memory of maps counts against RLIMIT_MEMLOCK, often 64 KiB.
void RaiseMemlockLimit(std::string_view release) {
  if (!ReleaseBefore(release, 5, 11)) return;
  rlimit limit{RLIM_INFINITY, RLIM_INFINITY};
  if (setrlimit(RLIMIT_MEMLOCK, &limit) == 0) return;
  // Without CAP_SYS_RESOURCE: as far as one may.
  if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_MEMLOCK, &limit);
}

// Creates a map and throws it away. "" or why it cannot be done.
std::string TryCreate(::bpf_map_type type, uint32_t key_size, const char* name) {
  // The name makes libbpf find out now, with privileges, whether the kernel takes names; it
  // remembers the answer for the life of the process.
  const int fd = ::bpf_map_create(type, "mapspec", key_size, 4, 1, nullptr);
  if (fd >= 0) {
    close(fd);
    return {};
  }
  std::string reason = std::string("bpf(2) does not create a ") + name +
                       " map: " + ErrnoName(static_cast<Errno>(-fd)) + "; ";
  switch (-fd) {
    case EPERM:
    case EACCES:
      return reason +
             "needs CAP_BPF or root, and no seccomp filter that forbids bpf(2) (in a container: "
             "--privileged, or --cap-add BPF --cap-add SYS_ADMIN with a seccomp profile that "
             "allows it)";
    case ENOSYS:
      return reason + "this kernel has no bpf(2) (CONFIG_BPF_SYSCALL), or a sandbox hides it";
    case ENOMEM:
      return reason + "out of memory, or RLIMIT_MEMLOCK (ulimit -l) is too low";
    default:
      return reason + "this kernel lacks the type or something stands in its way";
  }
}

}  // namespace

std::unique_ptr<Backend> MakeKernelBackend(std::string* error, std::string_view selector) {
  Environment environment = HostEnvironment(selector);
  environment.kernel_release = HostKernelRelease();
  environment.implementation = "Linux " + environment.kernel_release;
  RaiseMemlockLimit(environment.kernel_release);
  RaiseDescriptorLimit();

  // Where kernel.unprivileged_bpf_disabled is 0 anyone may create hashes; queues take CAP_BPF.
  std::string reason = TryCreate(::BPF_MAP_TYPE_HASH, 4, "HASH");
  if (reason.empty()) reason = TryCreate(::BPF_MAP_TYPE_QUEUE, 0, "QUEUE");
  if (!reason.empty()) {
    *error = std::move(reason);
    return nullptr;
  }

  auto setup = std::make_shared<ApiSetup>();
  setup->api = LibbpfApi();
  setup->possible_cpus = environment.possible_cpus;
  setup->host = std::make_unique<KernelHost>();
  CapabilitySet& capabilities = setup->capabilities;
  capabilities.set();
  std::string no_bpffs;
  if (MakeBpffsDirectory(&no_bpffs) == nullptr) {
    for (const Capability capability :
         {Capability::kBpffs, Capability::kObjPin, Capability::kObjGet, Capability::kObjGetOpts}) {
      capabilities.reset(static_cast<size_t>(capability));
    }
  }
  setup->make_program_engine = &MakeKernelProgramEngine;
  setup->no_programs = WhyNoPrograms();
  if (!setup->no_programs.empty()) {
    for (auto i = static_cast<size_t>(Capability::kHelperLookupElem);
         i <= static_cast<size_t>(Capability::kVerifier); ++i) {
      capabilities.reset(i);
    }
  } else if (setup->no_programs = WhyNoCallbacks(); !setup->no_programs.empty()) {
    capabilities.reset(static_cast<size_t>(Capability::kHelperForEachElem));
  }
  setup->no_network = WhyNoSockets();
  if (!setup->no_network.empty()) capabilities.reset(static_cast<size_t>(Capability::kAfXdp));
  if (const std::string why = WhyNoRedirect(); !why.empty()) {
    capabilities.reset(static_cast<size_t>(Capability::kHelperRedirectMap));
    setup->no_network += (setup->no_network.empty() ? "" : "; ") + why;
  }
  // Ids are for CAP_SYS_ADMIN alone; what cannot be asked must not be judged.
  uint32_t id = 0;
  if (::bpf_map_get_next_id(0, &id) == -EPERM) {
    for (const Capability capability :
         {Capability::kMapGetFdById, Capability::kMapGetFdByIdOpts, Capability::kMapGetNextId}) {
      capabilities.reset(static_cast<size_t>(capability));
    }
  }
  std::string profile = ProfileForRelease(environment.kernel_release).name;
  return std::make_unique<ApiBackend>(std::move(environment), std::move(profile), std::move(setup));
}

}  // namespace mapspec
