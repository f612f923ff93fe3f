// SPDX-License-Identifier: MIT
#include "runners/glob.h"

#include <algorithm>
#include <utility>

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

bool GlobsOverlap(std::string_view a, std::string_view b) {
  // row[j]: whether one text matches the first i characters of `a` and the first j of `b`. A star,
  // whosever it is, stands for nothing or for what the other pattern has there: both are a step
  // from a shorter prefix. Costs |a| * |b|.
  std::vector<bool> row(b.size() + 1), before;
  for (size_t i = 0; i <= a.size(); ++i) {
    before = std::exchange(row, std::vector<bool>(b.size() + 1));
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 && j == 0) {
        row[j] = true;
      } else if ((i > 0 && a[i - 1] == '*') || (j > 0 && b[j - 1] == '*')) {
        row[j] = (i > 0 && before[j]) || (j > 0 && row[j - 1]);
      } else if (i > 0 && j > 0) {
        row[j] = before[j - 1] && (a[i - 1] == b[j - 1] || a[i - 1] == '?' || b[j - 1] == '?');
      }
    }
  }
  return row[b.size()];
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
