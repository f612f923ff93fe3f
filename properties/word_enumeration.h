// SPDX-License-Identifier: MIT
//
// Enumerates the words of a given length over a small alphabet of operations, leaving out those
// that say nothing new:
//   - Two neighbouring operations that only read commute: of a run of reads only the one in rising
//   order
//     is kept, and none twice in a row. (A read that wrote would be seen by whichever read follows
//     in the kept order, or by the same one after a write in a longer word.)
//   - The two keys are interchangeable where the type gives them no order: the first key that a
//   word uses
//     is key 0.
//   - Values are not part of the alphabet: each write stores a value of its own (its place in the
//   word),
//     which tells every pair of writes apart.
//   - Shorter words are prefixes of longer ones and are judged with them.
// No state; thread-safe.
#ifndef PROPERTIES_WORD_ENUMERATION_H_
#define PROPERTIES_WORD_ENUMERATION_H_

#include <cstdint>
#include <functional>
#include <span>

namespace mapspec {

// What enumeration needs to know of one letter. Letters must be listed so that those of one kind on
// different keys stand together, key 0 first.
struct Letter {
  bool reads = false;  // Changes nothing.
  int first_key = -1;  // The first key it uses: 0, 1, or -1 for none.
};

// Calls `visit` with every kept word (indices of letters), in lexicographic order, until it returns
// false. Returns how many words were visited.
uint64_t ForEachWord(std::span<const Letter> letters, bool keys_interchangeable, size_t length,
                     const std::function<bool(std::span<const uint8_t>)>& visit);

}  // namespace mapspec

#endif  // PROPERTIES_WORD_ENUMERATION_H_
