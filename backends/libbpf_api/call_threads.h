// SPDX-License-Identifier: MIT
//
// On which thread and which CPU the calls of a session are made (Operation::thread, ::cpu). Calls
// follow one another whatever their thread: whoever asks for one waits until it is done.
//
// Ownership: a CallThreads owns its threads, which end with it. Errors: a sentence for a call that
// cannot be made there. Thread-safety: one thread at a time, always the same: it is thread 0.
#ifndef BACKENDS_LIBBPF_API_CALL_THREADS_H_
#define BACKENDS_LIBBPF_API_CALL_THREADS_H_

#include <sched.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "oracle/operation.h"

namespace mapspec {

// Where the calling thread runs. Made, used and destroyed by the thread it is about.
class CpuPin {
 public:
  // What moves the calling thread instead of sched_setaffinity(2): to a CPU, or back (-1); not 0
  // where there is no such CPU. nullptr: it is really moved.
  using Move = int (*)(int cpu);

  explicit CpuPin(Move move = nullptr) : move_(move) {}
  ~CpuPin() { Release(); }
  CpuPin(const CpuPin&) = delete;
  CpuPin& operator=(const CpuPin&) = delete;

  // Moves the thread to the CPU, or back to those it had (kAnyCpu). False after filling *problem.
  bool Set(uint16_t cpu, std::string* problem);
  // Back to the CPUs that the thread had.
  void Release();
  bool IsAt(uint16_t cpu) const { return cpu == cpu_; }

 private:
  Move move_;
  uint16_t cpu_ = kAnyCpu;
  cpu_set_t before_ = {};  // Meaningless while cpu_ is kAnyCpu.
};

class CallThreads {
 public:
  explicit CallThreads(CpuPin::Move move = nullptr);
  ~CallThreads();

  // Calls `call` on the thread (0: the caller's own) and CPU, and returns when it is done. False
  // after filling *problem when that cannot be, and then it is not called.
  template <typename Function>
  bool Run(uint8_t thread, uint16_t cpu, Function call, std::string* problem) {
    if (thread == 0) {
      if (!own_.Set(cpu, problem)) return false;
      call();
      return true;
    }
    const Task task{[](void* argument) { (*static_cast<Function*>(argument))(); }, &call};
    return RunElsewhere(thread, cpu, task, problem);
  }
  // Whether nothing has to be done for thread 0, which is the caller's, to be on that CPU.
  bool IsAt(uint16_t cpu) const { return own_.IsAt(cpu); }
  // Gives thread 0, which is the caller's, its CPUs back.
  void Release() { own_.Release(); }

 private:
  class Worker;
  struct Task {
    void (*function)(void*);
    void* argument;
  };
  bool RunElsewhere(uint8_t thread, uint16_t cpu, Task task, std::string* problem);

  CpuPin::Move move_;
  CpuPin own_;
  std::array<std::unique_ptr<Worker>, kMaxThreads> workers_;
};

}  // namespace mapspec

#endif  // BACKENDS_LIBBPF_API_CALL_THREADS_H_
