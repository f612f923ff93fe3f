// SPDX-License-Identifier: MIT
//
// What a run of the fuzzer has come to, and the file (DIR/state.json) from which a later one goes
// on: seed, backends, which scripts are done, counters, coverage, differences, findings. The file
// is replaced as a whole (written beside it, then renamed), so that a reader never sees half of
// one. It is text that people may read; a damaged one comes back as a message, never as a crash.
// Thread-safety: plain values.
#ifndef RUNNERS_FUZZ_STATE_H_
#define RUNNERS_FUZZ_STATE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "properties/coverage.h"
#include "runners/fuzz_differences.h"
#include "runners/fuzz_findings.h"
#include "runners/fuzz_schedule.h"

namespace mapspec {

struct FuzzState {
  uint64_t seed = 0;
  std::vector<std::pair<std::string, std::string>> backends;  // Selector, profile.
  ScriptSet done;
  FuzzCounts counts;
  double seconds = 0;  // Of all sessions.
  Coverage coverage;
  Differences::Named differences;
  std::map<std::string, FuzzSchedule::KindCount> kinds;  // Of violations.
  std::vector<Finding> findings;
};

std::string StateFile(const std::string& directory);
std::string StateToJson(const FuzzState& state);
// nullopt after filling *error ("FILE: reason").
std::optional<FuzzState> StateFromJson(const std::string& text, const std::string& file,
                                       std::string* error);
// False after filling *error, with errno's text.
bool SaveState(const FuzzState& state, const std::string& directory, std::string* error);

}  // namespace mapspec

#endif  // RUNNERS_FUZZ_STATE_H_
