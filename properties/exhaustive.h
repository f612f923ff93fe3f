// SPDX-License-Identifier: MIT
//
// The properties `TYPE.exhaustive` and `TYPE.exhaustive-program`: every sequence of a few
// operations (alphabets.h) up to a length, on maps of one to three elements, except those that say
// nothing new (word_enumeration.h). Each sequence has a map of its own, or one that was emptied
// after the last sequence, as the alphabet says; many share a session.
#ifndef PROPERTIES_EXHAUSTIVE_H_
#define PROPERTIES_EXHAUSTIVE_H_

#include <string_view>

#include "properties/alphabets.h"
#include "properties/property.h"

namespace mapspec {

// Skipped without an alphabet.
PropertyResult RunExhaustive(std::string_view id, const Alphabet* alphabet, Backend& backend,
                             const Profile& profile, const PropertyOptions& options);

}  // namespace mapspec

#endif  // PROPERTIES_EXHAUSTIVE_H_
