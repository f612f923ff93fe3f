// SPDX-License-Identifier: MIT
//
// Between helper operations and the records of a control block: arguments in, outcomes out.
// Pure but for the record's memory. Units: bytes.
#ifndef BACKENDS_PROGRAM_CONTROL_RECORD_H_
#define BACKENDS_PROGRAM_CONTROL_RECORD_H_

#include <cstdint>

#include "backends/program/control_block.h"
#include "oracle/operation.h"
#include "oracle/outcome.h"

namespace mapspec {

// Lays out the record at `memory` for the call. Keys and values shorter than the map's are padded
// with zeros, longer ones cut.
void WriteRecord(const Call& call, const MapShape& shape, const ControlLayout& layout,
                 uint8_t* memory);

// What came of it. kNotRun where the program did not get to its end; kOverran where bytes behind
// the output, the key or the value changed.
void ReadRecord(const Call& call, const MapShape& shape, const ControlLayout& layout,
                const uint8_t* memory, Outcome* out);

}  // namespace mapspec

#endif  // BACKENDS_PROGRAM_CONTROL_RECORD_H_
