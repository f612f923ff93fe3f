// SPDX-License-Identifier: MIT
//
// Dictionaries in the format of libFuzzer and AFL++: a quoted word a line. Thread-safety: one
// thread at a time. No errors.
// Source: https://llvm.org/docs/LibFuzzer.html#dictionaries
#ifndef RUNNERS_FUZZ_DICTIONARY_H_
#define RUNNERS_FUZZ_DICTIONARY_H_

#include <set>
#include <string>
#include <string_view>

namespace mapspec {

class Dictionary {
 public:
  void Add(std::string_view word);
  // What stands in the text as a word of its own: "in quotes", keys:, CONSTANTS.
  void AddWordsOf(std::string_view text);
  // The words of the scripts' bytes: each operation at its plainest, a creation of each type.
  void AddRecords();

  std::string ToText() const;

 private:
  std::set<std::string> words_;
};

}  // namespace mapspec

#endif  // RUNNERS_FUZZ_DICTIONARY_H_
