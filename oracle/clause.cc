// SPDX-License-Identifier: MIT
#include "oracle/clause.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace mapspec {

ClauseId FindClause(std::string_view id) {
  // Indices in the order of ids: the table itself stands in the order of the files.
  static const std::vector<uint16_t>* const sorted = [] {
    auto* order = new std::vector<uint16_t>(AllClauses().size());
    std::iota(order->begin(), order->end(), uint16_t{0});
    std::sort(order->begin(), order->end(),
              [](uint16_t a, uint16_t b) { return AllClauses()[a].id < AllClauses()[b].id; });
    return order;
  }();
  const auto found =
      std::lower_bound(sorted->begin(), sorted->end(), id,
                       [](uint16_t a, std::string_view b) { return AllClauses()[a].id < b; });
  if (found == sorted->end() || AllClauses()[*found].id != id) return kNoClause;
  return ClauseId{*found};
}

std::string_view LevelName(Level level) {
  return level == Level::kDocumented ? "documented" : "observed";
}

std::string_view PathName(Path path) {
  switch (path) {
    case Path::kSyscall:
      return "syscall";
    case Path::kProgram:
      return "program";
    case Path::kBoth:
      break;
  }
  return "both";
}

}  // namespace mapspec
