// SPDX-License-Identifier: MIT
//
// For tests: a program engine that interprets the instructions of the subset (program.h), checks
// every one of them, and calls helpers that the test supplies. Whatever is not in the subset, and
// every access outside the control block, the element or the stack, is a failure of the test.
// Thread-safety: one thread at a time.
#ifndef BACKENDS_PROGRAM_TEST_INTERPRETER_H_
#define BACKENDS_PROGRAM_TEST_INTERPRETER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "backends/program/program_engine.h"

namespace mapspec {

// What stands behind the programs of one engine. Its owner is the test.
struct TestMap {
  // r1 to r5 in, r0 out; of calls on the subject.
  std::function<uint64_t(HelperId helper, const uint64_t* arguments)> helper;
  // Memory of elements that programs may touch.
  std::vector<std::span<uint8_t>> elements;
  // What Load answers; a program when `refused` is kNone and `unable` empty.
  std::function<Errno(const Program&)> refused = [](const Program&) { return Errno::kNone; };
  std::string unable;
  // Set by Load: calls the callback of the program that was loaded last.
  std::function<uint64_t(const void* key, const void* value)> call_back;
  // How many runs a call of Run makes before it says that it was interrupted.
  uint32_t runs_before_interrupt = UINT32_MAX;

  // What happened.
  uint32_t loads = 0, unloads = 0, runs = 0, control_maps = 0;
  std::vector<int> fds;             // Of the loads.
  std::vector<HelperId> calls;      // On the subject.
  uint32_t longest_run = 0;         // Instructions.
  std::vector<std::string> faults;  // What a program must not do.
};

std::unique_ptr<ProgramEngine> MakeTestInterpreter(TestMap* map);

}  // namespace mapspec

#endif  // BACKENDS_PROGRAM_TEST_INTERPRETER_H_
