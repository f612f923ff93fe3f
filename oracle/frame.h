// SPDX-License-Identifier: MIT
//
// The frames of SendFrames (oracle/operation.h), byte for byte: destination and source address,
// EtherType, the frame's number in its SendFrames in 4 bytes (little endian), payload.
// Pure functions, constant data: any thread may use them.
#ifndef ORACLE_FRAME_H_
#define ORACLE_FRAME_H_

#include <array>
#include <cstdint>

#include "oracle/bytes.h"
#include "oracle/operation.h"

namespace mapspec {

inline constexpr uint16_t kOurEtherType = 0x88B5;  // IEEE 802, for local experiments.

using MacAddress = std::array<uint8_t, 6>;
// Of the script's device, and of the other end of its wire; locally administered both.
constexpr MacAddress ReceiverAddress(uint32_t device) {
  return {0x02, 0, 0, 0, static_cast<uint8_t>(device), 1};
}
constexpr MacAddress SenderAddress(uint32_t device) {
  return {0x02, 0, 0, 0, static_cast<uint8_t>(device), 2};
}

// As it arrives on the device.
Bytes MakeFrame(uint32_t device, uint32_t number, const Bytes& payload);

// A socket's rings have room for so many frames that were not yet received.
inline constexpr uint32_t kSocketFrames = kMaxFrames;

}  // namespace mapspec

#endif  // ORACLE_FRAME_H_
