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
// "" or why there are no AF_XDP sockets. Whether they can be bound, and frames be sent, takes a
// network namespace and veth devices: an operation for which there are none says so itself.
std::string WhyNoSockets();

}  // namespace mapspec

#endif  // BACKENDS_KERNEL_KERNEL_NETWORK_H_
