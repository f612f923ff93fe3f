// SPDX-License-Identifier: MIT
//
// Reports for machines, written from the results of a run, interrupted or not. Ids in them are
// those of the tests; where several backends share a file, each has its own object, testsuite or
// subtest. Writers do not fail themselves: the caller looks at the stream.
#ifndef RUNNERS_REPORT_H_
#define RUNNERS_REPORT_H_

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "runners/results.h"

namespace mapspec {

inline constexpr std::string_view kMapspecVersion = MAPSPEC_VERSION;

// One object for each backend, one on each line (DESIGN.md §5).
void WriteJsonReport(const std::vector<BackendResults>& results, std::ostream& out);
// One testsuite for each backend, one testcase for each test.
void WriteJunitReport(const std::vector<BackendResults>& results, std::ostream& out);
// KTAP version 1 (Documentation/dev-tools/ktap.rst of the kernel): one test for each backend with a
// subtest for each test.
void WriteKtapReport(const std::vector<BackendResults>& results, std::ostream& out);

// Text as XML character data or attribute value: markup is escaped; what XML 1.0 cannot carry at
// all (control characters, broken UTF-8) becomes U+FFFD.
std::string EscapeXml(std::string_view text);
// The same for a string that must be UTF-8 and nothing else (JSON).
std::string ReplaceInvalidUtf8(std::string_view text);

}  // namespace mapspec

#endif  // RUNNERS_REPORT_H_
