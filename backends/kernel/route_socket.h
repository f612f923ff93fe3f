// SPDX-License-Identifier: MIT
//
// RouteSocket: the few requests on network devices that a NetworkLab makes, over rtnetlink. It acts
// in the network namespace of the thread that opened it, whoever uses it afterwards.
//
// Ownership: owns its socket. Thread-safety: none. Errors: errno values, 0 for success.
// Source: rtnetlink(7), uapi/linux/if_link.h, uapi/linux/veth.h.
#ifndef BACKENDS_KERNEL_ROUTE_SOCKET_H_
#define BACKENDS_KERNEL_ROUTE_SOCKET_H_

#include <cstdint>
#include <memory>
#include <string>

#include "oracle/frame.h"

struct mnl_socket;
struct nlmsghdr;

namespace mapspec {

// One end of a veth pair.
struct VethEnd {
  int index = 0;  // ifindex; in a new namespace any number far from 1 is free.
  std::string name;
  MacAddress address{};
};

class RouteSocket {
 public:
  // nullptr after filling *error.
  static std::unique_ptr<RouteSocket> Open(std::string* error);
  ~RouteSocket();
  RouteSocket(const RouteSocket&) = delete;
  RouteSocket& operator=(const RouteSocket&) = delete;

  // Both ends with `queues` receive and as many transmit queues.
  int AddVethPair(const VethEnd& end, const VethEnd& peer, uint32_t queues);
  // Up, and silent: no IPv6 address, hence no solicitations and no reports of groups.
  int SetUp(int index);
  // In the driver; -1 takes the program away.
  int SetXdpProgram(int index, int program_fd);

 private:
  explicit RouteSocket(mnl_socket* socket) : socket_(socket) {}
  int Talk(nlmsghdr* request);

  mnl_socket* socket_;
  uint32_t sequence_ = 0;
};

}  // namespace mapspec

#endif  // BACKENDS_KERNEL_ROUTE_SOCKET_H_
