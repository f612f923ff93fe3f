// SPDX-License-Identifier: MIT
//
// What carries out scripts. A Backend is one implementation of BPF maps; a Session is one script's world in
// it: everything a session creates (descriptors, pins, mappings, child processes) is gone when it is
// destroyed, also after a failure. Backends know the vocabulary (oracle/operation.h, outcome.h, trace.h)
// and never a model. Thread-safety: a Backend may be used from several threads, a Session from one.
#ifndef BACKENDS_BACKEND_H_
#define BACKENDS_BACKEND_H_

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backends/capability.h"
#include "oracle/trace.h"

namespace mapspec {

class Session {
 public:
  virtual ~Session() = default;
  // Carries out the operations in order and appends one outcome for each to *outcomes. May stop early,
  // with fewer outcomes, when the implementation died or hung; the last outcome then says so.
  virtual void Run(std::span<const Operation> operations, std::vector<Outcome>* outcomes) = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;
  // The selector as the user typed it.
  virtual std::string_view name() const = 0;
  virtual const Environment& environment() const = 0;
  virtual const CapabilitySet& capabilities() const = 0;
  // The profile to hold it to when the user names none.
  virtual std::string default_profile() const = 0;
  // nullptr after filling *error when the implementation cannot be used (any more).
  virtual std::unique_ptr<Session> NewSession(std::string* error) = 0;
};

// Makes the backend of a selector (DESIGN.md §4). nullptr after filling *error; *usage tells whether the
// selector itself was wrong (exit status 2) rather than the backend unusable here (3).
std::unique_ptr<Backend> MakeBackend(std::string_view selector, std::string* error, bool* usage);

// One line of `mapspec list backends`.
struct BackendInfo {
  std::string selector;     // "kernel", "library:PATH"
  std::string description;
  bool available = false;   // Can run here.
  std::string reason;       // Where not: why, and what to do about it.
};
std::vector<BackendInfo> ListBackends();

// Carries out a script in a session of its own. On failure to get a session: *error, and no outcomes.
Trace Execute(Backend& backend, const Script& script, std::string* error);

}  // namespace mapspec

#endif  // BACKENDS_BACKEND_H_
