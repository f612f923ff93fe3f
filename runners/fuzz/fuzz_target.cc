// SPDX-License-Identifier: MIT
#include "runners/fuzz/fuzz_target.h"

#include <cstdio>
#include <cstdlib>
#include <string>

#include "backends/libbpf_api/scratch_directory.h"

namespace mapspec {

void Require(bool holds, std::string_view what) {
  if (holds) return;
  std::fprintf(stderr, "%.*s\n", static_cast<int>(what.size()), what.data());
  RemoveScratchDirectory();
  std::abort();
}

void RequireScratchDirectory() {
  std::string error;
  Require(UseScratchDirectory(&error), "no directory for temporary files (set TMPDIR): " + error);
}

}  // namespace mapspec
