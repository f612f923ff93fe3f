// SPDX-License-Identifier: MIT
//
// Clauses × runs: what reports of several runs are made from. A row for each clause that any run
// tells of, grouped by map type in the order of the specification, then the properties; a column
// for each run. What this build does not know (a clause of an older or newer mapspec) has a row
// with what the files say, behind the others of its group. Ownership: a Matrix points into the runs
// and into the specification, which must live longer. Thread-safety: plain values.
#ifndef RUNNERS_MATRIX_H_
#define RUNNERS_MATRIX_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runners/results_file.h"
#include "specs/spec.h"

namespace mapspec {

// What a cell shows: the statuses of files, and that a run does not tell of the clause.
enum class Mark : uint8_t { kPass, kFail, kDeviation, kSkip, kUnknown, kNotRun };
inline constexpr size_t kMarks = 6;
// "pass", "fail", "deviation", "skip", "unknown", "not run".
std::string_view MarkName(Mark mark);
// How often each stands somewhere; index by static_cast<size_t>(mark).
using MarkCounts = std::array<size_t, kMarks>;

struct MatrixRow {
  std::string id;
  bool property = false;
  std::string level, path;           // "" where nobody says.
  std::string claim;                 // Of a property, its description; "" where nobody says.
  std::string disputed;              // Who says what, and what kernels do; "" where all agree.
  const ClauseSpec* spec = nullptr;  // nullptr for what this build does not know.
  // The shortest scenario of the clause, and how many it has. nullptr: none.
  const Scenario* scenario = nullptr;
  size_t scenarios = 0;
  std::vector<const RecordedResult*> results;  // One for each run; nullptr: it does not tell.

  Mark MarkOf(size_t run) const;
  // Whether two runs that tell of it say different things.
  bool Differs() const;
};

struct MatrixGroup {
  std::string name;   // "queue", "generic"; "properties".
  std::string title;  // "QUEUE"
  std::vector<MatrixRow> rows;

  MarkCounts Count(size_t run) const;
};

struct Matrix {
  std::vector<const RecordedRun*> runs;
  std::vector<std::string> names;  // Of the runs, each once.
  std::vector<MatrixGroup> groups;
  size_t clauses = 0, properties = 0;

  // Of the clauses, properties left out.
  MarkCounts Count(size_t run) const;
};

Matrix MakeMatrix(const std::vector<RecordedRun>& runs, const Specs& specs);

// Failure reports that the files do not hold but that lie beside them, as the run wrote them
// (NAME.txt beside NAME.trace.jsonl, where the trace's name is relative to the working directory or
// to the file of results). Nothing but a failure report is read: a file of results may name any
// file of the machine.
void FindReportsBeside(std::vector<RecordedRun>* runs);

}  // namespace mapspec

#endif  // RUNNERS_MATRIX_H_
