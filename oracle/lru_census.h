// SPDX-License-Identifier: MIT
//
// LruCensus: the elements of an LRU map counted by the list that each belongs to, surely there or
// only possibly, so that what an eviction makes doubtful is found without a look at every element.
// Lists are numbered as CPUs are; there is one more, for elements of which the list is not known.
// Copyable; thread-safety that of a plain value.
#ifndef ORACLE_LRU_CENSUS_H_
#define ORACLE_LRU_CENSUS_H_

#include <cstdint>
#include <vector>

#include "oracle/element_table.h"
#include "oracle/operation.h"

namespace mapspec {

class LruCensus {
 public:
  explicit LruCensus(uint32_t lists) : lists_(lists + size_t{1}) {}

  struct Count {
    uint64_t certain = 0;
    uint64_t uncertain = 0;
  };
  size_t size() const { return lists_.size(); }
  size_t ListOf(uint16_t cpu) const { return cpu < lists_.size() - 1 ? cpu : lists_.size() - 1; }
  const Count& At(size_t list) const { return lists_[list].count; }

  // The element was added or changed (or is about to be removed): its numbers from now on (or no
  // more). Between the two calls, `certain` and `cpu` change.
  void Put(uint32_t index, const ElementTable::Element& element) {
    List& list = lists_[ListOf(element.cpu)];
    if (!element.certain) {
      ++list.count.uncertain;
      return;
    }
    ++list.count.certain;
    list.candidates.push_back(index);
  }
  void Take(const ElementTable::Element& element) {
    Count& count = lists_[ListOf(element.cpu)].count;
    --(element.certain ? count.certain : count.uncertain);
  }

  // Calls doubt(index) once for each element of the list that is surely there.
  template <typename Doubt>
  void ForEachCertain(size_t list, const ElementTable& table, Doubt doubt) {
    std::vector<uint32_t> candidates;
    candidates.swap(lists_[list].candidates);
    for (const uint32_t index : candidates) {
      if (IsCertainIn(list, table, index)) doubt(index);
    }
  }
  // Forgets candidates that are none any more, where these are most.
  void Compact(const ElementTable& table) {
    for (size_t list = 0; list < lists_.size(); ++list) {
      std::vector<uint32_t>& candidates = lists_[list].candidates;
      if (candidates.size() < 2 * lists_[list].count.certain + 64) continue;
      std::vector<bool> seen(table.capacity());
      std::erase_if(candidates, [&](uint32_t index) {
        if (!IsCertainIn(list, table, index) || seen[index]) return true;
        seen[index] = true;
        return false;
      });
    }
  }

 private:
  struct List {
    Count count;
    // Every element that is surely there; of the others, and twice, some.
    std::vector<uint32_t> candidates;
  };
  bool IsCertainIn(size_t list, const ElementTable& table, uint32_t index) const {
    const ElementTable::Element& element = table[index];
    return element.live && element.certain && ListOf(element.cpu) == list;
  }

  std::vector<List> lists_;
};

}  // namespace mapspec

#endif  // ORACLE_LRU_CENSUS_H_
