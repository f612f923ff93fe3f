// SPDX-License-Identifier: MIT
//
// A script as the calls of bpf(2) it comes down to, carried out in a plain loop: nothing is
// poisoned, recorded or judged. For benchmarks: what the suite costs on top is measured against
// this. Covers MAP_CREATE, the commands on single elements and FREEZE, with valid or NULL pointers,
// on maps whose elements are at most kMaxElement bytes long; CanRunBare tells. Thread-safety: one
// thread at a time for each object.
#ifndef RUNNERS_BARE_SCRIPT_H_
#define RUNNERS_BARE_SCRIPT_H_

#include <linux/bpf.h>

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "oracle/operation.h"

namespace mapspec {

bool CanRunBare(const Operation& operation);

class BareScript {
 public:
  static constexpr uint32_t kMaxElement = 256 * 1024;

  explicit BareScript(const Script& script);
  // Carries it out and closes what it opened.
  void Run();
  size_t size() const { return calls_.size(); }

 private:
  struct Call {
    uint32_t command;
    bpf_attr attr;
    uint16_t slot;    // Whose descriptor goes into the attribute.
    uint16_t result;  // Slot that the call fills, kMaxSlots for none.
  };
  uint64_t Input(const InBuffer& buffer);
  uint64_t Output(Pointer pointer);

  std::vector<Call> calls_;
  std::map<Bytes, std::unique_ptr<uint8_t[]>> inputs_;
  uint32_t padding_ = 0;
  std::unique_ptr<uint8_t[]> output_;
  std::vector<int> descriptors_;
};

}  // namespace mapspec

#endif  // RUNNERS_BARE_SCRIPT_H_
