// SPDX-License-Identifier: MIT
//
// What the files of Answers share. Pure functions. Thread-safety: any thread.
#ifndef SPECS_ANSWER_PARTS_H_
#define SPECS_ANSWER_PARTS_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "oracle/checker.h"
#include "oracle/operation.h"
#include "oracle/outcome.h"
#include "specs/scenario.h"

namespace mapspec {

inline constexpr size_t kMaxBuffer = 1 << 20;  // No scenario looks at longer buffers.

// How the call may end; for "any error" every errno is a candidate. That of a helper may come in
// 64 or in 32 bits.
std::vector<Outcome> Endings(const StatedOutcome& stated, const Operation& operation);
void AddOnce(const Bytes& bytes, std::vector<Bytes>* list);
// What the oracle says must be in the output of a call that ends so.
std::optional<Bytes> Asked(const Operation& operation, size_t size, const Checker& checker,
                           const Outcome& ending = {});
// `buffer` with the elements written over its start.
Bytes Overlaid(Bytes buffer, const std::vector<Bytes>& elements);

}  // namespace mapspec

#endif  // SPECS_ANSWER_PARTS_H_
