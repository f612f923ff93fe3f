// SPDX-License-Identifier: MIT
//
// mapspec-library-agent PATH: loads a shared object and serves it over the agent protocol
// (backends/agent/README.md) on stdin and stdout. A program of its own, without libbpf, because a
// library that exports libbpf's names would find libbpf's functions instead of its own where it
// calls itself.
#include <cstdio>

#include "backends/agent/agent_server.h"
#include "backends/library/library_backend.h"

// In a build with a sanitizer, let the tested library die as it would without.
extern "C" const char* __asan_default_options() {
  return "handle_segv=0:handle_sigbus=0:handle_abort=0:handle_sigill=0:handle_sigfpe=0:"
         "detect_leaks=0:verify_asan_link_order=0";
}
extern "C" const char* __tsan_default_options() {
  return "handle_segv=0:handle_sigbus=0:handle_abort=0:handle_sigill=0:handle_sigfpe=0";
}

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s PATH-OF-A-SHARED-OBJECT  (started by mapspec)\n", argv[0]);
    return 2;
  }
  return mapspec::RunAgent([path = argv[1]](std::string* error) {
    return mapspec::MakeInProcessLibraryBackend(path, error);
  });
}
