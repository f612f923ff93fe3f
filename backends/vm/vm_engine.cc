// SPDX-License-Identifier: MIT
#include "backends/vm/vm_engine.h"

#include <cstdlib>

#include "backends/vm/engines.h"

namespace mapspec {

uint64_t VmProgram::CallBack(const std::array<uint64_t, kVmArguments>& /*arguments*/) {
  std::abort();  // Nobody calls back a VM that has no callbacks.
}

std::unique_ptr<VmEngine> MakeVmEngine(std::string_view word, bool jit, std::string* error) {
#ifdef MAPSPEC_HAVE_DPDK
  if (word.empty()) return MakeDpdkEngine(jit, error);
#endif
#ifdef MAPSPEC_HAVE_UBPF
  if (word == "ubpf") return MakeUbpfEngine(jit, error);
#endif
  if (word == "plain") return MakePlainEngine(jit, error);
  *error = "this build has no such VM";
  return nullptr;
}

}  // namespace mapspec
