// SPDX-License-Identifier: MIT
#include "backends/library/library_backend.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "backends/agent/agent_backend.h"

namespace mapspec {
namespace {

constexpr const char* kProgram = "mapspec-library-agent";

}  // namespace

std::string FindLibraryAgent(std::string* error) {
  if (const char* named = std::getenv("MAPSPEC_LIBRARY_AGENT")) {
    if (access(named, X_OK) == 0) return named;
    *error = "MAPSPEC_LIBRARY_AGENT names " + std::string(named) + ": " + std::strerror(errno);
    return {};
  }
  std::error_code failure;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", failure);
  if (failure) {
    *error = "cannot read /proc/self/exe: " + failure.message();
    return {};
  }
  const std::filesystem::path directory = self.parent_path();
  for (const auto& candidate :
       {directory / kProgram, directory / ".." / "libexec" / "mapspec" / kProgram}) {
    if (access(candidate.c_str(), X_OK) == 0) return candidate.string();
  }
  *error = std::string("cannot find ") + kProgram + " beside " + self.string() +
           " nor in ../libexec/mapspec: install it there, or name it in MAPSPEC_LIBRARY_AGENT";
  return {};
}

std::unique_ptr<Backend> MakeLibraryBackend(const std::string& path, std::string* error,
                                            bool* usage) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) {
    *error = "library:" + path + ": " + std::strerror(errno);
    *usage = true;
    return nullptr;
  }
  const std::string agent = FindLibraryAgent(error);
  if (agent.empty()) return nullptr;
  AgentOptions options;
  options.selector = "library:" + path;
  options.arguments = {agent, path};
  options.probe_mmap = true;
  return MakeAgentBackend(std::move(options), error);
}

}  // namespace mapspec
