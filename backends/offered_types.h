// SPDX-License-Identifier: MIT
//
// Which map types a backend has, found by making an ordinary map. Only types that have clauses and
// that no profile promises are tried: of those that are promised it is a failure to lack them, not
// a reason to ask nothing.
// Thread-safety: that of Backend. Errors: none; a backend that cannot be asked has the type.
#ifndef BACKENDS_OFFERED_TYPES_H_
#define BACKENDS_OFFERED_TYPES_H_

#include "backends/backend.h"
#include "oracle/uapi.h"

namespace mapspec {

bool OffersMapType(Backend& backend, MapType type);

}  // namespace mapspec

#endif  // BACKENDS_OFFERED_TYPES_H_
