// SPDX-License-Identifier: MIT
#include "backends/libbpf_api/call_threads.h"

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <system_error>
#include <thread>

namespace mapspec {
namespace {

bool NoSuchCpu(uint16_t cpu, std::string* problem) {
  *problem = "CPU " + std::to_string(cpu) + " is not online, or not allowed to this process";
  return false;
}

}  // namespace

bool CpuPin::Set(uint16_t cpu, std::string* problem) {
  if (cpu == cpu_) return true;
  if (cpu == kAnyCpu) {
    Release();
    return true;
  }
  if (move_ != nullptr) {
    if (move_(cpu) != 0) return NoSuchCpu(cpu, problem);
    cpu_ = cpu;
    return true;
  }
  if (cpu_ == kAnyCpu && sched_getaffinity(0, sizeof(before_), &before_) != 0) {
    *problem = std::string("sched_getaffinity: ") + std::strerror(errno);
    return false;
  }
  cpu_set_t only;
  CPU_ZERO(&only);
  if (cpu < CPU_SETSIZE) CPU_SET(cpu, &only);
  if (sched_setaffinity(0, sizeof(only), &only) != 0) return NoSuchCpu(cpu, problem);
  cpu_ = cpu;
  return true;
}

void CpuPin::Release() {
  if (cpu_ == kAnyCpu) return;
  if (move_ != nullptr) {
    move_(-1);
  } else {
    sched_setaffinity(0, sizeof(before_), &before_);
  }
  cpu_ = kAnyCpu;
}

// A thread that does one task at a time.
class CallThreads::Worker {
 public:
  explicit Worker(CpuPin::Move move) : move_(move), thread_([this] { Loop(); }) {}
  ~Worker() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  bool Run(uint16_t cpu, Task task, std::string* problem) {
    std::unique_lock lock(mutex_);
    cpu_ = cpu;
    task_ = task;
    problem_ = problem;
    has_task_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !has_task_; });
    return carried_out_;
  }

 private:
  void Loop() {
    CpuPin pin(move_);
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return has_task_ || ending_; });
      if (ending_) return;
      carried_out_ = pin.Set(cpu_, problem_);
      if (carried_out_) task_.function(task_.argument);
      has_task_ = false;
      changed_.notify_all();
    }
  }

  const CpuPin::Move move_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ending_ = false;
  bool has_task_ = false;
  bool carried_out_ = false;
  uint16_t cpu_ = kAnyCpu;
  Task task_{};
  std::string* problem_ = nullptr;
  std::thread thread_;  // Last: it starts when all else is there.
};

CallThreads::CallThreads(CpuPin::Move move) : move_(move), own_(move) {}
CallThreads::~CallThreads() = default;

bool CallThreads::RunElsewhere(uint8_t thread, uint16_t cpu, Task task, std::string* problem) {
  if (thread >= kMaxThreads) {
    *problem = "a script has at most " + std::to_string(kMaxThreads) + " threads";
    return false;
  }
  std::unique_ptr<Worker>& worker = workers_[thread];
  if (worker == nullptr) {
    own_.Release();  // A new thread has the CPUs of the one that starts it.
    try {
      worker = std::make_unique<Worker>(move_);
    } catch (const std::system_error& error) {
      *problem = std::string("no further thread: ") + error.what();
      return false;
    }
  }
  return worker->Run(cpu, task, problem);
}

}  // namespace mapspec
