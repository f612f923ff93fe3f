// SPDX-License-Identifier: MIT
//
// NetworkLab: what tests of XSKMAPs need, sockets and frames, for one script.
//
// Its network is made when first needed: a network namespace of its own with kNetDevices devices,
// each one end of a veth pair with kNetQueues queues, whose other ends send. Nothing but the lab's
// own frames (oracle/frame.h) is on the wire. Frames arrive on the receive queue whose number is that of the
// transmit queue they are sent from. Between two
// calls of Send no program that knows a map is at work.
// Nothing outlives the lab, or the process: the namespace has no name and goes with its last
// descriptor, devices and attached programs go with it (the kernel needs a moment for that).
//
// Ownership: descriptors that Open gives are the caller's to close. The rings of those with rings
// are mapped here, and a mapping keeps a socket alive, so the caller says Forget before it closes.
// Thread-safety: one thread at a time; it stays in its namespace, and Send gives it its CPUs back.
// Errors: a sentence for what cannot be carried out here; what a kernel answers about a map is a
// result. Source: Documentation/networking/af_xdp.rst, Documentation/bpf/map_xskmap.rst, veth(4).
#ifndef BACKENDS_KERNEL_NETWORK_LAB_H_
#define BACKENDS_KERNEL_NETWORK_LAB_H_

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "backends/kernel/network_namespace.h"
#include "backends/kernel/redirect_program.h"
#include "backends/kernel/route_socket.h"
#include "backends/kernel/xdp_socket.h"
#include "oracle/bytes.h"
#include "oracle/operation.h"
#include "oracle/uapi.h"

namespace mapspec {

// What became of frames that were sent, or of a test run.
struct RedirectResult {
  // Not empty: it could not be carried out, for this reason; the rest means nothing.
  std::string unable;
  // Not kNone: BPF_PROG_LOAD refused the program; the log has the verifier's last words.
  Errno refused = Errno::kNone;
  std::string log;
  uint32_t action = 0;        // Of Run: what the program returned.
  XdpActionCounts actions{};  // Of Send: how many frames the program answered how.
  uint32_t stack = 0;         // Of Send: how many frames went up to the stack.
};

class NetworkLab {
 public:
  NetworkLab() = default;
  ~NetworkLab();
  NetworkLab(const NetworkLab&) = delete;
  NetworkLab& operator=(const NetworkLab&) = delete;

  // A descriptor, or -1 after filling *error. Device and queue matter to kXdp only; a queue takes
  // one socket at a time (EBUSY).
  int Open(SocketOpen::Kind kind, uint32_t device, uint32_t queue, std::string* error);
  // The descriptor is about to be closed; any descriptor may be named.
  void Forget(int fd);

  // The frames that arrived since the last time, in order, one behind the other, and their number.
  // A socket without an RX ring received none. Room for kXdpFrames frames between two calls.
  bool Receive(int fd, Bytes* frames, uint32_t* count, std::string* error);
  bool Statistics(int fd, XdpSocketStatistics* statistics, std::string* error);

  // Sends at most kMaxFrames frames with at most kMaxPayload bytes of payload, so that they arrive
  // on the queue of the device, where a program answers with bpf_redirect_map(map, key, flags).
  // When it returns, all that comes of them has come.
  RedirectResult Send(int map_fd, uint32_t key, uint64_t flags, uint32_t device, uint32_t queue,
                      uint32_t count, std::span<const uint8_t> payload);
  // The same program on one frame of no device's, on queue 0 (BPF_PROG_TEST_RUN). Needs no network.
  RedirectResult Run(int map_fd, uint32_t key, uint64_t flags);
  // Throws programs away: they keep maps alive, and a map that changes (BPF_MAP_FREEZE) may make
  // another program of them.
  void ForgetPrograms() { programs_.ForgetAll(); }

  // For tests: the namespace, once there is one, or -1.
  int NamespaceFd() const { return namespace_ == nullptr ? -1 : namespace_->fd(); }

 private:
  struct Receiver {
    std::unique_ptr<XdpReceiver> rings;
    bool bound = false;
    uint32_t device = 0;
    uint32_t queue = 0;
  };

  bool HaveNetwork(std::string* error);
  bool MakeNetwork(std::string* error);
  int OpenSocket(int family, int type, bool inside, std::string* error);
  bool Bind(int fd, uint32_t device, uint32_t queue, std::string* error);
  // The sender of a queue, made on first use; nullptr after filling *error.
  XdpSender* SenderOf(uint32_t device, uint32_t queue, std::string* error);
  // Attaches the dispatcher to the device and has it go on to the program.
  bool StartProgram(uint32_t device, uint32_t queue, int program_fd, std::string* error);
  // Returns when what the program returned has been carried out, `pinned` to the CPU that sent.
  bool StopProgram(uint32_t device, uint32_t queue, bool pinned, std::string* error);
  // Sends and waits until the program has seen all.
  bool SendAll(XdpSender* sender, std::span<const std::vector<uint8_t>> frames, std::string* error);
  // How many frames the witness saw on the device since it was last asked.
  uint32_t TakeWitnessed(uint32_t device);

  std::string no_network_;  // Why there will be none.
  std::unique_ptr<NetworkNamespace> namespace_;
  std::unique_ptr<RouteSocket> route_;
  // An AF_PACKET socket: it gets what goes up to the stack.
  Descriptor witness_;
  std::array<std::array<std::unique_ptr<XdpSender>, kNetQueues>, kNetDevices> senders_;
  std::map<int, Receiver> receivers_;  // By descriptor.
  RedirectPrograms programs_;
  XdpDispatcher dispatcher_;
  std::array<bool, kNetDevices> attached_{};  // Where the dispatcher is.
};

}  // namespace mapspec

#endif  // BACKENDS_KERNEL_NETWORK_LAB_H_
