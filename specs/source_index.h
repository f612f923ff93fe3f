// SPDX-License-Identifier: MIT
//
// The clauses by the places that promise them: documents, their sections, and whether kernels do
// what they say. Ownership: the index points into the Specs it was made from, which must live
// longer. Thread-safety: any thread.
#ifndef SPECS_SOURCE_INDEX_H_
#define SPECS_SOURCE_INDEX_H_

#include <string>
#include <vector>

#include "specs/spec.h"

namespace mapspec {

struct SourcedClause {
  const ClauseSpec* clause = nullptr;
  // Whether kernels do what is said here; when not, the clause's divergence tells what they do.
  bool kernels_agree = true;
};

struct SourceSection {
  std::string name;
  std::vector<SourcedClause> clauses;
};

struct SourceDocument {
  std::string name;
  std::vector<SourceSection> sections;

  size_t CountClauses() const;
  size_t CountDisagreements() const;
};

// A clause stands at its source, at the other places that it cites, and where its divergence is.
// Documents are in the order of their names, the kernel's own source behind the rest; sections too,
// but for `introduction`, which comes first; clauses in the order of the specification.
std::vector<SourceDocument> BySource(const Specs& specs);

// What a reader has to know of a clause with a divergence, on one line: "DOCUMENT, SECTION, says: …
// Kernels: …". "" for a clause without one.
std::string DivergenceLine(const ClauseSpec& clause);

// "map_hash.rst, bpf_map_update_elem()"
std::string PlaceName(const Citation& place);

}  // namespace mapspec

#endif  // SPECS_SOURCE_INDEX_H_
