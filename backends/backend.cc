// SPDX-License-Identifier: MIT
#include "backends/backend.h"

#include "backends/embedded/userspace_backend.h"
#include "backends/kernel/kernel_backend.h"
#include "backends/null/null_backend.h"

namespace mapspec {
namespace {

constexpr std::string_view kNullPrefix = "null:";

std::string Unknown(std::string_view selector) {
  std::string message = "unknown backend \"" + std::string(selector) + "\"";
  const std::vector<std::string> known = {"userspace", "kernel"};
  const std::string nearest = Nearest(selector, known);
  if (!nearest.empty()) return message + "; did you mean \"" + nearest + "\"?";
  return message + "; known are userspace and kernel";
}

}  // namespace

std::unique_ptr<Backend> MakeBackend(std::string_view selector, std::string* error, bool* usage) {
  *usage = false;
  if (selector == "userspace") return MakeUserspaceBackend();
  if (selector == "kernel") return MakeKernelBackend(error);
  if (selector.starts_with(kNullPrefix)) {
    if (auto backend = MakeNullBackend(selector.substr(kNullPrefix.size()))) return backend;
  }
  *usage = true;
  *error = Unknown(selector);
  return nullptr;
}

std::vector<BackendInfo> ListBackends() {
  std::vector<BackendInfo> list;
  list.push_back({"userspace", "the library of maps in user space that is built in", true, ""});
  BackendInfo kernel{"kernel", "bpf(2) of the running kernel", false, ""};
  kernel.available = MakeKernelBackend(&kernel.reason) != nullptr;
  list.push_back(std::move(kernel));
  return list;
}

Trace Execute(Backend& backend, const Script& script, std::string* error) {
  Trace trace;
  trace.name = script.name;
  trace.profile = backend.default_profile();
  trace.environment = backend.environment();
  trace.operations = script.operations;
  if (const auto session = backend.NewSession(error)) {
    trace.outcomes.reserve(script.operations.size());
    session->Run(script.operations, &trace.outcomes);
  }
  return trace;
}

}  // namespace mapspec
