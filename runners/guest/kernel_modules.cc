// SPDX-License-Identifier: MIT
#include "runners/guest/kernel_modules.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "runners/guest/archive_reader.h"

namespace mapspec {
namespace {

namespace fs = std::filesystem;

std::map<std::string, std::string> ModulesIn(const std::string& directory) {
  std::map<std::string, std::string> paths;
  std::error_code code;
  // Of a build tree only the place of network drivers: walking all of it would take long.
  const bool installed = fs::exists(fs::path(directory) / "kernel", code);
  const fs::path start = installed ? fs::path(directory) : fs::path(directory) / "drivers/net";
  if (!installed) {
    for (fs::directory_iterator at(start, code), end; !code && at != end; at.increment(code)) {
      const std::string name = ModuleNameOf(at->path().string());
      if (!name.empty()) paths.emplace(name, at->path());
    }
    return paths;
  }
  for (fs::recursive_directory_iterator at(start, code), end; !code && at != end;
       at.increment(code)) {
    const std::string name = ModuleNameOf(at->path().string());
    if (!name.empty()) paths.emplace(name, at->path());
  }
  return paths;
}

bool Collect(const std::map<std::string, std::string>& paths, const std::string& name,
             std::vector<KernelModule>* modules, std::string* error) {
  const bool known = std::any_of(modules->begin(), modules->end(),
                                 [&](const KernelModule& module) { return module.name == name; });
  const auto path = paths.find(name);
  if (known || path == paths.end()) return true;
  KernelModule module{name, ""};
  if (!ReadCompressedFile(path->second, &module.content, error)) return false;
  for (const std::string& needed : ModuleDependencies(module.content)) {
    if (needed != name && !Collect(paths, needed, modules, error)) return false;
  }
  modules->push_back(std::move(module));
  return true;
}

}  // namespace

std::vector<std::string> WantedModules() { return {"af_packet", "veth"}; }

std::string FindModuleDirectory(const std::string& image_path, const std::string& release) {
  std::error_code code;
  const fs::path image = fs::canonical(image_path, code);
  const fs::path beside = image.parent_path();
  std::vector<fs::path> places = {beside / "modules" / release, beside / "lib/modules" / release,
                                  beside.parent_path() / "lib/modules" / release,
                                  beside.parent_path() / "usr/lib/modules" / release};
  // …/arch/x86/boot/bzImage, or User-Mode Linux at the top of its tree.
  for (const fs::path& tree : {beside.parent_path().parent_path().parent_path(), beside}) {
    if (fs::exists(tree / "Kbuild", code)) places.push_back(tree);
  }
  places.push_back(fs::path("/lib/modules") / release);
  for (const fs::path& place : places) {
    if (fs::is_directory(place, code)) return place;
  }
  return "";
}

bool CollectModules(const std::string& directory, const std::vector<std::string>& names,
                    std::vector<KernelModule>* modules, std::string* error) {
  const auto paths = ModulesIn(directory);
  return std::all_of(names.begin(), names.end(),
                     [&](const std::string& name) { return Collect(paths, name, modules, error); });
}

std::vector<std::string> ModuleDependencies(std::string_view module) {
  // Entries of .modinfo are strings that end with a zero byte, one after the other.
  constexpr std::string_view kDepends("\0depends=", 9);
  std::vector<std::string> names;
  const size_t at = module.find(kDepends);
  if (at == std::string_view::npos) return names;
  std::string_view list = module.substr(at + kDepends.size());
  list = list.substr(0, list.find('\0'));
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    std::string name(list.substr(0, comma));
    std::replace(name.begin(), name.end(), '-', '_');
    if (!name.empty()) names.push_back(std::move(name));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return names;
}

std::string ModuleNameOf(std::string_view path) {
  std::string name(path.substr(path.rfind('/') + 1));
  const size_t dot = name.find(".ko");
  if (dot == std::string::npos) return "";
  const std::string ending = name.substr(dot);
  if (ending != ".ko" && ending != ".ko.xz" && ending != ".ko.zst" && ending != ".ko.gz") return "";
  name.resize(dot);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

}  // namespace mapspec
