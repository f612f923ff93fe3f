// SPDX-License-Identifier: MIT
#include "specs/embedded_specs.h"

#include <map>
#include <mutex>

#include "oracle/profile.h"

namespace mapspec {

const LoadedSpecs& Specification(uint32_t possible_cpus) {
  static std::mutex mutex;
  static std::map<uint32_t, LoadedSpecs> loaded;
  const std::lock_guard lock(mutex);
  const auto found = loaded.find(possible_cpus);
  if (found != loaded.end()) return found->second;
  const LoadOptions options{.traits = TraitNames(), .possible_cpus = possible_cpus};
  return loaded.emplace(possible_cpus, LoadSpecTexts(EmbeddedSpecTexts(), options)).first->second;
}

}  // namespace mapspec
