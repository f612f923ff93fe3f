// SPDX-License-Identifier: MIT
#include "oracle/expectation.h"

namespace mapspec {

std::string Expectation::ToString() const {
  if (anything) return "anything";
  std::string text;
  for (uint8_t i = 0; i < count; ++i) {
    if (!text.empty()) text += " or ";
    text += alternatives[i].error == Errno::kNone ? "success" : ErrnoName(alternatives[i].error);
  }
  if (output != nullptr && AllowsSuccess()) text += " with " + output->ToHex();
  return text;
}

}  // namespace mapspec
