// SPDX-License-Identifier: MIT
//
// The fuzzer against implementations that are right, wrong, dead and hanging.
#include "runners/fuzz_engine.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <sstream>

#include "oracle/trace_json.h"
#include "properties/false_backend.h"
#include "runners/cli_harness.h"

namespace mapspec {
namespace {

using Falsify = FalseBackend::Falsify;

void DeleteAlwaysSucceeds(const Operation& operation, Outcome* outcome) {
  if (std::holds_alternative<Delete>(operation.call) && outcome->error == Errno::kENOENT) {
    outcome->error = Errno::kNone;
  }
}

FuzzBackend False(const Falsify& falsify, std::string_view selector = "userspace") {
  FuzzBackend backend;
  backend.selector = "false";
  backend.profile = &NewestLinuxProfile();
  backend.make = [falsify, selector = std::string(selector)](std::string*) {
    return std::make_unique<FalseBackend>(falsify, selector);
  };
  return backend;
}

// One run: its options, its scripts, what it found.
struct Fuzzing {
  explicit Fuzzing(std::vector<FuzzBackend> backends, uint64_t operations, uint64_t seed = 1) {
    options.backends = std::move(backends);
    options.operations = operations;
    options.findings.directory = directory.path();
    options.found = [this](const Finding& finding) { found.push_back(finding); };
    options.warn = [this](const std::string& text) { warnings.push_back(text); };
    start.seed = seed;
    for (const FuzzBackend& backend : options.backends) {
      start.backends.emplace_back(backend.selector, backend.profile->name);
    }
  }
  FuzzResult operator()() {
    std::vector<std::unique_ptr<Backend>> owned;
    std::vector<Backend*> backends;
    std::string error;
    for (const FuzzBackend& backend : options.backends) {
      owned.push_back(backend.make(&error));
      backends.push_back(owned.back().get());
    }
    const ScriptShapes shapes(CommonGround(backends, start.seed));
    return RunFuzz(options, shapes, std::move(start));
  }

  Directory directory;
  FuzzOptions options;
  FuzzState start;
  std::vector<Finding> found;
  std::vector<std::string> warnings;
};

std::set<std::string> Ids(const FuzzResult& result) {
  std::set<std::string> ids;
  for (const Finding& finding : result.state.findings) ids.insert(finding.id);
  return ids;
}

TEST(FuzzEngine, FindsNothingInWhatConforms) {
  Fuzzing run({False(nullptr)}, 100'000);
  const FuzzResult result = run();
  EXPECT_TRUE(result.state.findings.empty());
  EXPECT_GE(result.state.counts.judged, 100'000u);
  EXPECT_GT(result.state.coverage.cells(), 500u);
  EXPECT_FALSE(result.interrupted);
  EXPECT_FALSE(result.unwritten);
  EXPECT_EQ(result.unusable, "");
}

TEST(FuzzEngine, AFindingIsShrunkConfirmedAndWritten) {
  Fuzzing run({False(DeleteAlwaysSucceeds)}, 20'000);
  const FuzzResult result = run();
  ASSERT_FALSE(run.found.empty());
  EXPECT_LT(run.found.size(), 40u);  // The same thing is not told again and again.
  const auto first = std::find_if(run.found.begin(), run.found.end(), [](const Finding& finding) {
    return finding.clause.starts_with("hash.delete.");
  });
  ASSERT_NE(first, run.found.end());
  EXPECT_TRUE(first->repeatable) << first->note;
  EXPECT_LE(first->operations, 2u);
  EXPECT_NE(first->text.find("VIOLATION of " + first->clause), std::string::npos) << first->text;
  std::istringstream file(ReadFile(first->trace_file));
  ParseError error;
  const auto trace = ReadTrace(file, "t", &error);
  ASSERT_TRUE(trace) << error.ToString();
  EXPECT_TRUE(Judge(*trace, NewestLinuxProfile()).violation);
  EXPECT_EQ(ReadFile(first->text_file), first->text);
  EXPECT_FALSE(ReadFile(first->script_file).empty());
  EXPECT_NE(first->reproducer.find("none: "), std::string::npos);
}

TEST(FuzzEngine, HasTheSameFindingsWhateverTheNumberOfThreads) {
  std::map<unsigned, FuzzResult> results;
  for (const unsigned jobs : {1u, 2u, 5u}) {
    Fuzzing run({False(DeleteAlwaysSucceeds)}, 30'000);
    run.options.jobs = jobs;
    results.emplace(jobs, run());
  }
  EXPECT_FALSE(Ids(results.at(1)).empty());
  for (const unsigned jobs : {2u, 5u}) {
    EXPECT_EQ(Ids(results.at(jobs)), Ids(results.at(1))) << jobs;
    EXPECT_EQ(results.at(jobs).state.counts.judged, results.at(1).state.counts.judged);
    EXPECT_EQ(results.at(jobs).state.counts.violations, results.at(1).state.counts.violations);
    EXPECT_EQ(results.at(jobs).state.done, results.at(1).state.done);
  }
}

TEST(FuzzEngine, ARunInTwoPartsComesToTheSame) {
  Fuzzing whole({False(DeleteAlwaysSucceeds)}, 30'000);
  const FuzzResult expected = whole();
  Fuzzing first({False(DeleteAlwaysSucceeds)}, 11'000);
  const FuzzResult half = first();
  std::string error;
  auto state = StateFromJson(ReadFile(StateFile(first.directory.path())), "s", &error);
  ASSERT_TRUE(state) << error;
  Fuzzing second({False(DeleteAlwaysSucceeds)}, 30'000);
  second.start = std::move(*state);
  const FuzzResult result = second();
  EXPECT_EQ(Ids(result), Ids(expected));
  EXPECT_EQ(result.state.done, expected.state.done);
  for (const Finding& finding : second.found) EXPECT_FALSE(Ids(half).contains(finding.id));
}

TEST(FuzzEngine, WhatDoesNotHappenAgainIsKeptWithItsTrace) {
  // The five thousandth operation of all fails, whatever it is: once.
  auto count = std::make_shared<int>(0);
  Fuzzing run({False([count](const Operation&, Outcome* outcome) {
                if (++*count == 5000) outcome->error = Errno::kEBUSY;
              })},
              20'000);
  const FuzzResult result = run();
  ASSERT_EQ(run.found.size(), 1u);
  EXPECT_FALSE(run.found[0].repeatable);
  EXPECT_NE(run.found[0].note.find("not repeatable"), std::string::npos) << run.found[0].note;
  EXPECT_NE(run.found[0].text.find("EBUSY"), std::string::npos) << run.found[0].text;
  EXPECT_FALSE(ReadFile(run.found[0].trace_file).empty());
}

TEST(FuzzEngine, WhereBothConformDifferencesAreCountedAndNoFindings) {
  // A second library with another order of elements: that of a BPF_F_NO_PREALLOC hash need not be
  // that of another one, nor need ids be the same.
  Fuzzing run({False(nullptr), False(nullptr)}, 50'000);
  run.options.backends[1].selector = "other";
  run.start.backends[1].first = "other";
  const FuzzResult result = run();
  EXPECT_TRUE(result.state.findings.empty());
  EXPECT_GE(result.state.counts.judged, 100'000u);
  uint64_t ids = 0, examples = 0;
  for (const auto& [kind, count] : result.state.differences) {
    EXPECT_EQ(kind.between, "false | other");
    if (kind.how == Difference::kIds) ids += count.count;
    EXPECT_LE(count.examples.size(), Differences::kExamples);
    examples += count.examples.size();
  }
  EXPECT_GT(examples, 0u);
  EXPECT_GT(ids, 0u);
}

TEST(FuzzEngine, OneOfTwoBackendsThatIsWrongIsTheFinding) {
  Fuzzing run({False(nullptr), False(DeleteAlwaysSucceeds)}, 5'000);
  run.options.backends[0].selector = "right";
  run.options.backends[1].selector = "wrong";
  const FuzzResult result = run();
  ASSERT_FALSE(result.state.findings.empty());
  for (const Finding& finding : result.state.findings) EXPECT_EQ(finding.backend, "wrong");
}

TEST(FuzzEngine, FilesThatCannotBeWrittenAreToldAndTheScriptIsNotLost) {
  Fuzzing run({False(DeleteAlwaysSucceeds)}, 2'000);
  run.options.findings.directory = "/dev/null/nowhere";
  const FuzzResult result = run();
  ASSERT_FALSE(run.found.empty());
  EXPECT_TRUE(result.unwritten);
  EXPECT_NE(run.found[0].unwritten.find("Not a directory"), std::string::npos)
      << run.found[0].unwritten;
  EXPECT_NE(run.found[0].script_text.find("mapspec_script"), std::string::npos);
  ASSERT_EQ(run.warnings.size(), 1u);  // The state, once.
}

TEST(FuzzEngine, AReproducerThatDoesNotFailIsToldWithItsReason) {
  Fuzzing run({False(DeleteAlwaysSucceeds)}, 2'000);
  run.options.findings.write_reproducer = [](const Trace&, const Profile&, std::ostream& out,
                                             std::string*) {
    out << "int main(void) { return 0; }\n";
    return true;
  };
  run.options.findings.check_reproducer = [](const std::string& source, const std::string&) {
    return source.find("return 0") != std::string::npos ? "exit status 0" : "";
  };
  const FuzzResult result = run();
  ASSERT_FALSE(run.found.empty());
  EXPECT_NE(run.found[0].text.find("does not show the violation: exit status 0"), std::string::npos)
      << run.found[0].text;
  EXPECT_FALSE(ReadFile(run.found[0].c_file).empty());
}

TEST(FuzzEngine, StopsWhenItIsAsked) {
  Fuzzing run({False(nullptr)}, 1'000'000'000);
  std::atomic<bool> stop{false};
  run.options.stop = &stop;
  run.options.tick = std::chrono::milliseconds(5);
  run.options.progress = [&](const FuzzProgress& progress) {
    if (progress.seconds > 0.05) stop.store(true);
  };
  EXPECT_TRUE(run().interrupted);
}

TEST(FuzzEngine, StopsWhenTheTimeIsOver) {
  Fuzzing run({False(nullptr)}, 1'000'000'000);
  run.options.time = std::chrono::milliseconds(100);
  const FuzzResult result = run();
  EXPECT_FALSE(result.interrupted);
  EXPECT_LT(result.state.seconds, 60);
}

// Each instance gives `sessions` sessions, from the `dead`th on none.
FuzzBackend Tiring(uint64_t sessions, int dead, std::shared_ptr<int> made) {
  FuzzBackend backend = False(nullptr);
  backend.make = [=](std::string*) {
    auto honest = std::make_unique<FalseBackend>(nullptr);
    honest->sessions_left = ++*made < dead ? sessions : 0;
    return honest;
  };
  return backend;
}

TEST(FuzzEngine, ABackendThatGivesNoSessionIsAFindingAndReplaced) {
  auto made = std::make_shared<int>(0);
  Fuzzing run({Tiring(10, 1'000'000, made)}, 100'000);
  const FuzzResult result = run();
  ASSERT_FALSE(result.state.findings.empty());
  EXPECT_NE(result.state.findings[0].note.find("no session today"), std::string::npos);
  EXPECT_FALSE(ReadFile(result.state.findings[0].script_file).empty());
  EXPECT_GT(*made, 2);
  EXPECT_EQ(result.unusable, "");
  EXPECT_GE(result.state.counts.operations, 100'000u);
}

TEST(FuzzEngine, ABackendThatCannotBeReplacedEndsTheRun) {
  auto made = std::make_shared<int>(0);
  Fuzzing run({Tiring(40, 4, made)}, 1'000'000'000);
  EXPECT_EQ(run().unusable, "no session today");
}

// Libraries in child processes.
FuzzBackend Library(const std::string& path) {
  FuzzBackend backend;
  backend.selector = "library:" + path;
  backend.profile = FindProfile("documented");
  backend.make = [selector = backend.selector](std::string* error) {
    bool usage = false;
    return MakeBackend(selector, error, &usage);
  };
  return backend;
}

TEST(FuzzEngine, ALibraryThatCrashesOrHangsIsAFindingAndTheRunGoesOn) {
  // It does what a letter in the flags says; others among the letters of AnyFlags make it crash.
  ASSERT_EQ(setenv("MAPSPEC_OPERATION_TIMEOUT_MS", "300", 1), 0);
  Fuzzing run({Library(MAPSPEC_TEST_MISBEHAVING_LIBRARY)}, 4'000);
  run.options.findings.shrink = false;
  const FuzzResult result = run();
  EXPECT_FALSE(result.state.findings.empty());
  EXPECT_EQ(result.unusable, "");
  EXPECT_GE(result.state.counts.scripts, 3u);
}

}  // namespace
}  // namespace mapspec
