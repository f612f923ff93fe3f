// SPDX-License-Identifier: MIT
//
// A bpffs of one's own. It is mounted, yet attached to no mount namespace: only its descriptor
// leads to it, through /proc/self/fd. The host's mounts are not changed, and the file system with
// all pins in it vanishes with the descriptor, also when this process is killed. Needs
// CAP_SYS_ADMIN, Linux 5.2 and /proc. Source: fsopen(2), fsmount(2).
#ifndef BACKENDS_KERNEL_BPFFS_DIRECTORY_H_
#define BACKENDS_KERNEL_BPFFS_DIRECTORY_H_

#include <memory>
#include <string>

#include "backends/libbpf_api/pin_directory.h"

namespace mapspec {

// nullptr after filling *error. Paths "outside/NAME" resolve to a tmpfs made in the same way.
std::unique_ptr<PinDirectory> MakeBpffsDirectory(std::string* error);

}  // namespace mapspec

#endif  // BACKENDS_KERNEL_BPFFS_DIRECTORY_H_
