// SPDX-License-Identifier: MIT
#include "backends/libbpf_api/pin_directory.h"

#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "backends/libbpf_api/scratch_directory.h"

namespace mapspec {
namespace {

class TemporaryPinDirectory : public PinDirectory {
 public:
  explicit TemporaryPinDirectory(std::string directory) : directory_(std::move(directory)) {}
  ~TemporaryPinDirectory() override {
    // As a rule there is nothing, or nothing but pins, whose names are known: that takes no search.
    if (rmdir(directory_.c_str()) == 0) return;
    for (const std::string& path : paths_) unlink(path.c_str());
    if (rmdir(directory_.c_str()) != 0) RemoveTree(directory_);
  }
  TemporaryPinDirectory(const TemporaryPinDirectory&) = delete;
  TemporaryPinDirectory& operator=(const TemporaryPinDirectory&) = delete;

  std::string Resolve(std::string_view path) override {
    std::string resolved = directory_ + "/" + std::string(path);
    if (std::find(paths_.begin(), paths_.end(), resolved) == paths_.end() &&
        paths_.size() < kFewPaths) {
      paths_.push_back(resolved);
    }
    return resolved;
  }

 private:
  static constexpr size_t kFewPaths = 16;

  std::string directory_;
  std::vector<std::string> paths_;  // The first ones that were asked about.
};

}  // namespace

bool StaysInside(std::string_view path) {
  if (path.starts_with('/') || path.find('\0') != std::string_view::npos) return false;
  while (!path.empty()) {
    const size_t slash = path.find('/');
    if (path.substr(0, slash) == "..") return false;
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
  }
  return true;
}

std::unique_ptr<PinDirectory> MakeTemporaryPinDirectory(std::string* error) {
  std::string directory = MakeTemporaryDirectory(error);
  if (directory.empty()) return nullptr;
  return std::make_unique<TemporaryPinDirectory>(std::move(directory));
}

}  // namespace mapspec
