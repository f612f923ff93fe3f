// SPDX-License-Identifier: MIT
//
// Choosing tests by id: shell-like patterns in which '*' stands for any characters and '?' for one.
// Brackets mean themselves, because ids end in "[HASH]". A filter is a list of patterns separated
// by ':'; one that starts with '-' takes away. Plain functions and values; thread-safe.
#ifndef RUNNERS_GLOB_H_
#define RUNNERS_GLOB_H_

#include <string>
#include <string_view>
#include <vector>

namespace mapspec {

bool GlobMatches(std::string_view pattern, std::string_view text);
// Whether there is a text that matches both patterns.
bool GlobsOverlap(std::string_view a, std::string_view b);

class Filter {
 public:
  // "" selects everything.
  explicit Filter(std::string_view text);

  // Whether the test is selected, by its own id or by that of its clause ("" for a property).
  bool Selects(std::string_view id, std::string_view clause) const;
  // The positive patterns, as written.
  const std::vector<std::string>& wanted() const { return wanted_; }

 private:
  std::vector<std::string> wanted_;
  std::vector<std::string> unwanted_;
};

}  // namespace mapspec

#endif  // RUNNERS_GLOB_H_
