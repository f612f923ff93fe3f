// SPDX-License-Identifier: MIT
#include "runners/kernels/kernel_cache.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "runners/guest/archive_reader.h"
#include "runners/guest/initramfs.h"
#include "runners/guest/kernel_modules.h"

namespace mapspec {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDescription = "kernel.json";

void WriteDescription(const CachedKernel& kernel) {
  std::ofstream out(kernel.directory + "/" + kDescription);
  out << nlohmann::json{{"kind", kernel.kind == GuestKind::kUml ? "uml" : "qemu"},
                        {"release", kernel.release},
                        {"version", kernel.version},
                        {"suite", kernel.suite}}
             .dump()
      << '\n';
}

std::optional<CachedKernel> ReadEntry(const std::string& directory) {
  CachedKernel kernel;
  std::string text, error;
  if (!ReadHostFile(directory + "/" + kDescription, &text, &error)) return std::nullopt;
  try {
    const auto json = nlohmann::json::parse(text);
    kernel.kind = json.at("kind") == "uml" ? GuestKind::kUml : GuestKind::kQemu;
    json.at("release").get_to(kernel.release);
    json.at("version").get_to(kernel.version);
    json.at("suite").get_to(kernel.suite);
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
  kernel.directory = directory;
  std::error_code code;
  for (fs::recursive_directory_iterator at(directory, code), end; !code && at != end;
       at.increment(code)) {
    if (at->is_regular_file(code)) kernel.bytes += at->file_size(code);
  }
  return kernel;
}

// Where Debian has had it: in /boot, since 6.19 with the modules, there with ".unsigned" too.
bool IsImage(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  if (path.starts_with("/boot/vmlinuz-") || path == "/usr/bin/linux.uml") return true;
  return path.starts_with("/usr/lib/modules/") &&
         (name == "vmlinuz" || name == "vmlinuz.unsigned");
}

// "RELEASE/kernel/…" of a path in a directory of modules, "" for another path.
std::string ModulePath(std::string_view path) {
  for (const std::string_view place :
       {"/lib/modules/", "/usr/lib/modules/", "/usr/lib/uml/modules/", "/lib/uml/modules/"}) {
    if (path.starts_with(place)) return std::string(path.substr(place.size()));
  }
  return "";
}

// Takes the modules that are wanted and then, as long as there are any, those that they depend on.
bool UnpackModules(const std::string& directory, const std::vector<std::string>& packages,
                   std::string* error) {
  std::vector<std::string> names = WantedModules();
  std::set<std::string> asked;
  while (!names.empty()) {
    asked.insert(names.begin(), names.end());
    std::vector<std::string> written;
    for (const std::string& package : packages) {
      const auto place_of = [&](std::string_view path) -> std::string {
        const std::string module = ModulePath(path);
        const std::string name = ModuleNameOf(path);
        if (module.empty() || std::find(names.begin(), names.end(), name) == names.end()) return "";
        written.push_back(directory + "/modules/" + module);
        return written.back();
      };
      if (!UnpackDebianPackage(package, place_of, error)) return false;
    }
    names.clear();
    for (const std::string& file : written) {
      std::string content;
      if (!ReadCompressedFile(file, &content, error)) return false;
      for (const std::string& needed : ModuleDependencies(content)) {
        if (asked.insert(needed).second) names.push_back(needed);
      }
    }
  }
  return true;
}

bool Unpack(const std::vector<std::string>& packages, CachedKernel* entry, std::string* error) {
  const auto place_of = [&](std::string_view path) {
    return IsImage(path) ? entry->ImagePath() : std::string();
  };
  for (const std::string& package : packages) {
    if (!UnpackDebianPackage(package, place_of, error)) return false;
  }
  BootImage image{entry->kind, entry->ImagePath(), ""};
  if (!InspectImage(&image, error)) return false;
  entry->release = image.release;
  fs::permissions(entry->ImagePath(), fs::perms(0755));
  return UnpackModules(entry->directory, packages, error);
}

}  // namespace

std::string KernelCacheDirectory() {
  const char* const cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && cache[0] == '/') return std::string(cache) + "/mapspec/kernels";
  const char* const home = std::getenv("HOME");
  if (home == nullptr || home[0] == '\0') return "";
  return std::string(home) + "/.cache/mapspec/kernels";
}

std::vector<CachedKernel> CachedKernels(const std::string& cache) {
  std::vector<CachedKernel> kernels;
  std::error_code code;
  for (fs::directory_iterator at(cache, code), end; !code && at != end; at.increment(code)) {
    if (at->path().filename().string().starts_with('.')) continue;
    if (auto kernel = ReadEntry(at->path())) kernels.push_back(std::move(*kernel));
  }
  std::sort(kernels.begin(), kernels.end(), [](const CachedKernel& a, const CachedKernel& b) {
    if (a.kind != b.kind) return a.kind < b.kind;
    const auto order = CompareVersions(a.version, b.version);
    return order == 0 ? a.release < b.release : order > 0;
  });
  return kernels;
}

std::optional<CachedKernel> FindCached(const std::vector<CachedKernel>& kernels,
                                       const WantedKernel& wanted) {
  for (const CachedKernel& kernel : kernels) {
    // User-Mode Linux is also known by the version that its package's does not tell.
    if (IsWanted(wanted, kernel.kind, kernel.release, kernel.version) ||
        (kernel.kind == GuestKind::kUml &&
         IsWanted(wanted, kernel.kind, kernel.release, kernel.release))) {
      return kernel;
    }
  }
  return std::nullopt;
}

bool AddToCache(const std::string& cache, const ArchiveKernel& kernel,
                const std::vector<std::string>& package_files, CachedKernel* entry,
                std::string* error) {
  *entry = {kernel.kind, kernel.release, kernel.version, kernel.suite, "", 0};
  const std::string temporary = fmt::format("{}/.new-{}", cache, getpid());
  std::error_code code;
  fs::remove_all(temporary, code);
  fs::create_directories(temporary, code);
  entry->directory = temporary;
  if (!Unpack(package_files, entry, error)) {
    fs::remove_all(temporary, code);
    return false;
  }
  WriteDescription(*entry);
  const std::string place = cache + "/" + entry->Name();
  fs::remove_all(place, code);
  fs::rename(temporary, place, code);
  if (code) {
    *error = place + ": " + code.message();
    fs::remove_all(temporary, code);
    return false;
  }
  *entry = ReadEntry(place).value_or(*entry);
  return true;
}

}  // namespace mapspec
