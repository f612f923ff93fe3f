// SPDX-License-Identifier: MIT
//
// Files that `mapspec run --json` wrote, read back: JSON Lines, one object for each backend of a
// run. They may come from another version of mapspec or from another machine, and are not trusted:
// memory is bounded, nothing is thrown, and the first thing that is wrong comes back as a message
// with file, line and what was expected. What an older or newer mapspec leaves out or adds is no
// error, but for the backend and each clause's id and status. Ownership: plain values.
// Thread-safety: any thread.
#ifndef RUNNERS_RESULTS_FILE_H_
#define RUNNERS_RESULTS_FILE_H_

#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oracle/trace_json.h"
#include "runners/results.h"
#include "specs/spec.h"

namespace mapspec {

// A clause or a property of one run. Of the statuses, only those that files tell apart: all that
// is unknown is kUndecided.
struct RecordedResult {
  std::string id;
  Status status = Status::kUndecided;
  std::string reason;
  std::string trace;                     // A file, as the run named it; "" for none.
  std::string test;                      // The test that decided it; "" where none is named.
  std::string report;                    // The failure report as text; "" for none.
  std::string level, path;               // Of a clause; "" where the file says nothing.
  std::optional<Divergence> divergence;  // Of a clause, where documents and kernels disagree.
};

// One object: what one backend answered in one run.
struct RecordedRun {
  std::string file;  // Where it was read from, and the line (from 1).
  size_t line = 0;
  std::string version;  // Of the mapspec that wrote it.
  std::string backend, implementation, kernel_release, machine;
  std::string profile, effort;
  std::string seed;                        // In digits; "" where the file says nothing.
  std::vector<RecordedResult> clauses;     // Ids are unique.
  std::vector<RecordedResult> properties;  // Ids are unique.
  std::vector<std::string> errors;         // What failed the run besides tests.
  bool interrupted = false;
  bool is_record = false;  // Of a matrix_record.h: nothing but the profile and statuses of clauses.
};

// Of the statuses that files tell apart; nullopt for another word.
std::optional<Status> ParseStatus(std::string_view word);

// At least one run, also of a matrix_record.h, or nullopt after filling *error. `file` is the name for messages. Blank lines
// are skipped, and the last line needs no newline.
std::optional<std::vector<RecordedRun>> ReadResults(std::istream& in, std::string_view file,
                                                    ParseError* error);

// What a run is called in reports: "kernel 6.18.44"; for other backends the selector.
std::string RunName(const RecordedRun& run);

}  // namespace mapspec

#endif  // RUNNERS_RESULTS_FILE_H_
