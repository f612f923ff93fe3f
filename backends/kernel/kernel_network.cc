// SPDX-License-Identifier: MIT
#include "backends/kernel/kernel_network.h"

#include <bpf/bpf.h>

#include <cerrno>
#include <cstdint>
#include <utility>

#include "backends/kernel/descriptor.h"
#include "backends/kernel/network_lab.h"
#include "backends/kernel/program_load.h"

namespace mapspec {
namespace {

void CannotRun(std::string reason, Outcome* out) {
  out->completion = Completion::kNotRun;
  out->detail = std::move(reason);
}

// True when there is an answer; else *out says what there is instead.
bool Answered(RedirectResult* result, Outcome* out) {
  if (!result->unable.empty()) {
    CannotRun(std::move(result->unable), out);
    return false;
  }
  if (result->refused == Errno::kNone) return true;
  out->completion = Completion::kRefused;
  out->error = result->refused;
  out->detail = std::move(result->log);
  return false;
}

class KernelNetwork : public ScriptNetwork {
 public:
  int Open(const SocketOpen& op, Outcome* out) override {
    std::string error;
    const int fd = lab_.Open(op.kind, op.device, op.queue, &error);
    if (fd < 0) CannotRun(std::move(error), out);
    return fd;
  }

  void Send(const SendFrames& op, int map_fd, Outcome* out) override {
    RedirectResult sent = lab_.Send(map_fd, op.key, op.flags, op.device, op.queue, op.count,
                                    {op.payload.data(), op.payload.size()});
    if (Answered(&sent, out)) out->output = sent.stack;
  }

  void Receive(int socket_fd, Outcome* out) override {
    Boxed<BatchOutput> received;
    std::string error;
    if (!lab_.Receive(socket_fd, &received->values, &received->count, &error)) {
      return CannotRun(std::move(error), out);
    }
    out->output = std::move(received);
  }

  void Redirect(const HelperRedirectMap& op, int map_fd, Outcome* out) override {
    RedirectResult run = lab_.Run(map_fd, op.key, op.flags);
    if (Answered(&run, out)) out->result = run.action;
  }

  void Closing(int fd) override { lab_.Forget(fd); }

 private:
  NetworkLab lab_;
};

Descriptor MakeXskMap(std::string* error) {
  Descriptor map(::bpf_map_create(::BPF_MAP_TYPE_XSKMAP, "mapspec", 4, 4, 1, nullptr));
  if (map.get() < 0) *error = SystemFailure("creating an XSKMAP", errno);
  return map;
}

// What stands in the way of an answer.
std::string Problem(const RedirectResult& result) {
  if (!result.unable.empty()) return result.unable;
  if (result.refused == Errno::kNone) return {};
  return SystemFailure("BPF_PROG_LOAD", static_cast<int>(result.refused)) + ": " + result.log;
}

}  // namespace

std::unique_ptr<ScriptNetwork> MakeKernelNetwork() { return std::make_unique<KernelNetwork>(); }

std::string WhyNoRedirect() {
  std::string error;
  const Descriptor map = MakeXskMap(&error);
  if (map.get() < 0) return error;
  NetworkLab lab;
  return Problem(lab.Run(map.get(), 0, 0));
}

std::string WhyNoSockets() {
  std::string error;
  NetworkLab lab;
  const Descriptor socket(lab.Open(SocketOpen::Kind::kXdpUnbound, 0, 0, &error));
  lab.Forget(socket.get());
  return error;
}

}  // namespace mapspec
