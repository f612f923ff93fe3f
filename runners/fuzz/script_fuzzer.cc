// SPDX-License-Identifier: MIT
//
// The reader of scripts: what it takes, it must write again as the same, and so must the bytes that
// fuzzers change.
#include <sstream>

#include "oracle/trace_json.h"
#include "properties/script_decoder.h"
#include "runners/fuzz/fuzz_target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mapspec;
  ParseError error;
  std::istringstream in{std::string(AsText(data, size))};
  const auto script = ReadScript(in, "input", &error);
  if (!script) {
    Require(!error.message.empty(), "refused without a reason");
    return 0;
  }
  std::ostringstream out;
  WriteScript(*script, out);
  std::istringstream again(out.str());
  const auto copy = ReadScript(again, "copy", &error);
  Require(copy.has_value(), "what was written is not read: " + error.ToString());
  Require(*copy == *script, "what was written reads as something else");
  static ScriptDecoder decoder({}, ScriptLimits::None());
  std::vector<Operation> operations;
  decoder.Decode(EncodeScript(script->operations), &operations);
  Require(operations == script->operations, "what was encoded decodes as something else");
  return 0;
}
