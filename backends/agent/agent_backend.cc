// SPDX-License-Identifier: MIT
#include "backends/agent/agent_backend.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <optional>
#include <utility>

#include "backends/agent/agent_protocol.h"
#include "backends/agent/child_process.h"
#include "backends/agent/line_reader.h"
#include "oracle/trace_json.h"

namespace mapspec {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kDefaultTimeLimit{10'000};
// Between the end of a child's output and its own.
constexpr milliseconds kPatienceAtEnd{2'000};
// Between two looks whether a silent child is still alive.
constexpr milliseconds kLookAfter{50};

// Zero after filling *error.
milliseconds TimeLimitFromEnvironment(std::string* error) {
  const char* text = std::getenv("MAPSPEC_OPERATION_TIMEOUT_MS");
  if (text == nullptr) return kDefaultTimeLimit;
  int32_t number = 0;
  const char* end = text + std::strlen(text);
  const auto [rest, failure] = std::from_chars(text, end, number);
  if (failure == std::errc() && rest == end && number > 0) return milliseconds(number);
  *error = "MAPSPEC_OPERATION_TIMEOUT_MS is \"" + std::string(text) +
           "\"; it must be a positive number of milliseconds";
  return milliseconds(0);
}

std::string Seconds(milliseconds duration) {
  std::string text = std::to_string(duration.count() / 1000);
  if (duration.count() % 1000 != 0) {
    text += "." + std::to_string(1000 + duration.count() % 1000).substr(1);
  }
  return text + " s";
}

// A child and what is still unread of its output.
struct Agent {
  explicit Agent(std::unique_ptr<ChildProcess> its_process)
      : process(std::move(its_process)), lines(process->socket()) {}
  std::unique_ptr<ChildProcess> process;
  LineReader lines;
};

class AgentBackend : public Backend {
 public:
  AgentBackend(AgentOptions options, AgentHello hello)
      : options_(std::move(options)), hello_(std::move(hello)) {
    hello_.environment.backend = options_.selector;
  }

  std::string_view name() const override { return options_.selector; }
  const Environment& environment() const override { return hello_.environment; }
  const CapabilitySet& capabilities() const override { return hello_.capabilities; }
  std::string default_profile() const override { return hello_.profile; }
  std::unique_ptr<Session> NewSession(std::string* error) override;

  const AgentOptions& options() const { return options_; }
  void Lacks(Capability capability) { hello_.capabilities.reset(static_cast<size_t>(capability)); }

  // For sessions. An idle agent of this thread, or a new one; nullptr after filling *error.
  std::unique_ptr<Agent> Take(std::string* error);
  void GiveBack(std::unique_ptr<Agent> agent) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(agent));
  }

 private:
  AgentOptions options_;
  AgentHello hello_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Agent>> idle_;  // Guarded by mutex_.
};

// Starts a child and reads its first line.
std::unique_ptr<Agent> StartAgent(const AgentOptions& options, AgentHello* hello,
                                  std::string* error) {
  auto process = ChildProcess::Start(options.arguments, error);
  if (process == nullptr) return nullptr;
  auto agent = std::make_unique<Agent>(std::move(process));
  std::string_view line;
  switch (agent->lines.Next(Clock::now() + options.time_limit, &line)) {
    case LineReader::Status::kLine:
      break;
    case LineReader::Status::kTimeout:
      *error = options.selector + ": it did not get ready within " + Seconds(options.time_limit);
      return nullptr;
    default:
      *error = options.selector + ": its process ended before it was ready: " +
               agent->process->WaitForEnd(kPatienceAtEnd);
      return nullptr;
  }
  std::string reason;
  auto parsed = HelloFromJson(line, &reason);
  if (parsed && !parsed->error.empty()) reason = parsed->error;
  if (!reason.empty()) {
    *error = options.selector + ": " + reason;
    return nullptr;
  }
  *hello = *std::move(parsed);
  return agent;
}

class AgentSession : public Session {
 public:
  AgentSession(AgentBackend* backend, std::unique_ptr<Agent> agent)
      : backend_(*backend), agent_(std::move(agent)) {}

  ~AgentSession() override {
    if (agent_ == nullptr || tainted_) return;
    if (opened_ && !EndSession()) return;
    backend_.GiveBack(std::move(agent_));
  }

  void Run(std::span<const Operation> operations, std::vector<Outcome>* outcomes) override {
    if (operations.empty()) return;
    if (agent_ == nullptr) {
      outcomes->push_back(death_);
      return;
    }
    // What the implementation cannot do is not even sent.
    std::vector<bool> sent(operations.size());
    std::string request;
    size_t count = 0;
    for (size_t i = 0; i < operations.size(); ++i) {
      const Capability missing = FirstMissing(Required(operations[i]), backend_.capabilities());
      sent[i] = missing == Capability::kCount;
      if (!sent[i]) continue;
      ++count;
      request += OperationToJson(operations[i]);
      request += '\n';
    }
    if (count != 0) {
      opened_ = true;
      to_write_ = CommandToJson({AgentCommand::Kind::kRun, count}) + "\n" + request;
      written_ = 0;
    }
    for (size_t i = 0; i < operations.size(); ++i) {
      Outcome& outcome = outcomes->emplace_back();
      if (!sent[i]) {
        outcome.completion = Completion::kNotRun;
        const Capability missing = FirstMissing(Required(operations[i]), backend_.capabilities());
        outcome.detail = "no " + std::string(CapabilityName(missing));
      } else if (!ReadOutcome(&outcome)) {
        death_ = outcome;
        agent_.reset();
        return;
      }
    }
  }

 private:
  milliseconds limit() const { return backend_.options().time_limit; }

  // The next line, sending what is still to be sent in the meantime: both sides may have more to
  // say than a socket holds. Looks after the process now and then, since what it has started may
  // keep the socket open when it is dead itself.
  LineReader::Status NextLine(std::string_view* line) {
    const Clock::time_point deadline = Clock::now() + limit();
    for (bool alive = true;;) {
      const auto status = NextLineUntil(std::min(deadline, Clock::now() + kLookAfter), line);
      if (status != LineReader::Status::kTimeout) return status;
      if (!alive) return LineReader::Status::kEnd;  // And what it had still said has been read.
      if (Clock::now() >= deadline) return status;
      alive = agent_->process->IsAlive();
    }
  }

  LineReader::Status NextLineUntil(Clock::time_point deadline, std::string_view* line) {
    const int socket = agent_->process->socket();
    while (written_ < to_write_.size()) {
      const ssize_t wrote = send(socket, to_write_.data() + written_, to_write_.size() - written_,
                                 MSG_NOSIGNAL | MSG_DONTWAIT);
      if (wrote >= 0) {
        written_ += static_cast<size_t>(wrote);
        continue;
      }
      if (errno == EINTR) continue;
      if (errno != EAGAIN) break;  // The other side is gone; its output may still say more.
      if (agent_->lines.Buffered(line)) return LineReader::Status::kLine;
      const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now()).count();
      if (left <= 0) return LineReader::Status::kTimeout;
      pollfd polled{socket, POLLIN | POLLOUT, 0};
      if (poll(&polled, 1, static_cast<int>(left)) <= 0 || (polled.revents & POLLIN) == 0) continue;
      const LineReader::Status status = agent_->lines.Fill();
      if (status == LineReader::Status::kEnd || status == LineReader::Status::kTooLong) {
        return status;
      }
    }
    return agent_->lines.Next(deadline, line);
  }

  // False when the agent is of no further use; *outcome says why.
  bool ReadOutcome(Outcome* outcome) {
    std::string_view line;
    switch (NextLine(&line)) {
      case LineReader::Status::kLine:
        break;
      case LineReader::Status::kTimeout:
        agent_->process->Kill();
        outcome->completion = Completion::kHung;
        outcome->detail = "no answer within " + Seconds(limit());
        return false;
      case LineReader::Status::kTooLong:
        return Died("it sent a line that never ends", outcome);
      case LineReader::Status::kEnd:
        return Died(agent_->process->WaitForEnd(kPatienceAtEnd), outcome);
    }
    ParseError error;
    auto parsed = OutcomeFromJson(line, &error);
    if (!parsed) {
      const auto reason = ErrorFromJson(line);
      return Died(
          reason ? "the agent gave up: " + *reason : "what it sent is no outcome: " + error.message,
          outcome);
    }
    *outcome = *std::move(parsed);
    // Memory outside of its buffers was changed: nothing it does from now on is a fair test.
    if (outcome->completion == Completion::kOverran) tainted_ = true;
    // An agent that is itself a client may tell of a death further down.
    if (outcome->completion == Completion::kCrashed || outcome->completion == Completion::kHung) {
      tainted_ = true;
    }
    return true;
  }

  static bool Died(std::string how, Outcome* outcome) {
    *outcome = Outcome{};
    outcome->completion = Completion::kCrashed;
    outcome->detail = std::move(how);
    return false;
  }

  bool EndSession() {
    to_write_ = CommandToJson({}) + "\n";
    written_ = 0;
    std::string_view line;
    return NextLine(&line) == LineReader::Status::kLine && line == kEndedLine;
  }

  AgentBackend& backend_;
  std::unique_ptr<Agent> agent_;
  bool opened_ = false;   // The agent has a session to end.
  bool tainted_ = false;  // Not to be used for another session.
  std::string to_write_;
  size_t written_ = 0;
  Outcome death_;  // Once agent_ is null: what every further operation comes to.
};

std::unique_ptr<Agent> AgentBackend::Take(std::string* error) {
  {
    const std::lock_guard lock(mutex_);
    // One that died, or was killed because its thread ended, is dropped on the way.
    std::erase_if(idle_, [](const auto& agent) { return !agent->process->IsIdle(); });
    const auto ours = std::find_if(idle_.begin(), idle_.end(),
                                   [](const auto& agent) { return agent->process->IsOurs(); });
    if (ours != idle_.end()) {
      std::unique_ptr<Agent> agent = std::move(*ours);
      idle_.erase(ours);
      return agent;
    }
  }
  AgentHello ignored;
  return StartAgent(options_, &ignored, error);
}

std::unique_ptr<Session> AgentBackend::NewSession(std::string* error) {
  auto agent = Take(error);
  if (agent == nullptr) return nullptr;
  return std::make_unique<AgentSession>(this, std::move(agent));
}

// Whether an array that asks to be mapped can be.
bool CanMap(AgentBackend* backend) {
  MapCreate create;
  create.type = MapType::ARRAY;
  create.map_flags = BPF_F_MMAPABLE;
  const Operation operations[] = {{create}, {Mmap{}}};
  std::string error;
  std::vector<Outcome> outcomes;
  const auto session = backend->NewSession(&error);
  if (session != nullptr) session->Run(operations, &outcomes);
  return outcomes.size() == 2 && outcomes.back().ok();
}

}  // namespace

std::unique_ptr<Backend> MakeAgentBackend(AgentOptions options, std::string* error) {
  if (options.time_limit.count() == 0) {
    options.time_limit = TimeLimitFromEnvironment(error);
    if (options.time_limit.count() == 0) return nullptr;
  }
  AgentHello hello;
  auto agent = StartAgent(options, &hello, error);
  if (agent == nullptr) return nullptr;
  const bool probe = options.probe_mmap;
  auto backend = std::make_unique<AgentBackend>(std::move(options), std::move(hello));
  backend->GiveBack(std::move(agent));
  if (probe && !CanMap(backend.get())) backend->Lacks(Capability::kMmap);
  return backend;
}

}  // namespace mapspec
