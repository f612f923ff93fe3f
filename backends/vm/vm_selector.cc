// SPDX-License-Identifier: MIT
#include "backends/vm/vm_selector.h"

#include <algorithm>

namespace mapspec {
namespace {

#ifdef MAPSPEC_HAVE_DPDK
constexpr bool kHaveDpdk = true;
#else
constexpr bool kHaveDpdk = false;
#endif
#ifdef MAPSPEC_HAVE_UBPF
constexpr bool kHaveUbpf = true;
#else
constexpr bool kHaveUbpf = false;
#endif

constexpr std::string_view kVm = "vm";
constexpr std::string_view kFaulty = "faulty-vm";
constexpr std::string_view kLibrary = "library";

// Takes what stands before the next colon off the front.
std::string_view Next(std::string_view* rest) {
  const size_t colon = std::min(rest->find(':'), rest->size());
  const std::string_view word = rest->substr(0, colon);
  rest->remove_prefix(std::min(colon + 1, rest->size()));
  return word;
}

const VmEngineInfo* EngineOf(std::string_view word) {
  const auto& engines = VmEngines();
  const auto found = std::find_if(engines.begin(), engines.end(),
                                  [word](const VmEngineInfo& info) { return info.word == word; });
  return found == engines.end() ? nullptr : &*found;
}

}  // namespace

const std::vector<VmEngineInfo>& VmEngines() {
  static const std::vector<VmEngineInfo> engines = {
      {"", "librte_bpf of DPDK", true, kHaveDpdk,
       "install libdpdk-dev (runners/install_packages does), configure and build again"},
      {"ubpf", "uBPF", true, kHaveUbpf,
       "install uBPF where CMake finds it (ubpf_DIR, CMAKE_PREFIX_PATH), configure and build "
       "again"},
      {"plain", "the plain interpreter of mapspec", false, true, ""},
  };
  return engines;
}

bool IsVmSelector(std::string_view selector) {
  const std::string_view word = Next(&selector);
  return word == kVm || word == kFaulty;
}

std::optional<VmSelector> ParseVmSelector(std::string_view selector, std::string* error) {
  std::string_view rest = selector;
  VmSelector parsed;
  if (Next(&rest) == kFaulty) {
    parsed.engine = EngineOf("plain");
    parsed.fault = Next(&rest);
    if (parsed.fault.empty()) {
      *error = "faulty-vm: which fault?";
      return std::nullopt;
    }
  } else {
    parsed.engine = EngineOf("");
    std::string_view after = rest;
    const std::string_view word = Next(&after);
    if (const VmEngineInfo* named = EngineOf(word); named != nullptr && !word.empty()) {
      parsed.engine = named;
      rest = after;
    }
    after = rest;
    if (Next(&after) == "jit") {
      parsed.jit = true;
      rest = after;
    }
  }
  if (parsed.jit && !parsed.engine->has_jit) {
    *error = std::string(parsed.engine->name) + " has no JIT";
    return std::nullopt;
  }
  if (rest.empty()) return parsed;
  if (Next(&rest) == kLibrary && !rest.empty()) {
    parsed.library = rest;
    return parsed;
  }
  *error = "unknown backend \"" + std::string(selector) +
           "\"; VMs are vm, vm:jit, vm:ubpf, vm:ubpf:jit and vm:plain, each with :library:PATH "
           "behind it where the maps are not those of userspace";
  return std::nullopt;
}

}  // namespace mapspec
