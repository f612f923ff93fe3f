// SPDX-License-Identifier: MIT
//
// What carries out the operations on sockets and frames (oracle/operation.h, "Sockets and frames"):
// one object for each script that has any, made when the first of them comes. Everything it makes
// is gone with it. Errors: an operation that cannot be carried out is marked kNotRun with the
// reason. Ownership: descriptors belong to the session, which announces each that it closes.
// Thread-safety: one thread at a time.
#ifndef BACKENDS_LIBBPF_API_SCRIPT_NETWORK_H_
#define BACKENDS_LIBBPF_API_SCRIPT_NETWORK_H_

#include "oracle/operation.h"
#include "oracle/outcome.h"

namespace mapspec {

class ScriptNetwork {
 public:
  virtual ~ScriptNetwork() = default;
  // The descriptor, or -1 after saying in *out why there is none.
  virtual int Open(const SocketOpen& op, Outcome* out) = 0;
  virtual void Send(const SendFrames& op, int map_fd, Outcome* out) = 0;
  virtual void Receive(int socket_fd, Outcome* out) = 0;
  // bpf_redirect_map() in a test run; *out has the action or the errno of the load.
  virtual void Redirect(const HelperRedirectMap& op, int map_fd, Outcome* out) = 0;
  // The descriptor is about to be closed, a socket's or not.
  virtual void Closing(int fd) = 0;
};

}  // namespace mapspec

#endif  // BACKENDS_LIBBPF_API_SCRIPT_NETWORK_H_
