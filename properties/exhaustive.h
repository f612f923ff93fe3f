// SPDX-License-Identifier: MIT
//
// The properties `TYPE.exhaustive`: every sequence of a few operations (alphabets.h) up to a
// length, on maps of one to three elements, except those that say nothing new (word_enumeration.h).
// Each sequence has a map of its own; many share a session.
#ifndef PROPERTIES_EXHAUSTIVE_H_
#define PROPERTIES_EXHAUSTIVE_H_

#include <string_view>

#include "properties/property.h"

namespace mapspec {

PropertyResult RunExhaustive(std::string_view id, MapType type, Backend& backend,
                             const Profile& profile, const PropertyOptions& options);

}  // namespace mapspec

#endif  // PROPERTIES_EXHAUSTIVE_H_
