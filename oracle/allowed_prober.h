// SPDX-License-Identifier: MIT
//
// The inside of oracle/allowed.h: makes outcomes, asks a copy of the checker about each, and joins
// those that it takes.
#ifndef ORACLE_ALLOWED_PROBER_H_
#define ORACLE_ALLOWED_PROBER_H_

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "oracle/allowed.h"

namespace mapspec {

// InfoField of every field in which the two differ.
uint32_t DifferingFields(const MapInfo& a, const MapInfo& b);

// What the prober writes over a byte, or over the first bytes of a value, to see whether they
// count.
inline constexpr uint8_t kFlip = 0x5a;
Bytes Flipped(Bytes bytes);
// What the buffers hold, cut into pieces of `size` bytes.
std::vector<Bytes> Pieces(const std::vector<Bytes>& buffers, size_t size);
// Adds the outcome, or its errors to one that is the same otherwise.
void Put(AllowedOutcome outcome, std::vector<AllowedOutcome>* found);

class AllowedProber {
 public:
  explicit AllowedProber(const AllowedQuestion& question);
  std::vector<AllowedOutcome> Find();
  // Of a batch or walk, after Find(): elements that may or may not be there stand in no list.
  bool incomplete() const { return incomplete_; }

 private:
  Judgement Ask(const Operation& operation, const Outcome& outcome) const;
  bool Takes(const Outcome& outcome) const;

  // What may stand with this errno; nullopt: the call may not end so.
  std::optional<AllowedOutcome> WithError(Errno error, bool refused);
  std::optional<AllowedOutcome> WithBytes(Outcome outcome, size_t size);
  std::optional<AllowedOutcome> WithInfo(Outcome outcome);
  // Outcomes with each count that may stand with this errno.
  void AddBatches(Errno error, std::vector<AllowedOutcome>* found);
  void AddElementBatches(const LookupBatch& op, std::vector<AllowedOutcome>* found);
  void AddWalks(const HelperForEach& op, std::vector<AllowedOutcome>* found);

  // Which bytes of an output that is taken count.
  BytePattern Masked(const Operation& operation, const Outcome& outcome, const Bytes& bytes) const;
  // The elements that the map surely has, as lookups show them.
  std::vector<AllowedElement> Elements(Handle map);

  const AllowedQuestion& question_;
  bool incomplete_ = false;
  std::vector<Bytes> buffers_;  // Every key and value of the script, and every output.
  std::set<uint32_t> ids_;      // That were told.
};

}  // namespace mapspec

#endif  // ORACLE_ALLOWED_PROBER_H_
