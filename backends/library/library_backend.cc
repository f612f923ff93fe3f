// SPDX-License-Identifier: MIT
#include "backends/library/library_backend.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "backends/agent/agent_backend.h"
#include "backends/agent/find_agent.h"

namespace mapspec {

std::string FindLibraryAgent(std::string* error) {
  return FindAgent("mapspec-library-agent", "MAPSPEC_LIBRARY_AGENT", error);
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
