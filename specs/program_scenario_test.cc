// SPDX-License-Identifier: MIT
//
// Scenarios on the program path: which steps programs make, what may be said of them, what matches.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "specs/scenario.h"
#include "specs/spec_loader.h"

namespace mapspec {
namespace {

LoadedSpecs Load(const std::string& path, const std::string& body) {
  const SpecText text{"t.yaml",
                      "map_type: HASH\n"
                      "defaults: {key_size: 4, value_size: 2}\n"
                      "clauses:\n"
                      "  - {id: hash.x.y, level: observed, claim: c, path: " +
                          path +
                          ", source: {document: d}}\n"
                          "scenarios:\n"
                          "  - clause: hash.x.y\n" +
                          body};
  return LoadSpecTexts({&text, 1}, {});
}
std::vector<Scenario> Scenarios(const std::string& path, const std::string& body) {
  const LoadedSpecs loaded = Load(path, body);
  for (const SpecError& error : loaded.errors) ADD_FAILURE() << error.ToString();
  return loaded.specs.files.at(0).scenarios;
}
std::string Problem(const std::string& path, const std::string& body) {
  const LoadedSpecs loaded = Load(path, body);
  std::string all;
  for (const SpecError& error : loaded.errors) all += (all.empty() ? "" : "\n") + error.ToString();
  return all;
}
std::string Steps(const std::string& step) {
  return "    map: {}\n    steps:\n      - " + step + "\n";
}
// The step of a scenario of system calls, where it says of itself who makes it.
Step One(const std::string& step) {
  const auto scenarios = Scenarios("syscall", Steps(step));
  return scenarios.size() != 1 || scenarios[0].steps.size() != 2 ? Step{} : scenarios[0].steps[1];
}
Call CallOf(const std::string& step) { return One(step).operation.call; }
std::string ProblemOf(const std::string& step) { return Problem("syscall", Steps(step)); }

const Bytes kKey{1, 0, 0, 0};
const Bytes kValue{2, 0};

TEST(ProgramStep, EveryHelperHasItsWordAndFields) {
  EXPECT_EQ(CallOf("lookup: {via: program, key: 1}"),
            Call(HelperLookup{Handle{0}, kKey, false, {}, false}));
  EXPECT_EQ(CallOf("lookup: {via: program, key: 1, store: 2, lock: true}"),
            Call(HelperLookup{Handle{0}, kKey, true, kValue, true}));
  EXPECT_EQ(CallOf("update: {via: program, key: 1, value: 2, flags: BPF_EXIST, hold: true}"),
            Call(HelperUpdate{Handle{0}, kKey, kValue, BPF_EXIST, true}));
  EXPECT_EQ(CallOf("delete: {via: program, key: 1, hold: true}"),
            Call(HelperDelete{Handle{0}, kKey, true}));
  EXPECT_EQ(CallOf("push: {via: program, value: 2, flags: 7}"),
            Call(HelperPush{Handle{0}, kValue, 7}));
  EXPECT_EQ(CallOf("pop: {via: program}"), Call(HelperPop{Handle{0}}));
  EXPECT_EQ(CallOf("peek: {via: program}"), Call(HelperPeek{Handle{0}}));
  EXPECT_EQ(CallOf("lookup_percpu: {key: 1, of_cpu: 3}"),
            Call(HelperLookupPercpu{Handle{0}, kKey, 3}));
  EXPECT_EQ(CallOf("for_each: {limit: 4, flags: 1}"), Call(HelperForEach{Handle{0}, 4, 1}));
}

TEST(ProgramStep, WhatHasNoKeyIsThatOfAQueue) {
  EXPECT_EQ(CallOf("update: {via: program, key: null, value: 2}"),
            Call(HelperPush{Handle{0}, kValue, 0}));
  EXPECT_EQ(CallOf("lookup_and_delete: {via: program, key: null}"), Call(HelperPop{Handle{0}}));
}

TEST(ProgramStep, HasACpuAndAThreadAsEveryStepHas) {
  const Operation operation = One("lookup: {key: 1, cpu: 1, thread: 7}").operation;
  EXPECT_EQ(operation.cpu, 1);
  EXPECT_EQ(operation.thread, 7);
  EXPECT_EQ(One("pop: {via: program}").operation.cpu, kAnyCpu);
  EXPECT_EQ(ProblemOf("freeze: {cpu: 65535}"),
            "t.yaml:9:23: `cpu` is 65535, more than 65534, the most it can be");
  EXPECT_EQ(ProblemOf("freeze: {thread: 8}"),
            "t.yaml:9:26: `thread` is 8, more than 7, the most it can be");
}

TEST(ProgramStep, WhatNoProgramCanDoIsRefusedWithWhatItCan) {
  EXPECT_EQ(ProblemOf("lookup: {via: program, key: 1, flags: BPF_F_LOCK}"),
            "t.yaml:9:40: a program that calls bpf_map_lookup_elem() has no use for `flags`; it "
            "takes `map`, `key`, `store` and `lock`");
  EXPECT_EQ(ProblemOf("delete: {via: program, key: 1, caller: unprivileged}"),
            "t.yaml:9:40: a program that calls bpf_map_delete_elem() has no use for `caller`; it "
            "takes `map`, `key` and `hold`");
  EXPECT_EQ(ProblemOf("lookup_and_delete: {via: program, key: 1}"),
            "t.yaml:9:43: a program that calls bpf_map_pop_elem() has no use for `key`; it takes "
            "`map`");
  EXPECT_EQ(ProblemOf("delete: {via: program, key: null}"),
            "t.yaml:9:37: no program can pass a NULL pointer as `key`; here it is bytes");
  EXPECT_EQ(ProblemOf("push: {via: program, value: bad}"),
            "t.yaml:9:37: no program can pass a bad pointer as `value`; here it is bytes");
  EXPECT_EQ(ProblemOf("freeze: {via: program}"),
            "t.yaml:9:23: no helper does what `freeze` does; `via: program` is for `lookup`, "
            "`peek`, `lookup_and_delete`, `pop`, `update`, `push`, `delete`, "
            "`lookup_percpu`, `for_each`, `lookup_inner` and `redirect_map`");
}

TEST(ProgramStep, WhatOnlyAProgramCanDoIsNoSystemCall) {
  EXPECT_EQ(ProblemOf("for_each: {via: syscall}"),
            "t.yaml:9:25: no system call does what `for_each` does; leave out `via`");
  EXPECT_EQ(ProblemOf("update: {key: 1, value: 2, hold: true}"),
            "t.yaml:9:36: only a program can `hold`; say `via: program` in the step or `via: "
            "[program]` in the scenario");
  EXPECT_EQ(ProblemOf("delete: {key: 1, expect: {refused: any}}"),
            "t.yaml:9:44: `refused` is about loading a program; say `via: program`, or `error`");
  EXPECT_EQ(ProblemOf("delete: {key: 1, expect: {result: 0}}"),
            "t.yaml:9:43: `result` is what a helper returns; say `via: program`, or `error`");
  EXPECT_EQ(ProblemOf("delete: {key: 1, expect: {value: 1}}"),
            "t.yaml:9:35: `value` of delete: it gives no value but to a program with `hold: true`");
  EXPECT_EQ(ProblemOf("lookup: {via: user, key: 1}"),
            "t.yaml:9:23: `via` cannot be `user`; known are syscall, program");
}

TEST(ProgramStep, ExpectationsThatContradictThemselvesAreRefused) {
  EXPECT_EQ(ProblemOf("pop: {via: program, expect: {refused: EACCES, value: 1}}"),
            "t.yaml:9:37: `refused` stands alone: a program that is not loaded calls nothing");
  EXPECT_EQ(ProblemOf("pop: {via: program, expect: {result: -2, error: ENOENT}}"),
            "t.yaml:9:46: `result` and `error` say the same; write one of them");
  EXPECT_EQ(ProblemOf("lookup: {via: program, key: 1, expect: {result: 1}}"),
            "t.yaml:9:57: a lookup returns a pointer, so there is no `result`");
}

// --- Variants of a scenario

TEST(ScenarioVariants, AClauseOfBothPathsIsCarriedOutOnBoth) {
  const auto scenarios = Scenarios("both",
                                   "    name: n\n    map: {}\n    steps:\n"
                                   "      - update: {key: 1, value: 2}\n      - freeze:\n"
                                   "      - lookup: {key: 1, via: syscall}\n");
  ASSERT_EQ(scenarios.size(), 2u);
  EXPECT_EQ(scenarios[0].id, "hash.x.y/n");
  EXPECT_EQ(scenarios[0].via, Path::kSyscall);
  EXPECT_FALSE(HasProgramStep(scenarios[0]));
  EXPECT_EQ(scenarios[1].id, "hash.x.y/n[program]");
  EXPECT_EQ(scenarios[1].via, Path::kProgram);
  EXPECT_EQ(scenarios[1].clause, "hash.x.y");
  ASSERT_EQ(scenarios[1].steps.size(), 4u);
  EXPECT_EQ(scenarios[1].steps[0].operation, scenarios[0].steps[0].operation);
  EXPECT_EQ(scenarios[1].steps[1].operation.call,
            Call(HelperUpdate{Handle{0}, kKey, kValue, 0, false}));
  EXPECT_EQ(scenarios[1].steps[2].operation.call, Call(Freeze{Handle{0}}));
  EXPECT_EQ(scenarios[1].steps[3].operation, scenarios[0].steps[3].operation);
}

TEST(ScenarioVariants, AListOfTypesHasTheVariantsOfEach) {
  const auto scenarios =
      Scenarios("both", "    map: {type: [HASH, ARRAY]}\n    steps: [lookup: {key: 1}]\n");
  ASSERT_EQ(scenarios.size(), 4u);
  EXPECT_EQ(scenarios[1].id, "hash.x.y[HASH][program]");
  EXPECT_EQ(scenarios[2].id, "hash.x.y[ARRAY]");
  EXPECT_EQ(scenarios[3].id, "hash.x.y[ARRAY][program]");
}

TEST(ScenarioVariants, AScenarioCanSayItsPaths) {
  const std::string steps = "    map: {}\n    steps: [delete: {key: 1}]\n";
  EXPECT_EQ(Scenarios("both", "    via: syscall\n" + steps).size(), 1u);
  const auto programs = Scenarios("both", "    via: [program]\n" + steps);
  ASSERT_EQ(programs.size(), 1u);
  EXPECT_EQ(programs[0].id, "hash.x.y[program]");
  EXPECT_EQ(Scenarios("syscall", "    via: [program, syscall]\n" + steps).size(), 2u);
  EXPECT_EQ(Scenarios("program", steps).at(0).id, "hash.x.y[program]");
  EXPECT_EQ(Scenarios("syscall", steps).at(0).id, "hash.x.y");
  EXPECT_EQ(Problem("both", "    via: [program, program]\n" + steps),
            "t.yaml:7:20: `via` is syscall, program or [syscall, program], not `program` twice");
  EXPECT_EQ(Problem("both", "    via: []\n" + steps), "t.yaml:7:10: `via` is an empty list");
}

TEST(ScenarioVariants, WhereAProgramHasNothingToDoThereIsNone) {
  EXPECT_EQ(Scenarios("both", Steps("freeze:")).size(), 1u);
  EXPECT_EQ(Problem("program", Steps("freeze:")),
            "t.yaml:6:13: no step of this scenario is made by a program");
  EXPECT_EQ(Problem("both", "    via: program\n" + Steps("lookup: {key: 1, via: syscall}")),
            "t.yaml:6:13: no step of this scenario is made by a program");
}

TEST(ScenarioVariants, AStepThatOnlyOnePathCanExpressMustSaySo) {
  EXPECT_EQ(Problem("both", Steps("lookup: {key: 1, flags: BPF_F_LOCK}")),
            "t.yaml:9:26: a program that calls bpf_map_lookup_elem() has no use for `flags`; it "
            "takes `map`, `key`, `store` and `lock`; this scenario is also carried out by "
            "programs, unless it or this step says `via: syscall`");
  EXPECT_EQ(Problem("both", Steps("delete: {key: bad}")),
            "t.yaml:9:23: no program can pass a bad pointer as `key`; here it is bytes; this "
            "scenario is also carried out by programs, unless it or this step says `via: syscall`");
  EXPECT_EQ(Scenarios("both", "    via: syscall\n" + Steps("delete: {key: bad}")).size(), 1u);
}

TEST(ScenarioVariants, AProblemOfBothIsToldOnce) {
  EXPECT_EQ(Problem("both", Steps("delete: {kye: 1}")),
            "t.yaml:9:18: unknown field `kye` of delete; did you mean `key`?");
}

// --- Matching

Outcome Returned(int64_t result, Output output = {}) {
  Outcome outcome;
  outcome.result = result;
  outcome.output = std::move(output);
  return outcome;
}
Outcome HelperFails(Errno error, Completion completion = Completion::kReturned) {
  Outcome outcome;
  outcome.completion = completion;
  outcome.error = error;
  return outcome;
}
MatchResult MatchHelper(const Step& step, const Outcome& outcome) {
  return Match(step.expected, step.operation, outcome);
}
constexpr int64_t kLowHalfOfEexist = (int64_t{1} << 32) - static_cast<int64_t>(Errno::kEEXIST);

TEST(ProgramMatching, ARefusalIsNoErrorOfTheHelper) {
  const Step refused = One("pop: {via: program, expect: {refused: EACCES}}");
  EXPECT_TRUE(MatchHelper(refused, HelperFails(Errno::kEACCES, Completion::kRefused)).matches);
  EXPECT_EQ(MatchHelper(refused, HelperFails(Errno::kEACCES)).ToString(),
            "expected a program refused at load with EACCES, got EACCES");
  EXPECT_FALSE(MatchHelper(refused, HelperFails(Errno::kEINVAL, Completion::kRefused)).matches);
  EXPECT_FALSE(MatchHelper(refused, Returned(0)).matches);
  const Step any = One("pop: {via: program, expect: {refused: any}}");
  EXPECT_TRUE(MatchHelper(any, HelperFails(Errno::kEINVAL, Completion::kRefused)).matches);
  EXPECT_EQ(MatchHelper(any, Returned(0)).expected, "a program refused at load with any error");
  const Step fails = One("pop: {via: program, expect: EACCES}");
  Outcome outcome = HelperFails(Errno::kEACCES, Completion::kRefused);
  outcome.detail = "R2 invalid";
  EXPECT_EQ(MatchHelper(fails, outcome).ToString(),
            "expected EACCES, got a program refused at load with EACCES: R2 invalid");
  const Step either = One("pop: {via: program, expect: {one_of: [{refused: EACCES}, ENOENT]}}");
  EXPECT_TRUE(MatchHelper(either, outcome).matches);
  EXPECT_TRUE(MatchHelper(either, HelperFails(Errno::kENOENT)).matches);
}

TEST(ProgramMatching, AHelperThatSucceedsReturnsZero) {
  const Step step = One("push: {via: program, value: 1}");
  EXPECT_TRUE(MatchHelper(step, Returned(0)).matches);
  EXPECT_EQ(MatchHelper(step, Returned(1)).ToString(),
            "expected success, got success with result 1");
  EXPECT_EQ(MatchHelper(step, Returned(kLowHalfOfEexist)).got,
            "success with result 4294967279, the low 32 bits of -EEXIST");
  EXPECT_FALSE(MatchHelper(step, Returned(kLowHalfOfEexist)).matches);
}

TEST(ProgramMatching, AnErrnoMayComeInHalfUnlessItsNumberIsStated) {
  const Step step = One("push: {via: program, value: 1, expect: EEXIST}");
  EXPECT_TRUE(MatchHelper(step, HelperFails(Errno::kEEXIST)).matches);
  EXPECT_TRUE(MatchHelper(step, Returned(kLowHalfOfEexist)).matches);
  EXPECT_FALSE(MatchHelper(step, Returned(kLowHalfOfEexist + 1)).matches);
  const Step whole = One("push: {via: program, value: 1, expect: {result: -17}}");
  EXPECT_TRUE(MatchHelper(whole, HelperFails(Errno::kEEXIST)).matches);
  EXPECT_FALSE(MatchHelper(whole, Returned(kLowHalfOfEexist)).matches);
  EXPECT_EQ(MatchHelper(whole, Returned(0)).ToString(),
            "expected EEXIST with result -17, got success");
  const Step half = One("push: {via: program, value: 1, expect: {result: 4294967279}}");
  EXPECT_TRUE(MatchHelper(half, Returned(kLowHalfOfEexist)).matches);
  EXPECT_FALSE(MatchHelper(half, HelperFails(Errno::kEEXIST)).matches);
}

TEST(ProgramMatching, AWalkReturnsACountAndGivesElements) {
  const Step step = One(
      "for_each: {expect: {result: 2, count: 2, keys: [1, 2], values: [3, 4], any_order: true}}");
  BatchOutput noted;
  noted.count = 2;
  noted.keys = Bytes{2, 0, 0, 0, 1, 0, 0, 0};
  noted.values = Bytes{4, 0, 3, 0};
  EXPECT_TRUE(MatchHelper(step, Returned(2, Boxed(noted))).matches);
  EXPECT_FALSE(MatchHelper(step, Returned(3, Boxed(noted))).matches);
  noted.values = Bytes{3, 0, 4, 0};
  EXPECT_EQ(MatchHelper(step, Returned(2, Boxed(noted))).got,
            "success with result 2, count 2, keys 0x0200000001000000, values 0x03000400");
  const Step open = One("for_each: {expect: {keys: [2, 1]}}");
  EXPECT_TRUE(MatchHelper(open, Returned(5, Boxed(noted))).matches);
  EXPECT_FALSE(MatchHelper(One("for_each:"), Returned(kLowHalfOfEexist, Boxed(noted))).matches);
}

TEST(ProgramMatching, AHeldPointerShowsAValueWhateverBecameOfTheCall) {
  const Step step =
      One("update: {via: program, key: 1, value: 2, flags: BPF_NOEXIST, hold: true, "
          "expect: {error: EEXIST, value: 7}}");
  Outcome outcome = HelperFails(Errno::kEEXIST);
  outcome.output = Bytes{7, 0};
  EXPECT_TRUE(MatchHelper(step, outcome).matches);
  outcome.output = Poison(2);
  EXPECT_FALSE(MatchHelper(step, outcome).matches);
  for (const char* absent :
       {"delete: {via: program, key: 1, hold: true, expect: {error: any, untouched: value}}",
        "update: {via: program, key: 1, value: 2, hold: true, expect: {error: any, out: "
        "untouched}}"}) {
    outcome.output = Poison(2);
    EXPECT_TRUE(MatchHelper(One(absent), outcome).matches) << absent;
    outcome.output = Bytes{7, 0};
    EXPECT_FALSE(MatchHelper(One(absent), outcome).matches) << absent;
  }
}

TEST(ProgramMatching, UntouchedHoldsForWhatAHelperWrites) {
  for (const char* step : {"pop: {via: program, expect: {error: ENOENT, untouched: [value]}}",
                           "peek: {via: program, expect: {error: ENOENT, out: untouched}}",
                           "lookup: {via: program, key: 1, expect: {error: ENOENT, untouched: "
                           "[value]}}"}) {
    Outcome outcome = HelperFails(Errno::kENOENT);
    outcome.output = Poison(2);
    EXPECT_TRUE(MatchHelper(One(step), outcome).matches) << step;
    outcome.output = Bytes(2);
    EXPECT_FALSE(MatchHelper(One(step), outcome).matches) << step;
  }
}

}  // namespace
}  // namespace mapspec
