// SPDX-License-Identifier: MIT
//
// What the generator makes of the program path.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "properties/generator_test_support.h"

namespace mapspec {
namespace {

// How calls on elements are shared between the paths.
struct Shares {
  size_t programs = 0, syscalls = 0;
  explicit Shares(const std::vector<Operation>& operations) {
    for (const Operation& operation : operations) {
      programs += IsProgramPath(operation.call);
      syscalls += IsElementCommand(operation.call);
    }
  }
  double OfPrograms() const {
    return static_cast<double>(programs) / static_cast<double>(programs + syscalls);
  }
};

TEST(ProgramGenerator, AboutAThirdOfTheCallsOnElementsComeFromPrograms) {
  for (const MapKind& kind : MapKinds()) {
    GeneratorOptions options = Options({kind.type}, 500);
    EXPECT_NEAR(Shares(Generate(options, 14, 200)).OfPrograms(), 0.33, 0.06) << kind.name;
    options.focus = Focus::kPrograms;
    EXPECT_NEAR(Shares(Generate(options, 14, 200)).OfPrograms(), 0.8, 0.08) << kind.name;
  }
}

TEST(ProgramGenerator, AProgramIsUsedManyTimes) {
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
            if constexpr (requires { op.lock; }) form = op.store + 2 * op.lock;
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

TEST(ProgramGenerator, AProgramThatWillBeRefusedIsAskedForOnce) {
  const auto operations = Generate(Options({MapType::STACK}, 500), 21, 400);
  size_t calls = 0, foreign = 0;
  for (const Operation& operation : operations) {
    calls += IsProgramPath(operation.call);
    foreign += std::holds_alternative<HelperUpdate>(operation.call) ||
               std::holds_alternative<HelperDelete>(operation.call) ||
               std::holds_alternative<HelperLookupPercpu>(operation.call);
  }
  EXPECT_GT(foreign, 100u);
  EXPECT_LT(foreign * 200, calls);
}

TEST(ProgramGenerator, EveryFlagBitComesUpInHelpers) {
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

TEST(ProgramGenerator, EveryFormOfAProgramComesUp) {
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

TEST(ProgramGenerator, LocksAreMostlyTakenOfMapsThatHaveOne) {
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

TEST(ProgramGenerator, WhereNothingIsVerifiedNothingIsAskedThatAVerifierWouldRefuse) {
  for (const MapKind& kind : MapKinds()) {
    GeneratorOptions options = Options({kind.type}, 500);
    options.capabilities.reset(static_cast<size_t>(Capability::kVerifier));
    // By slot: flags of the map, of the one that it was created with, and its kind.
    std::map<uint16_t, uint32_t> flags, inner_flags;
    std::map<uint16_t, const MapKind*> kinds;
    size_t calls = 0;
    const auto check = [&](Helper helper, Handle map, bool reads, bool writes) {
      ++calls;
      ASSERT_LT(map.slot, kMaxSlots);
      const MapKind* of = kinds[map.slot];
      ASSERT_TRUE(of == nullptr || Allows(*of, helper)) << of->name;
      // A frozen BPF_F_RDONLY_PROG array is not read either.
      const uint32_t refused =
          (reads ? BPF_F_WRONLY_PROG | BPF_F_RDONLY_PROG : 0) | (writes ? BPF_F_RDONLY_PROG : 0);
      ASSERT_EQ(flags[map.slot] & refused, 0u);
    };
    const ScriptGenerator generator(options);
    SeededEntropy entropy(19);
    Script script;
    for (int i = 0; i < 300; ++i) {
      generator.Generate(entropy, &script);
      flags.clear();
      inner_flags.clear();
      kinds.clear();
      for (const Operation& operation : script.operations) {
        if (const auto* create = std::get_if<MapCreate>(&operation.call)) {
          flags[create->result.slot] = create->map_flags;
          inner_flags[create->result.slot] = flags[create->inner_map.slot];
          kinds[create->result.slot] = FindMapKind(create->type);
        } else if (const auto* get = std::get_if<GetFdById>(&operation.call)) {
          flags[get->result.slot] = flags[get->of.slot];
          inner_flags[get->result.slot] = inner_flags[get->of.slot];
          kinds[get->result.slot] = kinds[get->of.slot];
        } else if (const auto* got = std::get_if<ObjGet>(&operation.call)) {
          // Of whichever map: not followed here.
          flags[got->result.slot] = inner_flags[got->result.slot] = 0;
          kinds[got->result.slot] = nullptr;
        } else if (const auto* lookup = std::get_if<HelperLookup>(&operation.call)) {
          check(Helper::kLookup, lookup->map, true, lookup->store);
          const MapKind* of = kinds[lookup->map.slot];
          ASSERT_FALSE(of != nullptr && of->of_maps) << "what stands there is the kernel's own";
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
        } else if (const auto* of_cpu = std::get_if<HelperLookupPercpu>(&operation.call)) {
          check(Helper::kLookupPercpu, of_cpu->map, true, false);
        } else if (const auto* walk = std::get_if<HelperForEach>(&operation.call)) {
          check(Helper::kForEach, walk->map, true, false);
        } else if (const auto* inner = std::get_if<HelperLookupInner>(&operation.call)) {
          check(Helper::kLookupInner, inner->map, false, false);
          const uint32_t refused = BPF_F_WRONLY_PROG | (inner->store ? BPF_F_RDONLY_PROG : 0);
          ASSERT_EQ(inner_flags[inner->map.slot] & refused, 0u);
        } else if (const auto* redirect = std::get_if<HelperRedirectMap>(&operation.call)) {
          check(Helper::kRedirectMap, redirect->map, false, false);
        } else {
          ASSERT_FALSE(IsProgramPath(operation.call)) << OperationName(operation.call);
        }
      }
    }
    EXPECT_GT(calls, 10'000u);
  }
}

TEST(ProgramGenerator, AProgramOnAPerCpuMapHasACpuThatMayExist) {
  for (const MapType type : {MapType::PERCPU_HASH, MapType::PERCPU_ARRAY}) {
    GeneratorOptions options = Options({type}, 500);
    options.possible_cpus = 3;
    std::set<uint16_t> cpus;
    for (const Operation& operation : Generate(options, 21, 300)) {
      if (IsProgramPath(operation.call)) cpus.insert(operation.cpu);
    }
    EXPECT_EQ(cpus, (std::set<uint16_t>{0, 1, 2}));
    options.capabilities.reset(static_cast<size_t>(Capability::kPinnedThread));
    for (const Operation& operation : Generate(options, 21, 300)) {
      ASSERT_FALSE(IsProgramPath(operation.call));
    }
  }
}

TEST(ProgramGenerator, CallsAreSeldomElsewhereAndOnlyOnCpusThatMayExist) {
  // What per-CPU and LRU maps do depends on the CPU: calls on them say where they are made.
  GeneratorOptions options =
      Options({MapType::HASH, MapType::ARRAY, MapType::QUEUE, MapType::STACK}, 500);
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
