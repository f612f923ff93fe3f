// SPDX-License-Identifier: MIT
//
// The specification this binary was built with: the texts of specs/*.yaml, embedded by the build,
// so that the command needs no files at run time. Ownership: Specification() owns what it returns,
// for the life of the process. Thread-safety: any thread.
#ifndef SPECS_EMBEDDED_SPECS_H_
#define SPECS_EMBEDDED_SPECS_H_

#include <cstdint>
#include <vector>

#include "specs/spec.h"
#include "specs/spec_loader.h"

namespace mapspec {

// Named "specs/hash.yaml", in the order of their names.
std::vector<SpecText> EmbeddedSpecTexts();

// Read once for each number of CPUs, with the traits of this binary: an element of a per-CPU map
// has so many values in the scenarios. The build fails when these files have an error, so that a
// caller need not look for any.
const LoadedSpecs& Specification(uint32_t possible_cpus = 2);

}  // namespace mapspec

#endif  // SPECS_EMBEDDED_SPECS_H_
