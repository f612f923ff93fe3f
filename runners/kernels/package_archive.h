// SPDX-License-Identifier: MIT
//
// The distribution's package archive, asked through apt itself with a configuration of our own:
// nothing is installed, nothing of the machine's apt is changed, no root is needed, and signatures
// and checksums are apt's business. Lists of packages are kept in the cache, so that the next
// question only fetches what has changed. One thread.
#ifndef RUNNERS_KERNELS_PACKAGE_ARCHIVE_H_
#define RUNNERS_KERNELS_PACKAGE_ARCHIVE_H_

#include <string>
#include <string_view>
#include <vector>

#include "runners/kernels/archive_kernels.h"

namespace mapspec {

class PackageArchive {
 public:
  // Everything is kept in `directory`. Nothing happens yet.
  explicit PackageArchive(std::string directory) : directory_(std::move(directory)) {}

  // Fetches the lists. False after filling *error: no apt here, no Debian mirror known to it, no
  // keyring, or the archive is out of reach.
  bool Update(std::string* error);
  // Empty after filling *error.
  std::vector<ArchiveKernel> Kernels(std::string* error);
  // The packages of one kernel, into the directory's `packages`; *files are the downloaded ones.
  // False after filling *error.
  bool Download(const ArchiveKernel& kernel, std::vector<std::string>* files, std::string* error);
  // Whether the last Update() or Download() met something that is not what the archive's signatures
  // and checksums vouch for.
  bool damaged() const { return damaged_; }
  // Removes what was downloaded, all but the lists.
  void RemovePackages();

 private:
  std::vector<std::string> Apt(std::vector<std::string> words) const;
  bool WriteConfiguration(std::string* error);
  bool DownloadOne(const std::string& package, const std::string& version, std::string* file,
                   std::string* error);

  std::string directory_;
  std::string trouble_;  // What the last Update() met, though suites may have come.
  bool damaged_ = false;
};

// What apt said went wrong, in a line: its first "E:" or "W:" lines.
std::string AptTrouble(const std::string& output);

// Whether this trouble only says that the archive cannot be reached, or does not have the file any
// more. All else (a checksum, a size or a signature that does not fit) is a fault of what came.
bool IsOutOfReach(std::string_view trouble);

}  // namespace mapspec

#endif  // RUNNERS_KERNELS_PACKAGE_ARCHIVE_H_
