// SPDX-License-Identifier: MIT
//
// What is known of the order in which a keyed map walks its elements.
//
// No document says in which order BPF_MAP_GET_NEXT_KEY visits keys, so the model starts out knowing
// nothing and learns: each answer places a key behind another. What was learned binds later
// answers:
//  - while nothing changes, an answer seen once stays, no key is visited twice, and a walk that
//  reaches the
//    end has visited every key;
//  - a key that is neither deleted nor replaced keeps its place among the others (Linux: observed),
//  so that
//    after a deletion its neighbours close up, and after an insertion at most new keys stand
//    between them.
//
// Representation: a list of placed keys from the walk's beginning. A link is `tight` when its two
// ends were seen to be neighbours and nothing was inserted since; otherwise keys that are not
// placed may stand between them. Each step is O(1). Source: map_hash.rst, bpf_map_get_next_key();
// uapi/linux/bpf.h, BPF_MAP_GET_NEXT_KEY.
#ifndef ORACLE_ITERATION_H_
#define ORACLE_ITERATION_H_

#include <cstdint>

#include "oracle/element_table.h"

namespace mapspec {

class IterationOrder {
 public:
  // Why an answer is impossible.
  enum class Finding : uint8_t {
    kPossible,
    kOrderChanged,  // Another key was seen, or known to stand, at this place.
    kMissedKeys,    // The walk ended although keys were never visited.
  };

  static constexpr uint32_t kStart = ElementTable::kNone;  // As `from`: before the first key.
  static constexpr uint32_t kEnd = ElementTable::kNone;    // As `to`: behind the last key.

  // The answer to "what follows `from`" was `to` (live elements of `table`, or kStart and kEnd).
  // Learns from it when it is possible.
  Finding Observe(ElementTable* table, uint32_t from, uint32_t to) {
    if (to == kEnd) return ObserveEnd(table, from);
    ElementTable& t = *table;
    if (from != kStart && !t[from].placed) {
      // Where `from` stands is not known. A placed `to` tells: right before it.
      if (!t[to].placed) return Finding::kPossible;
      if (Tight(t[to].tight_epoch)) return Finding::kOrderChanged;
      InsertBefore(table, from, to);
      return Finding::kPossible;
    }
    const uint32_t known = Next(t, from);
    if (known == to) {
      Tighten(&t[to].tight_epoch);
      return Finding::kPossible;
    }
    const bool tight = known == kEnd ? Tight(end_tight_epoch_) : Tight(t[known].tight_epoch);
    if (t[to].placed || tight) return Finding::kOrderChanged;
    // `to` is a key whose place was unknown: right behind `from`, before what was known to follow.
    InsertAfter(table, from, to);
    return Finding::kPossible;
  }

  // A live element was added or replaced (a replaced one may move), or has become doubtful: it may
  // stand anywhere, or nowhere.
  void Unsettle(ElementTable* table, uint32_t index) {
    changed_ |= placed_ != 0;
    if ((*table)[index].placed) Unlink(table, index);
    ++epoch_;
    tight_links_ = 0;
  }
  // An element is about to be erased.
  void Removed(ElementTable* table, uint32_t index) {
    changed_ |= placed_ != 0;
    if ((*table)[index].placed) Unlink(table, index);
  }
  // Whether something learned before the latest change still binds answers.
  bool remembers_across_changes() const { return changed_; }
  // Forgets everything.
  void Forget(ElementTable* table) {
    for (uint32_t i = first_; i != kEnd;) {
      const uint32_t next = (*table)[i].next;
      (*table)[i].placed = false;
      (*table)[i].previous = (*table)[i].next = kEnd;
      i = next;
    }
    first_ = last_ = kEnd;
    placed_ = 0;
    ++epoch_;
    tight_links_ = 0;
  }

 private:
  bool Tight(uint64_t epoch) const { return epoch == epoch_; }
  void Tighten(uint64_t* epoch) {
    if (*epoch != epoch_) {
      *epoch = epoch_;
      ++tight_links_;
    }
  }
  void Loosen(uint64_t* epoch) {
    if (*epoch == epoch_) {
      *epoch = 0;
      --tight_links_;
    }
  }
  uint32_t Next(const ElementTable& t, uint32_t from) const {
    return from == kStart ? first_ : t[from].next;
  }
  uint64_t* LinkTo(ElementTable* table, uint32_t to) {
    return to == kEnd ? &end_tight_epoch_ : &(*table)[to].tight_epoch;
  }

  Finding ObserveEnd(ElementTable* table, uint32_t from) {
    ElementTable& t = *table;
    if (from != kStart && !t[from].placed) {
      // An unplaced key is the last one: it stands behind every placed key.
      if (Tight(end_tight_epoch_)) return Finding::kOrderChanged;
      InsertAfter(table, last_, from);
      *LinkTo(table, from) = 0;
      --tight_links_;
    } else if (Next(t, from) != kEnd) {
      return Finding::kOrderChanged;
    }
    Tighten(&end_tight_epoch_);
    // With every link tight there is no room left for a key that was not visited.
    if (tight_links_ == placed_ + 1 && placed_ < CertainOrPlaced(t)) return Finding::kMissedKeys;
    return Finding::kPossible;
  }
  // Elements that a complete walk must have visited: the certain ones and those it did visit.
  static size_t CertainOrPlaced(const ElementTable& table) {
    size_t count = 0;
    table.ForEach([&](uint32_t i) { count += table[i].certain || table[i].placed ? 1 : 0; });
    return count;
  }

  // Places `to` right behind `from` (kStart: as the first); the link to it is tight, the one behind
  // loose.
  void InsertAfter(ElementTable* table, uint32_t from, uint32_t to) {
    ElementTable& t = *table;
    const uint32_t next = Next(t, from);
    Loosen(LinkTo(table, next));
    t[to].placed = true;
    t[to].previous = from;
    t[to].next = next;
    (from == kStart ? first_ : t[from].next) = to;
    (next == kEnd ? last_ : t[next].previous) = to;
    t[to].tight_epoch = 0;
    Tighten(&t[to].tight_epoch);
    ++placed_;
  }
  // Places `key` right before `next`: the link between them is tight, the one to `key` loose.
  void InsertBefore(ElementTable* table, uint32_t key, uint32_t next) {
    InsertAfter(table, (*table)[next].previous, key);
    Loosen(&(*table)[key].tight_epoch);
    Tighten(&(*table)[next].tight_epoch);
  }
  // Takes an element out; its neighbours are as close as both links were tight.
  void Unlink(ElementTable* table, uint32_t index) {
    ElementTable& t = *table;
    ElementTable::Element& element = t[index];
    const bool tight = Tight(element.tight_epoch);
    Loosen(&element.tight_epoch);
    if (!tight) Loosen(LinkTo(table, element.next));
    (element.previous == kStart ? first_ : t[element.previous].next) = element.next;
    (element.next == kEnd ? last_ : t[element.next].previous) = element.previous;
    element.placed = false;
    element.previous = element.next = kEnd;
    --placed_;
  }

  uint32_t first_ = kEnd;
  uint32_t last_ = kEnd;  // kEnd when nothing is placed; then also "kStart" for InsertAfter.
  uint64_t end_tight_epoch_ = 0;
  uint64_t epoch_ = 1;
  size_t placed_ = 0;
  bool changed_ = false;    // Since the list was begun.
  size_t tight_links_ = 0;  // Of placed_ + 1 (the one to the end).
};

// What is known of a walk with the batch commands: which elements the pages so far returned. Only
// the latest walk is followed; a call that continues another one teaches nothing.
class BatchWalk {
 public:
  // A walk begins with in_batch NULL.
  void Begin() { ++walk_; }
  // Whether a call whose in_batch holds `token` continues the walk.
  bool Continues(const Bytes& token) const { return open_ && token == token_; }
  // The last page ended with this token; the next call may use it.
  void Open(const Bytes& token) {
    token_ = token;
    open_ = true;
  }
  void Close() { open_ = false; }

  bool Returned(const ElementTable::Element& element) const { return element.returned_in == walk_; }
  void MarkReturned(ElementTable::Element* element) const { element->returned_in = walk_; }
  // An element was added: this walk need not return it, though it may.
  void MarkBorn(ElementTable::Element* element) const { element->born_in = walk_; }
  bool Born(const ElementTable::Element& element) const { return element.born_in == walk_; }
  // An element that a complete walk owes: there since the walk began, not returned yet.
  bool Owed(const ElementTable::Element& element) const {
    return element.certain && !Returned(element) && !Born(element);
  }

 private:
  uint64_t walk_ = 1;
  Bytes token_;
  bool open_ = false;
};

}  // namespace mapspec

#endif  // ORACLE_ITERATION_H_
