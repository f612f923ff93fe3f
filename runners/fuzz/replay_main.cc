// SPDX-License-Identifier: MIT
//
// A target without an engine: carries out the files that are named, and those in directories that
// are named. Status 0: all were carried out, and nothing of them is left; 1: descriptors are left
// open; 2: a file cannot be read, or there is none. What a target objects to ends the process; the
// line printed last names the file.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "backends/open_descriptors.h"
#include "runners/fuzz/fuzz_target.h"

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> FilesOf(const fs::path& path, std::error_code& error) {
  if (!fs::is_directory(path)) return {path};
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(path, error)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// False when the file cannot be read.
bool Replay(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  const std::vector<char> bytes((std::istreambuf_iterator<char>(in)), {});
  if (!in || in.bad()) return false;
  std::printf("%s\n", path.c_str());
  std::fflush(stdout);
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<fs::path> files;
  for (int i = 1; i < argc; ++i) {
    std::error_code error;
    const std::vector<fs::path> found = FilesOf(argv[i], error);
    files.insert(files.end(), found.begin(), found.end());
  }
  if (files.empty()) {
    std::fprintf(stderr, "usage: %s FILE|DIRECTORY…  (no file was found)\n", argv[0]);
    return 2;
  }
  // The first run opens what stays open, and the library under test may keep some descriptors for
  // its next maps. When all inputs come a second time nothing is added to those.
  LLVMFuzzerTestOneInput(nullptr, 0);
  ptrdiff_t left = 0;
  for (int pass = 0; pass == 0 || (pass == 1 && left != 0); ++pass) {
    const ptrdiff_t before = mapspec::OpenDescriptors();
    for (const fs::path& file : files) {
      if (Replay(file)) continue;
      std::fprintf(stderr, "%s: cannot be read\n", file.c_str());
      return 2;
    }
    left = mapspec::OpenDescriptors() - before;
  }
  if (left != 0) {
    std::fprintf(stderr, "%td descriptors were left open\n", left);
    return 1;
  }
  std::printf("%zu inputs, nothing to object to\n", files.size());
  return 0;
}
