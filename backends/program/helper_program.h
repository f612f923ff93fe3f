// SPDX-License-Identifier: MIT
//
// From what is known of a map, and what is to be done with it, to a program. Every program takes
// the next record of its control block, does one action on the map under test with the arguments
// that stand there, and leaves the result in the record. With several actions it does the one that
// the record names. Nothing is compiled by clang, nothing depends on the kernel that is to load it.
//
// Pure. Errors: precondition key_size <= kMaxKey and value_size <= kMaxValue (control_block.h).
// Source: uapi/linux/bpf.h, the comments on helper functions.
#ifndef BACKENDS_PROGRAM_HELPER_PROGRAM_H_
#define BACKENDS_PROGRAM_HELPER_PROGRAM_H_

#include <cstdint>
#include <optional>
#include <span>

#include "backends/program/control_block.h"
#include "backends/program/program.h"
#include "oracle/operation.h"

namespace mapspec {

// A helper call with all that shapes the program (oracle/operation.h: store, lock, hold).
enum class HelperAction : uint8_t {
  kLookup,
  kLookupStore,
  kLookupLock,
  kLookupStoreLock,
  kUpdate,
  kUpdateHold,
  kDelete,
  kDeleteHold,
  kPush,
  kPop,
  kPeek,
  kLookupPercpu,
  kForEach,
  kLookupInner,
  kLookupInnerStore,
  kCount,
};
inline constexpr size_t kHelperActions = static_cast<size_t>(HelperAction::kCount);

// What the operation asks for; nullopt for those that are not of the program path.
std::optional<HelperAction> ActionOf(const Call& call);

// What the records of its programs look like.
RecordForm FormOf(HelperAction action);

// The program for `actions` (at least one, all of one form; kForEach only alone).
Program MakeHelperProgram(const MapShape& shape, std::span<const HelperAction> actions);

// The actions that stand together in one program for the map: those that its type has. Empty where
// nothing is known of the type, or the program would be long.
std::span<const HelperAction> ActionsTogether(const MapShape& shape);

}  // namespace mapspec

#endif  // BACKENDS_PROGRAM_HELPER_PROGRAM_H_
