// SPDX-License-Identifier: MIT
//
// `mapspec list clauses --by-source` and `mapspec list divergences`. Both print to standard output
// and return the exit status of the command; what the user got wrong goes to standard error.
#ifndef RUNNERS_LIST_SOURCES_H_
#define RUNNERS_LIST_SOURCES_H_

#include <string>

#include "specs/spec.h"

namespace mapspec {

struct BySourceOptions {
  std::string document;   // "": all.
  std::string filter;     // Of the clauses; "": all.
  std::string results;    // A file that `run --json` wrote, "" for none.
  bool markdown = false;  // The form of specs/by-source.md.
};

// For each document and section its clauses, and whether kernels do what the document says; with
// results also what came out for each backend.
int ListBySource(const Specs& specs, const BySourceOptions& options);

// For each divergence who says what, what kernels do, the script that shows it and the command that
// runs it. `filter` is of clauses.
int ListDivergences(const Specs& specs, const std::string& filter);

}  // namespace mapspec

#endif  // RUNNERS_LIST_SOURCES_H_
