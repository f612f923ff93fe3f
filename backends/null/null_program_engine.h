// SPDX-License-Identifier: MIT
//
// Program engines that execute no instruction: they read from the control block which call a
// program is to make and write the answer there. For the null backends, whose sessions then do to
// that answer what they do to every other.
//
// Thread-safety: one thread at a time. Errors: as ProgramEngine says; nothing is verified.
#ifndef BACKENDS_NULL_NULL_PROGRAM_ENGINE_H_
#define BACKENDS_NULL_NULL_PROGRAM_ENGINE_H_

#include <memory>

#include "backends/program/program_engine.h"

namespace mapspec {

// Every call returns 0, and nothing is called.
std::unique_ptr<ProgramEngine> MakeIdleProgramEngine();
// The calls are made by the host itself, on the maps of backends/userspace.
std::unique_ptr<ProgramEngine> MakeDirectProgramEngine();

}  // namespace mapspec

#endif  // BACKENDS_NULL_NULL_PROGRAM_ENGINE_H_
