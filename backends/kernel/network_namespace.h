// SPDX-License-Identifier: MIT
//
// NetworkNamespace: a network namespace without a name. Only a descriptor of this process (and the
// sockets that are opened in it) keeps it alive, so that it is gone with the object, and after a
// crash with the process. No thread of the caller's ever enters it.
//
// Ownership: owns the descriptor. Thread-safety: none. Errors: a sentence.
// Source: network_namespaces(7), unshare(2), setns(2).
#ifndef BACKENDS_KERNEL_NETWORK_NAMESPACE_H_
#define BACKENDS_KERNEL_NETWORK_NAMESPACE_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "backends/kernel/descriptor.h"

namespace mapspec {

class NetworkNamespace {
 public:
  // nullptr after filling *error.
  static std::unique_ptr<NetworkNamespace> Make(std::string* error);

  // Calls the function inside, on a thread of its own, and returns when it is done. False after
  // filling *error when it was not called. What opens a socket belongs in here; the socket stays in
  // the namespace and can be used from anywhere.
  bool Run(const std::function<void()>& function, std::string* error) const;

  int fd() const { return fd_.get(); }

 private:
  explicit NetworkNamespace(Descriptor fd) : fd_(std::move(fd)) {}
  Descriptor fd_;
};

}  // namespace mapspec

#endif  // BACKENDS_KERNEL_NETWORK_NAMESPACE_H_
