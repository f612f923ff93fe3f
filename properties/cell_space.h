// SPDX-License-Identifier: MIT
//
// The numbering of coverage cells: dense numbers for map types, operations, classes of flags and
// outcomes, and their names. A detail of coverage.cc. Constant data; any thread may use it.
#ifndef PROPERTIES_CELL_SPACE_H_
#define PROPERTIES_CELL_SPACE_H_

#include <cstdint>
#include <string>

#include "oracle/operation.h"
#include "oracle/outcome.h"

namespace mapspec {

// Each alternative of Call, and LOOKUP_AND_DELETE_BATCH, which shares one with LOOKUP_BATCH.
inline constexpr uint16_t kCellOperations = static_cast<uint16_t>(std::variant_size_v<Call>) + 1;
inline constexpr uint16_t kFlagClasses = 16;
inline constexpr uint16_t kCellOutcomes = 48;

// 1 + the place in MapKinds(); 0 for any other type.
uint8_t DenseType(MapType type);
size_t CellTypes();
uint16_t OperationNumber(const Call& call);
// 0 for success, else a number for each errno that has a name, whether of the call or of loading
// the program that was to make it; the last ones are for other errnos and for calls that did not
// return properly.
uint16_t OutcomeNumber(const Outcome& outcome);

}  // namespace mapspec

#endif  // PROPERTIES_CELL_SPACE_H_
