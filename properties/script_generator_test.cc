// SPDX-License-Identifier: MIT
#include "properties/script_generator.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "properties/generator_test_support.h"
#include "properties/map_creation.h"
#include "properties/simplify.h"

namespace mapspec {
namespace {

TEST(ScriptGenerator, TheSameEntropyGivesTheSameScript) {
  const ScriptGenerator generator(Options({}, 300));
  Script first, second;
  SeededEntropy a(42), b(42);
  // Storage that was used before must not show through.
  for (int i = 0; i < 20; ++i) generator.Generate(a, &first);
  for (int i = 0; i < 20; ++i) {
    second.operations.clear();
    generator.Generate(b, &second);
  }
  EXPECT_EQ(first.operations, second.operations);
}

TEST(ScriptGenerator, DifferentSeedsGiveDifferentScripts) {
  EXPECT_NE(Generate(Options({}, 100), 1, 1), Generate(Options({}, 100), 2, 1));
}

TEST(ScriptGenerator, AScriptHasAsManyOperationsAsAskedForOrAFewMore) {
  const ScriptGenerator generator(Options({MapType::HASH}, 250));
  SeededEntropy entropy(3);
  Script script;
  for (int i = 0; i < 200; ++i) {
    generator.Generate(entropy, &script);
    EXPECT_GE(script.operations.size(), 250u);
    EXPECT_LE(script.operations.size(), 260u);
  }
}

TEST(ScriptGenerator, ExhaustedEntropyEndsTheScript) {
  const std::vector<uint8_t> bytes(40, 0x3c);
  ByteEntropy entropy(bytes);
  Script script;
  ScriptGenerator(Options({}, 10000)).Generate(entropy, &script);
  EXPECT_GE(script.operations.size(), 1u);
  EXPECT_LT(script.operations.size(), 200u);
}

TEST(ScriptGenerator, EveryOperationOfTheVocabularyComesUpForEveryType) {
  for (const MapKind& kind : MapKinds()) {
    std::set<size_t> seen;
    for (const Operation& operation : Generate(Options({kind.type}, 500), 5, 400)) {
      seen.insert(operation.call.index());
    }
    // Sockets cost much, and tell something of maps that hold them only.
    if (!kind.of_sockets) {
      for (const Call& call : {Call(SocketOpen()), Call(SendFrames()), Call(ReceiveFrames())}) {
        seen.insert(call.index());
      }
    }
    EXPECT_EQ(seen.size(), std::variant_size_v<Call>) << kind.name;
  }
}

TEST(ScriptGenerator, OnlyTheTypesAskedForAreMade) {
  size_t others = 0;
  const auto operations = Generate(Options({MapType::STACK}, 500), 6, 100);
  for (const MapCreate* create : Of<MapCreate>(operations)) {
    // Unknown types belong to the corrupted attributes.
    others += create->type == MapType::HASH || create->type == MapType::ARRAY ||
              create->type == MapType::QUEUE;
  }
  EXPECT_EQ(others, 0u);
}

TEST(ScriptGenerator, EveryFlagBitComesUpInUpdates) {
  uint64_t ones = 0, combinations = 0;
  std::set<uint64_t> small;
  const auto operations = Generate(Options({MapType::HASH}, 500), 7, 400);
  for (const Update* update : Of<Update>(operations)) {
    ones |= update->flags;
    combinations += std::popcount(update->flags) == 2;
    if (update->flags < 8) small.insert(update->flags);
  }
  EXPECT_EQ(ones, ~uint64_t{0});
  EXPECT_GT(combinations, 0u);
  EXPECT_EQ(small.size(), 8u);
}

TEST(ScriptGenerator, EveryKindOfHandleAndPointerComesUp) {
  std::set<uint16_t> slots;
  std::set<Pointer> keys, values, outputs;
  std::map<LookupBatch::Start, int> starts;
  std::set<uint32_t> access;
  const auto operations = Generate(Options({}, 500), 8, 400);
  for (const Update* update : Of<Update>(operations)) {
    slots.insert(update->map.slot);
    keys.insert(update->key.pointer);
    values.insert(update->value.pointer);
  }
  for (const Lookup* lookup : Of<Lookup>(operations)) outputs.insert(lookup->value);
  for (const LookupBatch* batch : Of<LookupBatch>(operations)) ++starts[batch->start];
  for (const GetFdById* get : Of<GetFdById>(operations)) access.insert(get->open_flags);
  EXPECT_TRUE(slots.contains(kBadFd.slot));
  EXPECT_TRUE(slots.contains(kNotAMap.slot));
  EXPECT_EQ(keys.size(), 3u);
  EXPECT_EQ(values.size(), 3u);
  EXPECT_EQ(outputs.size(), 3u);
  EXPECT_EQ(starts.size(), 4u);
  EXPECT_TRUE(access.contains(BPF_F_RDONLY));
  EXPECT_TRUE(access.contains(BPF_F_WRONLY));
  EXPECT_TRUE(access.contains(BPF_F_RDONLY | BPF_F_WRONLY));
}

TEST(ScriptGenerator, MapsAreTinyMostlyAndLargeRarely) {
  const auto operations = Generate(Options({MapType::HASH}, 500), 9, 2000);
  size_t tiny = 0, many = 0, all = 0;
  for (const MapCreate* create : Of<MapCreate>(operations)) {
    ++all;
    tiny += create->max_entries <= 4;
    many += create->max_entries >= 100 && create->max_entries <= 1000;
  }
  EXPECT_GT(tiny * 10, all * 7);
  EXPECT_GT(many, 0u);
  EXPECT_LT(many * 10, all);
}

TEST(ScriptGenerator, NoMapCostsMoreThanAllowedUnlessItMustBeRefused) {
  GeneratorOptions options = Options({}, 500);
  options.max_map_bytes = 1u << 20;
  size_t refused = 0;
  const auto operations = Generate(options, 10, 2000);
  for (const MapCreate* create : Of<MapCreate>(operations)) {
    const uint64_t bytes = EstimateBytes(*create);
    if (bytes == UINT64_MAX) {
      ++refused;
    } else {
      EXPECT_LE(bytes, options.max_map_bytes + (8u << 10));
    }
  }
  EXPECT_GT(refused, 0u);
}

TEST(ScriptGenerator, OnlyWhatTheCapabilitiesAllowIsGenerated) {
  for (size_t missing = 0; missing < CapabilitySet().size(); ++missing) {
    GeneratorOptions options = Options({}, 300);
    options.capabilities.reset(missing);
    for (const Operation& operation : Generate(options, 11 + missing, 60)) {
      ASSERT_FALSE(Required(operation)[missing]) << CapabilityName(static_cast<Capability>(missing))
                                                 << " " << OperationName(operation.call);
      if (missing == static_cast<size_t>(Capability::kPinnedThread)) {
        ASSERT_EQ(operation.cpu, kAnyCpu);
        ASSERT_EQ(operation.thread, 0);
      }
    }
  }
}

TEST(ScriptGenerator, WithoutAnyCapabilityScriptsStillEnd) {
  GeneratorOptions options = Options({}, 50);
  options.capabilities.reset();
  EXPECT_FALSE(Generate(options, 12, 3).empty());
}

TEST(ScriptGenerator, KeysOfTinyMapsMeet) {
  // An update followed later by a lookup of the same bytes: without these nothing is ever found.
  const auto operations = Generate(Options({MapType::HASH}, 500), 13, 100);
  std::set<std::pair<uint16_t, std::string>> written;
  size_t hits = 0, lookups = 0;
  for (const Operation& operation : operations) {
    if (const auto* create = std::get_if<MapCreate>(&operation.call)) {
      std::erase_if(written, [&](const auto& entry) { return entry.first == create->result.slot; });
    } else if (const auto* update = std::get_if<Update>(&operation.call)) {
      written.emplace(update->map.slot, update->key.bytes.ToHex());
    } else if (const auto* lookup = std::get_if<Lookup>(&operation.call)) {
      ++lookups;
      hits += written.contains({lookup->map.slot, lookup->key.bytes.ToHex()});
    }
  }
  EXPECT_GT(hits * 3, lookups);
}

}  // namespace
}  // namespace mapspec
