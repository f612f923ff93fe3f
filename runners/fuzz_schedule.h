// SPDX-License-Identifier: MIT
//
// Which script is next, which are done, and in which order what was found is looked into. Scripts
// are handed out in the order of their indices; findings are looked into in that order as well, one
// at a time, so that the same run has the same findings however many threads it has.
//
// Bounds: of each kind of violation the first kPerKind are looked into, of each clause the first
// kPerClause; the others are counted. Thread-safety: all functions may be called from any thread.
#ifndef RUNNERS_FUZZ_SCHEDULE_H_
#define RUNNERS_FUZZ_SCHEDULE_H_

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "properties/script_shapes.h"
#include "runners/fuzz_worker.h"

namespace mapspec {

// A set of script indices, as ranges [first, second).
class ScriptSet {
 public:
  void Add(uint64_t index);
  void AddRange(uint64_t first, uint64_t end);
  void Remove(uint64_t index);
  bool Has(uint64_t index) const;
  // The least index that is not in the set.
  uint64_t FirstMissing() const;
  // The least index at or behind `from` that is not in the set.
  uint64_t MissingFrom(uint64_t from) const;
  const std::map<uint64_t, uint64_t>& ranges() const { return ranges_; }
  friend bool operator==(const ScriptSet&, const ScriptSet&) = default;

 private:
  std::map<uint64_t, uint64_t> ranges_;  // First → end.
};

class FuzzSchedule {
 public:
  static constexpr size_t kPerKind = 3;
  static constexpr size_t kPerClause = 12;

  // What of a kind of violation was met so far.
  struct Kind {
    uint64_t seen = 0;
    uint64_t looked_into = 0;
    std::vector<RawFinding> waiting;  // In order; as many as may still be looked into.
  };

  // `operations`: how many the scripts have together; the last script may be cut for it. None:
  // there is no end.
  FuzzSchedule(const ScriptShapes& shapes, std::optional<uint64_t> operations, ScriptSet done);

  // The next script; nullopt when all are handed out.
  std::optional<ScriptPlan> Next();
  // A script that Next() gave was carried out, to its end or not, and these were found.
  void Done(const ScriptPlan& plan, bool to_its_end, std::vector<RawFinding>* findings);
  // Whether the trace of such a violation may still be of interest.
  bool Wants(const std::string& kind) const;

  // A finding whose turn it is: no script before it is still at work, and no other finding.
  // LookedInto() must follow. With `at_end` also one that others are before of.
  std::optional<RawFinding> TakeFinding(bool at_end = false);
  void LookedInto();
  bool HasFindings() const;

  // What a later run need not do again: scripts that are done and whose findings were looked into.
  ScriptSet Settled() const;
  // Of a run that this one goes on with.
  void Restore(const std::string& kind, uint64_t seen, uint64_t looked_into);
  struct KindCount {
    uint64_t seen = 0, looked_into = 0;
  };
  std::map<std::string, KindCount> Kinds() const;

 private:
  uint64_t Watermark() const;

  const ScriptShapes& shapes_;
  std::optional<uint64_t> left_;
  mutable std::mutex mutex_;
  ScriptSet done_;
  ScriptSet cut_;  // Carried out, but not to their end.
  uint64_t next_ = 0;
  std::vector<uint64_t> at_work_;
  std::map<std::string, Kind> kinds_;
  std::map<ClauseId, uint64_t> per_clause_;
  bool looking_ = false;
  uint64_t looking_at_ = 0;
};

}  // namespace mapspec

#endif  // RUNNERS_FUZZ_SCHEDULE_H_
