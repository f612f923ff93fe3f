// SPDX-License-Identifier: MIT
//
// Known deviations: violations that a list names with a reason, so that they do not fail a run. The
// list is YAML, a sequence of
//     {clause: GLOB, backend: GLOB, profile: GLOB, symptoms: [GLOB…], reason: TEXT, link: URL}
// of which only clause and reason are needed. `symptoms` are clauses that random scripts find
// broken because of the listed one: a wrong value is seen by whoever reads it. A listed violation
// that no longer happens, although a scenario of its clause ran, is an error: lists that are never
// cleaned hide new faults. Plain values; thread-safe when not written to.
#ifndef RUNNERS_DEVIATIONS_H_
#define RUNNERS_DEVIATIONS_H_

#include <string>
#include <string_view>
#include <vector>

#include "runners/results.h"

namespace mapspec {

struct Deviation {
  std::string clause;         // Glob over clause ids.
  std::string backend = "*";  // Glob over selectors.
  std::string profile = "*";
  std::vector<std::string> symptoms;  // Globs over clause ids; they count in properties only.
  std::string reason;
  std::string link;
  std::string place;  // "FILE:LINE" for messages.

  bool AppliesTo(std::string_view backend_selector, std::string_view profile_name) const;
};

// Reads a list. False after filling *errors with one line "FILE:LINE:COLUMN: message" for each
// thing that is wrong. A pattern that can never match is wrong too: for a clause that is none of
// `clauses`, for a profile that does not exist, for a kind of backend that does not exist (what
// stands behind "library:" or "qemu:" is another machine's business).
bool ParseDeviations(std::string_view file, std::string_view text,
                     const std::vector<std::string>& clauses, std::vector<Deviation>* deviations,
                     std::vector<std::string>* errors);
bool LoadDeviations(const std::string& path, const std::vector<std::string>& clauses,
                    std::vector<Deviation>* deviations, std::vector<std::string>* errors);

// Turns a failed test into a deviation when an entry lists a clause that its failing operation
// broke, or, of a property, has it among its symptoms.
void ApplyDeviations(const std::vector<Deviation>& deviations, std::string_view backend,
                     std::string_view profile, TestResult* test);

// Whether the entry applies to this backend and profile, a scenario of its clauses was decided, and
// nothing in these (finished, merged) results deviates as it says.
bool Vanished(const Deviation& deviation, const BackendResults& results);
// The message for each entry that has vanished.
std::vector<std::string> VanishedDeviations(const std::vector<Deviation>& deviations,
                                            const BackendResults& results);

}  // namespace mapspec

#endif  // RUNNERS_DEVIATIONS_H_
