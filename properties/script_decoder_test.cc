// SPDX-License-Identifier: MIT
#include "properties/script_decoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "backends/libbpf_api/pin_directory.h"
#include "oracle/trace_json_random.h"
#include "properties/map_creation.h"
#include "specs/embedded_specs.h"

namespace mapspec {
namespace {

std::vector<Operation> Decoded(std::span<const uint8_t> bytes,
                               const ScriptLimits& limits = ScriptLimits::None()) {
  ScriptDecoder decoder({}, limits);
  std::vector<Operation> operations;
  decoder.Decode(bytes, &operations);
  return operations;
}

std::vector<uint8_t> RandomBytes(Source& source, size_t size) {
  std::vector<uint8_t> bytes(size);
  for (uint8_t& byte : bytes) {
    byte = source.Below(4) == 0 ? 0xc0 : static_cast<uint8_t>(source.Below(256));
  }
  return bytes;
}

void ExpectExact(const std::vector<Operation>& operations, const std::string& what) {
  const std::vector<Operation> decoded = Decoded(EncodeScript(operations));
  ASSERT_EQ(decoded.size(), operations.size()) << what;
  for (size_t i = 0; i < operations.size(); ++i) {
    ASSERT_EQ(decoded[i], operations[i]) << what << "\n"
                                         << OperationToJson(operations[i]) << "\n"
                                         << OperationToJson(decoded[i]);
  }
}

TEST(ScriptDecoder, DecodingUndoesEncodingForEveryMemberOfEveryOperation) {
  Source source(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<Operation> operations;
    for (size_t i = 0; i < kCalls; ++i) operations.push_back(RandomOperation(source, i));
    ExpectExact(operations, "round " + std::to_string(round));
  }
}

TEST(ScriptDecoder, DecodingUndoesEncodingAlsoForBytesThatNothingPointsTo) {
  LookupBatch batch;
  batch.in_batch = {1, 2};
  ExpectExact({{Lookup{{}, {Pointer::kNull, {1, 0}}}},
               {batch},
               {HelperLookup{{}, {}, false, {3}, false}},
               {MemWrite{0, 0, Bytes(100'000)}}},
              "");
}

TEST(ScriptDecoder, DecodingUndoesEncodingForEveryScenario) {
  size_t scenarios = 0;
  for (const Scenario* scenario : Specification().specs.AllScenarios()) {
    ExpectExact(ToScript(*scenario).operations, scenario->id);
    ++scenarios;
  }
  EXPECT_GT(scenarios, 500u);
}

TEST(ScriptDecoder, DecodingUndoesEncodingForGeneratedScripts) {
  const ScriptGenerator generator({});
  Script script;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    SeededEntropy entropy(seed);
    generator.Generate(entropy, &script);
    ExpectExact(script.operations, "seed " + std::to_string(seed));
  }
}

TEST(ScriptDecoder, AChangedByteConcernsAtMostTwoOperations) {
  Source source(2);
  std::vector<Operation> operations;
  for (size_t i = 0; i < kCalls; ++i) operations.push_back(RandomOperation(source, i));
  const std::vector<uint8_t> bytes = EncodeScript(operations);
  ScriptLimits limits = ScriptLimits::None();
  limits.zeros = 1 << 20;
  const auto expect_near = [&](const std::vector<uint8_t>& changed, size_t at) {
    const std::vector<Operation> got = Decoded(changed, limits);
    size_t prefix = 0, suffix = 0;
    const size_t size = std::min(got.size(), operations.size());
    while (prefix < size && got[prefix] == operations[prefix]) ++prefix;
    while (suffix < size - prefix &&
           got[got.size() - 1 - suffix] == operations[operations.size() - 1 - suffix])
      ++suffix;
    ASSERT_GE(prefix + suffix + 2, operations.size()) << "byte " << at;
  };
  for (size_t at = 0; at < bytes.size(); ++at) {
    std::vector<uint8_t> changed = bytes;
    changed[at] ^= static_cast<uint8_t>(1 + source.Below(255));
    // A record that begins with 0 is one of decisions, and those are many operations.
    const bool first = at == 0 || bytes[at - 1] == 0xc0;
    if (!(first && changed[at] == 0)) expect_near(changed, at);
    changed = bytes;
    changed.erase(changed.begin() + static_cast<ptrdiff_t>(at));
    if (!(first && changed[at] == 0)) expect_near(changed, at);
  }
}

TEST(ScriptDecoder, AnyBytesAreAScriptWithinTheLimits) {
  Source source(3);
  const ScriptLimits limits{.zeros = 10'000};
  ScriptDecoder decoder({}, limits);
  std::vector<Operation> operations;
  size_t total = 0;
  for (int round = 0; round < 500; ++round) {
    const std::vector<uint8_t> bytes = RandomBytes(source, source.Below(3000));
    decoder.Decode(bytes, &operations);
    // A creation is not broken off in the middle.
    EXPECT_LE(operations.size(), limits.operations + 2);
    uint64_t maps = 0;
    for (const Operation& operation : operations) {
      EXPECT_LT(operation.thread, kMaxThreads);
      EXPECT_TRUE(operation.caller == Caller::kPrivileged || !IsProgramPath(operation.call));
      if (const auto* pin = std::get_if<Pin>(&operation.call)) {
        EXPECT_TRUE(StaysInside(pin->path));
      }
      const auto* const create = std::get_if<MapCreate>(&operation.call);
      if (create != nullptr && EstimateBytes(*create) != UINT64_MAX) maps += EstimateBytes(*create);
      // What the text format takes and gives back is a well-formed operation.
      ParseError error;
      const auto read = OperationFromJson(OperationToJson(operation), &error);
      ASSERT_TRUE(read.has_value()) << error.message;
    }
    EXPECT_LE(maps, limits.all_maps_bytes + operations.size() * 4096);
    total += operations.size();
  }
  EXPECT_GT(total, 50'000u);
}

TEST(ScriptDecoder, ZerosThatTheInputDoesNotSpellOutAreBounded) {
  const std::vector<uint8_t> one =
      EncodeScript(std::vector<Operation>{{MemWrite{0, 0, Bytes(90)}}});
  std::vector<uint8_t> many;
  for (int i = 0; i < 10; ++i) many.insert(many.end(), one.begin(), one.end());
  const std::vector<Operation> operations = Decoded(many, {.zeros = 100});
  size_t bytes = 0;
  for (const Operation& operation : operations)
    bytes += std::get<MemWrite>(operation.call).bytes.size();
  EXPECT_EQ(bytes, 100u);
}

TEST(ScriptDecoder, LargeMapsAreMadeSmallAndImpossibleOnesStay) {
  MapCreate large, impossible;
  large.max_entries = 1u << 27;
  impossible.key_size = 0x80000000u;
  const std::vector<Operation> operations =
      Decoded(EncodeScript(std::vector<Operation>{{large}, {impossible}}), {});
  EXPECT_LE(EstimateBytes(std::get<MapCreate>(operations.at(0).call)), ScriptLimits().map_bytes);
  EXPECT_EQ(std::get<MapCreate>(operations.at(1).call), impossible);
}

TEST(ScriptDecoder, BatchesAreShortened) {
  UpdateBatch update;
  update.count = 1u << 24;
  const std::vector<Operation> operations =
      Decoded(EncodeScript(std::vector<Operation>{{update}}), {});
  EXPECT_EQ(std::get<UpdateBatch>(operations.at(0).call).count, ScriptLimits().batch_elements);
}

TEST(ScriptDecoder, ARecordOfDecisionsIsWhatTheGeneratorMakesOfThem) {
  std::vector<uint8_t> record = {0, 1, 39};  // Of the first type, 40 operations.
  for (uint8_t i = 0; i < 100; ++i) record.push_back(static_cast<uint8_t>(i * 2 % 0xc0));
  const std::vector<Operation> operations = Decoded(record, {});
  GeneratorOptions options;
  options.types = {MapKinds()[0].type};
  options.max_map_bytes = ScriptLimits().map_bytes;
  ByteEntropy entropy(std::span<const uint8_t>(record).subspan(3));
  Script script;
  ScriptGenerator(options).Generate(entropy, 40, &script);
  EXPECT_GT(operations.size(), 5u);
  EXPECT_EQ(operations, script.operations);
}

TEST(ScriptDecoder, TypesThatAreLackingAreNotMade) {
  GeneratorOptions options;
  options.lacking = {MapType::XSKMAP};
  ScriptDecoder decoder(options, {});
  std::vector<Operation> operations;
  for (int code = 0; code < 256; ++code) {
    decoder.Decode(std::vector<uint8_t>{0, static_cast<uint8_t>(code), 20, 1, 2, 3}, &operations);
    const auto& create = std::get<MapCreate>(operations.at(0).call);
    EXPECT_NE(create.type, MapType::XSKMAP);
  }
  MapCreate create;
  create.type = MapType::XSKMAP;
  decoder.Decode(EncodeScript(std::vector<Operation>{{create}, {HelperPop{}}}), &operations);
  EXPECT_EQ(operations, std::vector<Operation>{{HelperPop{}}});
}

}  // namespace
}  // namespace mapspec
