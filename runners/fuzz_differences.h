// SPDX-License-Identifier: MIT
//
// What implementations may do differently: where the traces of one script both conform and yet
// differ. Counted by operation, map type and the clause that allows it, with the first few examples
// of each. Ids are the system's own and nearly always differ: they are a kind of difference for
// themselves, and so are outcomes of which nothing was promised.
//
// Bounds: a few thousand kinds at most, three examples each; counting one more of a known kind
// allocates nothing. Thread-safety: one thread at a time for each object; Merge brings several
// together, in any order with the same result.
#ifndef RUNNERS_FUZZ_DIFFERENCES_H_
#define RUNNERS_FUZZ_DIFFERENCES_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "oracle/clause.h"
#include "oracle/trace.h"
#include "properties/coverage.h"

namespace mapspec {

// How two outcomes of one operation differ.
enum class Difference : uint8_t {
  kNone,
  kError,       // Success or errno, or what a helper returned.
  kOutput,      // Order, contents, counts.
  kIds,         // Only ids that the system gives out.
  kUnpromised,  // Nothing was promised of one of them.
};
std::string_view DifferenceName(Difference difference);
// `of_maps`: on a map whose values are ids of maps.
Difference Compare(const Operation& operation, bool of_maps, const Outcome& a, const Outcome& b);

struct DifferenceKind {
  std::string between;  // "kernel | userspace"
  std::string where;    // "HASH BPF_MAP_GET_NEXT_KEY"
  std::string clause;   // That allows it, "" for none.
  Difference how = Difference::kError;
  friend auto operator<=>(const DifferenceKind&, const DifferenceKind&) = default;
};

struct DifferenceExample {
  uint64_t script = 0;              // Index in the run.
  uint64_t operation = 0;           // Index in the script.
  std::string call, first, second;  // One line each.
};

struct DifferenceCount {
  uint64_t count = 0;
  std::vector<DifferenceExample> examples;  // The first ones, in order.
};

class Differences {
 public:
  static constexpr size_t kMaxKinds = 4096;
  static constexpr size_t kExamples = 3;

  struct Seen {
    size_t backend = 0;  // The other one; the first is 0.
    Cell cell;
    ClauseId clause = kNoClause;
    Difference how = Difference::kError;
  };
  // Names are made once for each kind. Scripts come in order.
  void Add(const Seen& seen, uint64_t script, uint64_t operation, const Operation& call,
           const Outcome& first, const Outcome& second);
  // By name; `selectors` are the backends' in order.
  using Named = std::map<DifferenceKind, DifferenceCount>;
  Named Names(const std::vector<std::string>& selectors) const;
  void Clear() { counts_.clear(); }

 private:
  std::map<uint64_t, std::pair<Seen, DifferenceCount>> counts_;
};

// Adds `more` to *sum.
void MergeDifferences(const Differences::Named& more, Differences::Named* sum);

}  // namespace mapspec

#endif  // RUNNERS_FUZZ_DIFFERENCES_H_
