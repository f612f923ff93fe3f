// SPDX-License-Identifier: MIT
#include "backends/kernel/network_namespace.h"

#include <fcntl.h>
#include <sched.h>

#include <cerrno>
#include <system_error>
#include <thread>

#include "backends/kernel/program_load.h"

namespace mapspec {
namespace {

bool OnThread(const std::function<void()>& function, std::string* error) {
  try {
    std::thread(function).join();
    return true;
  } catch (const std::system_error& problem) {
    *error = std::string("no thread for a network namespace: ") + problem.what();
    return false;
  }
}

}  // namespace

std::unique_ptr<NetworkNamespace> NetworkNamespace::Make(std::string* error) {
  Descriptor fd;
  std::string problem;
  const bool called = OnThread(
      [&] {
        if (unshare(CLONE_NEWNET) != 0) {
          problem = SystemFailure("no network namespace (needs root, CAP_SYS_ADMIN)", errno);
          return;
        }
        fd = Descriptor(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
        if (fd.get() < 0) problem = SystemFailure("/proc/thread-self/ns/net", errno);
      },
      error);
  if (!called) return nullptr;
  if (!problem.empty()) {
    *error = std::move(problem);
    return nullptr;
  }
  return std::unique_ptr<NetworkNamespace>(new NetworkNamespace(std::move(fd)));
}

bool NetworkNamespace::Run(const std::function<void()>& function, std::string* error) const {
  std::string problem;
  const bool called = OnThread(
      [&] {
        if (setns(fd_.get(), CLONE_NEWNET) != 0) {
          problem = SystemFailure("setns", errno);
        } else {
          function();
        }
      },
      error);
  if (called && !problem.empty()) *error = problem;
  return called && problem.empty();
}

}  // namespace mapspec
