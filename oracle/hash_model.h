// SPDX-License-Identifier: MIT
//
// BPF_MAP_TYPE_HASH and PERCPU_HASH, preallocated or BPF_F_NO_PREALLOC: at most max_entries pairs
// of key and value. A value of a per-CPU map is kept whole, as system calls see it; programs see
// and change what their CPU has of it. This is the reference: simple, not fast, never to be used as
// an implementation.
//
// What the model knows may be less than what is there: a batch deletion that failed with EFAULT may
// have removed elements without saying which, and the order of iteration is learned from the
// answers (oracle/iteration.h). The Expect… functions give what is allowed, the others take what
// was observed. Source: map_hash.rst; uapi/linux/bpf.h.
#ifndef ORACLE_HASH_MODEL_H_
#define ORACLE_HASH_MODEL_H_

#include <algorithm>
#include <cstdint>

#include "oracle/element_table.h"
#include "oracle/expectation.h"
#include "oracle/iteration.h"
#include "oracle/lru_census.h"
#include "oracle/map_attributes.h"
#include "oracle/operation.h"
#include "oracle/outcome.h"
#include "oracle/per_cpu_value.h"
#include "oracle/type_clauses.h"

namespace mapspec {

class HashModel {
 public:
  explicit HashModel(const MapAttributes& attributes)
      : attributes_(attributes),
        c_(&HashClausesOf(attributes.type)),
        lru_(attributes.type == MapType::LRU_HASH || attributes.type == MapType::LRU_PERCPU_HASH),
        own_lists_(lru_ && (attributes.map_flags & BPF_F_NO_COMMON_LRU) != 0),
        census_(lru_ ? attributes.possible_cpus : 0) {}

  const HashClauses& clauses() const { return *c_; }

  static Expectation ExpectCreate(const MapCreate& create, const Traits& traits,
                                  uint32_t possible_cpus);

  Expectation ExpectLookup(const Bytes& key) const;
  // By a program on that CPU; valid until the next call.
  Expectation ExpectProgramLookup(const Bytes& key, uint32_t cpu);
  // On that CPU (kAnyCpu: unknown), which tells what an LRU map may evict.
  Expectation ExpectUpdate(const Bytes& key, uint64_t flags, uint16_t cpu = kAnyCpu) const;
  Expectation ExpectDelete(const Bytes& key) const;
  Expectation ExpectLookupAndDelete(const Bytes& key, uint64_t flags) const;
  Expectation ExpectGetNextKey(const Bytes* key) const;  // nullptr: a NULL key.
  // `in_batch` is nullptr for NULL, else what the pointer points to.
  Expectation ExpectLookupBatch(const LookupBatch& batch, const Bytes* in_batch) const;

  // Whether such an update of an LRU map may evict, its own key included.
  bool MayEvict(uint64_t flags, uint16_t cpu) const;
  // An update that got as far as looking for its key (it succeeded, or found or missed the key):
  // what it may have evicted before is doubtful from now on. To be called before its other effects.
  void MakeRoom(uint64_t flags, uint16_t cpu);

  // The effects of calls that succeeded.
  void Update(const Bytes& key, const Bytes& value);
  void Delete(const Bytes& key);
  // What a program on that CPU does (which it must be known where that matters): an update that
  // succeeded; a write through the pointer to an element's value.
  void UpdateByProgram(const Bytes& key, const Bytes& value, uint32_t cpu);
  void Store(const Bytes& key, const Bytes& value, uint32_t cpu);
  // An answer shows an element's value: settles bytes of it that nothing promised. By a system
  // call, and of one CPU's slot.
  void Learn(const Bytes& key, const Bytes& got);
  void LearnOfCpu(const Bytes& key, const Bytes& got, uint32_t cpu);
  // Calls f(value) for each element that is surely there.
  template <typename F>
  void ForEachValue(F f) const {
    elements_.ForEach([&](uint32_t i) {
      if (elements_[i].certain) f(elements_[i].value);
    });
  }
  // Whether some key may or may not be there; whether this one.
  bool has_doubts() const { return uncertain_ != 0; }
  bool IsDoubtful(const Bytes& key) const;
  // A key was found to be absent (ENOENT), which settles an uncertain one.
  void Absent(const Bytes& key);
  // A key was found to be there.
  void Present(const Bytes& key);

  // Holds the answer to GET_NEXT_KEY against what is known and learns from it. `next` is nullptr
  // for ENOENT.
  Mismatch CheckNextKey(const Bytes* key, const Bytes* next);
  // The same for a page of a batch walk that was allowed by ExpectLookupBatch.
  Mismatch CheckLookupBatch(const LookupBatch& batch, const Bytes* in_batch, const Outcome& outcome,
                            const BatchOutput& output);
  // What bpf_for_each_map_elem() visited on that CPU, and what its callback noted.
  Mismatch CheckForEach(uint32_t limit, uint64_t visited, const BatchOutput& noted, uint32_t cpu);

 private:
  // Live elements that are surely there, and all that may be.
  uint64_t certain() const { return elements_.size() - uncertain_; }
  uint64_t possible() const {
    return std::min<uint64_t>(elements_.size(), attributes_.max_entries);
  }
  void Erase(uint32_t index);
  void Changed();
  void Doubt(uint32_t index);
  // Each change of an element's certainty and list.
  void SetCertain(uint32_t index, bool certain);
  void SetList(uint32_t index, uint16_t cpu);
  // Draws the conclusions from what may be missing and from how many elements there can be.
  void Narrow();

  // Of LRU maps (oracle/hash_eviction.cc).
  // The elements that a CPU sets aside at once; it evicts as many when there are none left.
  uint64_t SetAside() const;
  bool NeedsElement(uint64_t flags) const;
  // No other CPU has taken elements from the common list.
  bool IsAlone(uint16_t cpu) const;
  // Whether an update on the CPU may evict the element, as far as lists go.
  bool MayBelongTo(const ElementTable::Element& element, uint16_t cpu) const;
  // Calls f(list) for each list whose elements an update on the CPU may evict.
  template <typename F>
  void ForEachListOf(uint16_t cpu, F f) const;
  Expectation ExpectLruUpdate(const Bytes& key, uint64_t flags, uint16_t cpu) const;
  // A value was written by a system call.
  void SetValue(uint32_t index, const Bytes& value);

  // What the page of a walk that follows in_batch may hold.
  struct Remaining {
    bool followed = false;  // The walk is known; otherwise the numbers are 0 and possible().
    uint64_t owed = 0;      // Elements that the rest of the walk must return.
    uint64_t possible = 0;  // Elements that it may return.
  };
  Remaining RemainingAfter(const Bytes* in_batch) const;
  bool TokenOutside(const Bytes& token) const;

  MapAttributes attributes_;
  const HashClauses* c_;  // Of the map's type.
  bool lru_;
  bool own_lists_;  // BPF_F_NO_COMMON_LRU.
  ElementTable elements_;
  LruCensus census_;  // Of LRU maps only.
  uint64_t uncertain_ = 0;
  bool evicted_ = false;           // A doubtful element was found to be gone.
  uint64_t may_be_missing_ = 0;    // At most so many of these are gone.
  uint64_t taken_ = 0;             // Updates that needed an element, LRU maps only …
  uint16_t taken_by_ = kAnyCpu;    // … the CPU of all of them …
  uint16_t adding_cpu_ = kAnyCpu;  // … and of the latest.
  IterationOrder order_;
  BatchWalk walk_;
  Bytes last_deleted_;
  OpenBytes open_;  // Of per-CPU values.
  Bytes scratch_;   // What the last expectation points to.
};

}  // namespace mapspec

#endif  // ORACLE_HASH_MODEL_H_
