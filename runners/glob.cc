// SPDX-License-Identifier: MIT
#include "runners/glob.h"

#include <algorithm>

namespace mapspec {

bool GlobMatches(std::string_view pattern, std::string_view text) {
  // Greedy with one point of return: linear in practice, at worst |pattern| * |text|, and no
  // recursion that a long row of stars could blow up.
  size_t p = 0, t = 0;
  size_t star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

Filter::Filter(std::string_view text) {
  while (!text.empty()) {
    const size_t end = std::min(text.find(':'), text.size());
    std::string_view item = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (item.empty()) continue;
    if (item.front() == '-') {
      unwanted_.emplace_back(item.substr(1));
    } else {
      wanted_.emplace_back(item);
    }
  }
}

bool Filter::Selects(std::string_view id, std::string_view clause) const {
  const auto matches = [&](const std::string& pattern) {
    return GlobMatches(pattern, id) || (!clause.empty() && GlobMatches(pattern, clause));
  };
  if (std::any_of(unwanted_.begin(), unwanted_.end(), matches)) return false;
  return wanted_.empty() || std::any_of(wanted_.begin(), wanted_.end(), matches);
}

}  // namespace mapspec
