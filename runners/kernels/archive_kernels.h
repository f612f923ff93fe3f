// SPDX-License-Identifier: MIT
//
// Kernels in a package archive, found in what `apt-cache madison` prints: Debian's cloud kernels
// for amd64 (small, and made for virtual machines) and User-Mode Linux. Pure functions.
#ifndef RUNNERS_KERNELS_ARCHIVE_KERNELS_H_
#define RUNNERS_KERNELS_ARCHIVE_KERNELS_H_

#include <compare>
#include <string>
#include <string_view>
#include <vector>

#include "runners/guest/boot_image.h"

namespace mapspec {

// A line of `apt-cache madison`: "linux-image-… | 6.1.90-1 | http://… bookworm/main amd64
// Packages".
struct ArchivePackage {
  std::string name;
  std::string version;
  std::string suite;
  friend bool operator==(const ArchivePackage&, const ArchivePackage&) = default;
};
std::vector<ArchivePackage> ParseMadison(std::string_view text);

struct ArchiveKernel {
  GuestKind kind = GuestKind::kQemu;
  std::string
      release;  // "6.1.0-57-cloud-amd64"; for User-Mode Linux the package does not tell: "".
  std::string version;  // Of the package: "6.1.192-3".
  std::string suite;
  std::vector<std::string> images;  // Packages that hold the image, the best one first.
  std::string modules;              // The package with the modules where that is another one.
  bool complete = true;             // Its modules are in the archive.
};

// Whether this package's name can be that of a kernel's image or modules.
bool IsKernelPackage(std::string_view name);
// Of each kernel one entry, newest first.
std::vector<ArchiveKernel> KernelsIn(const std::vector<ArchivePackage>& packages);

// Order of Debian's version numbers (deb-version(7)), for those without an epoch.
std::strong_ordering CompareVersions(std::string_view a, std::string_view b);

// What a user asks for: "6.1", "6.12.118", "6.1.0-57-cloud-amd64", with "uml-" in front for
// User-Mode Linux ("uml" alone: the newest).
struct WantedKernel {
  GuestKind kind = GuestKind::kQemu;
  std::string version;
};
WantedKernel ParseWanted(std::string_view word);
// A whole release, or a version by its leading numbers: 6.1 is 6.1.192-3, and no 6.12.
bool IsWanted(const WantedKernel& wanted, GuestKind kind, std::string_view release,
              std::string_view version);

// "6.1" of "6.1.192-3".
std::string SeriesOf(std::string_view version);

}  // namespace mapspec

#endif  // RUNNERS_KERNELS_ARCHIVE_KERNELS_H_
