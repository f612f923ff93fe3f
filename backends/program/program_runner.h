// SPDX-License-Identifier: MIT
//
// ProgramRunner: carries out the helper calls of one session. It keeps the programs it loaded, one
// for several actions where that loads (ActionsTogether) and else one for each action; lays the
// arguments of calls that follow one another into the control block; runs the program once for all
// of them; and makes outcomes of what it finds.
//
// Programs belong to the slot through whose descriptor they were loaded. A loaded program keeps its
// map alive, so whoever closes or refills a slot must say so (Forget). What a slot without a map
// stands for (-1, a descriptor of something else) is loaded anew every time.
//
// Thread-safety: one thread at a time; programs run on the thread that calls Run. Errors: a program
// that is refused is an outcome (kRefused), what cannot be carried out another (kNotRun).
// Cost: no heap allocation for calls whose program is loaded, with keys and values up to 64 bytes.
#ifndef BACKENDS_PROGRAM_PROGRAM_RUNNER_H_
#define BACKENDS_PROGRAM_PROGRAM_RUNNER_H_

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "backends/program/control_block.h"
#include "backends/program/helper_program.h"
#include "backends/program/program_engine.h"
#include "oracle/operation.h"
#include "oracle/outcome.h"

namespace mapspec {

class ProgramRunner {
 public:
  explicit ProgramRunner(std::unique_ptr<ProgramEngine> engine);
  ~ProgramRunner();
  ProgramRunner(const ProgramRunner&) = delete;
  ProgramRunner& operator=(const ProgramRunner&) = delete;

  struct Subject {
    int fd = -1;
    uint16_t slot = kBadFd.slot;
    MapShape shape;
  };
  // All operations are of the program path and on this subject; one outcome each, in order.
  void Run(const Subject& subject, std::span<const Operation> operations,
           std::span<Outcome> outcomes);
  // Throws the slot's programs away.
  void Forget(uint16_t slot);
  // Those of every slot: when something happens to a map that changes what may be loaded for it.
  void ForgetAll() { slots_.clear(); }

 private:
  struct Loaded {
    bool tried = false;
    ControlLayout layout;
    ControlMap* control = nullptr;
    ProgramEngine::LoadResult result;
  };
  struct Programs {
    MapShape shape;
    Loaded together;
    std::array<Loaded, kHelperActions> alone;
  };

  Programs& ProgramsOf(const Subject& subject);
  const Loaded& LoadedFor(const Subject& subject, Programs& programs, HelperAction action);
  void Load(const Subject& subject, std::span<const HelperAction> actions, Loaded* loaded);
  // A control map with room for so many bytes; nullptr after filling *error.
  ControlMap* ControlFor(uint32_t size, std::string* error);
  static void RunRecords(const Loaded& loaded, const MapShape& shape,
                         std::span<const Operation> operations, std::span<Outcome> outcomes);

  // In this order: programs go before what they refer to.
  std::unique_ptr<ProgramEngine> engine_;
  std::vector<std::unique_ptr<ControlMap>> controls_;
  std::vector<std::unique_ptr<Programs>> slots_;
  std::unique_ptr<Programs> unkept_;
};

}  // namespace mapspec

#endif  // BACKENDS_PROGRAM_PROGRAM_RUNNER_H_
