// SPDX-License-Identifier: MIT
//
// mapspec-library-agent PATH: loads a shared object and serves it over the agent protocol
// (backends/agent/README.md) on stdin and stdout. A program of its own, without libbpf, because a
// library that exports libbpf's names would find libbpf's functions instead of its own where it
// calls itself.
#include <cstdio>

#include "backends/agent/agent_server.h"
#include "backends/library/library_backend.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s PATH-OF-A-SHARED-OBJECT  (started by mapspec)\n", argv[0]);
    return 2;
  }
  return mapspec::RunAgent([path = argv[1]](std::string* error) {
    return mapspec::MakeInProcessLibraryBackend(path, error);
  });
}
