// SPDX-License-Identifier: MIT
//
// Scripts and traces as text: JSON Lines, one header line, then one line for each operation. The
// format is versioned and described by oracle/trace.schema.json. Writers and readers are inverse to
// each other, but for bytes that nothing points to (an InBuffer that is not kValid, in_batch
// without kBytes). Reading hostile input is safe: bounded memory, no exceptions out of here; the
// first thing that is wrong comes back as a message with file, line and what was expected. Limits
// of a reader: lines of 16 MiB, 10 million operations, 512 MiB of buffers beyond what the text
// itself spells out. Paths that lead out of the script's own directory are refused.
#ifndef ORACLE_TRACE_JSON_H_
#define ORACLE_TRACE_JSON_H_

#include <istream>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include "oracle/trace.h"

namespace mapspec {

inline constexpr int kTraceFormatVersion = 1;

// A damaged file: "FILE:LINE: reason".
struct ParseError {
  std::string file;
  size_t line = 0;  // From 1; 0 when the whole file is meant.
  std::string message;
  std::string ToString() const;
};

// Without the newline. An outcome on its own has generic names for its output ("bytes", "number"),
// in a trace those of its operation ("value", "next_key", "id", "revents"); readers take any of
// them.
std::string OperationToJson(const Operation& operation);
std::string OutcomeToJson(const Outcome& outcome);
std::string EnvironmentToJson(const Environment& environment);
void WriteScript(const Script& script, std::ostream& out);
void WriteTrace(const Trace& trace, std::ostream& out);

// Each returns nullopt after filling *error (of the first three: its message only). `file` is the
// name for messages. Blank lines are skipped, and the last line needs no newline.
std::optional<Operation> OperationFromJson(std::string_view line, ParseError* error);
std::optional<Outcome> OutcomeFromJson(std::string_view line, ParseError* error);
std::optional<Environment> EnvironmentFromJson(std::string_view line, ParseError* error);
std::optional<Script> ReadScript(std::istream& in, std::string_view file, ParseError* error);
std::optional<Trace> ReadTrace(std::istream& in, std::string_view file, ParseError* error);

}  // namespace mapspec

#endif  // ORACLE_TRACE_JSON_H_
