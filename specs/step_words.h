// SPDX-License-Identifier: MIT
//
// The words that a scenario's steps may use: each operation with its fields and with what an
// expectation may state of its outputs. The loader, its messages and the test of spec.schema.json
// all read this table. Constant data: any thread may read it.
#ifndef SPECS_STEP_WORDS_H_
#define SPECS_STEP_WORDS_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mapspec {

struct StepWord {
  std::string word;                  // "push"
  std::string operation;             // The word that it is another name of: "update"; else itself.
  std::vector<std::string> fields;   // With `expect` and `caller`.
  std::vector<std::string> outputs;  // What may stand in `expect`, with `error`.
  std::vector<std::string> buffers;  // What may stand in `untouched`.
};

std::span<const StepWord> StepWords();
// nullptr for an unknown word.
const StepWord* FindStepWord(std::string_view word);
// Attributes of a map: the fields of `create` but `as`, `expect` and `caller`.
std::span<const std::string> MapAttributeWords();
// Fields of `expect: {info: {...}}`.
std::span<const std::string> InfoWords();

}  // namespace mapspec

#endif  // SPECS_STEP_WORDS_H_
