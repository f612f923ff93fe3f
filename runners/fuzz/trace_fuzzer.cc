// SPDX-License-Identifier: MIT
//
// The reader of traces, which come from strangers: what it takes, it must write again as the same,
// and the oracle must have a verdict on it.
#include <sstream>

#include "oracle/checker.h"
#include "oracle/profile.h"
#include "oracle/trace_json.h"
#include "runners/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mapspec;
  ParseError error;
  std::istringstream in{std::string(AsText(data, size))};
  const auto trace = ReadTrace(in, "input", &error);
  if (!trace) {
    Require(!error.message.empty(), "refused without a reason");
    return 0;
  }
  std::ostringstream out;
  WriteTrace(*trace, out);
  std::istringstream again(out.str());
  const auto copy = ReadTrace(again, "copy", &error);
  Require(copy.has_value(), "what was written is not read: " + error.ToString());
  Require(*copy == *trace, "what was written reads as something else");
  const Profile* const profile = FindProfile(trace->profile);
  Judge(*trace, profile != nullptr ? *profile : NewestLinuxProfile());
  return 0;
}
