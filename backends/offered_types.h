// SPDX-License-Identifier: MIT
//
// Which map types a backend has, found by making an ordinary map: it lacks a type for which it has
// EINVAL, as for a number that means nothing, while it makes an ARRAY. Kernels are not asked (but
// for XSKMAP where there are no AF_XDP sockets), nor is anyone for the oldest types: of what is
// promised it is a failure to lack it, not a reason to ask nothing.
// Thread-safety: that of Backend. Errors: none; a backend that cannot be asked has the type.
#ifndef BACKENDS_OFFERED_TYPES_H_
#define BACKENDS_OFFERED_TYPES_H_

#include "backends/backend.h"
#include "oracle/uapi.h"

namespace mapspec {

bool OffersMapType(Backend& backend, MapType type);

}  // namespace mapspec

#endif  // BACKENDS_OFFERED_TYPES_H_
