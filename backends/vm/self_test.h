// SPDX-License-Identifier: MIT
//
// Whether a VM does the subset of instructions (program/program.h) as it should: small programs
// with known answers and no maps. It runs before the VM is given any map, so that a VM's own
// failing is not taken for a map's. Takes less than a millisecond. Thread-safety: any thread.
// Source of the answers: Documentation/bpf/standardization/instruction-set.rst.
#ifndef BACKENDS_VM_SELF_TEST_H_
#define BACKENDS_VM_SELF_TEST_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "backends/vm/vm_engine.h"

namespace mapspec {

struct VmSelfTestCase {
  std::string_view name;
  VmCode code;
  uint64_t answer = 0;
  bool needs_callbacks = false;
};
const std::vector<VmSelfTestCase>& VmSelfTestCases();

// Runs all of them, each twice. "" or what went wrong first, with the name of the VM.
std::string TestVm(VmEngine& engine);

}  // namespace mapspec

#endif  // BACKENDS_VM_SELF_TEST_H_
