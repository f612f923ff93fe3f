// SPDX-License-Identifier: MIT
#include "backends/null/null_backend.h"

#include <sys/eventfd.h>

#include <array>
#include <cerrno>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "backends/embedded/userspace_backend.h"
#include "backends/host_environment.h"
#include "backends/libbpf_api/api_session.h"
#include "backends/null/null_program_engine.h"
#include "oracle/profile.h"

namespace mapspec {
namespace {

enum class Kind : uint8_t { kSuccess, kEinval, kNoOutput, kPrevious };
constexpr std::array<std::string_view, 4> kKinds = {"success", "einval", "no-output", "previous"};

// Functions that do nothing and say that all is well; where a descriptor is wanted, a real one,
// since the session will close it.
template <typename Function>
struct Idle;
template <typename... Arguments>
struct Idle<int (*)(Arguments...)> {
  static int Nothing(Arguments...) { return 0; }
  static int Descriptor(Arguments...) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
};

std::shared_ptr<ApiSetup> IdleSetup() {
  auto setup = std::make_shared<ApiSetup>();
  BpfApi& api = setup->api;
#define MAPSPEC_IDLE(name, capability) api.name = &Idle<decltype(api.name)>::Nothing;
  MAPSPEC_BPF_API(MAPSPEC_IDLE)
#undef MAPSPEC_IDLE
  api.map_create = &Idle<decltype(api.map_create)>::Descriptor;
  api.map_get_fd_by_id = &Idle<decltype(api.map_get_fd_by_id)>::Descriptor;
  api.map_get_fd_by_id_opts = &Idle<decltype(api.map_get_fd_by_id_opts)>::Descriptor;
  api.obj_get = &Idle<decltype(api.obj_get)>::Descriptor;
  api.obj_get_opts = &Idle<decltype(api.obj_get_opts)>::Descriptor;
  api.btf_load = &Idle<decltype(api.btf_load)>::Descriptor;
  setup->capabilities = CapabilitiesOf(api);
  Add(&setup->capabilities, Capability::kMmap);
  setup->possible_cpus = HostEnvironment("").possible_cpus;
  return setup;
}

// With the program path, every helper of it.
std::shared_ptr<const ApiSetup> SetupOf(Kind kind) {
  const bool idle = kind == Kind::kSuccess || kind == Kind::kEinval;
  auto setup = idle ? IdleSetup() : UserspaceSetup();
  setup->make_program_engine = idle ? &MakeIdleProgramEngine : &MakeDirectProgramEngine;
  for (auto i = static_cast<size_t>(Capability::kPinnedThread);
       i <= static_cast<size_t>(Capability::kVerifier); ++i) {
    Add(&setup->capabilities, static_cast<Capability>(i));
  }
  return setup;
}

// What the output buffers would hold had nobody written to them.
void Unwrite(const Operation& operation, Outcome* out) {
  if (auto* bytes = std::get_if<Bytes>(&out->output)) {
    // A load has no output buffer: what it reads is there or not.
    size_t size = bytes->size();
    if (const auto* load = std::get_if<MemRead>(&operation.call)) size = load->length;
    *bytes = Poison(size <= ApiSession::kMaxBuffer ? size : 0);
  } else if (auto* number = std::get_if<uint32_t>(&out->output)) {
    *number = 0;
  } else if (auto* batch = std::get_if<Boxed<BatchOutput>>(&out->output)) {
    std::visit(
        [batch](const auto& call) {
          if constexpr (requires { call.count; }) (*batch)->count = call.count;
        },
        operation.call);
    (*batch)->out_batch = Poison((*batch)->out_batch.size());
    (*batch)->keys = Poison((*batch)->keys.size());
    (*batch)->values = Poison((*batch)->values.size());
    if (std::holds_alternative<HelperForEach>(operation.call)) **batch = {};  // Nobody noted.
  } else if (auto* info = std::get_if<Boxed<MapInfo>>(&out->output)) {
    const uint32_t length = (*info)->info_len;
    **info = MapInfo{};
    (*info)->info_len = length;
  }
}

class NullSession : public Session {
 public:
  NullSession(Kind kind, std::shared_ptr<const ApiSetup> setup)
      : kind_(kind), real_(std::move(setup)) {}

  void Run(std::span<const Operation> operations, std::vector<Outcome>* outcomes) override {
    for (const Operation& operation : operations) {
      real_.Run({&operation, 1}, outcomes);
      Outcome& outcome = outcomes->back();
      if (outcome.completion == Completion::kNotRun) continue;
      switch (kind_) {
        case Kind::kSuccess:
          outcome.error = Errno::kNone;
          Unwrite(operation, &outcome);
          break;
        case Kind::kEinval:
          outcome.error = Errno::kEINVAL;
          Unwrite(operation, &outcome);
          break;
        case Kind::kNoOutput:
          Unwrite(operation, &outcome);
          break;
        case Kind::kPrevious:
          std::swap(outcome, previous_);
          break;
      }
    }
  }

 private:
  Kind kind_;
  ApiSession real_;
  Outcome previous_;
};

class NullBackend : public Backend {
 public:
  NullBackend(Kind kind, std::string selector)
      : kind_(kind), environment_(HostEnvironment(selector)), setup_(SetupOf(kind)) {
    environment_.implementation = std::move(selector);
  }
  std::string_view name() const override { return environment_.backend; }
  const Environment& environment() const override { return environment_; }
  const CapabilitySet& capabilities() const override { return setup_->capabilities; }
  std::string default_profile() const override { return NewestLinuxProfile().name; }
  std::unique_ptr<Session> NewSession(std::string*) override {
    return std::make_unique<NullSession>(kind_, setup_);
  }

 private:
  Kind kind_;
  Environment environment_;
  std::shared_ptr<const ApiSetup> setup_;
};

}  // namespace

std::span<const std::string_view> NullBackendKinds() { return kKinds; }

std::unique_ptr<Backend> MakeNullBackend(std::string_view kind) {
  for (size_t i = 0; i < kKinds.size(); ++i) {
    if (kind == kKinds[i]) {
      return std::make_unique<NullBackend>(static_cast<Kind>(i), "null:" + std::string(kind));
    }
  }
  return nullptr;
}

}  // namespace mapspec
