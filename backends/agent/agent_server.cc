// SPDX-License-Identifier: MIT
#include "backends/agent/agent_server.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

#include "backends/agent/agent_protocol.h"
#include "backends/agent/line_reader.h"
#include "oracle/trace_json.h"

namespace mapspec {
namespace {

constexpr auto kForEver = std::chrono::steady_clock::time_point::max();
enum ExitStatus { kFine = 0, kBadInput = 2, kUnusable = 3 };

class Server {
 public:
  Server(Backend& backend, int in_fd, int out_fd)
      : backend_(backend), in_(in_fd), out_fd_(out_fd) {}

  int Serve() {
    AgentHello hello;
    hello.environment = backend_.environment();
    hello.capabilities = backend_.capabilities();
    hello.profile = backend_.default_profile();
    Say(HelloToJson(hello));
    std::string_view line;
    while (!peer_gone_) {
      switch (in_.Next(kForEver, &line)) {
        case LineReader::Status::kLine:
          break;
        case LineReader::Status::kTooLong:
          return Complain("a line is too long", kBadInput);
        default:
          return kFine;
      }
      std::string error;
      const auto command = CommandFromJson(line, &error);
      if (!command) return Complain(error, kBadInput);
      if (command->kind == AgentCommand::Kind::kEnd) {
        session_.reset();
        Say(kEndedLine);
      } else if (const int status = RunOperations(command->operations); status != kFine) {
        return status;
      }
    }
    return kFine;
  }

 private:
  int RunOperations(size_t count) {
    if (session_ == nullptr) {
      std::string error;
      session_ = backend_.NewSession(&error);
      if (session_ == nullptr) return Complain(error, kUnusable);
    }
    std::string_view line;
    for (size_t i = 0; i < count && !peer_gone_; ++i) {
      if (in_.Next(kForEver, &line) != LineReader::Status::kLine) return kFine;
      ParseError error;
      const auto operation = OperationFromJson(line, &error);
      if (!operation) return Complain(error.message, kBadInput);
      outcomes_.clear();
      session_->Run({&*operation, 1}, &outcomes_);
      if (outcomes_.empty()) return Complain("the session carried nothing out", kUnusable);
      Say(OutcomeToJson(outcomes_.back()));
    }
    return kFine;
  }

  void Say(std::string_view line) {
    text_.assign(line);
    text_.push_back('\n');
    if (!WriteAll(out_fd_, text_)) peer_gone_ = true;
  }

  int Complain(std::string_view reason, ExitStatus status) {
    Say(ErrorToJson(reason));
    return status;
  }

  Backend& backend_;
  LineReader in_;
  int out_fd_;
  bool peer_gone_ = false;
  std::unique_ptr<Session> session_;
  std::vector<Outcome> outcomes_;
  std::string text_;
};

// A copy of a descriptor with a number that code which takes small integers for handles does not
// hit.
int MoveUp(int fd) {
  rlimit limit{};
  rlim_t highest = 1024;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) highest = std::min(highest, limit.rlim_cur);
  return fcntl(fd, F_DUPFD_CLOEXEC, static_cast<int>(highest) - 8);
}

}  // namespace

int ServeAgent(Backend& backend, int in_fd, int out_fd) {
  return Server(backend, in_fd, out_fd).Serve();
}

int RunAgent(const std::function<std::unique_ptr<Backend>(std::string* error)>& make) {
  signal(SIGPIPE, SIG_IGN);  // A peer that is gone is the end of the input, not of us.
  const int in = MoveUp(STDIN_FILENO);
  const int out = MoveUp(STDOUT_FILENO);
  const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (nothing >= 0) dup2(nothing, STDIN_FILENO);
  dup2(STDERR_FILENO, STDOUT_FILENO);
  if (nothing > STDERR_FILENO) close(nothing);
  AgentHello failure;
  const std::unique_ptr<Backend> backend = make(&failure.error);
  if (backend == nullptr) {
    WriteAll(out, HelloToJson(failure) + "\n");
    return kUnusable;
  }
  return ServeAgent(*backend, in, out);
}

}  // namespace mapspec
