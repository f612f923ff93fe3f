// SPDX-License-Identifier: MIT
//
// What loads and runs programs: the kernel (kernel/kernel_program_engine.h) or a VM
// (vm/vm_program_engine.h). One engine belongs to one session and is used by one thread at a time;
// programs run on the thread that calls Run. What an engine made must be destroyed before it.
#ifndef BACKENDS_PROGRAM_PROGRAM_ENGINE_H_
#define BACKENDS_PROGRAM_PROGRAM_ENGINE_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "backends/program/program.h"

namespace mapspec {

// Memory that programs see as the value of element 0 of an array map.
class ControlMap {
 public:
  virtual ~ControlMap() = default;
  // Zeroed when made; what either side writes, the other reads.
  virtual std::span<uint8_t> memory() = 0;
};

class LoadedProgram {
 public:
  virtual ~LoadedProgram() = default;
  // Runs it `repeat` times, one after the other. False after filling *problem when it could not be
  // run to its end; how often it ran then, the control block tells.
  virtual bool Run(uint32_t repeat, std::string* problem) = 0;
};

class ProgramEngine {
 public:
  virtual ~ProgramEngine() = default;

  // nullptr after filling *error.
  virtual std::unique_ptr<ControlMap> MakeControlMap(uint32_t size, std::string* error) = 0;

  struct LoadResult {
    std::unique_ptr<LoadedProgram> program;  // nullptr: refused or unable.
    // For kRefused: the errno of BPF_PROG_LOAD, and the verifier's last words.
    Errno refused = Errno::kNone;
    // Why, for a person. With `refused` kNone: the engine is unable to load such a program at all,
    // which says nothing about the map.
    std::string log;
  };
  virtual LoadResult Load(const Program& program, int map_fd, ControlMap& control) = 0;
};

}  // namespace mapspec

#endif  // BACKENDS_PROGRAM_PROGRAM_ENGINE_H_
