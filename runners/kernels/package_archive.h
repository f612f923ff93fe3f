// SPDX-License-Identifier: MIT
//
// The distribution's package archive, asked through apt itself with a configuration of our own:
// nothing is installed, nothing of the machine's apt is changed, no root is needed, and signatures
// and checksums are apt's business. Lists of packages are kept in the cache, so that the next
// question only fetches what has changed. One thread.
#ifndef RUNNERS_KERNELS_PACKAGE_ARCHIVE_H_
#define RUNNERS_KERNELS_PACKAGE_ARCHIVE_H_

#include <string>
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
  std::vector<ArchiveKernel> Kernels();
  // The packages of one kernel, into the directory's `packages`; *files are the downloaded ones.
  // False after filling *error.
  bool Download(const ArchiveKernel& kernel, std::vector<std::string>* files, std::string* error);
  // Removes what was downloaded, all but the lists.
  void RemovePackages();

 private:
  std::vector<std::string> Apt(std::vector<std::string> words) const;
  bool WriteConfiguration(std::string* error);
  bool DownloadOne(const std::string& package, const std::string& version, std::string* file,
                   std::string* error);

  std::string directory_;
};

// What apt said went wrong, in a line: its first "E:" or "W:" lines.
std::string AptTrouble(const std::string& output);

}  // namespace mapspec

#endif  // RUNNERS_KERNELS_PACKAGE_ARCHIVE_H_
