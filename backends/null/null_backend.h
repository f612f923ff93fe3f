// SPDX-License-Identifier: MIT
//
// Implementations that are wrong on purpose, to prove that the suite does not bless them. Not
// listed to users; selectors of tests:
//   null:success    every call succeeds and writes nothing
//   null:einval     every call fails with EINVAL and writes nothing
//   null:no-output  the library of backends/userspace, whose outputs never arrive
//   null:previous   the library of backends/userspace, each call answered with the answer of the
//   one before
// They claim every function and every helper, and the newest Linux profile.
#ifndef BACKENDS_NULL_NULL_BACKEND_H_
#define BACKENDS_NULL_NULL_BACKEND_H_

#include <memory>
#include <span>
#include <string_view>

#include "backends/backend.h"

namespace mapspec {

// The part of the selectors after "null:".
std::span<const std::string_view> NullBackendKinds();
// nullptr for an unknown kind.
std::unique_ptr<Backend> MakeNullBackend(std::string_view kind);

}  // namespace mapspec

#endif  // BACKENDS_NULL_NULL_BACKEND_H_
