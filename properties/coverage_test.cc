// SPDX-License-Identifier: MIT
#include "properties/coverage.h"

#include <gtest/gtest.h>

#include "properties/reachable_coverage.h"

namespace mapspec {
namespace {

class TraceBuilder {
 public:
  TraceBuilder& Then(Call call, Errno error = Errno::kNone, Caller caller = Caller::kPrivileged) {
    trace_.operations.push_back({std::move(call), caller});
    // Made in place: GCC 12 takes the copy of a fresh Outcome for a read of uninitialised memory.
    trace_.outcomes.emplace_back().error = error;
    return *this;
  }
  Trace& trace() { return trace_; }
  std::map<std::string, uint64_t> Counts() const {
    Coverage coverage;
    coverage.Add(trace_);
    return coverage.Counts();
  }

 private:
  Trace trace_;
};

MapCreate Create(MapType type, uint16_t slot, uint32_t flags = 0) {
  MapCreate create;
  create.type = type;
  create.result = Handle{slot};
  create.map_flags = flags;
  return create;
}
Update UpdateWith(uint16_t slot, uint64_t flags) { return Update{Handle{slot}, {}, {}, flags}; }

using Counts = std::map<std::string, uint64_t>;

TEST(Coverage, ACellIsTypeOperationFlagsAndOutcome) {
  const Counts counts = TraceBuilder()
                            .Then(Create(MapType::HASH, 0))
                            .Then(UpdateWith(0, BPF_NOEXIST))
                            .Then(UpdateWith(0, BPF_NOEXIST), Errno::kEEXIST)
                            .Then(UpdateWith(0, BPF_NOEXIST), Errno::kEEXIST)
                            .Counts();
  EXPECT_EQ(counts, (Counts{{"HASH BPF_MAP_CREATE 0 0", 1},
                            {"HASH BPF_MAP_UPDATE_ELEM BPF_NOEXIST 0", 1},
                            {"HASH BPF_MAP_UPDATE_ELEM BPF_NOEXIST EEXIST", 2}}));
}

TEST(Coverage, FlagsFallIntoClasses) {
  TraceBuilder builder;
  builder.Then(Create(MapType::HASH, 0));
  for (const uint64_t flags : {uint64_t{0}, uint64_t{3}, uint64_t{6}, uint64_t{8}, uint64_t{24},
                               uint64_t{32}, uint64_t{1} << 31, uint64_t{1} << 32, ~uint64_t{0}}) {
    builder.Then(UpdateWith(0, flags), Errno::kEINVAL);
  }
  const Counts counts = builder.Counts();
  EXPECT_EQ(counts.at("HASH BPF_MAP_UPDATE_ELEM BPF_ANY EINVAL"), 1u);
  EXPECT_EQ(counts.at("HASH BPF_MAP_UPDATE_ELEM BPF_NOEXIST|BPF_EXIST EINVAL"), 1u);
  EXPECT_EQ(counts.at("HASH BPF_MAP_UPDATE_ELEM BPF_F_LOCK|BPF_EXIST EINVAL"), 1u);
  EXPECT_EQ(counts.at("HASH BPF_MAP_UPDATE_ELEM cpu-flags EINVAL"), 2u);
  EXPECT_EQ(counts.at("HASH BPF_MAP_UPDATE_ELEM other-low-bits EINVAL"), 2u);
  EXPECT_EQ(counts.at("HASH BPF_MAP_UPDATE_ELEM high-bits EINVAL"), 2u);
}

TEST(Coverage, HandlesAreFollowedToTheirMap) {
  TraceBuilder builder;
  builder.Then(Create(MapType::QUEUE, 3)).Then(GetInfo{Handle{3}}).Then(Pin{Handle{3}, "p0"});
  GetFdById by_id;
  by_id.result = Handle{5};
  by_id.of = Handle{3};
  by_id.open_flags = BPF_F_RDONLY;
  builder.Then(by_id).Then(Freeze{Handle{5}}, Errno::kEPERM);
  ObjGet get;
  get.result = Handle{6};
  get.path = "p0";
  builder.Then(get)
      .Then(Poll{Handle{6}})
      .Then(Close{Handle{6}})
      .Then(Poll{Handle{6}}, Errno::kEBADF);
  const Counts counts = builder.Counts();
  EXPECT_EQ(counts.at("QUEUE BPF_MAP_GET_FD_BY_ID BPF_F_RDONLY 0"), 1u);
  EXPECT_EQ(counts.at("QUEUE BPF_MAP_FREEZE - EPERM"), 1u);
  EXPECT_EQ(counts.at("QUEUE BPF_OBJ_GET 0 0"), 1u);
  EXPECT_EQ(counts.at("QUEUE poll - 0"), 1u);
  EXPECT_EQ(counts.at("QUEUE close - 0"), 1u);
  EXPECT_EQ(counts.at("NONE poll - EBADF"), 1u);
}

TEST(Coverage, ViewsBelongToTheMapTheyShow) {
  const Counts counts = TraceBuilder()
                            .Then(Create(MapType::ARRAY, 0, BPF_F_MMAPABLE))
                            .Then(Mmap{2, Handle{0}, true, true, true, 0, 4096})
                            .Then(MemRead{2, 0, 4})
                            .Then(MemWrite{1, 0, Bytes(1)}, Errno::kEFAULT)
                            .Counts();
  EXPECT_EQ(counts.at("ARRAY BPF_MAP_CREATE BPF_F_MMAPABLE 0"), 1u);
  EXPECT_EQ(counts.at("ARRAY mmap rw 0"), 1u);
  EXPECT_EQ(counts.at("ARRAY load - 0"), 1u);
  EXPECT_EQ(counts.at("NONE store - EFAULT"), 1u);
}

TEST(Coverage, BatchesThatTakeAreCountedApart) {
  LookupBatch reads, takes;
  takes.and_delete = true;
  LookupBatch flagged;
  flagged.flags = 1;
  const Counts counts = TraceBuilder()
                            .Then(Create(MapType::HASH, 0))
                            .Then(reads, Errno::kENOENT)
                            .Then(takes, Errno::kENOSPC)
                            .Then(flagged, Errno::kEINVAL)
                            .Counts();
  EXPECT_EQ(counts.at("HASH BPF_MAP_LOOKUP_BATCH BPF_ANY ENOENT"), 1u);
  EXPECT_EQ(counts.at("HASH BPF_MAP_LOOKUP_AND_DELETE_BATCH BPF_ANY ENOSPC"), 1u);
  EXPECT_EQ(counts.at("HASH BPF_MAP_LOOKUP_BATCH batch-flags EINVAL"), 1u);
}

TEST(Coverage, CallsWithoutPrivilegesAndImproperEndsAreCellsOfTheirOwn) {
  TraceBuilder builder;
  builder.Then(Create(MapType::STACK, 0), Errno::kEPERM, Caller::kUnprivileged);
  builder.Then(Poll{Handle{9}});
  builder.trace().outcomes.back().completion = Completion::kCrashed;
  builder.Then(Poll{Handle{9}});
  builder.trace().outcomes.back().completion = Completion::kNotRun;
  builder.Then(Poll{Handle{9}}, static_cast<Errno>(4000));
  const Counts counts = builder.Counts();
  EXPECT_EQ(counts, (Counts{{"STACK BPF_MAP_CREATE unprivileged EPERM", 1},
                            {"NONE poll - crashed", 1},
                            {"NONE poll - other-errno", 1}}));
}

TEST(Coverage, HelpersAreRowsOfTheirOwnWithWhatTheProgramDoes) {
  const Handle map{0};
  const Counts counts = TraceBuilder()
                            .Then(Create(MapType::HASH, 0))
                            .Then(UpdateWith(0, BPF_EXIST), Errno::kENOENT)
                            .Then(HelperUpdate{map, {}, {}, BPF_EXIST, false}, Errno::kENOENT)
                            .Then(HelperUpdate{map, {}, {}, uint64_t{1} << 40, false})
                            .Then(HelperUpdate{map, {}, {}, BPF_EXIST, true})
                            .Then(HelperLookup{map, {}, false, {}, false}, Errno::kENOENT)
                            .Then(HelperLookup{map, {}, true, {}, false})
                            .Then(HelperLookup{map, {}, true, {}, true})
                            .Then(HelperDelete{map, {}, true})
                            .Then(HelperForEach{map, 0, 0})
                            .Then(HelperForEach{map, 2, 0})
                            .Then(HelperForEach{map, 2, 1}, Errno::kEINVAL)
                            .Then(HelperLookupPercpu{map, {}, 0xffffffffu})
                            .Counts();
  EXPECT_EQ(counts, (Counts{{"HASH BPF_MAP_CREATE 0 0", 1},
                            {"HASH BPF_MAP_UPDATE_ELEM BPF_EXIST ENOENT", 1},
                            {"HASH bpf_map_update_elem BPF_EXIST ENOENT", 1},
                            {"HASH bpf_map_update_elem high-bits 0", 1},
                            {"HASH bpf_map_update_elem hold 0", 1},
                            {"HASH bpf_map_lookup_elem read ENOENT", 1},
                            {"HASH bpf_map_lookup_elem store 0", 1},
                            {"HASH bpf_map_lookup_elem lock-store 0", 1},
                            {"HASH bpf_map_delete_elem hold 0", 1},
                            {"HASH bpf_for_each_map_elem 0 0", 1},
                            {"HASH bpf_for_each_map_elem limit 0", 1},
                            {"HASH bpf_for_each_map_elem flags EINVAL", 1},
                            {"HASH bpf_map_lookup_percpu_elem cpu-far 0", 1}}));
}

TEST(Coverage, ARefusedProgramIsToldFromAFailedCallWithTheSameErrno) {
  TraceBuilder builder;
  builder.Then(Create(MapType::STACK, 0)).Then(HelperPush{Handle{0}, {}, 4}, Errno::kEINVAL);
  for (const Errno error : {Errno::kEINVAL, Errno::kEACCES, static_cast<Errno>(4000)}) {
    builder.Then(HelperPush{Handle{0}, {}, 4}, error);
    builder.trace().outcomes.back().completion = Completion::kRefused;
  }
  const Counts counts = builder.Counts();
  EXPECT_EQ(counts.at("STACK bpf_map_push_elem BPF_F_LOCK EINVAL"), 1u);
  EXPECT_EQ(counts.at("STACK bpf_map_push_elem BPF_F_LOCK refused-EINVAL"), 1u);
  EXPECT_EQ(counts.at("STACK bpf_map_push_elem BPF_F_LOCK refused-EACCES"), 1u);
  EXPECT_EQ(counts.at("STACK bpf_map_push_elem BPF_F_LOCK refused"), 1u);
}

TEST(Coverage, MergingAddsUp) {
  Coverage a, b;
  a.Add(TraceBuilder().Then(Create(MapType::HASH, 0)).trace());
  b.Add(TraceBuilder().Then(Create(MapType::HASH, 0)).Then(Create(MapType::ARRAY, 0)).trace());
  a.Merge(b);
  EXPECT_EQ(a.operations(), 3u);
  EXPECT_EQ(a.Counts(), (Counts{{"HASH BPF_MAP_CREATE 0 0", 2}, {"ARRAY BPF_MAP_CREATE 0 0", 1}}));
}

constexpr std::string_view kTable = R"(
# a comment
profile linux-1.0
HASH BPF_MAP_CREATE 0 0, 500,bpf_map_create
profile linux-2.0
HASH BPF_MAP_CREATE 0 0, 700,bpf_map_create
HASH BPF_MAP_FREEZE - 0, 90,bpf_map_freeze,bad-pointers
HASH BPF_MAP_FREEZE - EPERM, rare
)";

TEST(ReachableCells, RowsAreReadForOneProfile) {
  const std::vector<ReachableCell> cells = ParseReachableCells(kTable, "linux-2.0");
  ASSERT_EQ(cells.size(), 3u);
  EXPECT_EQ(cells[0].name, "HASH BPF_MAP_CREATE 0 0");
  EXPECT_EQ(cells[0].hits, 700u);
  EXPECT_TRUE(cells[1].needs[static_cast<size_t>(Capability::kMapFreeze)]);
  EXPECT_TRUE(cells[1].needs[static_cast<size_t>(Capability::kBadPointers)]);
  EXPECT_FALSE(cells[2].required());
  EXPECT_TRUE(ParseReachableCells(kTable, "linux-3.0").empty());
}

TEST(ReachableCells, EmptyRequiredCellsAndUnknownOnesAreTold) {
  const std::vector<ReachableCell> cells = ParseReachableCells(kTable, "linux-2.0");
  Coverage coverage;
  coverage.Add(TraceBuilder().Then(Create(MapType::HASH, 0), Errno::kEINVAL).trace());
  const CoverageGaps gaps = CompareCoverage(coverage, "HASH", cells, CapabilitySet().set());
  EXPECT_EQ(gaps.empty,
            (std::vector<std::string>{"HASH BPF_MAP_CREATE 0 0", "HASH BPF_MAP_FREEZE - 0"}));
  EXPECT_EQ(gaps.unknown, std::vector<std::string>{"HASH BPF_MAP_CREATE 0 EINVAL"});
}

TEST(ReachableCells, WhatTheBackendCannotDoIsNotRequired) {
  const std::vector<ReachableCell> cells = ParseReachableCells(kTable, "linux-2.0");
  CapabilitySet capabilities = CapabilitySet().set();
  capabilities.reset(static_cast<size_t>(Capability::kBadPointers));
  const CoverageGaps gaps = CompareCoverage(Coverage(), "HASH", cells, capabilities);
  EXPECT_EQ(gaps.empty, std::vector<std::string>{"HASH BPF_MAP_CREATE 0 0"});
}

}  // namespace
}  // namespace mapspec
