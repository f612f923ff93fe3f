// SPDX-License-Identifier: MIT
//
// One run of the suite inside a booted kernel, seen from outside: starts the machine, takes what
// the guest tells, watches the console, and ends in a BackendResults like that of any backend. What
// the console has to say against the kernel is a failed test of its own (console.oops, …).
//
// A GuestRun never waits: several of them share one thread and one poll(2), see RunGuests.
#ifndef RUNNERS_GUEST_GUEST_RUN_H_
#define RUNNERS_GUEST_GUEST_RUN_H_

#include <chrono>
#include <fstream>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "oracle/profile.h"
#include "runners/guest/boot_image.h"
#include "runners/guest/console_scanner.h"
#include "runners/guest/machine.h"
#include "runners/progress.h"
#include "runners/result_collector.h"
#include "runners/run_plan.h"
#include "runners/worker_protocol.h"

struct pollfd;

namespace mapspec {

struct GuestOptions {
  MachineOptions machine;
  // From the start of the machine to the first word of the suite in it.
  std::chrono::seconds boot_timeout{300};
};

class GuestRun {
 public:
  using Clock = std::chrono::steady_clock;

  // `image` was inspected. The plan, the options and the progress must live longer. Without
  // progress (nullptr) nothing is said, and notes wait for TakeNotes.
  GuestRun(BootImage image, GuestOptions guest, const Profile& profile,
           const std::vector<PlannedTest>& plan, const RunOptions& options, Progress* progress);
  ~GuestRun();
  GuestRun(const GuestRun&) = delete;
  GuestRun& operator=(const GuestRun&) = delete;

  void Start();
  void AddPollFds(std::vector<pollfd>* fds) const;
  // Takes what has come and looks at the clock. After Done() it does nothing.
  void Step();
  bool Done() const { return done_; }

  const BackendResults& results() const { return results_; }
  BackendResults TakeResults() { return std::move(results_); }
  const BootImage& image() const { return image_; }
  bool booted() const { return said_hello_; }
  size_t finished_tests() const { return finished_; }
  size_t planned_tests() const { return plan_.size(); }
  bool kvm() const { return machine_.kvm; }
  std::vector<std::string> TakeNotes() { return std::exchange(notes_, {}); }

 private:
  bool MakeInitramfs(std::string* error);
  bool Boot(bool kvm);
  bool ReadConsole();
  bool ReadMessages();
  void Handle(const Message& message);
  void WriteFileOfGuest(const FileMessage& file);
  void CheckClock();
  void Kill(std::string why);
  void RemoveDirectory() const;
  void Ended(int wait_status);
  void TellFindings();
  void AddFindings();
  bool GiveUpKvm();
  void Note(std::string text);
  std::string LastLines() const;

  BootImage image_;
  GuestOptions guest_;
  const Profile& profile_;
  const std::vector<PlannedTest>& plan_;
  const RunOptions& options_;
  std::unique_ptr<Progress> silent_;
  Progress* progress_;
  std::vector<std::string> notes_;
  BackendResults results_;
  ResultCollector collector_;
  std::string initramfs_, library_path_;
  Machine machine_;
  LineBuffer console_lines_, message_lines_;
  ConsoleScanner scanner_;
  std::ofstream log_;
  std::set<std::string> current_;  // Tests the guest's workers are at.
  Clock::time_point start_, heard_, ended_at_, looked_;
  double without_cpu_ = 0;  // Seconds, see SecondsWithoutCpu.
  std::string killed_because_;
  bool said_hello_ = false, said_end_ = false, killed_ = false, stopped_ = false, done_ = false;
  size_t finished_ = 0;
};

// Runs all of them, `parallel` at a time, to their ends. `tick` is called a few times a second.
void RunGuests(const std::vector<std::unique_ptr<GuestRun>>& runs, size_t parallel,
               const std::function<void()>& tick = {});

// The same, told on `progress`; the results in the order of `runs`.
std::vector<BackendResults> RunSideBySide(const std::vector<std::unique_ptr<GuestRun>>& runs,
                                          size_t parallel, Progress* progress);

}  // namespace mapspec

#endif  // RUNNERS_GUEST_GUEST_RUN_H_
