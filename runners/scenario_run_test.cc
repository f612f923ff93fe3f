// SPDX-License-Identifier: MIT
#include "runners/scenario_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <string>

#include "specs/embedded_specs.h"
#include "specs/spec_loader.h"

namespace mapspec {
namespace {

// A backend whose answers the test writes: calls succeed, and `answer` may change what comes back.
class ScriptedBackend : public Backend {
 public:
  class ScriptedSession : public Session {
   public:
    explicit ScriptedSession(ScriptedBackend* backend) : backend_(backend) {}
    void Run(std::span<const Operation> operations, std::vector<Outcome>* outcomes) override {
      for (size_t i = 0; i < operations.size(); ++i) {
        Outcome outcome;
        if (std::holds_alternative<LookupAndDelete>(operations[i].call)) outcome.output = Poison(4);
        if (backend_->answer) backend_->answer(i, &outcome);
        outcomes->push_back(outcome);
        if (outcome.completion == Completion::kCrashed) return;
      }
    }

   private:
    ScriptedBackend* backend_;
  };

  ScriptedBackend() { environment_.backend = "scripted"; }
  std::string_view name() const override { return environment_.backend; }
  const Environment& environment() const override { return environment_; }
  const CapabilitySet& capabilities() const override { return present; }
  std::string default_profile() const override { return "documented"; }
  std::unique_ptr<Session> NewSession(std::string* error) override {
    if (!unusable.empty()) {
      *error = unusable;
      return nullptr;
    }
    return std::make_unique<ScriptedSession>(this);
  }

  void BecomeKernel(const std::string& release) { environment_.kernel_release = release; }

  CapabilitySet present = CapabilitySet().set();
  std::function<void(size_t, Outcome*)> answer;
  std::string unusable;

 private:
  Environment environment_;
};

// Which keys share a bucket is an implementation's own business, so these scenarios allow that none
// does. Here it is seen that on these implementations some do.
TEST(ScenariosOfBuckets, MeetOneThatDoesNotFit) {
  size_t met = 0;
  for (const char* selector : {"userspace", "kernel"}) {
    std::string error;
    bool usage = false;
    const std::unique_ptr<Backend> backend = MakeBackend(selector, &error, &usage);
    if (backend == nullptr) continue;  // The kernel does not let us.
    const Profile& profile = *FindProfile(backend->default_profile());
    for (const SpecFile& file : Specification().specs.files) {
      for (const Scenario& scenario : file.scenarios) {
        if (!scenario.id.ends_with(".bucket-too-large/one-by-one")) continue;
        const ScenarioRun run = RunScenario(scenario, Level::kObserved, profile, *backend);
        if (run.result.status == Status::kSkip) continue;  // No batches on such maps.
        EXPECT_EQ(run.result.status, Status::kPass) << scenario.id;
        EXPECT_TRUE(std::any_of(run.trace.outcomes.begin(), run.trace.outcomes.end(),
                                [](const Outcome& o) { return o.error == Errno::kENOSPC; }))
            << scenario.id << " on " << selector;
        ++met;
      }
    }
  }
  EXPECT_GE(met, 10u);
}

// The second scenario's clause is one that the oracle cites for the same operation.
constexpr const char* kText = R"(map_type: BPF_MAP_TYPE_QUEUE
defaults: {key_size: 0, value_size: 4, max_entries: 2}
clauses:
  - id: queue.pop.empty
    level: documented
    claim: Nothing comes out of an empty queue.
    source: {document: d, section: s}
    path: syscall
  - id: queue.pop.empty-errno
    level: observed
    claim: ENOENT.
    source: {document: d, section: s}
    path: syscall
scenarios:
  - clause: queue.pop.empty
    map: {}
    steps:
      - pop: {expect: error}
  - clause: queue.pop.empty-errno
    map: {}
    steps:
      - pop: {expect: ENOENT}
)";

class RunScenarioTest : public testing::Test {
 protected:
  void SetUp() override {
    const SpecText text{"queue.yaml", kText};
    loaded_ = LoadSpecTexts({&text, 1}, {});
    ASSERT_TRUE(loaded_.ok()) << loaded_.errors[0].ToString();
    documented_ = &loaded_.specs.files[0].scenarios[0];
    observed_ = &loaded_.specs.files[0].scenarios[1];
  }
  // Pops answer with `error`.
  void AnswerPops(Errno error) {
    backend_.answer = [error](size_t i, Outcome* outcome) {
      if (i == 1) outcome->error = error;
    };
  }
  ScenarioRun RunDocumented(const std::string& profile) {
    return RunScenario(*documented_, Level::kDocumented, *FindProfile(profile), backend_);
  }
  ScenarioRun RunObserved(const std::string& profile) {
    return RunScenario(*observed_, Level::kObserved, *FindProfile(profile), backend_);
  }

  LoadedSpecs loaded_;
  const Scenario* documented_ = nullptr;
  const Scenario* observed_ = nullptr;
  ScriptedBackend backend_;
};

TEST_F(RunScenarioTest, PassesWhenEveryStepAnswersAsStated) {
  AnswerPops(Errno::kENOENT);
  const ScenarioRun run = RunDocumented("linux-6.18");
  EXPECT_EQ(run.result.status, Status::kPass) << run.result.reason;
  EXPECT_EQ(run.result.operations, 2u);
  EXPECT_FALSE(run.violation.has_value());
}

TEST_F(RunScenarioTest, FailsWhereAStepDoesNotAndNamesBothClauses) {
  const ScenarioRun run = RunDocumented("documented");
  ASSERT_EQ(run.result.status, Status::kFail);
  ASSERT_TRUE(run.violation.has_value());
  EXPECT_EQ(run.violation->index, 1u);
  EXPECT_NE(std::find(run.result.violated.begin(), run.result.violated.end(), "queue.pop.empty"),
            run.result.violated.end());
}

TEST_F(RunScenarioTest, WhatIsOnlyObservedIsNotHeldAgainstAnyoneUnderDocumented) {
  AnswerPops(Errno::kEAGAIN);
  const ScenarioRun run = RunObserved("documented");
  EXPECT_EQ(run.result.status, Status::kSkip);
  EXPECT_EQ(run.result.reason.rfind("observed only", 0), 0u) << run.result.reason;
  EXPECT_EQ(RunObserved("linux-6.18").result.status, Status::kFail);
}

TEST_F(RunScenarioTest, TheOracleObjectsEvenWhenTheScenarioDoesNot) {
  // The scenario is content with any error; Linux answers ENOENT.
  AnswerPops(Errno::kEAGAIN);
  const ScenarioRun run = RunDocumented("linux-6.18");
  ASSERT_EQ(run.result.status, Status::kFail);
  EXPECT_TRUE(run.oracle_objects);
  EXPECT_EQ(std::count(run.result.violated.begin(), run.result.violated.end(), "queue.pop.empty"),
            0);
}

TEST_F(RunScenarioTest, SkipsWithTheNameOfWhatTheBackendLacks) {
  backend_.present.reset(static_cast<size_t>(Capability::kMapLookupAndDeleteElem));
  const ScenarioRun run = RunDocumented("documented");
  EXPECT_EQ(run.result.status, Status::kSkip);
  EXPECT_NE(run.result.reason.find("bpf_map_lookup_and_delete_elem"), std::string::npos);
}

TEST_F(RunScenarioTest, LackingWhatTheProfilePromisesIsAFailure) {
  backend_.present.reset(static_cast<size_t>(Capability::kMapLookupAndDeleteElem));
  const ScenarioRun run = RunDocumented("linux-6.18");
  EXPECT_EQ(run.result.status, Status::kFail);
  EXPECT_EQ(run.result.violated, std::vector<std::string>{"queue.pop.empty"});
  EXPECT_NE(run.result.reason.find("promises"), std::string::npos) << run.result.reason;
}

TEST_F(RunScenarioTest, AClauseWhoseTraitIsNotInForceIsSkipped) {
  Scenario scenario = *documented_;
  scenario.trait = "!hash_large_keys";
  const ScenarioRun run =
      RunScenario(scenario, Level::kDocumented, *FindProfile("linux-6.18"), backend_);
  EXPECT_EQ(run.result.status, Status::kSkip);
  EXPECT_EQ(run.result.reason, "does not hold for linux-6.18");
}

TEST_F(RunScenarioTest, AKernelThatDoesWhatAnotherVersionPromisesIsToldSo) {
  backend_.BecomeKernel("6.18.15");
  AnswerPops(Errno::kENOENT);
  // What the scenario itself expects is not there, whatever the version, though no oracle objects.
  Scenario scenario = *observed_;
  scenario.steps[1].expected.alternatives[0].error = Errno::kEAGAIN;
  const Profile& profile = *FindProfile("linux-6.18");
  const ScenarioRun wrong = RunScenario(scenario, Level::kObserved, profile, backend_);
  ASSERT_EQ(wrong.result.status, Status::kFail);
  EXPECT_EQ(wrong.violation->hint, "");
  // But a version without the clause's trait is not asked for it.
  scenario.trait = "lookup_flags_first";
  const ScenarioRun run = RunScenario(scenario, Level::kObserved, profile, backend_);
  ASSERT_EQ(run.result.status, Status::kFail);
  EXPECT_EQ(run.violation->hint,
            "conforms to linux-6.19: the release, 6.18.15, says linux-6.18; perhaps backported "
            "(trait !lookup_flags_first)");
  EXPECT_NE(run.result.reason.find("; " + run.violation->hint), std::string::npos)
      << run.result.reason;
}

TEST_F(RunScenarioTest, ABackendThatGivesNoSessionHasDied) {
  backend_.unusable = "gone";
  const ScenarioRun run = RunDocumented("documented");
  EXPECT_EQ(run.result.status, Status::kDied);
  EXPECT_EQ(run.result.reason, "gone");
}

TEST_F(RunScenarioTest, ACrashIsAViolationOfTheScenariosClause) {
  backend_.answer = [](size_t i, Outcome* outcome) {
    if (i != 1) return;
    outcome->completion = Completion::kCrashed;
    outcome->detail = "SIGSEGV";
  };
  const ScenarioRun run = RunDocumented("documented");
  EXPECT_EQ(run.result.status, Status::kFail) << run.result.reason;
  EXPECT_NE(std::find(run.result.violated.begin(), run.result.violated.end(), "queue.pop.empty"),
            run.result.violated.end());
}

TEST_F(RunScenarioTest, WhatTheBackendDidNotRunIsASkipWithItsReason) {
  backend_.answer = [](size_t i, Outcome* outcome) {
    if (i != 1) return;
    outcome->completion = Completion::kNotRun;
    outcome->detail = "no such call here";
  };
  const ScenarioRun run = RunDocumented("documented");
  EXPECT_EQ(run.result.status, Status::kSkip);
  EXPECT_EQ(run.result.reason, "no such call here");
}

TEST_F(RunScenarioTest, AMapThatForGoodReasonCouldNotBeMadeDecidesNothing) {
  backend_.answer = [](size_t i, Outcome* outcome) {
    outcome->error = i == 0 ? Errno::kENOMEM : Errno::kEBADF;
  };
  const ScenarioRun run = RunDocumented("documented");
  EXPECT_TRUE(run.result.status == Status::kUndecided || run.result.status == Status::kFail);
  if (run.result.status == Status::kFail) {
    EXPECT_TRUE(run.oracle_objects);
    EXPECT_EQ(run.violation->index, 0u);
  }
}

// What a program may not do is asked only of what looks at programs before it runs them.
class ProgramScenarioTest : public testing::Test {
 protected:
  // A scenario with this one step, which a program makes.
  void LoadStep(const std::string& step) {
    std::string body = kText;
    body.resize(body.find("scenarios:"));
    body +=
        "scenarios:\n  - clause: queue.pop.empty\n    map: {}\n    steps:\n      - " + step + "\n";
    const SpecText text{"queue.yaml", body};
    loaded_ = LoadSpecTexts({&text, 1}, {});
    ASSERT_TRUE(loaded_.ok()) << loaded_.errors[0].ToString();
    backend_.answer = [this](size_t i, Outcome* outcome) {
      if (i == 1) *outcome = answer_;
    };
  }
  TestResult Run(const std::string& profile = "documented") {
    return RunScenario(loaded_.specs.files[0].scenarios[0], Level::kDocumented,
                       *FindProfile(profile), backend_)
        .result;
  }

  LoadedSpecs loaded_;
  ScriptedBackend backend_;
  Outcome answer_;
};

TEST_F(ProgramScenarioTest, ARefusalNeedsAVerifier) {
  LoadStep("lookup: {via: program, key: \"0x\", expect: {refused: any}}");
  answer_.completion = Completion::kRefused;
  answer_.error = Errno::kEACCES;
  EXPECT_EQ(Run().status, Status::kPass) << Run().reason;
  backend_.present.reset(static_cast<size_t>(Capability::kVerifier));
  EXPECT_EQ(Run().status, Status::kSkip);
  EXPECT_EQ(Run().reason, "the backend lacks verifier");
}

TEST_F(ProgramScenarioTest, AStepThatMayEndOtherwiseNeedsNone) {
  LoadStep("pop: {via: program, expect: {one_of: [{refused: any}, ENOENT]}}");
  backend_.present.reset(static_cast<size_t>(Capability::kVerifier));
  answer_.error = Errno::kENOENT;
  answer_.output = Bytes(4);
  EXPECT_EQ(Run().status, Status::kPass) << Run().reason;
}

TEST_F(ProgramScenarioTest, AProgramRefusedAgainstTheClauseIsToldWithTheVerifiersWords) {
  LoadStep("pop: {via: program, expect: ENOENT}");
  answer_.completion = Completion::kRefused;
  answer_.error = Errno::kEINVAL;
  answer_.detail = "unknown func bpf_map_pop_elem#88";
  const TestResult result = Run("linux-6.18");
  EXPECT_EQ(result.status, Status::kFail);
  EXPECT_NE(result.reason.find("unknown func bpf_map_pop_elem#88"), std::string::npos)
      << result.reason;
}

TEST_F(ProgramScenarioTest, AHelperThatTheBackendLacksIsASkip) {
  LoadStep("peek: {via: program, expect: ENOENT}");
  backend_.present.reset(static_cast<size_t>(Capability::kHelperPeekElem));
  EXPECT_EQ(Run("linux-6.18").status, Status::kSkip);
  EXPECT_EQ(Run("linux-6.18").reason, "the backend lacks bpf_map_peek_elem()");
}

}  // namespace
}  // namespace mapspec
