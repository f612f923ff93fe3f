// SPDX-License-Identifier: MIT
#include "runners/fuzz/fuzz_target.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "backends/libbpf_api/pin_directory.h"

namespace mapspec {
namespace {

constexpr std::string_view kPrefix = "mapspec-fuzz.";

std::filesystem::path& Scratch() {
  static std::filesystem::path path;
  return path;
}

// Directories whose process is gone: an engine ends its targets in ways that run no destructor.
void RemoveLeftOvers(const std::filesystem::path& base) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(base, ignored)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with(kPrefix)) continue;
    pid_t pid = 0;
    const char* const end = name.data() + name.size();
    const auto [rest, error] = std::from_chars(name.data() + kPrefix.size(), end, pid);
    if (error != std::errc{} || rest != end || pid <= 0) continue;
    if (kill(pid, 0) != 0 && errno == ESRCH) RemoveTree(entry.path());
  }
}

}  // namespace

void Require(bool holds, std::string_view what) {
  if (holds) return;
  std::fprintf(stderr, "%.*s\n", static_cast<int>(what.size()), what.data());
  if (!Scratch().empty()) RemoveTree(Scratch());
  std::abort();
}

void UseScratchDirectory() {
  std::error_code error;
  const std::filesystem::path base = std::filesystem::temp_directory_path(error);
  Require(!error, "there is no directory for temporary files: set TMPDIR");
  RemoveLeftOvers(base);
  Scratch() = base / (std::string(kPrefix) + std::to_string(getpid()));
  std::filesystem::create_directory(Scratch(), error);
  Require(!error, Scratch().string() + ": " + error.message());
  setenv("MAPSPEC_SCRATCH", Scratch().c_str(), 1);
  std::atexit([] { RemoveTree(Scratch()); });
}

}  // namespace mapspec
