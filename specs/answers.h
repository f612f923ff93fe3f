// SPDX-License-Identifier: MIT
//
// Outcomes that a scenario's step allows, as an implementation might give them. What the step
// leaves open is found by asking the oracle: a copy of the checker is shown a wrong value, and its
// objection names the right one; keys, pages of batches and tokens are tried from what the script
// itself wrote. Nothing here knows how a map behaves. Copyable, so that a search can go back.
// Thread-safety: one thread at a time for each object.
#ifndef SPECS_ANSWERS_H_
#define SPECS_ANSWERS_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "oracle/checker.h"
#include "oracle/operation.h"
#include "oracle/outcome.h"
#include "specs/scenario.h"

namespace mapspec {

class Answers {
 public:
  explicit Answers(uint32_t possible_cpus) : possible_cpus_(possible_cpus) {}
  // Candidates for this operation, the likeliest first; each matches `stated`, but the oracle, in
  // the state of `checker`, need not accept any.
  std::vector<Outcome> For(const StatedOutcome& stated, const Operation& operation,
                           const Checker& checker) const;
  // The operation had this outcome: objects appear, keys become known.
  void Note(const Operation& operation, const Outcome& outcome);

 private:
  struct KnownMap {
    MapCreate create;
    uint32_t emitted = 0;  // Elements that the batch walk under way has handed out.
    uint32_t inner_value_size = 0;  // Of the map that a map of maps was created with.
  };
  using Element = std::pair<Bytes, Bytes>;
  using Page = std::vector<Element>;

  const KnownMap* MapAt(Handle handle) const;
  uint32_t KeySize(Handle handle) const;
  // Of a value as a program sees it, and as system calls do.
  uint32_t ValueSize(Handle handle) const;
  size_t BufferSize(Handle handle) const;
  std::vector<Bytes> KnownBytes(const std::set<Bytes>& written, size_t size) const;
  std::vector<Outcome> WithBytes(const StatedOutcome& stated, const Operation& operation,
                                 const Checker& checker, Pointer pointer, size_t size,
                                 const std::set<Bytes>& written) const;
  std::vector<Outcome> ForBatch(const StatedOutcome& stated, const Operation& operation,
                                const LookupBatch& batch, const Checker& checker) const;
  std::vector<Outcome> ForHelper(const StatedOutcome& stated, const Operation& operation,
                                 const Checker& checker) const;
  std::vector<Outcome> ForWalk(const StatedOutcome& stated, const Operation& operation,
                               const HelperForEach& walk, const Checker& checker) const;
  std::vector<Outcome> ForCount(const StatedOutcome& stated, const Operation& operation,
                                uint32_t count) const;
  static std::vector<Outcome> ForFrames(const StatedOutcome& stated, const Operation& operation,
                                        const Checker& checker);
  std::vector<Outcome> ForInfo(const StatedOutcome& stated, const Operation& operation,
                               const GetInfo& info) const;
  // The id of the map that the script put into this element last; nullopt where it put none.
  std::optional<Bytes> InnerId(Handle map, const Bytes& key) const;
  void NotePut(Handle map, const Bytes& key, Handle value);
  Page Present(Handle map, const Checker& checker) const;
  static std::vector<Page> Pages(const StatedOutcome& stated, const Page& present,
                                 std::initializer_list<size_t> starts, size_t most);
  void NoteHelper(const Call& call);
  void Learn(Handle map, const InBuffer& keys, const InBuffer& values, uint32_t count);

  uint32_t possible_cpus_;
  std::vector<KnownMap> maps_;
  std::map<uint16_t, size_t> slots_;  // Slot → index of its map.
  std::map<std::string, size_t> pins_;
  std::set<Bytes> keys_, values_;  // Written by the script so far.
  // Map of maps and key → index of the map that was put there.
  std::map<std::pair<size_t, Bytes>, size_t> put_;
};

}  // namespace mapspec

#endif  // SPECS_ANSWERS_H_
