// SPDX-License-Identifier: MIT
#include <dlfcn.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "backends/host_environment.h"
#include "backends/kernel/bpffs_directory.h"
#include "backends/libbpf_api/api_backend.h"
#include "backends/library/library_backend.h"

namespace mapspec {
namespace {

// dlopen(3) looks for a name without a slash in the system's directories; a path names a file here.
std::string AsPath(const std::string& path) {
  return path.find('/') == std::string::npos ? "./" + path : path;
}

template <typename Function>
Function Symbol(void* library, Capability capability) {
  return reinterpret_cast<Function>(
      dlsym(library, std::string(CapabilityName(capability)).c_str()));
}

// Pins of a library in user space live in any directory; those of one that hands its calls to the
// kernel, as libbpf does, only on a bpffs.
class LibraryHost : public CallHost {
 public:
  explicit LibraryHost(const BpfApi& api) : api_(api) {}

  std::unique_ptr<PinDirectory> MakePinDirectory(std::string* error) override {
    auto directory = MakeTemporaryPinDirectory(error);
    if (directory == nullptr || TryPin(*directory) != -EPERM) return directory;
    std::string no_bpffs;
    auto bpffs = MakeBpffsDirectory(&no_bpffs);
    return bpffs != nullptr && TryPin(*bpffs) == 0 ? std::move(bpffs) : std::move(directory);
  }

 private:
  // What pinning a map of no further use there comes to; the pin is removed again.
  int TryPin(PinDirectory& directory) const {
    if (api_.map_create == nullptr || api_.obj_pin == nullptr) return 0;
    const int fd = api_.map_create(::BPF_MAP_TYPE_ARRAY, nullptr, 4, 4, 1, nullptr);
    if (fd < 0) return 0;
    const std::string path = directory.Resolve("mapspec_probe");
    const int result = api_.obj_pin(fd, path.c_str());
    if (result == 0) unlink(path.c_str());
    close(fd);
    return result;
  }

  const BpfApi api_;
};

}  // namespace

std::shared_ptr<ApiSetup> LoadLibrarySetup(const std::string& path, void** handle,
                                           std::string* error) {
  void* const library =
      dlopen(path.empty() ? nullptr : AsPath(path).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* reason = dlerror();
    *error = "cannot be loaded: " + std::string(reason != nullptr ? reason : path);
    return nullptr;
  }
  auto setup = std::make_shared<ApiSetup>();
  RaiseDescriptorLimit();
#define MAPSPEC_FIND(name, capability) \
  setup->api.name = Symbol<decltype(setup->api.name)>(library, Capability::capability);
  MAPSPEC_BPF_API(MAPSPEC_FIND)
#undef MAPSPEC_FIND
  setup->host = std::make_unique<LibraryHost>(setup->api);
  setup->capabilities = CapabilitiesOf(setup->api);
  if (setup->capabilities.none()) {
    *error = (path.empty() ? std::string("this program") : path) +
             " has none of the functions of libbpf's low-level API (bpf_map_create, "
             "bpf_map_lookup_elem, …)";
    return nullptr;
  }
  Add(&setup->capabilities, Capability::kMmap);
  Add(&setup->capabilities, Capability::kPinnedThread);
  setup->possible_cpus = HostEnvironment("").possible_cpus;
  if (const auto cpus = reinterpret_cast<int (*)()>(dlsym(library, "libbpf_num_possible_cpus"))) {
    if (const int count = cpus(); count > 0) setup->possible_cpus = static_cast<uint32_t>(count);
  }
  *handle = library;
  return setup;
}

std::unique_ptr<Backend> MakeInProcessLibraryBackend(const std::string& path, std::string* error) {
  void* library = nullptr;
  auto setup = LoadLibrarySetup(path, &library, error);
  if (setup == nullptr) return nullptr;
  Environment environment = HostEnvironment("in-process-library:" + path);
  environment.implementation = path.substr(path.rfind('/') + 1);
  environment.possible_cpus = setup->possible_cpus;
  return std::make_unique<ApiBackend>(std::move(environment), "documented", std::move(setup));
}

}  // namespace mapspec
