// SPDX-License-Identifier: MIT
//
// The artefact of a failure: text that says which promise was broken, by the shortest script that
// shows it, what was allowed and what came, and how to see it again; with the trace and the script
// as files. Plain functions; thread-safe as far as the file system is.
#ifndef RUNNERS_FAILURE_REPORT_H_
#define RUNNERS_FAILURE_REPORT_H_

#include <string>
#include <string_view>
#include <vector>

#include "oracle/checker.h"
#include "oracle/trace.h"

namespace mapspec {

struct Violation {
  std::string found_by;  // Id of the test, or the file that was checked.
  std::string profile;
  std::vector<std::string>
      clauses;       // That the operation broke; the first is the main one. May be empty.
  size_t index = 0;  // Of the operation in `trace`.
  std::string expected;
  std::string got;
  Bytes
      expected_bytes;  // What an output buffer should have held, empty when that is not the point.
  // The command that shows it again, when the trace alone does not: what a scenario expects stands
  // in the specification, and the oracle need not object. "" when the oracle does.
  std::string rerun;
  std::string hint;  // Of a kernel that does what another version promises (runners/backport.h).
  Trace trace;       // Where it is cut, it is cut behind `index`.
};

// What the oracle's verdict says of a trace.
Violation ViolationOf(const Verdict& verdict, const Trace& trace, std::string_view profile,
                      std::string_view found_by);

// Files that belong to a report; "" where there is none.
struct ArtefactFiles {
  std::string trace;
  std::string script;
  std::string text;
  std::string reproducer;  // Where one can be written (runners/repro.h).
};

// A script's or report's name in the file system: "queue.push.full+drops".
std::string FileNameOf(std::string_view id);

// "a5 00 00 00", rows of 16 with their offsets, and carets under the bytes that differ. Only rows
// with a difference, at most eight.
std::string HexDifference(const Bytes& expected, const Bytes& got, std::string_view indent);

std::string FailureText(const Violation& violation, const ArtefactFiles& files);

// Writes trace, script, text and, where there is one, the reproducer to
// DIR/BACKEND/ID.{trace.jsonl,script,txt,c}. Returns what it wrote;
// after an error *error says which file could not be written, and its name is "" in the result.
ArtefactFiles WriteArtefacts(const Violation& violation, const std::string& directory,
                             std::string* text, std::string* error);

// `word` as a POSIX shell reads it back.
std::string ShellQuote(std::string_view word);

}  // namespace mapspec

#endif  // RUNNERS_FAILURE_REPORT_H_
