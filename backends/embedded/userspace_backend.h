// SPDX-License-Identifier: MIT
//
// The backend `userspace`: the library of backends/userspace in this process. The code here refers
// to the symbols usermaps_* and does not link them, so that a program chooses: mapspec_backends
// brings the library itself, mapspec_backends_bare leaves room for another build of it
// (usermaps_mutants).
#ifndef BACKENDS_EMBEDDED_USERSPACE_BACKEND_H_
#define BACKENDS_EMBEDDED_USERSPACE_BACKEND_H_

#include <memory>

#include "backends/backend.h"
#include "backends/libbpf_api/api_session.h"

namespace mapspec {

std::unique_ptr<Backend> MakeUserspaceBackend();

// What its sessions share, newly made, for backends that wrap or extend them.
std::shared_ptr<ApiSetup> UserspaceSetup();

}  // namespace mapspec

#endif  // BACKENDS_EMBEDDED_USERSPACE_BACKEND_H_
