// SPDX-License-Identifier: MIT
//
// The list of known deviations (runners/deviations.h) with which a run that has ended would pass:
// how a first list is made, and how one is kept up to date. Plain values and pure functions; the
// caller looks at the stream.
#ifndef RUNNERS_DEVIATION_LIST_H_
#define RUNNERS_DEVIATION_LIST_H_

#include <ostream>
#include <string>
#include <vector>

#include "runners/deviations.h"
#include "runners/results.h"

namespace mapspec {

struct DeviationList {
  std::vector<Deviation> entries;  // By clause, backend and profile.
  // "BACKEND: TEST" of every failure that no clause names, so that no entry can stand for it: a
  // test that died, a finding of the console, a backend that could not be used.
  std::vector<std::string> unnamed;
};

// An entry for each violated clause, backend and profile that `known`, the list which the run was
// given, does not excuse yet. Of `known`, what vanished on one backend is left out there, and what
// the run says nothing about (another backend, a filter; anything that vanished, unless `whole`: no
// shard of a run can say that) stays as it is.
DeviationList DeviationsOf(const std::vector<BackendResults>& results,
                           const std::vector<Deviation>& known, bool whole);

// As YAML that ParseDeviations reads back. `results` are for the comment at its head.
void WriteDeviations(const DeviationList& list, const std::vector<BackendResults>& results,
                     std::ostream& out);

}  // namespace mapspec

#endif  // RUNNERS_DEVIATION_LIST_H_
