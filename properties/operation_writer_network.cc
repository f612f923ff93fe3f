// SPDX-License-Identifier: MIT
//
// Sockets, and frames that are redirected to them.
//
// Most scripts have no network: their sockets are bound to nothing, and programs that redirect run
// on no device's frame. The others bind sockets to queues and send frames, so that what programs
// are told and what arrives can be compared.
#include <algorithm>

#include "properties/edge_values.h"
#include "properties/operation_writer.h"

namespace mapspec {

bool OperationWriter::UsesSockets(std::span<const ScriptGenerator::Kind> kinds) {
  return std::any_of(kinds.begin(), kinds.end(),
                     [](const ScriptGenerator::Kind& kind) { return kind.kind->of_sockets; });
}

Handle OperationWriter::SocketSlot(uint64_t socket) {
  return Handle{static_cast<uint16_t>(GeneratorWorld::kHandles + socket)};
}

Handle OperationWriter::DrawDescriptor(const Quirks& quirks) {
  const uint64_t first = entropy_.Below(GeneratorWorld::kSockets);
  if (quirks.other || entropy_.OneIn(16)) {
    switch (entropy_.Below(4)) {
      case 0:
        return kBadFd;
      case 1:
        return kNotAMap;
      case 2:
        return Handle{static_cast<uint16_t>(entropy_.Below(GeneratorWorld::kHandles))};
      default:
        return SocketSlot(first);
    }
  }
  for (uint64_t i = 0; i < GeneratorWorld::kSockets; ++i) {
    const uint64_t socket = (first + i) % GeneratorWorld::kSockets;
    if (world_.sockets[socket].live) return SocketSlot(socket);
  }
  return SocketSlot(first);
}

void OperationWriter::ToggleSocket() {
  using Kind = SocketOpen::Kind;
  const uint64_t socket = entropy_.Below(GeneratorWorld::kSockets);
  SocketFacts& facts = world_.sockets[socket];
  if (facts.live && !entropy_.OneIn(4)) {
    Add<Close>().map = SocketSlot(socket);
    facts.live = false;
    return Check();
  }
  static constexpr Kind kLoose[] = {Kind::kXdpUnbound, Kind::kXdpUnbound, Kind::kXdpUnbound,
                                    Kind::kXdpBare,    Kind::kUdp,        Kind::kTcp};
  SocketFacts opened{true, entropy_.Pick(kLoose), 0, 0};
  if (has_network_ && !entropy_.OneIn(4)) {
    opened.kind = Kind::kXdp;
    opened.device = entropy_.Below32(kNetDevices);
    opened.queue = entropy_.Below32(kNetQueues);
    // A queue takes one socket at a time.
    for (const SocketFacts& other : world_.sockets) {
      if (other.live && other.kind == Kind::kXdp && other.device == opened.device &&
          other.queue == opened.queue) {
        opened.kind = Kind::kXdpUnbound;
      }
    }
  }
  SocketOpen& op = Add<SocketOpen>();
  op.result = SocketSlot(socket);
  op.kind = opened.kind;
  op.device = opened.device;
  op.queue = opened.queue;
  facts = opened;
  Check();
}

uint32_t OperationWriter::RedirectKey(const MapFacts& map) {
  // Each key makes another program: few, mostly.
  return entropy_.OneIn(2) ? entropy_.Below32(2) : DrawKeyIndex(entropy_, map);
}

uint64_t OperationWriter::RedirectFlags(const Quirks& quirks) {
  if (quirks.flags) return AnyFlags(entropy_);
  static constexpr uint64_t kMissActions[] = {0, 2, 2, 2, 1, 3};
  return entropy_.Pick(kMissActions);
}

void OperationWriter::SendSomeFrames(uint16_t slot) {
  const MapFacts& map = world_.handles[slot].map;
  if (!has_network_) return Element(Action::kUpdate, slot);
  const Quirks quirks = DrawQuirks();
  const uint64_t first = entropy_.Below(GeneratorWorld::kSockets);
  SendFrames& op = Add<SendFrames>();
  op.map = PickHandle(slot, quirks);
  op.key = RedirectKey(map);
  op.flags = RedirectFlags(quirks);
  op.device = entropy_.Below32(kNetDevices);
  op.queue = entropy_.Below32(kNetQueues);
  // Where somebody listens, mostly.
  const SocketFacts& facts = world_.sockets[first];
  if (facts.live && facts.kind == SocketOpen::Kind::kXdp && !entropy_.OneIn(4)) {
    op.device = facts.device;
    op.queue = facts.queue;
  }
  op.count = entropy_.OneIn(8) ? entropy_.Below32(kMaxFrames + 1) : 1 + entropy_.Below32(4);
  MakeValue(entropy_, entropy_.OneIn(16) ? kMaxPayload : entropy_.Below32(9), &op.payload);
  Check();
  for (uint64_t i = 0; i < GeneratorWorld::kSockets && !full(); ++i) {
    if (entropy_.OneIn(3)) continue;
    const uint64_t socket = (first + i) % GeneratorWorld::kSockets;
    if (!world_.sockets[socket].live && !entropy_.OneIn(16)) continue;
    Add<ReceiveFrames>().socket = SocketSlot(socket);
    Check();
  }
}

}  // namespace mapspec
