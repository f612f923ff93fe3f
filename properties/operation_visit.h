// SPDX-License-Identifier: MIT
//
// Visits what operations refer to: slots and byte strings. For changes that concern a whole script,
// such as renaming a slot. No state, no errors.
#ifndef PROPERTIES_OPERATION_VISIT_H_
#define PROPERTIES_OPERATION_VISIT_H_

#include <cstdint>
#include <functional>

#include "oracle/operation.h"

namespace mapspec {

// Calls `visit` with every slot for a descriptor in the operation (the result included; not kBadFd
// and kNotAMap) and every buffer.
void VisitHandles(Call& call, const std::function<void(Handle&)>& visit);
void VisitBuffers(Call& call, const std::function<void(Bytes&)>& visit);
// The slots of views and BTF objects.
void VisitViews(Call& call, const std::function<void(uint16_t&)>& visit);
void VisitBtfs(Call& call, const std::function<void(uint16_t&)>& visit);

}  // namespace mapspec

#endif  // PROPERTIES_OPERATION_VISIT_H_
