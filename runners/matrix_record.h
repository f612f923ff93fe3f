// SPDX-License-Identifier: MIT
//
// A matrix kept for comparison: which clause had which status under which profile, and nothing that
// another run of the same kernels would say differently (releases, seeds, reasons, random scripts).
// A table of words between tabs, a line for each clause in alphabetical order, to be kept under
// version control. Pure functions; input is not trusted.
#ifndef RUNNERS_MATRIX_RECORD_H_
#define RUNNERS_MATRIX_RECORD_H_

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "runners/results_file.h"

namespace mapspec {

// A column for each run, named by its profile. False when two runs have one profile: then nothing
// is written.
bool WriteRecord(const std::vector<RecordedRun>& runs, std::ostream& out);

// Whether a file that starts with this line is a record.
bool IsRecordHeader(std::string_view line);
// The runs that the header names. False after filling *error.
bool StartRecord(std::string_view header, std::vector<RecordedRun>* runs, std::string* error);
// Adds the clause of one line to the runs that have it.
bool AddRecordLine(std::string_view line, std::vector<RecordedRun>* runs, std::string* error);

}  // namespace mapspec

#endif  // RUNNERS_MATRIX_RECORD_H_
