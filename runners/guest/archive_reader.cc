// SPDX-License-Identifier: MIT
#include "runners/guest/archive_reader.h"

#include <archive.h>
#include <archive_entry.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <vector>

namespace mapspec {
namespace {

struct FreeArchive {
  void operator()(::archive* archive) const { archive_read_free(archive); }
};
using Archive = std::unique_ptr<::archive, FreeArchive>;

Archive NewReader() {
  Archive reader(archive_read_new());
  archive_read_support_filter_gzip(reader.get());
  archive_read_support_filter_xz(reader.get());
  archive_read_support_filter_zstd(reader.get());
  return reader;
}

bool Fail(const std::string& path, ::archive* reader, std::string* error) {
  const char* reason = archive_error_string(reader);
  *error = path + ": " + (reason != nullptr ? reason : "damaged archive");
  return false;
}

// Hands the data of the current entry to `take`, piece by piece.
template <typename Take>
bool ReadData(::archive* reader, const Take& take) {
  std::vector<char> piece(1 << 16);
  for (;;) {
    const la_ssize_t size = archive_read_data(reader, piece.data(), piece.size());
    if (size <= 0) return size == 0;
    take(piece.data(), static_cast<size_t>(size));
  }
}

bool WriteEntry(::archive* reader, const std::string& place) {
  std::error_code code;
  std::filesystem::create_directories(std::filesystem::path(place).parent_path(), code);
  std::ofstream out(place, std::ios::binary | std::ios::trunc);
  const bool read = ReadData(reader, [&](const char* data, size_t size) {
    out.write(data, static_cast<std::streamsize>(size));
  });
  out.flush();
  return read && out.good();
}

// The tar archive inside: read from the current entry of the ar archive.
struct Inner {
  ::archive* outer;
  std::vector<char> piece = std::vector<char>(1 << 16);
};

la_ssize_t ReadInner(::archive*, void* data, const void** bytes) {
  auto& inner = *static_cast<Inner*>(data);
  *bytes = inner.piece.data();
  return archive_read_data(inner.outer, inner.piece.data(), inner.piece.size());
}

bool UnpackTar(const std::string& path, ::archive* outer, const PlaceOf& place_of,
               std::string* error) {
  Inner inner{outer};
  Archive tar = NewReader();
  archive_read_support_format_tar(tar.get());
  if (archive_read_open(tar.get(), &inner, nullptr, &ReadInner, nullptr) != ARCHIVE_OK) {
    return Fail(path, tar.get(), error);
  }
  archive_entry* entry = nullptr;
  int result = ARCHIVE_OK;
  while ((result = archive_read_next_header(tar.get(), &entry)) == ARCHIVE_OK) {
    const char* const name = archive_entry_pathname(entry);
    if (name == nullptr || archive_entry_filetype(entry) != AE_IFREG) continue;
    std::string_view file = name;  // "./boot/vmlinuz"
    if (file.starts_with('.')) file.remove_prefix(1);
    const std::string place = place_of(file);
    if (!place.empty() && !WriteEntry(tar.get(), place)) {
      *error = place + ": cannot be written, or the package is damaged";
      return false;
    }
  }
  return result == ARCHIVE_EOF || Fail(path, tar.get(), error);
}

}  // namespace

bool ReadCompressedFile(const std::string& path, std::string* content, std::string* error) {
  Archive reader = NewReader();
  archive_read_support_format_raw(reader.get());
  archive_entry* entry = nullptr;
  content->clear();
  const bool read =
      archive_read_open_filename(reader.get(), path.c_str(), 1 << 16) == ARCHIVE_OK &&
      archive_read_next_header(reader.get(), &entry) == ARCHIVE_OK &&
      ReadData(reader.get(), [&](const char* data, size_t size) { content->append(data, size); });
  return read || Fail(path, reader.get(), error);
}

bool UnpackDebianPackage(const std::string& path, const PlaceOf& place_of, std::string* error) {
  Archive package(archive_read_new());
  archive_read_support_format_ar(package.get());
  if (archive_read_open_filename(package.get(), path.c_str(), 1 << 16) != ARCHIVE_OK) {
    return Fail(path, package.get(), error);
  }
  archive_entry* entry = nullptr;
  while (archive_read_next_header(package.get(), &entry) == ARCHIVE_OK) {
    const char* const name = archive_entry_pathname(entry);
    if (name == nullptr || !std::string_view(name).starts_with("data.tar")) continue;
    return UnpackTar(path, package.get(), place_of, error);
  }
  *error = path + ": is not a Debian package";
  return false;
}

}  // namespace mapspec
