// SPDX-License-Identifier: MIT
//
// The suite against implementations that are wrong on purpose (backends/null/null_backend.h): only
// what they really keep may pass. Whether they keep a scenario is computed here from the definition
// of each of them and from the scenario's text, with nothing of the runner and nothing of the
// oracle.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <map>
#include <ostream>
#include <set>

#include "backends/backend.h"
#include "backends/offered_types.h"
#include "properties/map_kinds.h"
#include "runners/property_run.h"
#include "runners/run_plan.h"
#include "runners/scenario_run.h"
#include "specs/embedded_specs.h"

namespace mapspec {
namespace {

using Result = StatedOutcome::Result;

uint32_t CountIn(const Operation& operation) {
  return std::visit(
      [](const auto& call) -> uint32_t {
        if constexpr (requires { call.count; }) return call.count;
        return 0;
      },
      operation.call);
}

// Whether the statement is true of a call that wrote to no output: numbers stay zero, counts as
// they went in.
bool TrueOfNoOutput(const StatedOutcome& stated, const Operation& operation) {
  StatedInfo info = stated.info;
  info.info_len.reset();  // In and out parameter; untouched it is what went in.
  return !stated.nonzero_id && info == StatedInfo{} && stated.number.value_or(0) == 0 &&
         (!stated.output || stated.output->empty()) &&
         (!stated.out_batch || stated.out_batch->empty()) &&
         (!stated.keys || stated.keys->empty()) && (!stated.values || stated.values->empty()) &&
         stated.count.value_or(CountIn(operation)) == CountIn(operation);
}

bool SaysSuccess(const StatedOutcome& stated) { return stated.result == Result::kOk; }
bool AllowsEinval(const StatedOutcome& stated) {
  return stated.result == Result::kAnyError ||
         (stated.result == Result::kErrno && stated.error == Errno::kEINVAL);
}

bool AnyAlternative(const Step& step, const std::function<bool(const StatedOutcome&)>& holds) {
  return std::any_of(step.expected.alternatives.begin(), step.expected.alternatives.end(), holds);
}

bool EveryStep(const Scenario& scenario,
               const std::function<bool(const StatedOutcome&, const Operation&)>& holds) {
  return std::all_of(scenario.steps.begin(), scenario.steps.end(), [&](const Step& step) {
    return AnyAlternative(step, [&](const StatedOutcome& s) { return holds(s, step.operation); });
  });
}

// Whether one outcome can be what both steps say.
bool Compatible(const StatedOutcome& a, const StatedOutcome& b) {
  const auto result = [](const StatedOutcome& s) { return s.result; };
  if ((result(a) == Result::kOk) != (result(b) == Result::kOk)) return false;
  if (result(a) == Result::kErrno && result(b) == Result::kErrno && a.error != b.error)
    return false;
  if (a.output && b.output && !(*a.output == *b.output)) return false;
  if (a.count && b.count && *a.count != *b.count) return false;
  if (a.number && b.number && *a.number != *b.number) return false;
  if (a.keys && b.keys && *a.keys != *b.keys) return false;
  return !(a.values && b.values && *a.values != *b.values);
}

bool KeptBySuccess(const Scenario& scenario) {
  return EveryStep(scenario, [](const StatedOutcome& stated, const Operation& operation) {
    return SaysSuccess(stated) && TrueOfNoOutput(stated, operation);
  });
}
bool KeptByEinval(const Scenario& scenario) {
  return EveryStep(scenario, [](const StatedOutcome& stated, const Operation& operation) {
    return AllowsEinval(stated) && TrueOfNoOutput(stated, operation);
  });
}
// How calls end is the library's affair; what they write never arrives.
bool KeptByNoOutput(const Scenario& scenario) { return EveryStep(scenario, TrueOfNoOutput); }
// The first call is answered with success and no output, every other with the answer of the one
// before, which is an answer the library gives: one that the step before allows.
bool KeptByPrevious(const Scenario& scenario) {
  StatedOutcome nothing;
  const Step* before = nullptr;
  for (const Step& step : scenario.steps) {
    const bool possible = AnyAlternative(step, [&](const StatedOutcome& stated) {
      if (before == nullptr)
        return Compatible(nothing, stated) && TrueOfNoOutput(stated, step.operation);
      return AnyAlternative(*before, [&](const StatedOutcome& s) { return Compatible(s, stated); });
    });
    if (!possible) return false;
    before = &step;
  }
  return true;
}

struct NullKind {
  const char* selector;
  bool (*keeps)(const Scenario&);
  size_t types;  // How many it lets be created: of what cannot be, nothing is asked.
};
void PrintTo(const NullKind& kind, std::ostream* out) { *out << kind.selector; }

class NullBackend : public testing::TestWithParam<NullKind> {
 protected:
  void SetUp() override {
    std::string error;
    bool usage = false;
    backend_ = MakeBackend(GetParam().selector, &error, &usage);
    ASSERT_NE(backend_, nullptr) << error;
    profile_ = FindProfile(backend_->default_profile());
    ASSERT_NE(profile_, nullptr);
    plan_ = MakePlan(Specification().specs, Filter(""), {});
    ASSERT_FALSE(plan_.empty());
  }
  std::unique_ptr<Backend> backend_;
  const Profile* profile_ = nullptr;
  std::vector<PlannedTest> plan_;
};

TEST_P(NullBackend, PassesOnlyScenariosWhoseStepsAllSaySo) {
  BackendResults results;
  std::set<std::string> truly_kept, scenarios_not_kept;
  std::map<Status, size_t> counts;
  std::map<std::string, size_t> failing;  // By what stands before the first dot of a clause.
  for (const PlannedTest& test : plan_) {
    if (test.scenario == nullptr) continue;
    const TestResult result = RunScenario(*test.scenario, test.level, *profile_, *backend_).result;
    results.tests.push_back(result);
    ++counts[result.status];
    if (result.status == Status::kFail) ++failing[test.clause.substr(0, test.clause.find('.'))];
    const bool kept = GetParam().keeps(*test.scenario);
    (kept ? truly_kept : scenarios_not_kept).insert(test.clause);
    if (result.status == Status::kPass) {
      EXPECT_TRUE(kept) << test.id << " passes although its steps do not say so";
    }
  }
  size_t passed = 0, offered = 0;
  for (const ClauseResult& clause : ClauseResults(results)) {
    if (clause.status != Status::kPass) continue;
    ++passed;
    EXPECT_TRUE(truly_kept.count(clause.id)) << clause.id << " is blessed";
  }
  std::printf(
      "%s: %zu scenarios: %zu pass, %zu fail, %zu skipped, %zu undecided; of %zu clauses %zu "
      "pass\n",
      GetParam().selector, results.tests.size(), counts[Status::kPass], counts[Status::kFail],
      counts[Status::kSkip], counts[Status::kUndecided], ClauseResults(results).size(), passed);
  for (const MapKind& kind : MapKinds()) {
    if (!OffersMapType(*backend_, kind.type)) {
      EXPECT_EQ(failing[std::string(kind.name)], 0u) << kind.name << " is not there";
      continue;
    }
    EXPECT_GT(failing[std::string(kind.name)], 10u) << kind.name;
    ++offered;
  }
  EXPECT_EQ(offered, GetParam().types);
}

TEST_P(NullBackend, PassesNoProperty) {
  RunOptions options;
  options.seed = 1;
  options.effort = Effort::kQuick;
  options.shrink = false;
  const std::atomic<bool> stop{false};
  for (const PlannedTest& test : plan_) {
    if (test.property == nullptr) continue;
    const TestResult result =
        RunPropertyTest(test, *profile_, options, *backend_, stop, [] {}).result;
    // Reachable cells are asked for from effort normal on.
    const bool left_out =
        test.id.starts_with("coverage.") ||
        std::none_of(test.property->map_types.begin(), test.property->map_types.end(),
                     [&](MapType type) { return OffersMapType(*backend_, type); });
    EXPECT_EQ(result.status, left_out ? Status::kSkip : Status::kFail)
        << test.id << " on " << GetParam().selector << ": " << result.reason;
  }
}

std::string NameOf(const testing::TestParamInfo<NullBackend::ParamType>& info) {
  std::string name = info.param.selector;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == ':' || c == '-'; }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(
    All, NullBackend,
    testing::Values(NullKind{"null:success", &KeptBySuccess, MapKinds().size()},
                    NullKind{"null:einval", &KeptByEinval, MapKinds().size()},
                    NullKind{"null:no-output", &KeptByNoOutput, MapKinds().size() - 1},
                    NullKind{"null:previous", &KeptByPrevious, MapKinds().size()}),
    NameOf);

}  // namespace
}  // namespace mapspec
