// SPDX-License-Identifier: MIT
#include "runners/divergence.h"

#include "specs/embedded_specs.h"
#include "specs/source_index.h"

namespace mapspec {

const Divergence* DivergenceOf(std::string_view clause) {
  const ClauseSpec* spec = Specification().specs.FindClauseSpec(clause);
  return spec != nullptr && spec->divergence ? &*spec->divergence : nullptr;
}

std::string DivergenceNote(std::string_view clause) {
  const ClauseSpec* spec = Specification().specs.FindClauseSpec(clause);
  return spec != nullptr ? DivergenceLine(*spec) : "";
}

}  // namespace mapspec
