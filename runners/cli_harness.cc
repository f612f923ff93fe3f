// SPDX-License-Identifier: MIT
#include "runners/cli_harness.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace mapspec {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::minutes kLimit{2};

// Appends what there is to read; closes the descriptor at its end.
void Drain(int* fd, std::string* text) {
  char buffer[65536];
  for (;;) {
    const ssize_t n = read(*fd, buffer, sizeof buffer);
    if (n > 0) {
      text->append(buffer, static_cast<size_t>(n));
    } else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
      close(*fd);
      *fd = -1;
      return;
    } else if (errno == EAGAIN) {
      return;
    }
  }
}

}  // namespace

Command::Command(const std::vector<std::string>& argv, std::string_view input) {
  int out[2], err[2];
  if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0) abort();
  // Input comes from an unlinked file: no pipe that the child could leave unread.
  std::FILE* in = std::tmpfile();
  if (in == nullptr) abort();
  std::fwrite(input.data(), 1, input.size(), in);
  std::rewind(in);
  pid_ = fork();
  if (pid_ == 0) {
    dup2(fileno(in), STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    dup2(err[1], STDERR_FILENO);
    std::vector<char*> words;
    for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    execvp(words[0], words.data());
    _exit(127);
  }
  std::fclose(in);
  close(out[1]);
  close(err[1]);
  out_fd_ = out[0];
  err_fd_ = err[0];
  fcntl(out_fd_, F_SETFL, O_NONBLOCK);
  fcntl(err_fd_, F_SETFL, O_NONBLOCK);
}

Command::~Command() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  if (out_fd_ >= 0) close(out_fd_);
  if (err_fd_ >= 0) close(err_fd_);
}

bool Command::Pump(int milliseconds) {
  if (out_fd_ < 0 && err_fd_ < 0) return false;
  pollfd fds[] = {{out_fd_, POLLIN, 0}, {err_fd_, POLLIN, 0}};
  poll(fds, 2, milliseconds);
  if (out_fd_ >= 0) Drain(&out_fd_, &result_.out);
  if (err_fd_ >= 0) Drain(&err_fd_, &result_.err);
  return true;
}

CommandResult Command::Wait() {
  const Clock::time_point start = Clock::now();
  while (Pump(100)) {
    if (Clock::now() - start < kLimit) continue;
    ADD_FAILURE() << "the command did not end in time; it wrote:\n" << result_.err;
    kill(pid_, SIGKILL);
    break;
  }
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  result_.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return result_;
}

bool Command::WaitForError(std::string_view text) {
  const Clock::time_point start = Clock::now();
  while (result_.err.find(text) == std::string::npos) {
    if (err_fd_ < 0 || Clock::now() - start > kLimit) return false;
    Pump(100);
  }
  return true;
}

void Command::Signal(int signal) const {
  if (pid_ > 0) kill(pid_, signal);
}

std::vector<int> Command::Children() const {
  const std::string pid = std::to_string(pid_);
  std::ifstream in("/proc/" + pid + "/task/" + pid + "/children");
  return {std::istream_iterator<int>(in), {}};
}

std::vector<std::string> MapspecArgv(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), MAPSPEC_COMMAND);
  return arguments;
}

CommandResult Mapspec(std::vector<std::string> arguments, std::string_view input) {
  return Command(MapspecArgv(std::move(arguments)), input).Wait();
}

Directory::Directory() {
  std::string path = testing::TempDir() + "mapspec-cli-XXXXXX";
  if (mkdtemp(path.data()) == nullptr) abort();
  path_ = path;
}

Directory::~Directory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string Directory::Write(std::string_view name, std::string_view text) const {
  const std::string path = *this / name;
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

size_t CountOf(std::string_view text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string_view::npos;
       at = text.find(part, at + part.size())) {
    ++count;
  }
  return count;
}

}  // namespace mapspec
