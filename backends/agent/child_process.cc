// SPDX-License-Identifier: MIT
#include "backends/agent/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>

#include "backends/libbpf_api/scratch_directory.h"

namespace mapspec {
namespace {

constexpr unsigned kCloseRangeCloexec = 4;  // CLOSE_RANGE_CLOEXEC, Linux 5.11.
constexpr int kCannotExecute = 127;

pid_t ThreadId() { return static_cast<pid_t>(syscall(SYS_gettid)); }

// After fork, in a copy of a process that may have had several threads: system calls only.
[[noreturn]] void BecomeChild(pid_t parent, int socket, char* const* arguments,
                              char* const* environment) {
  setsid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(kCannotExecute);  // It died before the line above.
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);
  signal(SIGINT, SIG_DFL);
  dup2(socket, STDIN_FILENO);
  dup2(socket, STDOUT_FILENO);
  // Descriptors that our other parts forgot to close on exec. Older kernels: they stay open.
  syscall(SYS_close_range, 3, ~0u, kCloseRangeCloexec);
  execve(arguments[0], arguments, environment);
  _exit(kCannotExecute);
}

std::string DescribeStatus(int status) {
  if (WIFEXITED(status)) return "exit status " + std::to_string(WEXITSTATUS(status));
  if (!WIFSIGNALED(status)) return "status " + std::to_string(status);
  const int number = WTERMSIG(status);
  const char* name = sigabbrev_np(number);
  return "signal " + std::to_string(number) + (name ? " (SIG" + std::string(name) + ")" : "");
}

std::vector<char*> Pointers(std::vector<std::string>* strings) {
  std::vector<char*> pointers;
  for (std::string& text : *strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

ChildProcess::ChildProcess(pid_t pid, int socket, std::string scratch)
    : pid_(pid), owner_thread_(ThreadId()), socket_(socket), scratch_(std::move(scratch)) {}

std::unique_ptr<ChildProcess> ChildProcess::Start(const std::vector<std::string>& arguments,
                                                  std::string* error) {
  std::string scratch = MakeTemporaryDirectory(error);
  if (scratch.empty()) return nullptr;
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    *error = std::string("socketpair: ") + std::strerror(errno);
    RemoveTree(scratch);
    return nullptr;
  }
  fcntl(ends[0], F_SETFL, O_NONBLOCK);

  // All that allocates happens before the fork.
  constexpr std::string_view kScratch = "MAPSPEC_SCRATCH=";
  std::vector<std::string> strings = arguments;
  std::vector<char*> argument_pointers = Pointers(&strings);
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!std::string_view(*variable).starts_with(kScratch)) variables.emplace_back(*variable);
  }
  variables.push_back(std::string(kScratch) + scratch);
  std::vector<char*> variable_pointers = Pointers(&variables);

  const pid_t self = getpid();
  const pid_t pid = fork();
  if (pid == 0) BecomeChild(self, ends[1], argument_pointers.data(), variable_pointers.data());
  const int fork_error = errno;
  close(ends[1]);
  if (pid < 0) {
    *error = std::string("fork: ") + std::strerror(fork_error);
    close(ends[0]);
    RemoveTree(scratch);
    return nullptr;
  }
  return std::unique_ptr<ChildProcess>(new ChildProcess(pid, ends[0], std::move(scratch)));
}

ChildProcess::~ChildProcess() {
  Kill();
  close(socket_);
  RemoveTree(scratch_);
}

bool ChildProcess::IsOurs() const { return owner_thread_ == ThreadId(); }

bool ChildProcess::IsIdle() const {
  pollfd polled{socket_, POLLIN, 0};
  return !reaped_ && poll(&polled, 1, 0) == 0;
}

bool ChildProcess::Reap(Patience patience) {
  if (reaped_) return true;
  siginfo_t info{};
  int result;
  do {
    result = waitid(P_PID, static_cast<id_t>(pid_), &info,
                    WEXITED | WNOWAIT | (patience == kDoNotWait ? WNOHANG : 0));
  } while (result != 0 && errno == EINTR);
  if (result == 0 && info.si_pid == 0) return false;
  // What it had started itself is in its group; as long as it is not reaped, the number is taken.
  kill(-pid_, SIGKILL);
  waitpid(pid_, &status_, 0);
  reaped_ = true;
  return true;
}

void ChildProcess::Kill() {
  if (reaped_) return;
  kill(-pid_, SIGKILL);
  kill(pid_, SIGKILL);  // Before its setsid() there is no such group.
  Reap(kWait);
}

std::string ChildProcess::WaitForEnd(std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!Reap(kDoNotWait)) {
    if (std::chrono::steady_clock::now() >= deadline) {
      Kill();
      return "it closed the connection";
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return DescribeStatus(status_);
}

}  // namespace mapspec
