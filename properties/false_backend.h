// SPDX-License-Identifier: MIT
//
// For tests of the properties: a backend that is wrong in one way, and how properties are found and
// run. Ownership: plain values. Thread-safety: one thread at a time. Errors: a selector that cannot
// be used here is an exception.
#ifndef PROPERTIES_FALSE_BACKEND_H_
#define PROPERTIES_FALSE_BACKEND_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backends/backend.h"
#include "properties/property.h"

namespace mapspec {

// The userspace library, with every outcome passed through a function that may falsify it.
class FalseBackend : public Backend {
 public:
  using Falsify = std::function<void(const Operation&, Outcome*)>;
  explicit FalseBackend(Falsify falsify, std::string_view selector = "userspace")
      : falsify_(std::move(falsify)) {
    bool usage = false;
    std::string error;
    honest_ = MakeBackend(selector, &error, &usage);
    if (honest_ == nullptr) throw std::runtime_error(error);
    capabilities_ = honest_->capabilities();
  }

  std::string_view name() const override { return "false"; }
  const Environment& environment() const override { return honest_->environment(); }
  const CapabilitySet& capabilities() const override { return capabilities_; }
  std::string default_profile() const override { return honest_->default_profile(); }
  std::unique_ptr<Session> NewSession(std::string* error) override {
    if (sessions_left == 0) {
      *error = "no session today";
      return nullptr;
    }
    --sessions_left;
    return std::make_unique<FalseSession>(honest_->NewSession(error), falsify_);
  }

  const Profile& profile() const { return *FindProfile(default_profile()); }
  void Lose(Capability capability) { capabilities_.reset(static_cast<size_t>(capability)); }
  uint64_t sessions_left = UINT64_MAX;

 private:
  class FalseSession : public Session {
   public:
    FalseSession(std::unique_ptr<Session> honest, const Falsify& falsify)
        : honest_(std::move(honest)), falsify_(falsify) {}
    void Run(std::span<const Operation> operations, std::vector<Outcome>* outcomes) override {
      const size_t before = outcomes->size();
      honest_->Run(operations, outcomes);
      for (size_t i = 0; before + i < outcomes->size(); ++i) {
        Outcome& outcome = (*outcomes)[before + i];
        if (falsify_) falsify_(operations[i], &outcome);
        if (outcome.completion == Completion::kCrashed) {
          outcomes->resize(before + i + 1);
          return;
        }
      }
    }

   private:
    std::unique_ptr<Session> honest_;
    const Falsify& falsify_;
  };

  std::unique_ptr<Backend> honest_;
  CapabilitySet capabilities_;
  Falsify falsify_;
};

inline const Property& Find(std::string_view id) {
  for (const Property& property : AllProperties()) {
    if (property.id == id) return property;
  }
  ADD_FAILURE() << "no property " << id;
  return AllProperties().front();
}

inline PropertyOptions Operations(uint64_t operations, uint64_t seed = 1) {
  PropertyOptions options;
  options.effort = Effort::kQuick;
  options.operations = operations;
  options.seed = seed;
  return options;
}

inline PropertyResult RunProperty(std::string_view id, FalseBackend& backend,
                                  const PropertyOptions& options) {
  return Find(id).run(backend, backend.profile(), options);
}

}  // namespace mapspec

#endif  // PROPERTIES_FALSE_BACKEND_H_
