// SPDX-License-Identifier: MIT
//
// `mapspec guest`, which nobody types: what this program does as the first process of a booted
// kernel. Sets up the machine, runs the job's tests on the kernel, tells the host of all of it
// through a serial line, and switches off.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <set>

#include "backends/host_environment.h"
#include "runners/commands.h"
#include "runners/guest/guest_job.h"
#include "runners/guest/guest_setup.h"
#include "runners/guest/initramfs.h"
#include "runners/guest/machine.h"
#include "runners/signals.h"
#include "runners/worker.h"
#include "runners/worker_pool.h"

namespace mapspec {
namespace {

// A trace with values of many megabytes would keep a serial line busy for minutes.
constexpr size_t kLargestFile = size_t{4} << 20;

int OpenMessageLine(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return -1;
  termios settings{};
  if (tcgetattr(fd, &settings) == 0) {
    cfmakeraw(&settings);
    settings.c_cflag |= CLOCAL;
    cfsetspeed(&settings, B115200);
    tcsetattr(fd, TCSANOW, &settings);
  }
  fcntl(fd, F_SETFL, 0);
  return fd;
}

// The files of a failure, which would be gone with the guest.
void SendArtefacts(int line, const TestResult& result) {
  constexpr std::string_view kTrace = ".trace.jsonl";
  if (!std::string_view(result.trace).ends_with(kTrace)) return;
  const std::string stem = result.trace.substr(0, result.trace.size() - kTrace.size());
  for (const char* ending : {".trace.jsonl", ".script", ".txt", ".c"}) {
    FileMessage file{stem + ending, ""};
    std::string error;
    if (!ReadHostFile(file.path, &file.content, &error)) continue;
    unlink(file.path.c_str());
    if (file.content.size() > kLargestFile) {
      SendMessage(line, NoteMessage{fmt::format("mapspec: {} stays in the guest: {} MiB", file.path,
                                                file.content.size() >> 20)});
      continue;
    }
    SendMessage(line, file);
  }
}

std::vector<PlannedTest> PlanOf(const GuestJob& job, const Specs& specs,
                                const RunOptions& options) {
  std::vector<PlannedTest> plan = MakePlan(specs, Filter(""), options);
  const std::set<std::string> wanted(job.tests.begin(), job.tests.end());
  std::erase_if(plan, [&](const PlannedTest& test) { return wanted.count(test.id) == 0; });
  return plan;
}

RunOptions OptionsOf(const GuestJob& job) {
  RunOptions options;
  options.profile = job.profile;
  options.seed = job.seed;
  options.effort = ParseEffort(job.effort).value_or(Effort::kQuick);
  options.jobs = job.jobs;
  options.out = job.out;
  options.shrink = job.shrink;
  options.specs = job.specs;
  options.gtest_flags = job.gtest_flags;
  // The machine's own word, since KVM may have been given up after the job was written.
  options.emulated = getenv(kEmulatedVariable) != nullptr;
  return options;
}

// Runs the tests; in a process of its own, whose death is told by the first one.
void RunJob(const GuestJob& job, int line) {
  const RunOptions options = OptionsOf(job);
  const auto specs = LoadSpecsOrSay(job.specs, HostEnvironment("").possible_cpus);
  const Profile* const profile = FindProfile(job.profile);
  if (!specs || profile == nullptr) {
    SendMessage(line, UnusableMessage{"the guest does not understand its job", false});
    return;
  }
  const std::vector<PlannedTest> plan = PlanOf(job, *specs, options);
  const std::string backend = "kernel-of:" + job.selector;
  HelloMessage hello;
  UnusableMessage unusable;
  if (!ProbeBackend(backend, &hello, &unusable)) {
    SendMessage(line, unusable);
    return;
  }
  SendMessage(line, hello);
  std::FILE* const nowhere = std::fopen("/dev/null", "w");
  Progress progress(nowhere != nullptr ? nowhere : stderr, false);
  const BackendResults results =
      RunOnBackend(backend, hello, *profile, plan, options, &progress, [&](const Message& message) {
        if (const auto* result = std::get_if<ResultMessage>(&message)) {
          SendArtefacts(line, result->result);
        }
        SendMessage(line, message);
      });
  if (!results.unusable.empty()) SendMessage(line, UnusableMessage{results.unusable, false});
  SendMessage(line, EndMessage{});
}

// The first process adopts every orphan: all are waited for, until the one that counts has ended.
int WaitForChild(pid_t child) {
  for (;;) {
    int status = 0;
    const pid_t pid = wait(&status);
    if (pid == child) return status;
    if (pid < 0 && errno != EINTR) return 0;
  }
}

void RunGuest() {
  std::string trouble = MountFileSystems();
  std::string text, error;
  const std::optional<GuestJob> job =
      ReadHostFile(std::string(kGuestJobPath), &text, &error) ? DecodeGuestJob(text) : std::nullopt;
  if (!job) {
    fmt::print(stderr, "mapspec guest: {}: no job\n", kGuestJobPath);
    return;
  }
  const int line = OpenMessageLine(job->message_line);
  if (line < 0) {
    fmt::print(stderr, "mapspec guest: {}: {}\n", job->message_line, strerror(errno));
    return;
  }
  // Whatever the line carried before.
  [[maybe_unused]] const ssize_t ignored = write(line, "\n", 1);
  for (const std::string& name : job->modules) {
    trouble += LoadModule(fmt::format("{}/{}.ko", kGuestModules, name));
  }
  BringUpLoopback();
  if (!trouble.empty()) SendMessage(line, NoteMessage{"mapspec: in the guest: " + trouble});
  const pid_t child = fork();
  if (child == 0) {
    RunJob(*job, line);
    std::fflush(nullptr);
    _exit(0);
  }
  const int status = WaitForChild(child);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    SendMessage(line, UnusableMessage{"the suite in the guest " + DescribeDeath(status), false});
  }
  tcdrain(line);
}

int Guest() {
  if (getpid() != 1) {
    return UsageError(
        "guest is what a kernel starts that was booted by mapspec run --backend qemu:IMAGE");
  }
  RunGuest();
  std::fflush(nullptr);
  sync();
  reboot(RB_POWER_OFF);
  return 3;
}

}  // namespace

void AddGuestCommand(CLI::App& app, int* status) {
  CLI::App* command = app.add_subcommand("guest", "In a booted kernel: run the tests of its job");
  command->group("");  // Not in the help.
  // Kernels add words of their own to those of the first process.
  command->allow_extras();
  command->callback([status] { *status = Guest(); });
}

}  // namespace mapspec
