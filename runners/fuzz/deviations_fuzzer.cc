// SPDX-License-Identifier: MIT
//
// The reader of lists of known deviations.
#include "oracle/clause.h"
#include "runners/deviations.h"
#include "runners/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mapspec;
  static const std::vector<std::string> clauses = [] {
    std::vector<std::string> ids;
    for (const Clause& clause : AllClauses()) ids.emplace_back(clause.id);
    return ids;
  }();
  std::vector<Deviation> deviations;
  std::vector<std::string> errors;
  const bool fine =
      ParseDeviations("input.yaml", AsText(data, size), clauses, &deviations, &errors);
  Require(fine == errors.empty(), "a verdict without its reason");
  TestResult test;
  test.status = Status::kFail;
  test.violated = {clauses.front()};
  ApplyDeviations(deviations, "library:./libmaps.so", "documented", &test);
  return 0;
}
