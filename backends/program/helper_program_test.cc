// SPDX-License-Identifier: MIT
//
// What the instructions do, told by interpreting them (test_interpreter.h); what kernels say to
// them stands in kernel/kernel_program_engine_test.cc.
#include "backends/program/helper_program.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "backends/program/control_record.h"
#include "backends/program/test_interpreter.h"

namespace mapspec {
namespace {

Bytes Numbered(size_t size, uint8_t first) {
  Bytes bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>(first + i * 7);
  return bytes;
}

struct Case {
  uint32_t key_size, value_size;
  int32_t lock_offset = -1;
};

class HelperProgramTest : public testing::Test {
 protected:
  // One element that is always found.
  void Make(const Case& c) {
    shape_ = {MapType::HASH, c.key_size, c.value_size, c.lock_offset};
    element_.assign((c.value_size + 7) / 8 + 1, 0);
    map_ = {};
    map_.elements = {{reinterpret_cast<uint8_t*>(element_.data()), c.value_size}};
    Fill(0x21);
    map_.helper = [this](HelperId helper, const uint64_t* a) -> uint64_t {
      const auto text = [](uint64_t address, size_t size) {
        return Bytes(reinterpret_cast<const void*>(address), size);
      };
      switch (helper) {
        case HelperId::kMapLookupElem:
          seen_key_ = text(a[1], shape_.key_size);
          return found_ ? reinterpret_cast<uint64_t>(element_.data()) : 0;
        case HelperId::kMapLookupPercpuElem:
          seen_key_ = text(a[1], shape_.key_size);
          seen_number_ = a[2];
          return found_ ? reinterpret_cast<uint64_t>(element_.data()) : 0;
        case HelperId::kMapUpdateElem:
          seen_key_ = text(a[1], shape_.key_size);
          seen_value_ = text(a[2], shape_.value_size);
          seen_number_ = a[3];
          return result_;
        case HelperId::kMapDeleteElem:
          seen_key_ = text(a[1], shape_.key_size);
          return result_;
        case HelperId::kMapPushElem:
          seen_value_ = text(a[1], shape_.value_size);
          seen_number_ = a[2];
          return result_;
        case HelperId::kMapPopElem:
        case HelperId::kMapPeekElem:
          std::memcpy(reinterpret_cast<void*>(a[1]), Element().data(), shape_.value_size);
          return result_;
        case HelperId::kSpinLock:
        case HelperId::kSpinUnlock:
          seen_number_ = a[0] - reinterpret_cast<uint64_t>(element_.data());
          return 0;
        case HelperId::kForEachMapElem: {
          seen_number_ = a[3];
          uint64_t visited = 0;
          for (uint32_t i = 0; i < elements_; ++i) {
            ++visited;
            std::vector<uint64_t> key((shape_.key_size + 7) / 8 + 1);
            const Bytes bytes = Numbered(shape_.key_size, static_cast<uint8_t>(i));
            std::memcpy(key.data(), bytes.data(), bytes.size());
            map_.elements.push_back({reinterpret_cast<uint8_t*>(key.data()), shape_.key_size});
            const uint64_t end = map_.call_back(key.data(), element_.data());
            map_.elements.pop_back();
            if (end != 0) break;
          }
          return visited;
        }
      }
      return 0;
    };
    engine_ = MakeTestInterpreter(&map_);
  }
  void Fill(uint8_t first) {
    const Bytes bytes = Numbered(shape_.value_size, first);
    std::memcpy(element_.data(), bytes.data(), bytes.size());
  }
  Bytes Element() const { return Bytes(element_.data(), shape_.value_size); }
  // As it is with zeros in the word of the lock.
  Bytes WithoutLock(Bytes bytes) const {
    if (shape_.lock_offset >= 0) {
      std::memset(bytes.data() + shape_.lock_offset, 0, 4);
    }
    return bytes;
  }

  Outcome Run(const Call& call, std::vector<HelperAction> actions = {}) {
    if (actions.empty()) actions = {*ActionOf(call)};
    const Program program = MakeHelperProgram(shape_, actions);
    const ControlLayout layout = LayOut(shape_, program.form);
    std::string error;
    auto control = engine_->MakeControlMap(layout.control_size, &error);
    const auto loaded = engine_->Load(program, 3, *control);
    Outcome out;
    // The last of the records, which is where mistakes in the bounds show.
    uint8_t* memory = control->memory().data();
    const uint64_t last = layout.records - 1;
    std::memcpy(memory, &last, sizeof(last));
    uint8_t* record = memory + layout.OffsetOf(static_cast<uint32_t>(last));
    WriteRecord(call, shape_, layout, record);
    EXPECT_TRUE(loaded.program->Run(1, &error)) << error;
    ReadRecord(call, shape_, layout, record, &out);
    uint64_t next = 0;
    std::memcpy(&next, memory, sizeof(next));
    EXPECT_EQ(next, layout.records);
    // A run too many does nothing.
    const std::vector<HelperId> calls = map_.calls;
    EXPECT_TRUE(loaded.program->Run(1, &error)) << error;
    EXPECT_EQ(map_.calls, calls);
    for (const std::string& fault : map_.faults) ADD_FAILURE() << fault;
    return out;
  }

  MapShape shape_;
  TestMap map_;
  std::vector<uint64_t> element_;  // Aligned as elements are.
  bool found_ = true;
  uint32_t elements_ = 3;
  uint64_t result_ = 0;
  Bytes seen_key_, seen_value_;
  uint64_t seen_number_ = 0;
  std::unique_ptr<ProgramEngine> engine_;
};

std::vector<Case> Cases() {
  std::vector<Case> cases;
  for (uint32_t size = 1; size <= 9; ++size) cases.push_back({size, 10 - size});
  cases.insert(cases.end(), {{16, 64}, {64, 16}, {600, 4096}, {4096, 3}, {3, kMaxValue}});
  cases.insert(cases.end(), {{4, 4, 0}, {4, 8, 4}, {4, 12, 4}, {7, 37, 32}, {4, 4101, 4000}});
  return cases;
}

TEST_F(HelperProgramTest, ALookupReadsAndStoresAllButTheLock) {
  for (const Case& c : Cases()) {
    SCOPED_TRACE(testing::Message() << c.key_size << " " << c.value_size << " " << c.lock_offset);
    for (const bool lock : {false, true}) {
      Make(c);
      const Bytes before = Element();
      const HelperLookup lookup{
          {0}, Numbered(c.key_size, 3), true, Numbered(c.value_size, 90), lock};
      const Outcome out = Run(lookup);
      EXPECT_TRUE(out.ok()) << out.detail;
      EXPECT_EQ(std::get<Bytes>(out.output), WithoutLock(before));
      EXPECT_EQ(seen_key_, lookup.key);
      EXPECT_EQ(WithoutLock(Element()), WithoutLock(lookup.value));
      if (c.lock_offset >= 0) {
        EXPECT_EQ(Element().Slice(static_cast<size_t>(c.lock_offset), 4),
                  before.Slice(static_cast<size_t>(c.lock_offset), 4));
      }
      const std::vector<HelperId> locked = {HelperId::kMapLookupElem, HelperId::kSpinLock,
                                            HelperId::kSpinUnlock};
      EXPECT_EQ(map_.calls, lock ? locked : std::vector<HelperId>{HelperId::kMapLookupElem});
      if (lock) {
        EXPECT_EQ(seen_number_, static_cast<uint64_t>(std::max(c.lock_offset, 0)));
      }
    }
  }
}

TEST_F(HelperProgramTest, ALookupThatFindsNothingReadsNothing) {
  Make({4, 9});
  found_ = false;
  const Outcome out = Run(HelperLookup{{0}, {1}, true, {2}, true});
  EXPECT_EQ(out.error, Errno::kENOENT);
  EXPECT_EQ(std::get<Bytes>(out.output), Poison(9));
}

TEST_F(HelperProgramTest, AnUpdatePassesItsArgumentsAndItsResultIsWhole) {
  Make({5, 3});
  result_ = static_cast<uint64_t>(int64_t{-7});
  Outcome out = Run(HelperUpdate{{0}, {1, 2}, {3}, 0x123456789ABCDEF0});
  EXPECT_EQ(out.error, Errno::kE2BIG);
  EXPECT_EQ(out.result, 0);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(out.output));
  EXPECT_EQ(seen_key_, Bytes({1, 2, 0, 0, 0}));
  EXPECT_EQ(seen_value_, Bytes({3, 0, 0}));
  EXPECT_EQ(seen_number_, 0x123456789ABCDEF0u);
  result_ = static_cast<uint64_t>(int64_t{-4096});  // Nor is what lies below the errnos.
  out = Run(HelperUpdate{{0}, {1}, {2}, 0});
  EXPECT_EQ(out.error, Errno::kNone);
  EXPECT_EQ(out.result, -4096);
  result_ = 0xFFFFFFF9;  // -7 cut to 32 bits is no errno.
  out = Run(HelperUpdate{{0}, {1}, {2}, 0});
  EXPECT_EQ(out.error, Errno::kNone);
  EXPECT_EQ(out.result, 0xFFFFFFF9);
}

TEST_F(HelperProgramTest, AHeldPointerIsReadAfterTheCall) {
  for (const Case& c : Cases()) {
    for (const bool update : {false, true}) {
      Make(c);
      const auto helper = map_.helper;
      map_.helper = [this, helper](HelperId id, const uint64_t* a) {
        if (id != HelperId::kMapLookupElem) Fill(0x77);
        return helper(id, a);
      };
      Call call = HelperDelete{{0}, {1}, true};
      if (update) call = HelperUpdate{{0}, {1}, {2}, 0, true};
      const Outcome out = Run(call);
      EXPECT_EQ(std::get<Bytes>(out.output), WithoutLock(Numbered(c.value_size, 0x77)));
      found_ = false;
      EXPECT_EQ(std::get<Bytes>(Run(call).output), Poison(c.value_size));
      found_ = true;
    }
  }
}

TEST_F(HelperProgramTest, QueuesArePushedPoppedAndPeeked) {
  for (uint32_t size : {1u, 5u, 8u, 64u, 4096u}) {
    Make({0, size});
    EXPECT_TRUE(Run(HelperPush{{0}, Numbered(size, 9), 2}).ok());
    EXPECT_EQ(seen_value_, Numbered(size, 9));
    EXPECT_EQ(seen_number_, 2u);
    EXPECT_EQ(std::get<Bytes>(Run(HelperPop{{0}}).output), Element());
    result_ = static_cast<uint64_t>(int64_t{-2});
    const Outcome out = Run(HelperPeek{{0}});
    EXPECT_EQ(out.error, Errno::kENOENT);
    EXPECT_EQ(std::get<Bytes>(out.output), Element());
    result_ = 0;
  }
}

TEST_F(HelperProgramTest, AHelperThatWritesTooMuchIsSeen) {
  Make({0, 5});
  map_.helper = [](HelperId, const uint64_t* a) -> uint64_t {
    std::memset(reinterpret_cast<void*>(a[1]), 0x11, 6);
    return 0;
  };
  EXPECT_EQ(Run(HelperPop{{0}}).completion, Completion::kOverran);
}

TEST_F(HelperProgramTest, AHelperThatWritesToItsInputsIsSeen) {
  Make({4, 4});
  map_.helper = [](HelperId, const uint64_t* a) -> uint64_t {
    ++*reinterpret_cast<uint8_t*>(a[1]);
    return 0;
  };
  EXPECT_EQ(Run(HelperDelete{{0}, {1}}).completion, Completion::kOverran);
  map_.helper = [](HelperId, const uint64_t* a) -> uint64_t {
    ++*reinterpret_cast<uint8_t*>(a[2]);
    return 0;
  };
  EXPECT_EQ(Run(HelperUpdate{{0}, {1}, {2}, 0}).completion, Completion::kOverran);
}

TEST_F(HelperProgramTest, AWalkNotesElementsUntilItsLimit) {
  for (const Case& c : Cases()) {
    SCOPED_TRACE(testing::Message() << c.key_size << " " << c.value_size << " " << c.lock_offset);
    Make(c);
    Outcome out = Run(HelperForEach{{0}, 0, 5});
    EXPECT_EQ(out.result, 3);
    EXPECT_EQ(seen_number_, 5u);
    const BatchOutput& all = *std::get<Boxed<BatchOutput>>(out.output);
    ASSERT_EQ(all.count, 3u);
    for (uint32_t i = 0; i < 3; ++i) {
      EXPECT_EQ(all.keys.Slice(size_t{i} * c.key_size, c.key_size),
                Numbered(c.key_size, static_cast<uint8_t>(i)));
      EXPECT_EQ(all.values.Slice(size_t{i} * c.value_size, c.value_size), WithoutLock(Element()));
    }
    out = Run(HelperForEach{{0}, 2, 0});
    EXPECT_EQ(out.result, 2);
    EXPECT_EQ((*std::get<Boxed<BatchOutput>>(out.output)).count, 2u);
  }
}

TEST_F(HelperProgramTest, AWalkNotesNoMoreThanThereIsRoomFor) {
  elements_ = 100;
  Make({4, 4});
  const Outcome out = Run(HelperForEach{{0}, 0, 0});
  EXPECT_EQ(out.result, 100);
  EXPECT_EQ((*std::get<Boxed<BatchOutput>>(out.output)).count, kMaxForEachNoted);
  Make({kMaxKey, kMaxValue});
  EXPECT_EQ((*std::get<Boxed<BatchOutput>>(Run(HelperForEach{{0}, 0, 0}).output)).count,
            kMaxNotesSize / (kMaxKey + kMaxValue));
}

TEST_F(HelperProgramTest, ALookupOfACpuPassesIt) {
  Make({4, 4});
  EXPECT_TRUE(Run(HelperLookupPercpu{{0}, {1}, 0xFFFFFFFF}).ok());
  EXPECT_EQ(seen_number_, 0xFFFFFFFFu);
}

TEST_F(HelperProgramTest, ALookupInAnInnerMapGoesThroughTheOuterOne) {
  for (const bool store : {false, true}) {
    Make({4, 12, 4});
    // The element is the inner map's; the outer map gives a number that stands for that map.
    shape_ = {MapType::HASH_OF_MAPS, 5, 4};
    shape_.SetInner({MapType::HASH, 7, 12, 4});
    constexpr uint64_t kInnerMap = 0x1777;
    uint32_t lookups = 0;
    Bytes outer_key, inner_key;
    map_.helper = [&](HelperId, const uint64_t* a) -> uint64_t {
      const bool outer = ++lookups == 1;
      (outer ? outer_key : inner_key) =
          Bytes(reinterpret_cast<const void*>(a[1]), outer ? 5u : 7u);
      return outer ? kInnerMap : reinterpret_cast<uint64_t>(element_.data());
    };
    engine_ = MakeTestInterpreter(&map_);
    const Bytes value = Numbered(12, 0x91);
    const HelperLookupInner lookup{{0}, Numbered(5, 3), Numbered(7, 9), store, value};
    const Outcome out = Run(lookup);
    EXPECT_TRUE(out.ok());
    EXPECT_EQ(lookups, 2u);
    EXPECT_EQ(outer_key, lookup.key);
    EXPECT_EQ(inner_key, lookup.inner_key);
    const Bytes read = std::get<Bytes>(out.output);
    EXPECT_EQ(read.Slice(0, 4), Numbered(12, 0x21).Slice(0, 4));
    EXPECT_EQ(read.Slice(4, 4), Bytes(4)) << "the lock";
    const Bytes now(element_.data(), 12);
    EXPECT_EQ(now.Slice(8, 4), (store ? value : Numbered(12, 0x21)).Slice(8, 4));
    EXPECT_EQ(now.Slice(4, 4), Numbered(12, 0x21).Slice(4, 4)) << "the lock";
  }
}

TEST_F(HelperProgramTest, WhereThereIsNoInnerMapThereIsOneLookup) {
  Make({4, 4});
  shape_ = {MapType::ARRAY_OF_MAPS, 4, 4};
  shape_.SetInner({MapType::ARRAY, 4, 9, -1});
  found_ = false;
  const Outcome out = Run(HelperLookupInner{{0}, {1}, {2}, true, {3}});
  EXPECT_EQ(out.error, Errno::kENOENT);
  EXPECT_EQ(std::get<Bytes>(out.output), Poison(9));
  EXPECT_EQ(map_.calls.size(), 1u);
}

TEST_F(HelperProgramTest, OneProgramDoesWhatItsRecordNames) {
  Make({4, 8, 4});
  const auto span = ActionsTogether(shape_);
  const std::vector<HelperAction> actions(span.begin(), span.end());
  EXPECT_EQ(actions.size(), 8u);
  const std::vector<std::pair<Call, std::vector<HelperId>>> expected = {
      {HelperLookup{{0}, {1}, false, {}}, {HelperId::kMapLookupElem}},
      {HelperUpdate{{0}, {1}, {2}, 0}, {HelperId::kMapUpdateElem}},
      {HelperUpdate{{0}, {1}, {2}, 0, true}, {HelperId::kMapLookupElem, HelperId::kMapUpdateElem}},
      {HelperDelete{{0}, {1}}, {HelperId::kMapDeleteElem}},
      {HelperDelete{{0}, {1}, true}, {HelperId::kMapLookupElem, HelperId::kMapDeleteElem}},
      {HelperLookup{{0}, {1}, true, {}, true},
       {HelperId::kMapLookupElem, HelperId::kSpinLock, HelperId::kSpinUnlock}}};
  for (const auto& [call, calls] : expected) {
    map_.calls.clear();
    EXPECT_TRUE(Run(call, actions).ok());
    EXPECT_EQ(map_.calls, calls);
  }
}

// librte_bpf's validator walks every path; Linux up to 6.x counts instructions over all of them.
TEST_F(HelperProgramTest, PathsGrowWithTheActionsAndNotWithTheirProduct) {
  Make({4, 4, 0});
  const auto actions = ActionsTogether(shape_);
  const Program program = MakeHelperProgram(shape_, actions);
  const auto jumps = std::count_if(
      program.instructions.begin(), program.instructions.end(), [](const bpf_insn& in) {
        return BPF_CLASS(in.code) == BPF_JMP && BPF_OP(in.code) != BPF_CALL &&
               BPF_OP(in.code) != BPF_EXIT;
      });
  // Two for the record, and for each action one to choose it and one for NULL.
  EXPECT_LE(static_cast<size_t>(jumps), 2 + 2 * actions.size());
  EXPECT_LT(program.instructions.size(), 400u);
}

TEST(ControlBlock, RecordsLieOneBehindTheOther) {
  for (uint32_t size = 0; size < 70; ++size) {
    const ControlLayout layout = LayOut({MapType::HASH, size, 70 - size}, RecordForm::kElement);
    EXPECT_EQ(layout.key % 8 + layout.value % 8 + layout.output % 8 + layout.stride % 8, 0u);
    EXPECT_GE(layout.value, layout.key + size);
    EXPECT_GE(layout.stride, layout.output + 70 - size + kGuardSize);
    EXPECT_EQ(layout.OffsetOf(1) - layout.OffsetOf(0), layout.stride);
    EXPECT_LE(layout.control_size, kUsualControlSize);
    EXPECT_EQ(layout.records, kMaxRecords);
  }
  EXPECT_EQ(LayOut({MapType::HASH, kMaxKey, kMaxValue}, RecordForm::kElement).records, 1u);
}

}  // namespace
}  // namespace mapspec
