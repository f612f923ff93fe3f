// SPDX-License-Identifier: MIT
#include "specs/scenario.h"

#include <gtest/gtest.h>

#include <string>

#include "specs/spec_loader.h"
#include "specs/step_words.h"

namespace mapspec {
namespace {

class ScenarioTest : public ::testing::Test {
 protected:
  // The scenarios whose lines, after the clause, are `body`.
  const std::vector<Scenario>& Load(const std::string& body, const std::string& type = "HASH") {
    std::string prefix = type;
    for (char& c : prefix) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const SpecText text{"t.yaml", "map_type: " + type +
                                      "\ndefaults: {key_size: 4, value_size: 2}\n" +
                                      "clauses:\n  - {id: " + prefix +
                                      ".x.y, level: observed, claim: c, path: syscall, trait: t, "
                                      "source: {document: d}}\nscenarios:\n  - clause: " +
                                      prefix + ".x.y\n" + body};
    loaded_ = LoadSpecTexts({&text, 1}, {});
    for (const SpecError& error : loaded_.errors) ADD_FAILURE() << error.ToString();
    return loaded_.specs.files.at(0).scenarios;
  }
  // The one step of a scenario on a map with keys of 4 and values of 2 bytes.
  Step One(const std::string& step) {
    const auto& scenarios = Load("    map: {max_entries: 3}\n    steps:\n      - " + step + "\n");
    return scenarios.empty() || scenarios[0].steps.size() != 2 ? Step{} : scenarios[0].steps[1];
  }
  Call CallOf(const std::string& step) { return One(step).operation.call; }

  LoadedSpecs loaded_;
};

InBuffer In(std::initializer_list<uint8_t> bytes) { return {Pointer::kValid, Bytes(bytes)}; }
const InBuffer kNullIn{Pointer::kNull, {}};
const InBuffer kBadIn{Pointer::kBad, {}};

TEST_F(ScenarioTest, AMapIsCreatedBeforeTheSteps) {
  const auto& scenarios = Load(
      "    map: {max_entries: 2, map_flags: BPF_F_NO_PREALLOC|BPF_F_RDONLY}\n    steps: "
      "[freeze:]\n");
  ASSERT_EQ(scenarios.size(), 1u);
  EXPECT_EQ(scenarios[0].id, "hash.x.y");
  EXPECT_EQ(scenarios[0].clause, "hash.x.y");
  EXPECT_EQ(scenarios[0].trait, "t");
  EXPECT_EQ(scenarios[0].map_type, MapType::HASH);
  const Script script = ToScript(scenarios[0]);
  EXPECT_EQ(script.name, "hash.x.y");
  ASSERT_EQ(script.operations.size(), 2u);
  MapCreate create;
  create.key_size = 4;
  create.value_size = 2;
  create.max_entries = 2;
  create.map_flags = BPF_F_NO_PREALLOC | BPF_F_RDONLY;
  EXPECT_EQ(script.operations[0].call, Call(create));
  EXPECT_TRUE(scenarios[0].steps[0].implicit);
  EXPECT_EQ(script.operations[1].call, Call(Freeze{Handle{0}}));
}

TEST_F(ScenarioTest, AListOfTypesIsOneScenarioEach) {
  const auto& scenarios = Load(
      "    name: n\n    map: {type: [HASH, BPF_MAP_TYPE_ARRAY]}\n    steps: [create: {as: m1}]\n");
  ASSERT_EQ(scenarios.size(), 2u);
  EXPECT_EQ(scenarios[0].id, "hash.x.y/n[HASH]");
  EXPECT_EQ(scenarios[1].id, "hash.x.y/n[ARRAY]");
  for (const Step& step : scenarios[1].steps) {
    EXPECT_EQ(std::get<MapCreate>(step.operation.call).type, MapType::ARRAY);
  }
}

TEST_F(ScenarioTest, BytesAreWrittenInFourWays) {
  EXPECT_EQ(CallOf("update: {key: 0x0102, value: 513}"),
            Call(Update{Handle{0}, In({2, 1, 0, 0}), In({1, 2}), 0}));
  EXPECT_EQ(CallOf("update: {key: \"0x0102\", value: {fill: 0xAA}, flags: BPF_EXIST|0x10}"),
            Call(Update{Handle{0}, In({1, 2}), In({0xaa, 0xaa}), 0x12}));
  EXPECT_EQ(CallOf("update: {key: null, value: bad}"), Call(Update{Handle{0}, kNullIn, kBadIn, 0}));
}

TEST_F(ScenarioTest, QueueWordsNeedNoKey) {
  EXPECT_EQ(CallOf("push: {value: 1}"), Call(Update{Handle{0}, kNullIn, In({1, 0}), 0}));
  EXPECT_EQ(CallOf("pop: {key: 1}"),
            Call(LookupAndDelete{Handle{0}, In({1, 0, 0, 0}), Pointer::kValid, 0}));
  EXPECT_EQ(CallOf("peek: {value: null, flags: 4}"),
            Call(Lookup{Handle{0}, kNullIn, Pointer::kNull, 4}));
}

TEST_F(ScenarioTest, ElementOperationsTakeEveryField) {
  EXPECT_EQ(CallOf("lookup: {map: bad, key: 1, value: bad, flags: BPF_F_LOCK}"),
            Call(Lookup{kBadFd, In({1, 0, 0, 0}), Pointer::kBad, 4}));
  EXPECT_EQ(CallOf("delete: {map: not_a_map, key: 1}"), Call(Delete{kNotAMap, In({1, 0, 0, 0})}));
  EXPECT_EQ(CallOf("get_next_key: {key: null, next_key: null}"),
            Call(GetNextKey{Handle{0}, kNullIn, Pointer::kNull}));
  EXPECT_EQ(One("freeze: {caller: unprivileged}").operation.caller, Caller::kUnprivileged);
}

TEST_F(ScenarioTest, BatchesTakeListsAndCountThem) {
  EXPECT_EQ(CallOf("update_batch: {keys: [1, 2], values: [3, \"0x0405\"], elem_flags: BPF_ANY}"),
            Call(UpdateBatch{Handle{0}, In({1, 0, 0, 0, 2, 0, 0, 0}), In({3, 0, 4, 5}), 2, 0, 0, {}}));
  EXPECT_EQ(CallOf("delete_batch: {keys: [1], count: 9, flags: 1}"),
            Call(DeleteBatch{Handle{0}, In({1, 0, 0, 0}), 9, 0, 1}));
  EXPECT_EQ(CallOf("delete_batch: {keys: null}"), Call(DeleteBatch{Handle{0}, kNullIn, 0, 0, 0}));
  LookupBatch batch;
  batch.and_delete = true;
  batch.start = LookupBatch::Start::kLast;
  batch.keys = Pointer::kNull;
  batch.out_batch = Pointer::kBad;
  batch.count = 5;
  EXPECT_EQ(
      CallOf("lookup_and_delete_batch: {in_batch: last, count: 5, keys: null, out_batch: bad}"),
      Call(batch));
  batch = {};
  batch.start = LookupBatch::Start::kBytes;
  batch.in_batch = Bytes{7, 0, 0, 0};
  EXPECT_EQ(CallOf("lookup_batch: {in_batch: 7, count: 0}"), Call(batch));
}

TEST_F(ScenarioTest, DescriptorOperationsTakeEveryField) {
  EXPECT_EQ(CallOf("info: {info_len: 80, info: bad}"), Call(GetInfo{Handle{0}, 80, Pointer::kBad}));
  EXPECT_EQ(CallOf("get_fd_by_id: {as: m1, of: m0, open_flags: BPF_F_RDONLY}"),
            Call(GetFdById{Handle{1}, Handle{0}, 0, BPF_F_RDONLY}));
  EXPECT_EQ(CallOf("get_next_id: {id: 7}"), Call(GetNextId{kBadFd, 7}));
  EXPECT_EQ(CallOf("pin: {path: a, file_flags: 1}"), Call(Pin{Handle{0}, "a", 1}));
  EXPECT_EQ(CallOf("obj_get: {as: m1, path: a, file_flags: BPF_F_WRONLY}"),
            Call(ObjGet{Handle{1}, "a", BPF_F_WRONLY}));
  EXPECT_EQ(CallOf("unlink: {path: a}"), Call(Unlink{"a"}));
  EXPECT_EQ(CallOf("close:"), Call(Close{Handle{0}}));
  EXPECT_EQ(CallOf("poll: {}"), Call(Poll{Handle{0}}));
  EXPECT_EQ(CallOf("read:"), Call(FdRead{Handle{0}}));
  EXPECT_EQ(CallOf("write:"), Call(FdWrite{Handle{0}}));
  EXPECT_EQ(CallOf("btf_load: {as: b3, key_size: 8, value_size: 16, lock_offset: 4}"),
            Call(BtfLoad{3, 8, 16, 4}));
  EXPECT_EQ(CallOf("mmap: {as: v1, prot_read: false, prot_write: true, shared: false, "
                   "offset: 4096, length: 1}"),
            Call(Mmap{1, Handle{0}, false, true, false, 4096, 1}));
}

TEST_F(ScenarioTest, ViewsHaveTheSizesOfTheirMap) {
  const auto& scenarios = Load(
      "    map: {value_size: 3}\n    steps:\n      - mmap: {prot_write: true}\n"
      "      - store: {offset: 1, bytes: 1}\n      - load: {expect: {value: 1}}\n      - "
      "munmap:\n");
  ASSERT_EQ(scenarios.size(), 1u);
  const auto& steps = scenarios[0].steps;
  EXPECT_EQ(steps[2].operation.call, Call(MemWrite{0, 1, Bytes{1, 0, 0}}));
  EXPECT_EQ(steps[3].operation.call, Call(MemRead{0, 0, 3}));
  EXPECT_EQ(steps[3].expected.alternatives.at(0).output, (Bytes{1, 0, 0}));
  EXPECT_EQ(steps[4].operation.call, Call(Munmap{0}));
}

TEST_F(ScenarioTest, NumbersTakeTheSizeOfTheMapTheyAreFor) {
  const auto& scenarios = Load(
      "    map: {}\n    steps:\n      - create: {as: m1, key_size: 1, value_size: 8}\n"
      "      - update: {map: m1, key: 1, value: 2}\n      - pin: {map: m1, path: p}\n"
      "      - obj_get: {as: m2, path: p}\n      - delete: {map: m2, key: 3}\n");
  ASSERT_EQ(scenarios.size(), 1u);
  const auto& steps = scenarios[0].steps;
  EXPECT_EQ(steps[2].operation.call,
            Call(Update{Handle{1}, In({1}), In({2, 0, 0, 0, 0, 0, 0, 0}), 0}));
  EXPECT_EQ(steps[5].operation.call, Call(Delete{Handle{2}, In({3})}));
}

TEST_F(ScenarioTest, EveryWordOfTheTableHasACall) {
  for (const StepWord& word : StepWords()) {
    if (word.word == "inner") continue;  // Only where `defaults` say what that is.
    std::string fields;
    for (const std::string& field : word.fields) {
      if (field == "key" || field == "bytes") fields += field + ": 1, ";
      if (field == "value" && word.operation == "update") fields += "value: 1, ";
      if (field == "count") fields += "count: 1, ";
      if ((field == "keys" || field == "values") && !word.operation.starts_with("lookup")) {
        fields += field + ": [1], ";
      }
      if (field == "path") fields += "path: p, ";
      if (field == "of_cpu" || field == "inner_key") fields += field + ": 0, ";
      if (field == "socket") fields += "socket: m0, ";
    }
    const auto& scenarios = Load("    map: {}\n    steps:\n      - mmap:\n      - " + word.word +
                                 ": {" + fields + "expect: error}\n");
    ASSERT_EQ(scenarios.size(), 1u) << word.word;
    EXPECT_EQ(scenarios[0].steps[2].expected.alternatives[0].result,
              StatedOutcome::Result::kAnyError);
  }
}

// --- Matching
// ---------------------------------------------------------------------------------------

Outcome Fails(Errno error, Output output = {}) {
  return {Completion::kReturned, error, std::move(output), ""};
}
Outcome Succeeds(Output output = {}) { return Fails(Errno::kNone, std::move(output)); }

MatchResult MatchStep(const Step& step, const Outcome& outcome) {
  return Match(step.expected, step.operation, outcome);
}

TEST_F(ScenarioTest, WithoutExpectationTheCallMustSucceed) {
  const Step step = One("delete: {key: 1}");
  EXPECT_TRUE(MatchStep(step, Succeeds()).matches);
  const MatchResult result = MatchStep(step, Fails(Errno::kENOENT));
  EXPECT_FALSE(result.matches);
  EXPECT_EQ(result.ToString(), "expected success, got ENOENT");
}

TEST_F(ScenarioTest, AnErrnoIsExactAndErrorIsAny) {
  const Step exact = One("delete: {key: 1, expect: ENOTSUPP}");
  EXPECT_TRUE(MatchStep(exact, Fails(Errno::kENOTSUPP)).matches);
  EXPECT_EQ(MatchStep(exact, Fails(Errno::kEOPNOTSUPP)).ToString(),
            "expected ENOTSUPP, got EOPNOTSUPP");
  EXPECT_EQ(MatchStep(exact, Succeeds()).ToString(), "expected ENOTSUPP, got success");
  const Step any = One("delete: {key: 1, expect: error}");
  EXPECT_TRUE(MatchStep(any, Fails(Errno::kEPERM)).matches);
  EXPECT_EQ(MatchStep(any, Succeeds()).ToString(), "expected any error, got success");
  EXPECT_TRUE(
      MatchStep(One("delete: {key: 1, expect: {error: any}}"), Fails(Errno::kEPERM)).matches);
}

TEST_F(ScenarioTest, AValueMustBeThereWithEveryBit) {
  const Step step = One("lookup: {key: 1, expect: {value: 7}}");
  EXPECT_TRUE(MatchStep(step, Succeeds(Bytes{7, 0})).matches);
  EXPECT_EQ(MatchStep(step, Succeeds(Bytes{7, 1})).ToString(),
            "expected success with value 0x0700, got success with value 0x0701");
  EXPECT_EQ(MatchStep(step, Succeeds(Poison(2))).got, "success with value untouched");
  EXPECT_FALSE(MatchStep(step, Succeeds()).matches);
}

TEST_F(ScenarioTest, UntouchedMeansThatThePoisonIsStillThere) {
  const Step step = One("lookup: {key: 1, expect: {error: ENOENT, untouched: [value]}}");
  EXPECT_TRUE(MatchStep(step, Fails(Errno::kENOENT, Poison(2))).matches);
  EXPECT_EQ(MatchStep(step, Fails(Errno::kENOENT, Bytes(2))).ToString(),
            "expected ENOENT with value untouched, got ENOENT with value 0x0000");
  EXPECT_FALSE(MatchStep(step, Fails(Errno::kENOENT)).matches);
  const Step next = One("get_next_key: {key: 1, expect: {error: ENOENT, out: untouched}}");
  EXPECT_FALSE(MatchStep(next, Fails(Errno::kENOENT, Bytes(4))).matches);
}

Outcome BatchOutcome(Errno error, uint32_t count, Bytes keys, Bytes values) {
  return Fails(
      error, Boxed<BatchOutput>(BatchOutput{count, Poison(4), std::move(keys), std::move(values)}));
}

TEST_F(ScenarioTest, BatchesMatchInOrderOrAsPairs) {
  const std::string batch = "lookup_batch: {count: 2, expect: {keys: [1, 2], values: [3, 4]";
  const Bytes keys{1, 0, 0, 0, 2, 0, 0, 0}, keys_turned{2, 0, 0, 0, 1, 0, 0, 0};
  const Bytes values{3, 0, 4, 0}, values_turned{4, 0, 3, 0};
  const Step ordered = One(batch + "}}");
  EXPECT_TRUE(MatchStep(ordered, BatchOutcome(Errno::kNone, 2, keys, values)).matches);
  EXPECT_FALSE(
      MatchStep(ordered, BatchOutcome(Errno::kNone, 2, keys_turned, values_turned)).matches);
  EXPECT_FALSE(MatchStep(ordered, BatchOutcome(Errno::kNone, 1, keys, values)).matches);
  const Step any = One(batch + ", any_order: true}}");
  EXPECT_TRUE(MatchStep(any, BatchOutcome(Errno::kNone, 2, keys, values)).matches);
  EXPECT_TRUE(MatchStep(any, BatchOutcome(Errno::kNone, 2, keys_turned, values_turned)).matches);
  const MatchResult crossed = MatchStep(any, BatchOutcome(Errno::kNone, 2, keys, values_turned));
  EXPECT_FALSE(crossed.matches);
  EXPECT_EQ(
      crossed.ToString(),
      "expected success with count 2, keys [0x01000000, 0x02000000] in any order, values "
      "[0x0300, 0x0400] in any order, got success with count 2, keys 0x0100000002000000, values "
      "0x04000300, out_batch untouched");
}

TEST_F(ScenarioTest, ABatchThatEndsStillStatesItsElements) {
  const Step step =
      One("lookup_batch: {count: 3, expect: {error: ENOENT, count: 1, keys: [5], untouched: "
          "out_batch}}");
  Bytes keys = Poison(12);
  const Bytes first{5, 0, 0, 0};
  std::copy(first.begin(), first.end(), keys.data());
  EXPECT_TRUE(MatchStep(step, BatchOutcome(Errno::kENOENT, 1, keys, Poison(6))).matches);
  EXPECT_FALSE(MatchStep(step, BatchOutcome(Errno::kENOENT, 0, keys, Poison(6))).matches);
  EXPECT_FALSE(MatchStep(step, BatchOutcome(Errno::kENOENT, 1, Poison(12), Poison(6))).matches);
  EXPECT_FALSE(MatchStep(step, BatchOutcome(Errno::kNone, 1, keys, Poison(6))).matches);
}

TEST_F(ScenarioTest, UntouchedOfAStatedBufferMeansWhatLiesBehind) {
  const Step step =
      One("lookup_batch: {count: 2, expect: {error: ENOENT, keys: [5], out_batch: \"0x0700\", "
          "untouched: [keys, out_batch]}}");
  Bytes keys = Poison(8);
  const Bytes first{5, 0, 0, 0};
  std::copy(first.begin(), first.end(), keys.data());
  BatchOutput batch{1, Bytes{7, 0, PoisonByte(2), PoisonByte(3)}, keys, Poison(4)};
  const auto matches = [&] { return MatchStep(step, Fails(Errno::kENOENT, Boxed(batch))).matches; };
  EXPECT_TRUE(matches());
  batch.keys[7] ^= 1;
  EXPECT_FALSE(matches());
  batch.keys = keys;
  batch.out_batch[2] = 0;
  EXPECT_FALSE(matches());
}

TEST_F(ScenarioTest, OneOfAllowsEachAlternativeAndNothingElse) {
  const Step step =
      One("lookup: {key: 1, expect: {one_of: [{value: 1}, {value: 2}, ENOENT, {error: EAGAIN}]}}");
  EXPECT_TRUE(MatchStep(step, Succeeds(Bytes{1, 0})).matches);
  EXPECT_TRUE(MatchStep(step, Succeeds(Bytes{2, 0})).matches);
  EXPECT_TRUE(MatchStep(step, Fails(Errno::kENOENT)).matches);
  EXPECT_TRUE(MatchStep(step, Fails(Errno::kEAGAIN)).matches);
  EXPECT_EQ(
      MatchStep(step, Succeeds(Bytes{3, 0})).ToString(),
      "expected success with value 0x0100 or success with value 0x0200 or ENOENT or EAGAIN, got "
      "success with value 0x0300");
}

TEST_F(ScenarioTest, InfoStatesOnlyTheFieldsItNames) {
  const Step step =
      One("info: {expect: {info: {type: HASH, max_entries: 3, map_flags: BPF_F_RDONLY, name: abc, "
          "has_btf: false, id: nonzero}}}");
  MapInfo info;
  info.type = 1;
  info.id = 9;
  info.max_entries = 3;
  info.map_flags = BPF_F_RDONLY;
  info.name = "abc";
  EXPECT_TRUE(MatchStep(step, Succeeds(Boxed<MapInfo>(info))).matches);
  const auto differs = [&](auto change) {
    MapInfo other = info;
    change(other);
    return !MatchStep(step, Succeeds(Boxed<MapInfo>(other))).matches;
  };
  EXPECT_TRUE(differs([](MapInfo& i) { i.type = 2; }));
  EXPECT_TRUE(differs([](MapInfo& i) { i.id = 0; }));
  EXPECT_TRUE(differs([](MapInfo& i) { i.max_entries = 4; }));
  EXPECT_TRUE(differs([](MapInfo& i) { i.map_flags = 0; }));
  EXPECT_TRUE(differs([](MapInfo& i) { i.name = "abcd"; }));
  EXPECT_TRUE(differs([](MapInfo& i) { i.has_btf = true; }));
  EXPECT_FALSE(differs([](MapInfo& i) { i.key_size = 77; }));
  EXPECT_FALSE(MatchStep(step, Succeeds()).matches);
}

TEST_F(ScenarioTest, NumbersAreIdsAndRevents) {
  const Step poll = One("poll: {expect: {revents: 8}}");
  EXPECT_TRUE(MatchStep(poll, Succeeds(uint32_t{8})).matches);
  EXPECT_EQ(MatchStep(poll, Succeeds(uint32_t{9})).ToString(),
            "expected success with revents 8, got success with revents 9");
  const Step next = One("get_next_id: {id: 0, expect: {id: nonzero}}");
  EXPECT_TRUE(MatchStep(next, Succeeds(uint32_t{3})).matches);
  EXPECT_FALSE(MatchStep(next, Succeeds(uint32_t{0})).matches);
}

TEST_F(ScenarioTest, WhatDidNotReturnMatchesNothing) {
  const Step step = One("lookup: {key: 1, expect: {one_of: [ok, error]}}");
  EXPECT_EQ(MatchStep(step, {Completion::kCrashed, Errno::kNone, {}, "SIGSEGV"}).got,
            "a crash: SIGSEGV");
  EXPECT_EQ(MatchStep(step, {Completion::kNotRun, Errno::kNone, {}, ""}).got, "no run");
  EXPECT_EQ(MatchStep(step, {Completion::kHung, Errno::kNone, {}, ""}).got, "no return in time");
  EXPECT_FALSE(MatchStep(step, {Completion::kOverran, Errno::kNone, Bytes{1, 0}, ""}).matches);
}

}  // namespace
}  // namespace mapspec
