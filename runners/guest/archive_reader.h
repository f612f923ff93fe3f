// SPDX-License-Identifier: MIT
//
// Reading what distributions pack: files compressed with gzip, xz or zstd, and Debian packages (an
// ar archive with a compressed tar archive in it).
#ifndef RUNNERS_GUEST_ARCHIVE_READER_H_
#define RUNNERS_GUEST_ARCHIVE_READER_H_

#include <functional>
#include <string>
#include <string_view>

namespace mapspec {

// A file, decompressed if it is compressed. False after filling *error.
bool ReadCompressedFile(const std::string& path, std::string* content, std::string* error);

// For a regular file of a package ("/boot/vmlinuz-6.1.0"): where to write it, "" for nowhere.
using PlaceOf = std::function<std::string(std::string_view path)>;

// Unpacks the files of a Debian package for which `place_of` names a place; directories are made.
// Places are the caller's to choose: nothing of the package decides where something is written.
// False after filling *error.
bool UnpackDebianPackage(const std::string& path, const PlaceOf& place_of, std::string* error);

}  // namespace mapspec

#endif  // RUNNERS_GUEST_ARCHIVE_READER_H_
