// SPDX-License-Identifier: MIT
#include "backends/backend.h"

#include <optional>

#include "backends/agent/agent_backend.h"
#include "backends/embedded/userspace_backend.h"
#include "backends/kernel/kernel_backend.h"
#include "backends/library/library_backend.h"
#include "backends/null/null_backend.h"
#include "backends/vm/vm_backend.h"
#include "backends/vm/vm_selector.h"

namespace mapspec {
namespace {

constexpr std::string_view kLibrary = "library:";
constexpr std::string_view kExec = "exec:";
// Not in `mapspec list backends`: for agents and for tests.
constexpr std::string_view kInProcessLibrary = "in-process-library:";
constexpr std::string_view kNull = "null:";
// The running kernel under the name by which the one who booted it knows it.
constexpr std::string_view kKernelOf = "kernel-of:";

// What follows the prefix; nullopt for another selector.
std::optional<std::string> After(std::string_view prefix, std::string_view selector) {
  if (!selector.starts_with(prefix)) return std::nullopt;
  return std::string(selector.substr(prefix.size()));
}

std::string UnknownNull(std::string_view selector) {
  std::vector<std::string> known;
  for (const std::string_view kind : NullBackendKinds()) {
    known.push_back(std::string(kNull) + std::string(kind));
  }
  std::string message = "unknown backend \"" + std::string(selector) + "\"; known are";
  for (const std::string& name : known) message += " " + name;
  return message;
}

std::string Unknown(std::string_view selector) {
  // What stands before the colon is compared, and what follows it kept.
  const size_t colon = selector.find(':');
  const std::string_view word = selector.substr(0, colon);
  const std::vector<std::string> known = {"userspace", "kernel", "library", "vm",
                                          "exec",      "qemu",   "uml"};
  const std::string message = "unknown backend \"" + std::string(selector) + "\"";
  std::string nearest = Nearest(word, known);
  if (nearest.empty()) {
    return message +
           "; known are userspace, kernel, library:PATH, vm, exec:COMMAND, "
           "qemu:IMAGE and uml:IMAGE";
  }
  const bool boots = nearest == "qemu" || nearest == "uml";
  if (nearest == "library" || nearest == "exec" || boots) {
    const bool has_rest = colon != std::string_view::npos && colon + 1 < selector.size();
    nearest += has_rest            ? std::string(selector.substr(colon))
               : nearest == "exec" ? ":COMMAND"
               : boots             ? ":IMAGE"
                                   : ":PATH";
  }
  return message + "; did you mean \"" + nearest + "\"?";
}

std::unique_ptr<Backend> MakeExecBackend(const std::string& command, std::string* error) {
  AgentOptions options;
  options.selector = std::string(kExec) + command;
  options.arguments = {"/bin/sh", "-c", command};
  return MakeAgentBackend(std::move(options), error);
}

}  // namespace

std::unique_ptr<Backend> MakeBackend(std::string_view selector, std::string* error, bool* usage) {
  *usage = false;
  if (selector == "userspace") return MakeUserspaceBackend();
  if (selector == "kernel") return MakeKernelBackend(error);
  if (const auto path = After(kLibrary, selector); path && !path->empty()) {
    return MakeLibraryBackend(*path, error, usage);
  }
  if (const auto path = After(kInProcessLibrary, selector); path && !path->empty()) {
    return MakeInProcessLibraryBackend(*path, error);
  }
  if (const auto command = After(kExec, selector); command && !command->empty()) {
    return MakeExecBackend(*command, error);
  }
  if (const auto name = After(kKernelOf, selector); name && !name->empty()) {
    return MakeKernelBackend(error, *name);
  }
  if (IsVmSelector(selector)) return MakeVmBackend(selector, error, usage);
  *usage = true;
  if (const auto kind = After(kNull, selector)) {
    if (auto backend = MakeNullBackend(*kind)) {
      *usage = false;
      return backend;
    }
    *error = UnknownNull(selector);
    return nullptr;
  }
  if (After("qemu:", selector).value_or("") != "" || After("uml:", selector).value_or("") != "") {
    *error = std::string(selector) +
             ": the suite runs inside that kernel; only `mapspec run` and `mapspec kernels run` "
             "boot it";
    return nullptr;
  }
  *error = Unknown(selector);
  return nullptr;
}

std::vector<BackendInfo> ListBackends() {
  std::vector<BackendInfo> list;
  list.push_back({"userspace", "the library of maps in user space that is built in", true, ""});
  BackendInfo kernel{"kernel", "bpf(2) of the running kernel", false, ""};
  kernel.available = MakeKernelBackend(&kernel.reason) != nullptr;
  list.push_back(std::move(kernel));
  BackendInfo library{"library:PATH",
                      "a shared object with libbpf's low-level API, in a child process", false, ""};
  library.available = !FindLibraryAgent(&library.reason).empty();
  list.push_back(std::move(library));
  for (BackendInfo& vm : ListVmBackends()) list.push_back(std::move(vm));
  list.push_back({"exec:COMMAND",
                  "a command that speaks the agent protocol on its stdin and stdout", true, ""});
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
