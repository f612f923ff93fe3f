// SPDX-License-Identifier: MIT
//
// What the files of specs/ say, in memory: clauses and scenarios. The YAML form is described in
// specs/README.md, for editors in specs/spec.schema.json.
// Ownership: plain values. Thread-safety: that of plain values.
#ifndef SPECS_SPEC_H_
#define SPECS_SPEC_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oracle/clause.h"
#include "oracle/uapi.h"
#include "specs/scenario.h"
#include "specs/yaml_tree.h"

namespace mapspec {

// A place in a document.
struct Citation {
  std::string document;
  std::string section;
  friend bool operator==(const Citation&, const Citation&) = default;
};

// Where a document and kernels disagree. The claim of a documented clause is the document's, that
// of an observed one what kernels do.
struct Divergence {
  std::string says;      // What the document promises, in our words.
  Citation where;        // Where it does.
  std::string kernels;   // What kernels of which versions do.
  std::string scenario;  // The name of the clause's scenario that shows it; "" for its first one.
  std::string shown_by;  // What shows it where no scenario can, "" where one does.
};

// A clause with what only its file needs to know; oracle/clause.h holds the rest at run time.
struct ClauseSpec {
  std::string id;
  Level level = Level::kObserved;
  Path path = Path::kSyscall;
  std::string claim;
  std::string document;
  std::string section;
  std::string since;
  std::string until;
  std::string trait;
  std::vector<Citation> also;  // Other places that promise it.
  std::optional<Divergence> divergence;
  std::vector<std::string> ledger;  // Rows of the list of facts that it covers.
  Position position;                // Of the id.
};

struct SpecFile {
  std::string name;                 // The file's name for messages.
  std::string prefix;               // First component of its clauses' ids: "hash", "generic".
  std::optional<MapType> map_type;  // Nothing for GENERIC.
  std::vector<ClauseSpec> clauses;
  std::vector<Scenario> scenarios;
};

struct Specs {
  std::vector<SpecFile> files;

  const ClauseSpec* FindClauseSpec(std::string_view id) const;
  std::vector<const Scenario*> AllScenarios() const;
  // The scenario that shows the clause's divergence; nullptr when there is no divergence or no
  // scenario of it.
  const Scenario* ScenarioOfDivergence(const ClauseSpec& clause) const;
};

// The constant that stands for a clause id in C++: `hash.update.noexist-existing-key` is
// clause::hash::update_noexist_existing_key.
struct ClauseConstant {
  std::string scope;       // "hash"
  std::string identifier;  // "update_noexist_existing_key"
};
ClauseConstant ConstantOf(std::string_view id);
// Why C++ cannot have that constant (a keyword, a leading digit, …); "" when it can.
std::string WhyNotConstant(const ClauseConstant& constant);

}  // namespace mapspec

#endif  // SPECS_SPEC_H_
