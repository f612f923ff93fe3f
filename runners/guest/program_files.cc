// SPDX-License-Identifier: MIT
#include "runners/guest/program_files.h"

#include <link.h>

#include <algorithm>
#include <filesystem>

namespace mapspec {
namespace {

int Collect(dl_phdr_info* info, size_t, void* data) {
  auto& files = *static_cast<std::vector<std::string>*>(data);
  const std::string name = info->dlpi_name;
  // The program itself has no name and comes first.
  if (name.empty() && files.empty()) {
    for (size_t i = 0; i < info->dlpi_phnum; ++i) {
      const ElfW(Phdr)& header = info->dlpi_phdr[i];
      if (header.p_type != PT_INTERP) continue;
      files.emplace_back(reinterpret_cast<const char*>(info->dlpi_addr + header.p_vaddr));
    }
  }
  // The vdso has a name and no file.
  const bool known = std::find(files.begin(), files.end(), name) != files.end();
  if (name.starts_with('/') && !known) files.push_back(name);
  return 0;
}

}  // namespace

std::vector<std::string> LoadedFiles() {
  std::vector<std::string> files;
  dl_iterate_phdr(&Collect, &files);
  return files;
}

bool AddRunningProgram(const std::string& path, Initramfs* initramfs, std::string* library_path,
                       std::string* error) {
  if (!initramfs->AddHostFile(path, "/proc/self/exe", 0755, error)) return false;
  for (const std::string& file : LoadedFiles()) {
    if (!initramfs->AddHostFile(file, file, 0755, error)) return false;
    const std::string directory = std::filesystem::path(file).parent_path();
    if ((":" + *library_path + ":").find(":" + directory + ":") != std::string::npos) continue;
    *library_path += (library_path->empty() ? "" : ":") + directory;
  }
  return true;
}

}  // namespace mapspec
