// SPDX-License-Identifier: MIT
//
// Scripts and traces as text: JSON Lines, one header line, then one line for each operation. The format is
// versioned and described by oracle/trace.schema.json. Writers and readers are inverse to each other.
// Reading hostile input is safe: bounded memory, no exceptions out of here; the first thing that is wrong
// comes back as a message with file, line and what was expected.
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

// Without the newline.
std::string OperationToJson(const Operation& operation);
std::string OutcomeToJson(const Outcome& outcome);
std::string EnvironmentToJson(const Environment& environment);
void WriteScript(const Script& script, std::ostream& out);
void WriteTrace(const Trace& trace, std::ostream& out);

// Each returns nullopt after filling *error. `file` is the name for messages.
std::optional<Operation> OperationFromJson(std::string_view line, ParseError* error);
std::optional<Outcome> OutcomeFromJson(std::string_view line, ParseError* error);
std::optional<Environment> EnvironmentFromJson(std::string_view line, ParseError* error);
std::optional<Script> ReadScript(std::istream& in, std::string_view file, ParseError* error);
std::optional<Trace> ReadTrace(std::istream& in, std::string_view file, ParseError* error);

}  // namespace mapspec

#endif  // ORACLE_TRACE_JSON_H_
