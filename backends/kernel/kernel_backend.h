// SPDX-License-Identifier: MIT
//
// The running kernel, through libbpf's low-level API; what libbpf cannot pass goes through bpf(2)
// itself. Leaves no trace on the host: pins live on a bpffs that is mounted nowhere
// (bpffs_directory.h), and privileges are dropped for the calling thread and the one call alone.
#ifndef BACKENDS_KERNEL_KERNEL_BACKEND_H_
#define BACKENDS_KERNEL_KERNEL_BACKEND_H_

#include <memory>
#include <string>
#include <string_view>

#include "backends/backend.h"

namespace mapspec {

// nullptr after filling *error with the reason and the remedy, found by really creating maps.
// Raises RLIMIT_MEMLOCK of this process on kernels before 5.11, where maps count against it.
// `selector`: what the backend is called.
std::unique_ptr<Backend> MakeKernelBackend(std::string* error,
                                           std::string_view selector = "kernel");

}  // namespace mapspec

#endif  // BACKENDS_KERNEL_KERNEL_BACKEND_H_
