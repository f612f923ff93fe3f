// SPDX-License-Identifier: MIT
#include "runners/kernels/subprocess.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "runners/signals.h"

namespace mapspec {
namespace {

[[noreturn]] void BecomeProgram(const std::vector<std::string>& argv, const std::string& directory,
                                int out, int err) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  setpgid(0, 0);
  dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  setenv("LC_ALL", "C", 1);
  if (!directory.empty() && chdir(directory.c_str()) != 0) _exit(126);
  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  execvp(words[0], words.data());
  _exit(127);
}

// False at the end of the stream.
bool Take(int fd, std::string* text) {
  char buffer[4096];
  const ssize_t n = read(fd, buffer, sizeof buffer);
  if (n > 0) text->append(buffer, static_cast<size_t>(n));
  return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

}  // namespace

ProgramResult RunProgram(const std::vector<std::string>& argv, const std::string& directory) {
  ProgramResult result;
  int out[2], err[2];
  if (pipe2(out, O_CLOEXEC) != 0) return result;
  if (pipe2(err, O_CLOEXEC) != 0) {
    close(out[0]);
    close(out[1]);
    return result;
  }
  const pid_t pid = fork();
  if (pid == 0) BecomeProgram(argv, directory, out[1], err[1]);
  close(out[1]);
  close(err[1]);
  pollfd fds[2] = {{out[0], POLLIN, 0}, {err[0], POLLIN, 0}};
  std::string* const texts[2] = {&result.output, &result.errors};
  while (pid > 0 && (fds[0].fd >= 0 || fds[1].fd >= 0)) {
    poll(fds, 2, 200);
    if (StopFlag().load()) kill(-pid, SIGTERM);
    for (int i = 0; i < 2; ++i) {
      // poll(2) leaves a negative descriptor out.
      if (fds[i].revents != 0 && !Take(fds[i].fd, texts[i])) fds[i].fd = -1;
    }
  }
  close(out[0]);
  close(err[0]);
  if (pid < 0) return result;
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

}  // namespace mapspec
