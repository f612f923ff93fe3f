// SPDX-License-Identifier: MIT
//
// Which outcomes the oracle would have taken for one operation, as conditions that stand without
// it. They are found by asking: copies of a checker judge every errno, and outputs made from what
// the script knows. What they come to is checked against the outcome that was seen.
//
// Pure. Cost: some hundred copies of the checker. Thread-safety: any thread. Sizes in bytes.
#ifndef ORACLE_ALLOWED_H_
#define ORACLE_ALLOWED_H_

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "oracle/checker.h"

namespace mapspec {

// Bytes of which those count whose mask is not 0; all, where there is no mask.
struct BytePattern {
  Bytes bytes;
  Bytes mask;
  bool Matches(const Bytes& got) const;
  friend bool operator==(const BytePattern&, const BytePattern&) = default;
};

// Elements that a batch or a walk may give, in any order.
struct AllowedElement {
  Bytes key;
  BytePattern value;
  friend bool operator==(const AllowedElement&, const AllowedElement&) = default;
};

// The fields of struct bpf_map_info, for a set of them.
enum InfoField : uint32_t {
  kInfoType = 1,
  kInfoId = 2,
  kInfoKeySize = 4,
  kInfoValueSize = 8,
  kInfoMaxEntries = 16,
  kInfoFlags = 32,
  kInfoName = 64,
  kInfoHasBtf = 128,
  kInfoBtfKey = 256,
  kInfoBtfValue = 512,
  kInfoExtra = 1024,
  kInfoLength = 2048,
};

// One way in which the call may end. All that is said must hold; what is not said, may be anything.
struct AllowedOutcome {
  bool refused = false;              // The errors are those of loading the program.
  std::vector<Errno> errors;         // One of these; kNone is success.
  bool any_error = false;            // Or any but success.
  std::optional<int64_t> result;     // What the helper returned that is no errno.
  std::vector<BytePattern> outputs;  // The output is one of these; empty: anything.
  std::optional<uint32_t> number;    // revents.
  // An id above the first and, where the second is not 0, not above that.
  std::optional<std::pair<uint32_t, uint32_t>> id_between;
  std::optional<uint32_t> count;  // Of a batch or walk.
  // The buffers of a batch are exactly these.
  struct Buffers {
    BytePattern out_batch, keys, values;
    friend bool operator==(const Buffers&, const Buffers&) = default;
  };
  std::optional<Buffers> buffers;
  // Or: its first `count` elements are different ones of these, and nothing is written behind them.
  std::optional<std::vector<AllowedElement>> elements;
  // The fields `info_fields` (InfoField) are these.
  MapInfo info;
  uint32_t info_fields = 0;

  bool Takes(const Outcome& outcome) const;
};

struct AllowedOutcomes {
  std::vector<AllowedOutcome> any_of;
  // False: the conditions could not be found, or would take what was seen; only that outcome is
  // known to be wrong.
  bool exact = false;

  bool Takes(const Outcome& outcome) const;
};

struct AllowedQuestion {
  const Checker& before;  // Has judged everything in front of the operation.
  const Operation& operation;
  // What it was: a violation. Where the call did not come back, an outcome with outputs of the
  // sizes that they would have had.
  const Outcome& seen;
  // The script and its outcomes up to the operation: where keys, values and ids are taken from.
  std::span<const Operation> operations;
  std::span<const Outcome> outcomes;
  // Of the elements of the operation's map.
  uint32_t key_size = 0;
  size_t value_size = 0;
};
AllowedOutcomes FindAllowed(const AllowedQuestion& question);

}  // namespace mapspec

#endif  // ORACLE_ALLOWED_H_
