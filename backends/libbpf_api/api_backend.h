// SPDX-License-Identifier: MIT
//
// A backend whose sessions are ApiSessions: all there is to the implementations that run in this
// process. Thread-safety: that of Backend; the environment and capabilities never change.
#ifndef BACKENDS_LIBBPF_API_API_BACKEND_H_
#define BACKENDS_LIBBPF_API_API_BACKEND_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "backends/backend.h"
#include "backends/libbpf_api/api_session.h"

namespace mapspec {

class ApiBackend : public Backend {
 public:
  ApiBackend(Environment environment, std::string default_profile,
             std::shared_ptr<const ApiSetup> setup)
      : environment_(std::move(environment)),
        default_profile_(std::move(default_profile)),
        setup_(std::move(setup)) {}

  std::string_view name() const override { return environment_.backend; }
  const Environment& environment() const override { return environment_; }
  const CapabilitySet& capabilities() const override { return setup_->capabilities; }
  std::string default_profile() const override { return default_profile_; }
  std::unique_ptr<Session> NewSession(std::string*) override {
    return std::make_unique<ApiSession>(setup_);
  }

 private:
  Environment environment_;
  std::string default_profile_;
  std::shared_ptr<const ApiSetup> setup_;
};

}  // namespace mapspec

#endif  // BACKENDS_LIBBPF_API_API_BACKEND_H_
