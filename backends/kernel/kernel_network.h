// SPDX-License-Identifier: MIT
//
// The network of a script on the running kernel: a ScriptNetwork over a NetworkLab, and whether
// this process may have one at all.
//
// Thread-safety: that of ScriptNetwork; the two questions may be asked from any thread.
// Errors: sentences. Source: oracle/operation.h, "Sockets and frames".
#ifndef BACKENDS_KERNEL_KERNEL_NETWORK_H_
#define BACKENDS_KERNEL_KERNEL_NETWORK_H_

#include <memory>
#include <string>

#include "backends/libbpf_api/script_network.h"

namespace mapspec {

std::unique_ptr<ScriptNetwork> MakeKernelNetwork();

// "" or why no program here can call bpf_redirect_map(), found by running one.
std::string WhyNoRedirect();
// "" or what there is not: a network namespace, veth devices, AF_XDP sockets. Found by having a
// frame delivered; a network is made for it and thrown away.
std::string WhyNoNetwork();

}  // namespace mapspec

#endif  // BACKENDS_KERNEL_KERNEL_NETWORK_H_
