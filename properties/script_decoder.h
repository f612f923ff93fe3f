// SPDX-License-Identifier: MIT
//
// Scripts as the bytes that fuzzers change. Any bytes are a script. Bytes are cut into records as
// SLIP cuts a line into packets (0xc0 ends a record, 0xdb escapes), so that a byte that is changed,
// put in or taken out concerns one record and leaves the others what they were. A record is
//   - an operation with all its members (properties/script_record.h), or,
//   - where it begins with 0, the decisions of the script generator for a few operations on maps of
//     their own, in the slots from 0 on: its type (0: mixed), their number, and the entropy.
// Both kinds may follow one another. EncodeScript() is the inverse of decoding without limits; it
// writes operations. The bytes are no format to keep: they change with the vocabulary.
//
// Cost: below a microsecond for an ordinary operation. Thread-safety: one thread at a time for each
// object. No errors.
// Source of the framing: RFC 1055.
#ifndef PROPERTIES_SCRIPT_DECODER_H_
#define PROPERTIES_SCRIPT_DECODER_H_

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "oracle/operation.h"
#include "properties/script_generator.h"

namespace mapspec {

// What a script may cost whoever carries it out.
struct ScriptLimits {
  static constexpr uint64_t kNone = std::numeric_limits<uint64_t>::max();
  uint64_t operations = 400;
  // Bytes of buffers that the input does not spell out, because they are zeros.
  uint64_t zeros = uint64_t{1} << 20;
  // What one map and what all maps may take; creations that would take more get smaller sizes.
  // Those that no implementation can accept stay.
  uint64_t map_bytes = uint64_t{1} << 20;
  uint64_t all_maps_bytes = uint64_t{16} << 20;
  // Elements that one batch writes or deletes: those that the script does not spell out are zeros.
  uint64_t batch_elements = 1024;

  static constexpr ScriptLimits None() { return {kNone, kNone, kNone, kNone, kNone}; }
};

class ScriptDecoder {
 public:
  // The options say what the generator may do, and creations of types that are lacking are left out
  // wherever they stand; `limits` takes the place of its own.
  ScriptDecoder(GeneratorOptions options, const ScriptLimits& limits);

  // Replaces *operations.
  void Decode(std::span<const uint8_t> bytes, std::vector<Operation>* operations);

 private:
  // The next record, unescaped, in record_; false at the end.
  bool NextRecord(std::span<const uint8_t>* bytes);
  void Generate(std::span<const uint8_t> record, std::vector<Operation>* operations);
  bool MakesLackingType(const Operation& operation) const;
  void Bound(Operation* operation);

  const ScriptLimits limits_;
  std::vector<ScriptGenerator> generators_;  // Of mixed scripts, then one for each type.
  std::vector<uint8_t> record_;
  Script generated_;
  uint64_t zeros_ = 0, maps_bytes_ = 0;  // Left of the limits.
};

std::vector<uint8_t> EncodeScript(std::span<const Operation> operations);

}  // namespace mapspec

#endif  // PROPERTIES_SCRIPT_DECODER_H_
