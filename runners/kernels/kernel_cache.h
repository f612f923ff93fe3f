// SPDX-License-Identifier: MIT
//
// Kernels that were fetched: $XDG_CACHE_HOME/mapspec/kernels/NAME/ with the image, the modules
// that the suite needs, and kernel.json. An entry is made under another name and renamed, so that
// each one is whole; removing the directory removes it.
#ifndef RUNNERS_KERNELS_KERNEL_CACHE_H_
#define RUNNERS_KERNELS_KERNEL_CACHE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runners/kernels/archive_kernels.h"

namespace mapspec {

struct CachedKernel {
  GuestKind kind = GuestKind::kQemu;
  std::string release;  // "6.1.0-57-cloud-amd64"
  std::string version;  // Of the package.
  std::string suite;
  std::string directory;
  uint64_t bytes = 0;  // All files together.

  std::string ImagePath() const { return directory + "/vmlinuz"; }
  // What the entry's directory is called: the release, for User-Mode Linux behind "uml-".
  std::string Name() const { return (kind == GuestKind::kUml ? "uml-" : "") + release; }
};

// "…/mapspec/kernels"; "" where neither XDG_CACHE_HOME nor HOME is set.
std::string KernelCacheDirectory();
// Newest first. What is no entry is left out.
std::vector<CachedKernel> CachedKernels(const std::string& cache);
// The newest one that is wanted.
std::optional<CachedKernel> FindCached(const std::vector<CachedKernel>& kernels,
                                       const WantedKernel& wanted);

// Unpacks image and modules of downloaded packages into a new entry, or replaces the one of the
// same name. False after filling *error; nothing is left behind then.
bool AddToCache(const std::string& cache, const ArchiveKernel& kernel,
                const std::vector<std::string>& package_files, CachedKernel* entry,
                std::string* error);

}  // namespace mapspec

#endif  // RUNNERS_KERNELS_KERNEL_CACHE_H_
