// SPDX-License-Identifier: MIT
//
// Sockets and frames as the checker judges them; what scenarios cannot say: the bytes of frames and
// their order, operations that could not be carried out, lifetimes.
#include <gtest/gtest.h>

#include <vector>

#include "oracle/checker.h"
#include "oracle/clauses.gen.h"
#include "oracle/frame.h"
#include "oracle/outcome_test_support.h"

namespace mapspec {
namespace {

using Kind = Judgement::Kind;
using X = clause::xskmap;

const Handle kXskMap{0}, kSocket{1}, kOtherSocket{2};

Outcome ToStack(uint32_t count) {
  Outcome outcome;
  outcome.output = count;
  return outcome;
}
Outcome Action(int64_t action) {
  Outcome outcome;
  outcome.result = action;
  return outcome;
}
Outcome NotCarriedOut() {
  Outcome outcome;
  outcome.completion = Completion::kNotRun;
  return outcome;
}
Outcome Frames(const std::vector<Bytes>& frames) {
  Boxed<BatchOutput> output;
  output->count = static_cast<uint32_t>(frames.size());
  for (const Bytes& frame : frames) output->values.Append(frame);
  Outcome outcome;
  outcome.output = output;
  return outcome;
}

class NetworkRulesTest : public testing::Test {
 protected:
  void SetUp() override {
    MapCreate create;
    create.result = kXskMap;
    create.type = MapType::XSKMAP;
    create.max_entries = 4;
    ASSERT_EQ(See(create, Ok()).kind, Kind::kConforms);
    Open(kSocket, 0);
    Open(kOtherSocket, 1);
  }
  Judgement See(Call call, const Outcome& outcome) {
    return checker_.Step({std::move(call)}, outcome);
  }
  void Open(Handle socket, uint32_t queue) {
    ASSERT_EQ(See(SocketOpen{socket, SocketOpen::Kind::kXdp, 0, queue}, Ok()).kind,
              Kind::kConforms);
  }
  void Put(uint64_t key, Handle socket) {
    Update update;
    update.map = kXskMap;
    update.key.bytes = Key(key);
    update.value_fd = socket;
    ASSERT_EQ(See(update, Ok()).kind, Kind::kConforms);
  }
  Judgement Send(uint32_t key, uint64_t flags, uint32_t count, const Outcome& outcome) {
    return See(SendFrames{kXskMap, key, flags, 0, 0, count, Bytes{7}}, outcome);
  }
  static Bytes Frame(uint32_t number) { return MakeFrame(0, number, Bytes{7}); }

  Checker checker_{NewestLinuxProfile(), Environment{}};
};

TEST_F(NetworkRulesTest, AFrameHasItsAddressesTypeNumberAndPayload) {
  EXPECT_EQ(MakeFrame(1, 0x0102, Bytes{0xaa, 0xbb}),
            (Bytes{2, 0, 0, 0, 1, 1, 2, 0, 0, 0, 1, 2, 0x88, 0xb5, 2, 1, 0, 0, 0xaa, 0xbb}));
}

TEST_F(NetworkRulesTest, FramesMustBeWholeAndInOrderAndComeOnce) {
  Put(0, kSocket);
  ASSERT_EQ(Send(0, 0, 2, ToStack(0)).kind, Kind::kConforms);
  Bytes damaged = Frame(1);
  damaged[damaged.size() - 1] ^= 1;
  const std::vector<std::vector<Bytes>> wrong = {
      {Frame(1), Frame(0)}, {Frame(0), damaged}, {Frame(0)}, {Frame(0), Frame(1), Frame(1)}, {}};
  for (const std::vector<Bytes>& frames : wrong) {
    Checker copy = checker_;
    const Judgement judgement = copy.Step({ReceiveFrames{kSocket}}, Frames(frames));
    EXPECT_EQ(judgement.kind, Kind::kViolation) << frames.size();
    EXPECT_EQ(judgement.violated, X::frames_delivered);
  }
  EXPECT_EQ(See(ReceiveFrames{kSocket}, Frames({Frame(0), Frame(1)})).kind, Kind::kConforms);
  EXPECT_EQ(See(ReceiveFrames{kSocket}, Frames({})).kind, Kind::kConforms);
}

TEST_F(NetworkRulesTest, AFrameInAnotherSocketIsAViolation) {
  Put(0, kSocket);
  ASSERT_EQ(Send(0, 0, 1, ToStack(0)).kind, Kind::kConforms);
  EXPECT_EQ(See(ReceiveFrames{kOtherSocket}, Frames({Frame(0)})).violated,
            X::frames_no_other_socket);
}

TEST_F(NetworkRulesTest, AFrameThatGoesToTheStackAsWellIsAViolation) {
  Put(0, kSocket);
  EXPECT_EQ(Send(0, 2, 3, ToStack(1)).violated, X::frames_delivered);
  EXPECT_EQ(Send(1, 2, 3, ToStack(2)).violated, X::frames_empty_passes);
  EXPECT_EQ(Send(1, 1, 3, ToStack(1)).violated, X::frames_empty_drops);
}

TEST_F(NetworkRulesTest, AfterFramesThatMayHaveBeenSentNothingIsSaidOfWhatArrives) {
  Put(0, kSocket);
  EXPECT_EQ(Send(0, 0, 1, NotCarriedOut()).kind, Kind::kUnjudged);
  EXPECT_EQ(See(ReceiveFrames{kSocket}, Frames({Frame(0)})).kind, Kind::kUnjudged);
}

TEST_F(NetworkRulesTest, AnActionOfAnotherSlotIsAViolation) {
  Put(0, kSocket);
  EXPECT_EQ(See(HelperRedirectMap{kXskMap, 0, 2}, Action(2)).violated, X::redirect_map_hit);
  EXPECT_EQ(See(HelperRedirectMap{kXskMap, 1, 2}, Action(4)).violated, X::redirect_map_miss);
  EXPECT_EQ(See(HelperRedirectMap{kXskMap, 0, 4}, Action(4)).violated,
            X::redirect_map_unknown_flags);
}

TEST_F(NetworkRulesTest, ASocketThatClosesLeavesItsSlotsAndLetsTheMapGo) {
  Put(0, kSocket);
  Put(3, kSocket);
  Boxed<MapInfo> info;
  info->type = static_cast<uint32_t>(MapType::XSKMAP);
  info->id = 77;
  info->key_size = info->value_size = info->max_entries = 4;
  info->info_len = 88;
  Outcome told;
  told.output = info;
  ASSERT_EQ(See(GetInfo{kXskMap}, told).kind, Kind::kConforms);
  ASSERT_EQ(See(Close{kXskMap}, Ok()).kind, Kind::kConforms);
  const GetFdById again{Handle{4}, kXskMap};
  EXPECT_EQ(See(again, Error(Errno::kENOENT)).kind, Kind::kViolation);
  ASSERT_EQ(See(again, Ok()).kind, Kind::kConforms);
  ASSERT_EQ(See(Close{again.result}, Ok()).kind, Kind::kConforms);
  ASSERT_EQ(See(Close{kSocket}, Ok()).kind, Kind::kConforms);
  EXPECT_EQ(See(again, Ok()).violated, clause::generic::close_deletes_map);
  EXPECT_EQ(See(again, Error(Errno::kENOENT)).kind, Kind::kConforms);
}

}  // namespace
}  // namespace mapspec
