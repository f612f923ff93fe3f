// SPDX-License-Identifier: MIT
//
// The agent protocol (backends/agent/README.md), from both sides: each line as what an agent may
// say, and all of the input as what a client may say to ours, whose backend does nothing.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "backends/agent/agent_protocol.h"
#include "backends/agent/agent_server.h"
#include "backends/agent/line_reader.h"
#include "oracle/trace_json.h"
#include "runners/fuzz/fuzz_target.h"

namespace mapspec {
namespace {

class IdleSession : public Session {
 public:
  void Run(std::span<const Operation> operations, std::vector<Outcome>* outcomes) override {
    outcomes->resize(outcomes->size() + operations.size());
  }
};

class IdleBackend : public Backend {
 public:
  IdleBackend() { capabilities_.set(); }
  std::string_view name() const override { return "idle"; }
  const Environment& environment() const override { return environment_; }
  const CapabilitySet& capabilities() const override { return capabilities_; }
  std::string default_profile() const override { return "documented"; }
  std::unique_ptr<Session> NewSession(std::string*) override {
    return std::make_unique<IdleSession>();
  }

 private:
  Environment environment_;
  CapabilitySet capabilities_;
};

void AsAgent(std::string_view line) {
  std::string error;
  if (const auto hello = HelloFromJson(line, &error)) {
    const auto copy = HelloFromJson(HelloToJson(*hello), &error);
    Require(copy.has_value(), "a greeting that was written is not read: " + error);
    Require(copy->error == hello->error && copy->environment == hello->environment &&
                copy->capabilities == hello->capabilities && copy->profile == hello->profile,
            "a greeting that was written reads as something else");
  }
  ParseError parse_error;
  if (const auto outcome = OutcomeFromJson(line, &parse_error)) {
    const auto copy = OutcomeFromJson(OutcomeToJson(*outcome), &parse_error);
    Require(copy == outcome, "an outcome that was written reads as something else");
  }
  if (const auto reason = ErrorFromJson(line)) {
    Require(ErrorFromJson(ErrorToJson(*reason)).has_value(), "an error that is not read");
  }
}

}  // namespace
}  // namespace mapspec

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mapspec;
  std::string_view text = AsText(data, size);
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    AsAgent(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  static IdleBackend backend;
  static const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  static const int input = memfd_create("input", MFD_CLOEXEC);
  Require(nowhere >= 0 && input >= 0 && ftruncate(input, 0) == 0, "no files in memory");
  Require(lseek(input, 0, SEEK_SET) == 0 && WriteAll(input, AsText(data, size)) &&
              lseek(input, 0, SEEK_SET) == 0,
          "no files in memory");
  ServeAgent(backend, input, nowhere);
  return 0;
}
