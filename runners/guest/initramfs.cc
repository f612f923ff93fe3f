// SPDX-License-Identifier: MIT
#include "runners/guest/initramfs.h"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

namespace mapspec {
namespace {

la_ssize_t Append(::archive*, void* bytes, const void* data, size_t size) {
  static_cast<std::string*>(bytes)->append(static_cast<const char*>(data), size);
  return static_cast<la_ssize_t>(size);
}

}  // namespace

struct Initramfs::Entry {
  std::string_view path;
  unsigned type;  // AE_IFREG …
  unsigned mode;
  std::string_view content = {};
  unsigned major = 0, minor = 0;
};

Initramfs::Initramfs() : archive_(archive_write_new()) {
  archive_write_set_format_cpio_newc(archive_);
  archive_write_set_bytes_in_last_block(archive_, 1);
  archive_write_open(archive_, &bytes_, nullptr, &Append, nullptr);
}

Initramfs::~Initramfs() { archive_write_free(archive_); }

void Initramfs::Write(const Entry& entry) {
  archive_entry* const header = archive_entry_new();
  // Names in the archive are relative to the guest's root.
  archive_entry_set_pathname(header, std::string(entry.path.substr(1)).c_str());
  archive_entry_set_filetype(header, entry.type);
  archive_entry_set_perm(header, static_cast<__LA_MODE_T>(entry.mode));
  archive_entry_set_size(header, static_cast<la_int64_t>(entry.content.size()));
  archive_entry_set_rdevmajor(header, entry.major);
  archive_entry_set_rdevminor(header, entry.minor);
  archive_entry_set_nlink(header, 1);
  archive_write_header(archive_, header);
  archive_write_data(archive_, entry.content.data(), entry.content.size());
  archive_entry_free(header);
}

void Initramfs::AddParents(std::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash != 0 && slash != std::string_view::npos) AddDirectory(path.substr(0, slash));
}

void Initramfs::AddDirectory(std::string_view path) {
  if (paths_.find(path) != paths_.end()) return;
  AddParents(path);
  paths_.emplace(path);
  Write({path, AE_IFDIR, 0755});
}

void Initramfs::AddFile(std::string_view path, std::string_view content, unsigned mode) {
  if (paths_.find(path) != paths_.end()) return;
  AddParents(path);
  paths_.emplace(path);
  Write({path, AE_IFREG, mode, content});
}

void Initramfs::AddDevice(std::string_view path, unsigned major, unsigned minor) {
  if (paths_.find(path) != paths_.end()) return;
  AddParents(path);
  paths_.emplace(path);
  Write({path, AE_IFCHR, 0600, {}, major, minor});
}

bool Initramfs::AddHostFile(std::string_view path, const std::string& host_path, unsigned mode,
                            std::string* error) {
  std::string content;
  if (!ReadHostFile(host_path, &content, error)) return false;
  AddFile(path, content, mode);
  return true;
}

std::string Initramfs::Finish() {
  archive_write_close(archive_);
  return std::move(bytes_);
}

bool ReadHostFile(const std::string& path, std::string* content, std::string* error) {
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (in) {
    struct stat info {};
    if (stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
      *error = path + ": is a directory";
      return false;
    }
    content->assign(std::istreambuf_iterator<char>(in), {});
    if (!in.bad()) return true;
  }
  *error = path + ": " + (errno != 0 ? std::strerror(errno) : "cannot be read");
  return false;
}

}  // namespace mapspec
