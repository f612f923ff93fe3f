// SPDX-License-Identifier: MIT
//
// Distributions backport: what a kernel does may be what another version than its release number
// promises. When a kernel's trace breaks a promise of the profile it is held to, the same trace is
// judged by the profiles of the other versions; where one agrees, the failure says so, and names
// the trait if a single one makes the difference. It stays a failure. Pure function of its
// arguments; thread-safe.
#ifndef RUNNERS_BACKPORT_H_
#define RUNNERS_BACKPORT_H_

#include <cstddef>
#include <functional>
#include <string>

#include "oracle/profile.h"
#include "oracle/trace.h"

namespace mapspec {

// "conforms to linux-7.1: the release, 6.18.15, says linux-6.18; perhaps backported (trait
// !xskmap_bare_sockets)". "" where no other version agrees, and for traces of what is no kernel.
// `index` is the operation that broke a promise of `judged_by`: the other profile has to judge it,
// and not merely to have no opinion. `also`: what has to agree besides the oracle.
// Cost: that of judging the trace once for each other version and for each trait that differs.
std::string BackportNote(const Trace& trace, size_t index, const Profile& judged_by,
                         const std::function<bool(const Profile&)>& also = {});

}  // namespace mapspec

#endif  // RUNNERS_BACKPORT_H_
