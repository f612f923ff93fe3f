// SPDX-License-Identifier: MIT
#include "oracle/frame.h"

#include <algorithm>
#include <vector>

namespace mapspec {

Bytes MakeFrame(uint32_t device, uint32_t number, const Bytes& payload) {
  std::vector<uint8_t> frame;
  frame.reserve(kFrameHeader + payload.size());
  for (const MacAddress& address : {ReceiverAddress(device), SenderAddress(device)}) {
    frame.insert(frame.end(), address.begin(), address.end());
  }
  frame.push_back(kOurEtherType >> 8);
  frame.push_back(kOurEtherType & 0xff);
  for (uint32_t shift = 0; shift < 32; shift += 8) {
    frame.push_back(static_cast<uint8_t>(number >> shift));
  }
  frame.insert(frame.end(), payload.data(), payload.data() + payload.size());
  return Bytes(frame.data(), frame.size());
}

}  // namespace mapspec
