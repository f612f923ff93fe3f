// SPDX-License-Identifier: MIT
//
// Short words for keys and outcomes, for the tests of the checker.
#ifndef ORACLE_OUTCOME_TEST_SUPPORT_H_
#define ORACLE_OUTCOME_TEST_SUPPORT_H_

#include <cstdint>
#include <utility>

#include "oracle/outcome.h"

namespace mapspec {

inline Bytes Key(uint64_t number) { return Bytes::LittleEndian(number, 4); }
inline Outcome Ok() { return {}; }
inline Outcome Error(Errno error) {
  Outcome outcome;
  outcome.error = error;
  return outcome;
}
inline Outcome Value(Bytes bytes) {
  Outcome outcome;
  outcome.output = std::move(bytes);
  return outcome;
}

}  // namespace mapspec

#endif  // ORACLE_OUTCOME_TEST_SUPPORT_H_
