// SPDX-License-Identifier: MIT
//
// Sockets, frames and what programs do with them (oracle/operation.h, "Sockets and frames"). A
// frame goes where bpf_redirect_map() says, and a socket takes only frames of its own queue.
#include <algorithm>
#include <string>
#include <vector>

#include "oracle/checker_state.h"
#include "oracle/frame.h"
#include "oracle/model_visit.h"

namespace mapspec {
namespace {

using X = clause::xskmap;
using Settled = Checker::State::Settled;

constexpr uint32_t kXdpPass = 2;               // enum xdp_action.
constexpr uint64_t kNoDescriptors = 1u << 30;  // No process has descriptors from here on (NR_OPEN).

bool IsXdp(SocketOpen::Kind kind) {
  return kind != SocketOpen::Kind::kUdp && kind != SocketOpen::Kind::kTcp;
}

bool IsBoundTo(const SocketState& socket, uint32_t device, uint32_t queue) {
  return socket.open && socket.opened.kind == SocketOpen::Kind::kXdp &&
         socket.opened.device == device && socket.opened.queue == queue;
}

std::string ActionIs(int64_t action) {
  static constexpr const char* kNames[] = {"XDP_ABORTED", "XDP_DROP", "XDP_PASS", "XDP_TX",
                                           "XDP_REDIRECT"};
  return "the action " + std::to_string(action) +
         (action >= 0 && action < 5 ? std::string(", ") + kNames[action] : std::string());
}

std::string FramesAre(uint32_t count, const Bytes& frames) {
  return std::to_string(count) + " frames" + (count == 0 ? "" : ", " + frames.ToHex());
}

// What becomes of frames whose slot is empty or whose flags are unknown, or whose socket cannot
// take them.
ClauseId ClauseOfLost(const XskRedirect& redirect, const SocketState* socket) {
  if (socket != nullptr) {
    return socket->opened.kind == SocketOpen::Kind::kXdp ? X::frames_other_queue
                                                         : X::frames_unbound;
  }
  if (redirect.clause != X::redirect_map_miss) return redirect.clause;
  return redirect.action == kXdpPass ? X::frames_empty_passes : X::frames_empty_drops;
}

}  // namespace

XskDescriptor Checker::State::DescriptorOf(const Update& op) const {
  using Kind = XskDescriptor::Kind;
  if (op.value_fd == kNoFd) {
    Bytes number = op.value.bytes;
    number.Resize(4);
    return {number.ToNumber() >= kNoDescriptors ? Kind::kClosed : Kind::kUnknown, 0, false, false};
  }
  const HandleState& handle = world.At(op.value_fd);
  if (handle.kind == HandleState::Kind::kClosed) return {Kind::kClosed, 0, false, false};
  if (!handle.socket.has_value()) return {Kind::kNoSocket, 0, false, false};
  const SocketOpen::Kind kind = world.socket(*handle.socket).opened.kind;
  return {IsXdp(kind) ? Kind::kXdp : Kind::kOtherSocket, *handle.socket,
          kind != SocketOpen::Kind::kXdpBare, kind == SocketOpen::Kind::kXdp};
}

void Checker::State::On(const SocketOpen& op, const Outcome& outcome) {
  bool queue_taken = false;
  for (const SocketState& other : world.sockets()) {
    queue_taken |= op.kind == SocketOpen::Kind::kXdp && IsBoundTo(other, op.device, op.queue);
  }
  const bool unpromised = queue_taken || caller == Caller::kUnprivileged;
  Settle(unpromised       ? Expectation::Anything()
         : IsXdp(op.kind) ? Expectation::Succeeds(X::socket_binds)
                          : Expectation::Succeeds(clause::generic::call_returns),
         outcome, nullptr);
  if (outcome.completion == Completion::kNotRun) return;
  if (!outcome.ok()) return world.Fill(op.result, std::nullopt);
  world.Fill(op.result,
             HandleState{.kind = HandleState::Kind::kOther, .socket = world.AddSocket(op)});
}

void Checker::State::On(const SendFrames& op, const Outcome& outcome) {
  const auto anything_may_have_come = [this] {
    for (SocketState& socket : world.sockets()) socket.doubtful = true;
  };
  // What could not be done to its end may have been begun.
  if (outcome.completion == Completion::kNotRun) anything_may_have_come();
  if (!SettleLoad(op.map, {.helper = ProgramUse::Helper::kRedirect}, outcome)) {
    if (outcome.ok()) anything_may_have_come();
    return;
  }
  MapState* map = world.MapOfOrNull(op.map);
  const XskRedirect redirect = std::get<XskMapModel>(map->model).Redirect(op.key, op.flags);
  SocketState* socket = redirect.socket.has_value() ? &world.socket(*redirect.socket) : nullptr;
  const bool delivered = socket != nullptr && IsBoundTo(*socket, op.device, op.queue);
  const ClauseId clause = delivered ? X::frames_delivered : ClauseOfLost(redirect, socket);
  Expectation expected = Expectation::Succeeds(clause);
  expected.Also(X::frames_any_key, delivered && op.key != op.queue)
      .Also(X::socket_close_empties, redirect.left);
  if (Settle(expected, outcome, map) != Settled::kSucceeded) {
    return anything_may_have_come();
  }
  for (SocketState& other : world.sockets()) {
    if (other.frames.empty()) other.why = X::frames_no_other_socket;
  }
  if (socket != nullptr) socket->why = clause;
  for (uint32_t i = 0; delivered && i < op.count; ++i) {
    if (socket->frames.size() == kSocketFrames) {
      socket->why = X::frames_no_room;
      break;
    }
    socket->frames.push_back(MakeFrame(op.device, i, op.payload));
  }
  const uint32_t to_stack = redirect.action == kXdpPass ? op.count : 0;
  const auto* told = std::get_if<uint32_t>(&outcome.output);
  if (told != nullptr && *told == to_stack) return;
  Compare({clause, std::to_string(to_stack) + " frames go up to the stack",
           told == nullptr ? "no number" : std::to_string(*told)},
          map);
}

void Checker::State::On(const ReceiveFrames& op, const Outcome& outcome) {
  const std::optional<uint32_t> index = world.At(op.socket).socket;
  SocketState* socket = index.has_value() ? &world.socket(*index) : nullptr;
  if (socket != nullptr && socket->doubtful) {
    Settle(Expectation::Anything(), outcome, nullptr);
    return;
  }
  // Of what is no socket, or got nothing, there is nothing to receive.
  const ClauseId clause =
      socket != nullptr && socket->why != kNoClause ? socket->why : X::frames_no_other_socket;
  if (Settle(Expectation::Succeeds(clause), outcome, nullptr) != Settled::kSucceeded) return;
  std::vector<Bytes> frames;
  if (socket != nullptr) frames.swap(socket->frames);
  Bytes expected;
  for (const Bytes& frame : frames) {
    const size_t end = expected.size();
    expected.Resize(end + frame.size());
    std::copy(frame.data(), frame.data() + frame.size(), expected.data() + end);
  }
  const BatchOutput& got = OutputBatch(outcome);
  if (got.count == frames.size() && got.values == expected) return;
  Compare({clause, FramesAre(static_cast<uint32_t>(frames.size()), expected),
           FramesAre(got.count, got.values)},
          nullptr);
  if (judgement.kind == Judgement::Kind::kViolation) judgement.expected_bytes = expected;
}

void Checker::State::On(const HelperRedirectMap& op, const Outcome& outcome) {
  if (!SettleLoad(op.map, {.helper = ProgramUse::Helper::kRedirect}, outcome)) return;
  MapState* map = world.MapOfOrNull(op.map);
  const XskRedirect redirect = std::get<XskMapModel>(map->model).Redirect(op.key, op.flags);
  Outcome returned = outcome;
  returned.result = 0;  // Of an action that is not 0 nothing else is to be said.
  const ClauseId clause = redirect.left ? X::socket_close_empties : redirect.clause;
  if (Settle(Expectation::Succeeds(clause), returned, map) != Settled::kSucceeded) return;
  if (outcome.result == redirect.action) return;
  Compare({clause, ActionIs(redirect.action), ActionIs(outcome.result)}, map);
}

}  // namespace mapspec
