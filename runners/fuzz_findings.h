// SPDX-License-Identifier: MIT
//
// From a violation as it was met to a finding: the script is made again from its seed, shrunk
// (bounded in time, the best so far is kept), confirmed by carrying it out again, named after the
// clause and the shape of the smallest script, and written with its report and its reproducer,
// which is compiled and run before. What does not happen again is a finding too, with the trace of
// the time when it did.
//
// Thread-safety: one finding at a time; the backend is the caller's. Errors: a file that cannot be
// written is Finding::unwritten, with errno's text, and then Finding::text and `script` are all
// there is of it.
#ifndef RUNNERS_FUZZ_FINDINGS_H_
#define RUNNERS_FUZZ_FINDINGS_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <ostream>
#include <set>
#include <string>
#include <string_view>

#include "runners/failure_report.h"
#include "runners/fuzz_worker.h"

namespace mapspec {

struct Finding {
  std::string id;  // "hash.update.noexist-existing-key-1f2e3d"
  std::string backend;
  std::string profile;
  std::string clause;      // "" for none.
  std::string shape;       // What makes it a finding of its own.
  uint64_t script = 0;     // Index in the run.
  uint64_t operation = 0;  // Of the script as it was met.
  size_t operations = 0;   // Of the smallest script.
  bool repeatable = true;
  std::string note;        // Where something is to be said: not repeatable, not shrunk.
  std::string reproducer;  // "shows the violation", or why there is none that does.
  std::string trace_file, script_file, text_file, c_file;  // "" where it was not written.
  // Not kept from session to session.
  std::string text;  // The report.
  std::string script_text;
  std::string unwritten;  // "DIR/ID.txt: No space left on device"
};

// Writes a C program that shows the violation; false after filling *why_not (runners/repro.h).
using WriteReproducerFunction = std::function<bool(const Trace& trace, const Profile& profile,
                                                   std::ostream& out, std::string* why_not)>;
// Compiles and runs it: "" when it showed the violation, else what happened.
using CheckReproducerFunction =
    std::function<std::string(const std::string& source, const std::string& selector)>;

struct FindingOptions {
  std::string directory;
  bool shrink = true;
  uint64_t shrink_executions = 10'000;
  std::chrono::milliseconds shrink_time{10'000};
  WriteReproducerFunction write_reproducer;  // May be empty.
  CheckReproducerFunction check_reproducer;  // May be empty.
};

// `known`: ids of findings there are; the result has `id` only and is otherwise empty when it is
// among them. `cancel`: ends the shrinking.
Finding MakeFinding(const RawFinding& raw, const FuzzBackend& target, Backend& backend,
                    const ScriptShapes& shapes, const FindingOptions& options,
                    const std::set<std::string>& known, const std::atomic<bool>* cancel);

// The kinds of operations, the map types, and how the last operation ended.
std::string ShapeOf(const Trace& trace);

}  // namespace mapspec

#endif  // RUNNERS_FUZZ_FINDINGS_H_
