// SPDX-License-Identifier: MIT
#include "runners/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace mapspec {
namespace {

using OptionalStatus = std::optional<Status>;

std::vector<ComparedRuns> PairRuns(const std::vector<RecordedRun>& before,
                                   const std::vector<RecordedRun>& after) {
  if (before.size() == 1 && after.size() == 1) return {{&before[0], &after[0]}};
  std::vector<ComparedRuns> pairs;
  std::vector<bool> taken(after.size());
  for (const RecordedRun& run : before) {
    ComparedRuns pair{&run, nullptr};
    for (size_t i = 0; i < after.size() && pair.after == nullptr; ++i) {
      const bool same = after[i].profile == run.profile &&
                        (after[i].backend == run.backend || run.is_record || after[i].is_record);
      if (taken[i] || !same) continue;
      taken[i] = true;
      pair.after = &after[i];
    }
    pairs.push_back(pair);
  }
  for (size_t i = 0; i < after.size(); ++i) {
    if (!taken[i]) pairs.push_back({nullptr, &after[i]});
  }
  return pairs;
}

bool IsEmpty(const RecordedRun& run) { return run.clauses.empty() && run.properties.empty(); }

size_t CountPassed(const RecordedRun& run) {
  const auto passed = [](const RecordedResult& result) { return result.status == Status::kPass; };
  return static_cast<size_t>(std::count_if(run.clauses.begin(), run.clauses.end(), passed) +
                             std::count_if(run.properties.begin(), run.properties.end(), passed));
}

// A run that is only in one of the files, or that has nothing in it: one line instead of a
// thousand.
Change WholeRun(const ComparedRuns& pair, size_t index) {
  Change change;
  change.runs = index;
  if (pair.before == nullptr || IsEmpty(*pair.before)) {
    change.reason =
        fmt::format("the whole run appeared, with {} clauses", pair.after->clauses.size());
    return change;
  }
  const size_t passed = CountPassed(*pair.before);
  change.kind = passed == 0 ? ChangeKind::kOther : ChangeKind::kRegression;
  change.reason = fmt::format("the whole run vanished, with {} results that passed", passed);
  if (pair.after != nullptr && !pair.after->errors.empty()) {
    change.reason += ": " + pair.after->errors[0];
  }
  return change;
}

std::string ReasonOf(const RecordedResult* before, const RecordedResult* after) {
  if (after != nullptr && !after->reason.empty()) return after->reason;
  if (before != nullptr && !before->reason.empty()) return "was: " + before->reason;
  return "";
}

// Returns how many results there are in both.
size_t CompareResults(const std::vector<RecordedResult>& before,
                      const std::vector<RecordedResult>& after, size_t runs,
                      std::vector<Change>* changes) {
  std::map<std::string_view, std::pair<const RecordedResult*, const RecordedResult*>> by_id;
  for (const RecordedResult& result : before) by_id[result.id].first = &result;
  for (const RecordedResult& result : after) by_id[result.id].second = &result;
  size_t both = 0;
  for (const auto& [id, results] : by_id) {
    const auto [old_result, new_result] = results;
    both += old_result != nullptr && new_result != nullptr;
    const OptionalStatus was = old_result ? OptionalStatus(old_result->status) : std::nullopt;
    const OptionalStatus is = new_result ? OptionalStatus(new_result->status) : std::nullopt;
    if (was == is) continue;
    changes->push_back(
        {KindOfChange(was, is), runs, std::string(id), was, is, ReasonOf(old_result, new_result)});
  }
  return both;
}

// Whole runs first, then what fails, then what nobody knows.
int Severity(const Change& change) {
  if (change.id.empty()) return 0;
  if (!change.after) return 4;
  switch (*change.after) {
    case Status::kFail:
      return 1;
    case Status::kDeviation:
      return 2;
    case Status::kUndecided:
    case Status::kNotRun:
    case Status::kDied:
      return 3;
    case Status::kSkip:
      return 5;
    case Status::kPass:
      break;
  }
  return 6;
}

}  // namespace

size_t Comparison::Count(ChangeKind kind) const {
  return static_cast<size_t>(std::count_if(
      changes.begin(), changes.end(), [&](const Change& change) { return change.kind == kind; }));
}

ChangeKind KindOfChange(OptionalStatus before, OptionalStatus after) {
  // What is new has no past: that a run fails over it, the run says.
  if (!before || before == after) return ChangeKind::kOther;
  if (after == Status::kFail) return ChangeKind::kRegression;
  if (after == Status::kPass) return ChangeKind::kImprovement;
  // A deviation was broken in a way that someone looked at and listed.
  if (before == Status::kPass && after != Status::kDeviation) return ChangeKind::kRegression;
  return ChangeKind::kOther;
}

std::optional<Comparison> Compare(const std::vector<RecordedRun>& before,
                                  const std::vector<RecordedRun>& after) {
  Comparison comparison;
  comparison.runs = PairRuns(before, after);
  bool any = false;
  for (size_t i = 0; i < comparison.runs.size(); ++i) {
    const ComparedRuns& pair = comparison.runs[i];
    any |= pair.before != nullptr && pair.after != nullptr;
    const bool was = pair.before != nullptr && !IsEmpty(*pair.before);
    const bool is = pair.after != nullptr && !IsEmpty(*pair.after);
    if (!was && !is) continue;
    if (!was || !is) {
      comparison.changes.push_back(WholeRun(pair, i));
      continue;
    }
    std::vector<Change>* changes = &comparison.changes;
    comparison.clauses += CompareResults(pair.before->clauses, pair.after->clauses, i, changes);
    // A record has none.
    if (pair.before->is_record || pair.after->is_record) continue;
    comparison.properties +=
        CompareResults(pair.before->properties, pair.after->properties, i, changes);
  }
  if (!any) return std::nullopt;
  std::stable_sort(
      comparison.changes.begin(), comparison.changes.end(), [](const Change& a, const Change& b) {
        return std::tuple(a.kind, Severity(a), a.runs) < std::tuple(b.kind, Severity(b), b.runs);
      });
  return comparison;
}

std::string ComparedName(const RecordedRun& run) {
  return run.profile.empty() ? RunName(run) : fmt::format("{} ({})", RunName(run), run.profile);
}

}  // namespace mapspec
