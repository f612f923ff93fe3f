// SPDX-License-Identifier: MIT
//
// The C functions that reproducers share. Each is written out only where its name occurs in what
// follows it. Constant data.
#ifndef RUNNERS_REPRO_HELPERS_H_
#define RUNNERS_REPRO_HELPERS_H_

#include <span>
#include <string_view>

namespace mapspec {

struct CPart {
  std::string_view name;  // The word that needs it.
  std::string_view text;
};
// In the order in which they have to stand: what comes later may use what comes first.
std::span<const CPart> CHelpers();
// Headers, by a word that needs them.
std::span<const CPart> CHeaders();

// Whether `word` occurs in the text as a whole word.
bool HasWord(std::string_view text, std::string_view word);

}  // namespace mapspec

#endif  // RUNNERS_REPRO_HELPERS_H_
