// SPDX-License-Identifier: MIT
//
// BPF_MAP_TYPE_ARRAY_OF_MAPS: max_entries slots, empty at first, indexed by a u32, each of which
// may hold a map. This is the reference: simple, not fast, never to be used as an implementation.
//
// The model knows a map by its index in the World (four bytes, little endian, as models have
// values), not by the id that the kernel gives it, which is learned only when it is told: the
// checker translates (map_of_maps_rules.cc). So does HashModel for HASH_OF_MAPS. Source:
// map_of_maps.rst, Array of Maps; what it leaves open: observed.
#ifndef ORACLE_ARRAY_OF_MAPS_MODEL_H_
#define ORACLE_ARRAY_OF_MAPS_MODEL_H_

#include <cstdint>
#include <map>

#include "oracle/expectation.h"
#include "oracle/map_attributes.h"
#include "oracle/operation.h"
#include "oracle/outcome.h"

namespace mapspec {

class ArrayOfMapsModel {
 public:
  explicit ArrayOfMapsModel(const MapAttributes& attributes) : attributes_(attributes) {}

  static Expectation ExpectCreate(const MapCreate& create);

  // Keys are four bytes.
  Expectation ExpectLookup(const Bytes& key) const;
  // What is decided before the value's descriptor is looked at; Succeeds where that decides.
  Expectation ExpectUpdate(const Bytes& key, uint64_t flags) const;
  Expectation ExpectDelete(const Bytes& key) const;
  Expectation ExpectLookupAndDelete() const;
  Expectation ExpectGetNextKey(const Bytes* key);  // nullptr: a NULL key.
  Expectation ExpectLookupBatch(const LookupBatch& batch, const Bytes* in_batch) const;
  // `output` has indices of maps in the place of ids.
  Mismatch CheckLookupBatch(const LookupBatch& batch, const Bytes* in_batch, const Outcome& outcome,
                            const BatchOutput& output) const;

  void Update(const Bytes& key, const Bytes& value);
  void Delete(const Bytes& key);
  template <typename F>
  void ForEachValue(F f) const {
    for (const auto& [index, value] : slots_) f(value);
  }

 private:
  // What a page that begins behind `in_batch` gives: the slots that are not empty, in order.
  struct Page {
    uint64_t count = 0;
    bool end = false;    // The walk came to the last slot before it had `count` of them.
    uint64_t last = 0;   // The last slot that was looked at.
    uint64_t first = 0;  // Where it began.
  };
  Page PageAfter(const Bytes* in_batch, uint32_t count) const;
  uint64_t After(const Bytes* key) const;

  MapAttributes attributes_;
  std::map<uint64_t, Bytes> slots_;  // Those that are not empty.
  Bytes scratch_;                    // What the last expectation points to.
};

}  // namespace mapspec

#endif  // ORACLE_ARRAY_OF_MAPS_MODEL_H_
