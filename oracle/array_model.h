// SPDX-License-Identifier: MIT
//
// BPF_MAP_TYPE_ARRAY and PERCPU_ARRAY: max_entries elements that always exist, zero at first,
// indexed by a u32. A value of a per-CPU map is kept whole, as system calls see it; programs see
// and change what their CPU has of it. This is the reference: simple, not fast, never to be used as
// an implementation. Source: Documentation/bpf/map_array.rst; uapi/linux/bpf.h.
#ifndef ORACLE_ARRAY_MODEL_H_
#define ORACLE_ARRAY_MODEL_H_

#include <cstdint>
#include <vector>

#include "oracle/expectation.h"
#include "oracle/map_attributes.h"
#include "oracle/operation.h"
#include "oracle/outcome.h"
#include "oracle/per_cpu_value.h"
#include "oracle/type_clauses.h"

namespace mapspec {

class ArrayModel {
 public:
  explicit ArrayModel(const MapAttributes& attributes)
      : attributes_(attributes), c_(&ArrayClausesOf(attributes.type)) {}

  const ArrayClauses& clauses() const { return *c_; }

  static Expectation ExpectCreate(const MapCreate& create, const Traits& traits,
                                  uint32_t possible_cpus);

  // Keys are four bytes.
  Expectation ExpectLookup(const Bytes& key, uint64_t flags);
  // By a program on that CPU.
  Expectation ExpectProgramLookup(const Bytes& key, uint32_t cpu);
  Expectation ExpectUpdate(const Bytes& key, uint64_t flags) const;
  Expectation ExpectDelete() const;
  Expectation ExpectLookupAndDelete() const;
  Expectation ExpectGetNextKey(const Bytes* key);  // nullptr: a NULL key.
  Expectation ExpectLookupBatch(const LookupBatch& batch, const Bytes* in_batch);
  Mismatch CheckLookupBatch(const LookupBatch& batch, const Bytes* in_batch, const Outcome& outcome,
                            const BatchOutput& output);

  // What bpf_for_each_map_elem() visited on that CPU, and what its callback noted.
  Mismatch CheckForEach(uint32_t limit, uint64_t visited, const BatchOutput& noted,
                        uint32_t cpu) const;

  void Update(const Bytes& key, const Bytes& value);
  // An update by a program on that CPU, or what it wrote through the pointer to a value.
  void UpdateByProgram(const Bytes& key, const Bytes& value, uint32_t cpu);
  // An answer of a system call shows an element's value: settles what nothing promises of it.
  void Learn(const Bytes& key, const Bytes& got);

  // The memory that mmap(2) shows: the elements, each at a multiple of eight bytes, up to a whole
  // page.
  uint64_t mapped_size() const;
  Bytes Load(uint64_t offset, uint64_t length) const;
  void Store(uint64_t offset, const Bytes& bytes);

 private:
  uint64_t stride() const { return (uint64_t{attributes_.buffer_size()} + 7) & ~uint64_t{7}; }
  // The index that follows an in_batch or a key: 0 after none and after one out of range.
  uint64_t After(const Bytes* key) const;

  MapAttributes attributes_;
  const ArrayClauses* c_;  // Of the map's type.
  // memory_[i]: kChunk bytes; empty while they are all zero.
  static constexpr uint64_t kChunk = 4096;
  std::vector<std::vector<uint8_t>> memory_;
  Bytes scratch_;  // What the last expectation points to.
};

}  // namespace mapspec

#endif  // ORACLE_ARRAY_MODEL_H_
