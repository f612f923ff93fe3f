// SPDX-License-Identifier: MIT
#include "runners/repro_check.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "backends/libbpf_api/scratch_directory.h"

namespace mapspec {
namespace {

using Timer = std::chrono::steady_clock;
constexpr size_t kMaxOutput = 64 << 10;

// The file that the shell would start; "" for none.
std::string InPath(const std::string& word) {
  if (word.find('/') != std::string::npos) return access(word.c_str(), X_OK) == 0 ? word : "";
  const char* path = std::getenv("PATH");
  std::string rest = path != nullptr ? path : "/usr/bin:/bin";
  while (!rest.empty()) {
    const size_t end = std::min(rest.find(':'), rest.size());
    const std::string file = rest.substr(0, end) + "/" + word;
    if (access(file.c_str(), X_OK) == 0) return file;
    rest.erase(0, std::min(end + 1, rest.size()));
  }
  return "";
}

// Set by the caller of Run; strings outlive it.
std::vector<char*> Pointers(std::vector<std::string>* strings) {
  std::vector<char*> pointers;
  for (std::string& string : *strings) pointers.push_back(string.data());
  pointers.push_back(nullptr);
  return pointers;
}

struct Ended {
  int status = -1;
  bool timed_out = false;
  std::string output;
};

// Runs a program with both outputs in a pipe and kills its whole group at the limit.
Ended Run(std::vector<std::string> arguments, std::vector<std::string> environment,
          std::chrono::milliseconds limit) {
  Ended ended;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    ended.output = std::string("pipe: ") + std::strerror(errno);
    return ended;
  }
  const std::vector<char*> argv = Pointers(&arguments);
  const std::vector<char*> envp = Pointers(&environment);
  const pid_t self = getpid();
  const pid_t pid = fork();
  if (pid == 0) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != self) _exit(127);
    const int nothing = open("/dev/null", O_RDONLY);
    dup2(nothing, STDIN_FILENO);
    dup2(ends[1], STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    execve(argv[0], argv.data(), envp.data());
    _exit(127);
  }
  close(ends[1]);
  if (pid < 0) {
    ended.output = std::string("fork: ") + std::strerror(errno);
    close(ends[0]);
    return ended;
  }
  setpgid(pid, pid);  // Whoever of the two comes first.
  const Timer::time_point deadline = Timer::now() + limit;
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Timer::now()).count();
    pollfd polled{ends[0], POLLIN, 0};
    const int ready = left > 0 ? poll(&polled, 1, static_cast<int>(left)) : 0;
    if (ready == 0) {
      ended.timed_out = true;
      break;
    }
    if (ready < 0 && errno == EINTR) continue;
    char buffer[4096];
    const ssize_t size = read(ends[0], buffer, sizeof(buffer));
    if (size <= 0) break;
    ended.output.append(buffer,
                        std::min(static_cast<size_t>(size), kMaxOutput - ended.output.size()));
  }
  close(ends[0]);
  // Its outputs are closed: it has ended, or will not say anything any more.
  int status = 0;
  if (!ended.timed_out) {
    while (waitpid(pid, &status, WNOHANG) == 0) {
      if (Timer::now() > deadline) {
        ended.timed_out = true;
        break;
      }
      usleep(1000);
    }
  }
  kill(-pid, SIGKILL);
  if (ended.timed_out) {
    waitpid(pid, &status, 0);
    return ended;
  }
  ended.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return ended;
}

std::vector<std::string> EnvironmentOf(
    const std::vector<std::pair<std::string, std::string>>& changes) {
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text(*variable);
    const bool changed = std::any_of(changes.begin(), changes.end(), [&](const auto& change) {
      return text.substr(0, text.find('=')) == change.first;
    });
    if (!changed) variables.emplace_back(text);
  }
  for (const auto& [name, value] : changes) variables.push_back(name + "=" + value);
  return variables;
}

}  // namespace

std::string FindCCompiler() {
  if (const char* chosen = std::getenv("CC"); chosen != nullptr && *chosen != '\0') {
    // It may come with options, which are not for the search.
    const std::string word = std::string(chosen).substr(0, std::string(chosen).find(' '));
    if (const std::string found = InPath(word); !found.empty()) return found;
  }
  for (const char* name : {"cc", "gcc", "clang"}) {
    if (const std::string found = InPath(name); !found.empty()) return found;
  }
  return "";
}

ReproCheck CheckReproducer(const std::string& source, const ReproCheckOptions& options) {
  ReproCheck check;
  const std::string compiler = FindCCompiler();
  if (compiler.empty()) {
    check.output = "no C compiler: none of $CC, cc, gcc and clang can be started";
    return check;
  }
  std::string error;
  const std::string directory = MakeTemporaryDirectory(&error);
  if (directory.empty()) {
    check.output = error;
    return check;
  }
  const std::string file = directory + "/repro.c", program = directory + "/repro";
  std::ofstream out(file, std::ios::binary);
  out << source;
  out.close();
  const Ended compiled = Run(
      {compiler, "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O2", file, "-lbpf", "-o", program},
      EnvironmentOf({}), options.limit);
  check.compiled = compiled.status == 0;
  check.timed_out = compiled.timed_out;
  check.output = compiled.output;
  if (check.compiled) {
    std::vector<std::string> arguments = {program};
    arguments.insert(arguments.end(), options.arguments.begin(), options.arguments.end());
    const Ended ran = Run(std::move(arguments), EnvironmentOf(options.environment), options.limit);
    check.status = ran.status;
    check.timed_out = ran.timed_out;
    check.output = ran.output;
  }
  RemoveTree(directory);
  return check;
}

}  // namespace mapspec
