// SPDX-License-Identifier: MIT
#include "properties/script_generator.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <tuple>

#include "properties/map_creation.h"
#include "properties/simplify.h"

namespace mapspec {
namespace {

GeneratorOptions Options(std::vector<MapType> types, uint32_t operations) {
  GeneratorOptions options;
  options.types = std::move(types);
  options.min_operations = operations;
  options.max_operations = operations;
  return options;
}

// All operations of many scripts.
std::vector<Operation> Generate(const GeneratorOptions& options, uint64_t seed, size_t scripts) {
  const ScriptGenerator generator(options);
  SeededEntropy entropy(seed);
  std::vector<Operation> all;
  Script script;
  for (size_t i = 0; i < scripts; ++i) {
    generator.Generate(entropy, &script);
    all.insert(all.end(), script.operations.begin(), script.operations.end());
  }
  return all;
}

template <typename T>
std::vector<const T*> Of(const std::vector<Operation>& operations) {
  std::vector<const T*> found;
  for (const Operation& operation : operations) {
    if (const T* call = std::get_if<T>(&operation.call)) found.push_back(call);
  }
  return found;
}

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

// ---- The program path

// How calls on elements are shared between the paths.
struct Shares {
  size_t programs = 0, syscalls = 0;
  explicit Shares(const std::vector<Operation>& operations) {
    for (const Operation& operation : operations) {
      programs += IsProgramPath(operation.call);
      syscalls += operation.call.index() >= 1 && operation.call.index() <= 8;
    }
  }
  double OfPrograms() const {
    return static_cast<double>(programs) / static_cast<double>(programs + syscalls);
  }
};

TEST(ScriptGenerator, AboutAThirdOfTheCallsOnElementsComeFromPrograms) {
  for (const MapKind& kind : MapKinds()) {
    GeneratorOptions options = Options({kind.type}, 500);
    EXPECT_NEAR(Shares(Generate(options, 14, 200)).OfPrograms(), 0.33, 0.06) << kind.name;
    options.mostly_programs = true;
    EXPECT_NEAR(Shares(Generate(options, 14, 200)).OfPrograms(), 0.8, 0.08) << kind.name;
  }
}

TEST(ScriptGenerator, AProgramIsUsedManyTimes) {
  // Loading one costs as much as some hundred calls; those that are refused are asked for once.
  const ScriptGenerator generator(Options({MapType::HASH}, 500));
  SeededEntropy entropy(15);
  Script script;
  size_t calls = 0, programs = 0;
  for (int i = 0; i < 200; ++i) {
    generator.Generate(entropy, &script);
    std::set<std::tuple<uint16_t, size_t, int>> loaded;
    for (const Operation& operation : script.operations) {
      std::visit(
          [&](const auto& op) {
            int form = 0;
            if constexpr (requires { op.hold; }) form = op.hold;
            if constexpr (requires { op.store; }) form = op.store + 2 * op.lock;
            if constexpr (requires {
                            op.result;
                            op.max_entries;
                          }) {
              std::erase_if(loaded, [&](const auto& program) {
                return std::get<0>(program) == op.result.slot;
              });
            } else if constexpr (requires { op.map; }) {
              if (!IsProgramPath(operation.call)) return;
              ++calls;
              programs += loaded.emplace(op.map.slot, operation.call.index(), form).second;
            }
          },
          operation.call);
    }
  }
  EXPECT_GT(calls, programs * 7);
}

TEST(ScriptGenerator, EveryFlagBitComesUpInHelpers) {
  const auto hash = Generate(Options({MapType::HASH}, 500), 16, 800);
  const auto stack = Generate(Options({MapType::STACK}, 500), 16, 800);
  uint64_t updates = 0, pushes = 0, walks = 0;
  for (const HelperUpdate* op : Of<HelperUpdate>(hash)) updates |= op->flags;
  for (const HelperPush* op : Of<HelperPush>(stack)) pushes |= op->flags;
  for (const HelperForEach* op : Of<HelperForEach>(hash)) walks |= op->flags;
  EXPECT_EQ(updates, ~uint64_t{0});
  EXPECT_EQ(pushes, ~uint64_t{0});
  EXPECT_EQ(walks, ~uint64_t{0});
}

TEST(ScriptGenerator, EveryFormOfAProgramComesUp) {
  GeneratorOptions options = Options({MapType::HASH}, 500);
  options.possible_cpus = 3;
  const auto operations = Generate(options, 17, 2000);
  std::set<std::pair<bool, bool>> lookups;
  std::set<bool> updates, deletes;
  std::set<uint32_t> limits, of_cpus;
  std::set<size_t> key_sizes;
  for (const HelperLookup* op : Of<HelperLookup>(operations)) {
    lookups.emplace(op->store, op->lock);
    EXPECT_TRUE(op->store || op->value.empty());
  }
  for (const HelperUpdate* op : Of<HelperUpdate>(operations)) updates.insert(op->hold);
  for (const HelperDelete* op : Of<HelperDelete>(operations)) deletes.insert(op->hold);
  for (const HelperForEach* op : Of<HelperForEach>(operations)) limits.insert(op->limit);
  for (const HelperLookupPercpu* op : Of<HelperLookupPercpu>(operations)) {
    of_cpus.insert(op->of_cpu);
  }
  EXPECT_EQ(lookups.size(), 4u);
  EXPECT_EQ(updates.size(), 2u);
  EXPECT_EQ(deletes.size(), 2u);
  for (const uint32_t limit : {0u, 1u, 2u, kMaxForEachNoted, kMaxForEachNoted + 1, 1000u}) {
    EXPECT_TRUE(limits.contains(limit)) << limit;
  }
  for (const uint32_t cpu : {0u, 2u, 3u, 0xffffffffu}) EXPECT_TRUE(of_cpus.contains(cpu)) << cpu;
}

TEST(ScriptGenerator, LocksAreMostlyTakenOfMapsThatHaveOne) {
  const ScriptGenerator generator(Options({MapType::HASH}, 500));
  SeededEntropy entropy(18);
  Script script;
  size_t with = 0, without = 0;
  for (int i = 0; i < 1000; ++i) {
    generator.Generate(entropy, &script);
    std::set<uint16_t> locked, locking_btfs;
    for (const Operation& operation : script.operations) {
      if (const auto* btf = std::get_if<BtfLoad>(&operation.call)) {
        locking_btfs.erase(btf->result);
        if (btf->lock_offset >= 0) locking_btfs.insert(btf->result);
      } else if (const auto* create = std::get_if<MapCreate>(&operation.call)) {
        locked.erase(create->result.slot);
        if (locking_btfs.contains(create->btf)) locked.insert(create->result.slot);
      } else if (const auto* lookup = std::get_if<HelperLookup>(&operation.call);
                 lookup != nullptr && lookup->lock) {
        ++(locked.contains(lookup->map.slot) ? with : without);
      }
    }
  }
  EXPECT_GT(with, 2 * without);
  EXPECT_GT(without, 0u);
}

TEST(ScriptGenerator, WhereNothingIsVerifiedNothingIsAskedThatAVerifierWouldRefuse) {
  for (const MapKind& kind : MapKinds()) {
    GeneratorOptions options = Options({kind.type}, 500);
    options.capabilities.reset(static_cast<size_t>(Capability::kVerifier));
    std::map<uint16_t, uint32_t> flags;
    size_t calls = 0;
    const auto check = [&](Helper helper, Handle map, bool reads, bool writes) {
      ++calls;
      ASSERT_TRUE(Allows(kind, helper)) << kind.name;
      ASSERT_LT(map.slot, kMaxSlots);
      const uint32_t refused = (reads ? BPF_F_WRONLY_PROG : 0) | (writes ? BPF_F_RDONLY_PROG : 0);
      ASSERT_EQ(flags[map.slot] & refused, 0u);
    };
    const ScriptGenerator generator(options);
    SeededEntropy entropy(19);
    Script script;
    for (int i = 0; i < 300; ++i) {
      generator.Generate(entropy, &script);
      flags.clear();
      for (const Operation& operation : script.operations) {
        if (const auto* create = std::get_if<MapCreate>(&operation.call)) {
          flags[create->result.slot] = create->map_flags;
        } else if (const auto* get = std::get_if<GetFdById>(&operation.call)) {
          flags[get->result.slot] = flags[get->of.slot];
        } else if (const auto* got = std::get_if<ObjGet>(&operation.call)) {
          flags[got->result.slot] = 0;  // Of whichever map: not followed here.
        } else if (const auto* lookup = std::get_if<HelperLookup>(&operation.call)) {
          check(Helper::kLookup, lookup->map, true, lookup->store);
        } else if (const auto* update = std::get_if<HelperUpdate>(&operation.call)) {
          check(Helper::kUpdate, update->map, update->hold, true);
        } else if (const auto* removal = std::get_if<HelperDelete>(&operation.call)) {
          check(Helper::kDelete, removal->map, removal->hold, true);
        } else if (const auto* push = std::get_if<HelperPush>(&operation.call)) {
          check(Helper::kPush, push->map, false, true);
        } else if (const auto* pop = std::get_if<HelperPop>(&operation.call)) {
          check(Helper::kPop, pop->map, false, true);
        } else if (const auto* peek = std::get_if<HelperPeek>(&operation.call)) {
          check(Helper::kPeek, peek->map, false, false);
        } else if (const auto* walk = std::get_if<HelperForEach>(&operation.call)) {
          check(Helper::kForEach, walk->map, true, false);
        } else {
          ASSERT_FALSE(IsProgramPath(operation.call)) << OperationName(operation.call);
        }
      }
    }
    EXPECT_GT(calls, 10'000u);
  }
}

TEST(ScriptGenerator, CallsAreSeldomElsewhereAndOnlyOnCpusThatMayExist) {
  GeneratorOptions options = Options({}, 500);
  options.possible_cpus = 3;
  const auto operations = Generate(options, 20, 3000);
  std::set<uint16_t> cpus;
  std::set<uint8_t> threads;
  size_t elsewhere = 0;
  for (const Operation& operation : operations) {
    cpus.insert(operation.cpu);
    threads.insert(operation.thread);
    elsewhere += operation.cpu != kAnyCpu || operation.thread != 0;
    ASSERT_FALSE(IsProgramPath(operation.call) && operation.caller != Caller::kPrivileged);
  }
  EXPECT_EQ(cpus, (std::set<uint16_t>{0, 1, 2, kAnyCpu}));
  EXPECT_EQ(threads, (std::set<uint8_t>{0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_GT(elsewhere * 2000, operations.size());
  EXPECT_LT(elsewhere * 200, operations.size());
}

}  // namespace
}  // namespace mapspec
