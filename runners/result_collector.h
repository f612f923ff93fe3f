// SPDX-License-Identifier: MIT
//
// Gathers what workers or a guest tell of a run into one BackendResults: repetitions of a test are
// merged (the worst one counts), known deviations are marked, and at the end everything stands in
// the order of the plan, with what is missing marked as not run. Everything it is given must live
// longer. One thread.
#ifndef RUNNERS_RESULT_COLLECTOR_H_
#define RUNNERS_RESULT_COLLECTOR_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "runners/progress.h"
#include "runners/results.h"
#include "runners/run_plan.h"

namespace mapspec {

class ResultCollector {
 public:
  // `results` is filled; its backend and profile are set already.
  ResultCollector(const std::vector<PlannedTest>& plan, const RunOptions& options,
                  Progress* progress, BackendResults* results)
      : plan_(plan), options_(options), progress_(progress), results_(results) {}

  // The merged result.
  const TestResult& Add(const TestResult& test);
  void AddCoverage(const std::map<std::string, uint64_t>& coverage);
  // GoogleTest's own filter took it away.
  void LeaveOut(const std::string& id) { left_out_.insert(id); }
  const std::set<std::string>& left_out() const { return left_out_; }
  // The clause of a test of the plan, "" for a property or an unknown id.
  std::string ClauseOf(const std::string& id) const;
  void Finish(bool interrupted);

 private:
  const std::vector<PlannedTest>& plan_;
  const RunOptions& options_;
  Progress* progress_;
  BackendResults* results_;
  std::set<std::string> left_out_;
  std::unordered_map<std::string, TestResult> done_;
};

}  // namespace mapspec

#endif  // RUNNERS_RESULT_COLLECTOR_H_
