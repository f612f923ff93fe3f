// SPDX-License-Identifier: MIT
#include "backends/vm/vm_backend.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "backends/agent/agent_backend.h"
#include "backends/agent/find_agent.h"
#include "backends/vm/vm_selector.h"

namespace mapspec {
namespace {

std::string FindVmAgent(std::string* error) {
  return FindAgent("mapspec-vm-agent", "MAPSPEC_VM_AGENT", error);
}

std::string NotBuilt(const VmEngineInfo& engine) {
  return "built without " + std::string(engine.name) + ": " + std::string(engine.to_get_it);
}

}  // namespace

std::unique_ptr<Backend> MakeVmBackend(std::string_view selector, std::string* error, bool* usage) {
  const auto parsed = ParseVmSelector(selector, error);
  if (!parsed) {
    *usage = true;
    return nullptr;
  }
  if (!parsed->engine->built) {
    *error = std::string(selector) + ": " + NotBuilt(*parsed->engine);
    return nullptr;
  }
  struct stat status {};
  if (!parsed->library.empty() && stat(parsed->library.c_str(), &status) != 0) {
    *error = std::string(selector) + ": " + std::strerror(errno);
    *usage = true;
    return nullptr;
  }
  const std::string agent = FindVmAgent(error);
  if (agent.empty()) return nullptr;
  AgentOptions options;
  options.selector = selector;
  options.arguments = {agent, options.selector};
  options.probe_mmap = !parsed->library.empty();
  return MakeAgentBackend(std::move(options), error);
}

std::vector<BackendInfo> ListVmBackends() {
  std::vector<BackendInfo> list;
  std::string no_agent;
  FindVmAgent(&no_agent);
  for (const VmEngineInfo& engine : VmEngines()) {
    std::string selector = "vm";
    if (!engine.word.empty()) selector += ":" + std::string(engine.word);
    std::string reason = engine.built ? no_agent : NotBuilt(engine);
    const bool available = reason.empty();
    const std::string what = "programs that call helpers, on " + std::string(engine.name);
    list.push_back(
        {selector, what + "; with :library:PATH behind it, maps of a library", available, reason});
    if (!engine.has_jit) continue;
    list.push_back({selector + ":jit", "the same, compiled", available, reason});
  }
  return list;
}

}  // namespace mapspec
