// SPDX-License-Identifier: MIT
//
// What the build makes of specs/*.yaml: C++ in which every clause id is a constant, the table
// behind AllClauses(), and the YAML texts themselves, so that the command needs no files at run
// time. Thread-safety: any thread.
#ifndef SPECS_CLAUSE_GENERATOR_H_
#define SPECS_CLAUSE_GENERATOR_H_

#include <span>
#include <string>

#include "specs/spec.h"
#include "specs/spec_loader.h"

namespace mapspec {

// oracle/clauses.gen.h: clause::TYPE::OPERATION_WHAT for every clause, one struct for each TYPE.
std::string ClausesHeader(const Specs& specs);
// oracle/clauses.gen.cc: the table, in the order of the constants. Does not compile when a clause
// names a trait that Traits (oracle/profile.h) lacks.
std::string ClausesTable(const Specs& specs);
// specs/embedded_specs.gen.cc: what specs/embedded_specs.h declares.
std::string EmbeddedSpecs(std::span<const SpecText> texts);

}  // namespace mapspec

#endif  // SPECS_CLAUSE_GENERATOR_H_
