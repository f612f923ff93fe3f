// SPDX-License-Identifier: MIT
//
// The loader of specs/*.yaml. What it takes must be fit for use.
#include "oracle/profile.h"
#include "runners/fuzz/fuzz_target.h"
#include "specs/spec_loader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mapspec;
  static const LoadOptions options{.traits = TraitNames()};
  const SpecText text{"input.yaml", std::string(AsText(data, size))};
  const LoadedSpecs loaded = LoadSpecTexts({&text, 1}, options);
  for (const SpecError& error : loaded.errors) Require(!error.ToString().empty(), "an empty error");
  if (!loaded.ok()) return 0;
  for (const Scenario* scenario : loaded.specs.AllScenarios()) {
    Require(ToScript(*scenario).operations.size() == scenario->steps.size(),
            "a script without some of its scenario's steps");
    for (const Step& step : scenario->steps) {
      Require(!Describe(step.expected, step.operation).empty(), "a step that expects nothing");
    }
  }
  return 0;
}
