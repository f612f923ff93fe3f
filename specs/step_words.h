// SPDX-License-Identifier: MIT
//
// The words that a scenario's steps may use: each operation with its fields, with what an
// expectation may state of its outputs, and with the helper that does the same on the program path.
// The loader, its messages and the test of spec.schema.json all read this table. Constant data: any
// thread may read it.
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
  std::vector<std::string> fields;   // On either path, with those that every step may have.
  std::vector<std::string> outputs;  // What may stand in `expect`, with `error`.
  std::vector<std::string> buffers;  // What may stand in `untouched`.
  std::string helper;                // "bpf_map_push_elem()"; "" when no helper does this.
  std::vector<std::string> helper_fields;  // Of `fields`, those that a call of the helper has.
  bool program_only = false;               // No system call does this.
};

std::span<const StepWord> StepWords();
// nullptr for an unknown word.
const StepWord* FindStepWord(std::string_view word);
// The fields that every step may have, whatever it does: `expect`, `via`, `cpu` and `thread`.
std::span<const std::string> CommonFields();
// Attributes of a map: the fields that `create` alone has, but for `as`.
std::span<const std::string> MapAttributeWords();
// Fields of `expect: {info: {...}}`.
std::span<const std::string> InfoWords();

}  // namespace mapspec

#endif  // SPECS_STEP_WORDS_H_
