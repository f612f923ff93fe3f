// SPDX-License-Identifier: MIT
//
// Reads the YAML files of specs/ into memory. Every problem is reported with file, line and column
// and with what would have been right; all files are read before the answer comes, so that one run
// shows many problems. Hostile files end in a problem, in bounded memory (specs/yaml_tree.h). No
// exceptions, no state. Thread-safety: any thread.
#ifndef SPECS_SPEC_LOADER_H_
#define SPECS_SPEC_LOADER_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "specs/spec.h"

namespace mapspec {

// A file that is in memory already; the name is for messages.
struct SpecText {
  std::string name;
  std::string text;
};

struct LoadOptions {
  // The traits that clauses may name (TraitNames() of oracle/profile.h); empty: any.
  std::vector<std::string> traits;
  // How many values an element of a per-CPU map has in the scenarios.
  uint32_t possible_cpus = 2;
};

struct LoadedSpecs {
  Specs specs;  // What could be read; complete when there are no errors.
  std::vector<SpecError> errors;
  bool ok() const { return errors.empty(); }
};

LoadedSpecs LoadSpecTexts(std::span<const SpecText> texts, const LoadOptions& options);
// Files, and directories for their *.yaml in the order of their names.
LoadedSpecs LoadSpecPaths(std::span<const std::string> paths, const LoadOptions& options);

}  // namespace mapspec

#endif  // SPECS_SPEC_LOADER_H_
