// SPDX-License-Identifier: MIT
//
// The first file system of a guest, as Linux unpacks it while it boots: a cpio archive of the kind
// "newc" (Documentation/driver-api/early-userspace/buffer-format.rst), made in memory. Parent
// directories are made as needed; of two files of one path the first one counts. One thread.
#ifndef RUNNERS_GUEST_INITRAMFS_H_
#define RUNNERS_GUEST_INITRAMFS_H_

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

struct archive;

namespace mapspec {

class Initramfs {
 public:
  Initramfs();
  ~Initramfs();
  Initramfs(const Initramfs&) = delete;
  Initramfs& operator=(const Initramfs&) = delete;

  // Paths are absolute, as seen in the guest.
  void AddDirectory(std::string_view path);
  void AddFile(std::string_view path, std::string_view content, unsigned mode = 0644);
  // A character device: takes no privileges here, the guest's kernel makes it.
  void AddDevice(std::string_view path, unsigned major, unsigned minor);
  // A file of this machine. False after filling *error.
  bool AddHostFile(std::string_view path, const std::string& host_path, unsigned mode,
                   std::string* error);
  // Ends the archive and gives it away: nothing can be added any more.
  std::string Finish();

 private:
  struct Entry;
  void Write(const Entry& entry);
  void AddParents(std::string_view path);

  ::archive* archive_;
  std::string bytes_;
  std::set<std::string, std::less<>> paths_;
};

// A file's content. False after filling *error ("PATH: why").
bool ReadHostFile(const std::string& path, std::string* content, std::string* error);

}  // namespace mapspec

#endif  // RUNNERS_GUEST_INITRAMFS_H_
