// SPDX-License-Identifier: MIT
//
// For tests of the command: starts the built `mapspec` as a child process, with a time limit, and
// gives back what it wrote and how it ended. Nothing is left over: a child that is still running is
// killed, and a Directory removes itself with all that is in it.
#ifndef RUNNERS_CLI_HARNESS_H_
#define RUNNERS_CLI_HARNESS_H_

#include <string>
#include <string_view>
#include <vector>

namespace mapspec {

struct CommandResult {
  int status = -1;  // Exit status; 128 + signal when killed by one; -1 when it never started.
  std::string out;
  std::string err;
};

class Command {
 public:
  // argv[0] is looked up in PATH unless it has a slash.
  explicit Command(const std::vector<std::string>& argv, std::string_view input = "");
  ~Command();
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  // Waits for the end, at most two minutes; then the child is killed and the test fails.
  CommandResult Wait();
  // Reads until `text` has come on standard error. False at the end of it or after two minutes.
  bool WaitForError(std::string_view text);
  void Signal(int signal) const;
  // The processes it has started and not yet waited for.
  std::vector<int> Children() const;

 private:
  bool Pump(int milliseconds);
  int pid_ = -1, out_fd_ = -1, err_fd_ = -1;
  CommandResult result_;
};

// Runs `mapspec ARGUMENTS…`.
CommandResult Mapspec(std::vector<std::string> arguments, std::string_view input = "");
std::vector<std::string> MapspecArgv(std::vector<std::string> arguments);

class Directory {
 public:
  Directory();
  ~Directory();
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }
  const std::string& path() const { return path_; }
  // Writes a file and returns its path.
  std::string Write(std::string_view name, std::string_view text) const;

 private:
  std::string path_;
};

std::string ReadFile(const std::string& path);
size_t CountOf(std::string_view text, std::string_view part);

}  // namespace mapspec

#endif  // RUNNERS_CLI_HARNESS_H_
