// SPDX-License-Identifier: MIT
//
// mapspec-vm-agent SELECTOR: runs programs on a VM and serves them over the agent protocol
// (backends/agent/README.md) on stdin and stdout. A program of its own, because a VM may crash, and
// without libbpf, as mapspec-library-agent.
#include <cstdio>

#include "backends/agent/agent_server.h"
#include "backends/vm/vm_in_process.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s SELECTOR-OF-A-VM  (started by mapspec)\n", argv[0]);
    return 2;
  }
  return mapspec::RunAgent([selector = argv[1]](std::string* error) {
    return mapspec::MakeInProcessVmBackend(selector, error);
  });
}
