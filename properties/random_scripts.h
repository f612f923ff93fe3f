// SPDX-License-Identifier: MIT
//
// The properties `TYPE.random-scripts` and `TYPE.random-program-scripts`: RapidCheck draws scripts
// from the generator and shrinks those whose trace breaks a clause. Scripts grow with RapidCheck's
// size, from ten operations to a thousand, so that its bookkeeping is of no account beside the
// operations.
#ifndef PROPERTIES_RANDOM_SCRIPTS_H_
#define PROPERTIES_RANDOM_SCRIPTS_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "properties/property.h"

namespace mapspec {

// How calls on elements are shared between system calls and programs (script_generator.h).
enum class Paths : uint8_t { kBoth, kMostlyPrograms };

PropertyResult RunRandomScripts(std::string_view id, const std::vector<MapType>& types, Paths paths,
                                Backend& backend, const Profile& profile,
                                const PropertyOptions& options);

// How many operations the effort stands for, for one property of random scripts on these types.
uint64_t RandomOperations(const std::vector<MapType>& types, const PropertyOptions& options);

}  // namespace mapspec

#endif  // PROPERTIES_RANDOM_SCRIPTS_H_
