// SPDX-License-Identifier: MIT
//
// ElementTable: the elements of a keyed map as a model keeps them: key, value, whether the element
// is known to be there or only may be, and the notes of the iteration knowledge
// (oracle/iteration.h). It is a plain hash table; nothing in it says what a BPF map means. Elements
// have stable indices while they live, and neither look-up nor replacement allocates for keys and
// values of up to Bytes::kInline bytes. Copyable; one thread at a time, for Find() too,
// which remembers what it found.
#ifndef ORACLE_ELEMENT_TABLE_H_
#define ORACLE_ELEMENT_TABLE_H_

#include <cstdint>
#include <cstring>
#include <vector>

#include "oracle/bytes.h"
#include "oracle/operation.h"

namespace mapspec {

class ElementTable {
 public:
  static constexpr uint32_t kNone = 0xffffffff;

  struct Element {
    Bytes key;
    Bytes value;
    bool live = false;
    bool certain = true;     // false: a call may have removed it without saying so.
    uint16_t cpu = kAnyCpu;  // Of an LRU map: whose update added it.
    // Knowledge of the iteration order; see IterationOrder.
    bool placed = false;
    uint32_t previous = kNone;
    uint32_t next = kNone;
    uint64_t tight_epoch = 0;  // The link to `previous` was seen to be immediate in this epoch.
    // Knowledge of batch walks; see BatchWalk.
    uint64_t returned_in = 0;
    uint64_t born_in = 0;
  };

  // The index of the live element with this key, or kNone.
  uint32_t Find(const Bytes& key) const {
    // Most questions are about the element that the last one was about.
    if (last_found_ < elements_.size() && elements_[last_found_].live &&
        elements_[last_found_].key == key) {
      return last_found_;
    }
    if (slots_.empty()) return kNone;
    for (size_t i = Hash(key) & mask();; i = (i + 1) & mask()) {
      if (slots_[i] == kNone) return kNone;
      if (slots_[i] != kDeleted && elements_[slots_[i]].key == key) {
        return last_found_ = slots_[i];
      }
    }
  }

  // Adds an element whose key is absent; returns its index.
  uint32_t Insert(const Bytes& key, const Bytes& value) {
    if ((used_slots_ + 1) * 4 > slots_.size() * 3) Rebuild();
    uint32_t index;
    if (!free_.empty()) {
      index = free_.back();
      free_.pop_back();
    } else {
      index = static_cast<uint32_t>(elements_.size());
      elements_.emplace_back();
    }
    Element& element = elements_[index];
    element.key = key;
    element.value = value;
    element.live = true;
    element.certain = true;
    element.cpu = kAnyCpu;
    element.placed = false;
    element.previous = element.next = kNone;
    element.returned_in = element.born_in = 0;
    Link(index);
    ++size_;
    return index;
  }

  // Removes a live element; its index may be given to a later one.
  void Erase(uint32_t index) {
    for (size_t i = Hash(elements_[index].key) & mask();; i = (i + 1) & mask()) {
      if (slots_[i] == index) {
        slots_[i] = kDeleted;
        break;
      }
    }
    elements_[index].live = false;
    free_.push_back(index);
    if (--size_ == 0) {  // Nothing is left to find: drop the tombstones too.
      slots_.assign(slots_.size(), kNone);
      used_slots_ = 0;
    }
  }

  size_t size() const { return size_; }
  size_t capacity() const { return elements_.size(); }  // Indices are below it.
  Element& operator[](uint32_t index) { return elements_[index]; }
  const Element& operator[](uint32_t index) const { return elements_[index]; }
  // Calls f(index) for each live element.
  template <typename F>
  void ForEach(F f) const {
    for (uint32_t i = 0; i < elements_.size(); ++i) {
      if (elements_[i].live) f(i);
    }
  }

 private:
  static constexpr uint32_t kDeleted = 0xfffffffe;

  size_t mask() const { return slots_.size() - 1; }
  static uint64_t Hash(const Bytes& key) {
    constexpr uint64_t kMultiplier = 0x9e3779b97f4a7c15;
    uint64_t hash = key.size();
    const uint8_t* data = key.data();
    size_t left = key.size();
    for (; left >= 8; left -= 8, data += 8) {
      uint64_t word;
      std::memcpy(&word, data, 8);
      hash = (hash ^ word) * kMultiplier;
      hash ^= hash >> 32;
    }
    uint64_t tail = 0;
    if (left != 0) std::memcpy(&tail, data, left);
    hash = (hash ^ tail) * kMultiplier;
    return hash ^ hash >> 29;
  }
  void Link(uint32_t index) {
    for (size_t i = Hash(elements_[index].key) & mask();; i = (i + 1) & mask()) {
      if (slots_[i] == kNone || slots_[i] == kDeleted) {
        if (slots_[i] == kNone) ++used_slots_;
        slots_[i] = index;
        return;
      }
    }
  }
  void Rebuild() {
    size_t wanted = 16;
    while (wanted < size_ * 2 + 2) wanted *= 2;
    slots_.assign(wanted, kNone);
    used_slots_ = 0;
    ForEach([this](uint32_t index) { Link(index); });
  }

  mutable uint32_t last_found_ = kNone;
  std::vector<Element> elements_;
  std::vector<uint32_t> slots_;  // Indices into elements_, open addressing; a power of two long.
  std::vector<uint32_t> free_;
  size_t used_slots_ = 0;  // Not kNone.
  size_t size_ = 0;
};

}  // namespace mapspec

#endif  // ORACLE_ELEMENT_TABLE_H_
