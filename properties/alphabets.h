// SPDX-License-Identifier: MIT
//
// The alphabets of the exhaustive properties: for each map type a few operations on two keys, and
// the tiny maps they are tried on; one of system calls alone, and one of system calls and helpers
// called by programs. Data; thread-safe.
#ifndef PROPERTIES_ALPHABETS_H_
#define PROPERTIES_ALPHABETS_H_

#include <string>
#include <vector>

#include "backends/capability.h"
#include "oracle/operation.h"
#include "properties/property.h"
#include "properties/word_enumeration.h"

namespace mapspec {

struct Alphabet {
  MapType type;
  // Whether words keep their meaning when the two keys are swapped.
  bool keys_interchangeable;
  // Creations of m0, each tried with every word.
  std::vector<MapCreate> maps;
  // letters[i] describes operations[i], an operation on m0. Values are filled in place by place.
  std::vector<Letter> letters;
  std::vector<Operation> operations;
  // Length of words by effort.
  size_t quick, normal, thorough;
  // Empty: each word has a new map. Else these operations empty m0 after each word, and many words
  // share one map, so that a program is loaded for many words at once. Each of them must have a
  // letter of the program path.
  std::vector<Operation> reset;
  // Comes before all words of a session: other maps that words name.
  std::vector<Operation> setup = {};

  size_t Length(Effort effort) const;
  // Without the letters that the capabilities do not allow; without `reset` if they do not allow
  // it.
  Alphabet Restricted(const CapabilitySet& capabilities) const;
};

// nullptr for a type without one.
const Alphabet* FindAlphabet(MapType type);
const Alphabet* FindProgramAlphabet(MapType type);

// Puts fresh values into a written letter: those that operation number `place` (from 0) of a word
// stores.
void SetValues(size_t place, Operation* operation);

}  // namespace mapspec

#endif  // PROPERTIES_ALPHABETS_H_
