// SPDX-License-Identifier: MIT
#include "specs/embedded_specs.h"

#include "oracle/profile.h"

namespace mapspec {

const LoadedSpecs& Specification() {
  static const LoadedSpecs* const loaded = [] {
    const std::vector<SpecText> texts = EmbeddedSpecTexts();
    return new LoadedSpecs(LoadSpecTexts(texts, {.traits = TraitNames()}));
  }();
  return *loaded;
}

}  // namespace mapspec
