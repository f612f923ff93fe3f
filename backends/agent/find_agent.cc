// SPDX-License-Identifier: MIT
#include "backends/agent/find_agent.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace mapspec {

std::string FindAgent(const std::string& program, const char* variable, std::string* error) {
  if (const char* named = std::getenv(variable)) {
    if (access(named, X_OK) == 0) return named;
    *error = std::string(variable) + " names " + named + ": " + std::strerror(errno);
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
       {directory / program, directory / ".." / "libexec" / "mapspec" / program}) {
    if (access(candidate.c_str(), X_OK) == 0) return candidate.string();
  }
  *error = "cannot find " + program + " beside " + self.string() +
           " nor in ../libexec/mapspec: install it there, or name it in " + variable;
  return {};
}

}  // namespace mapspec
