// SPDX-License-Identifier: MIT
#include "backends/kernel/route_socket.h"

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>

#include "backends/kernel/program_load.h"

namespace mapspec {
namespace {

// A request for a link, in memory that is large enough for all of ours.
class LinkRequest {
 public:
  LinkRequest(int flags, int index) : header_(mnl_nlmsg_put_header(memory_.data())) {
    header_->nlmsg_type = RTM_NEWLINK;
    header_->nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
    link_ = PutLink(index);
  }
  LinkRequest(const LinkRequest&) = delete;
  LinkRequest& operator=(const LinkRequest&) = delete;
  nlmsghdr* header() { return header_; }
  ifinfomsg* link() { return link_; }

  ifinfomsg* PutLink(int index) {
    auto* link = static_cast<ifinfomsg*>(mnl_nlmsg_put_extra_header(header_, sizeof(ifinfomsg)));
    link->ifi_family = AF_UNSPEC;
    link->ifi_index = index;
    return link;
  }
  void PutEnd(const VethEnd& end, uint32_t queues) {
    mnl_attr_put_strz(header_, IFLA_IFNAME, end.name.c_str());
    mnl_attr_put(header_, IFLA_ADDRESS, end.address.size(), end.address.data());
    mnl_attr_put_u32(header_, IFLA_NUM_TX_QUEUES, queues);
    mnl_attr_put_u32(header_, IFLA_NUM_RX_QUEUES, queues);
  }
  nlattr* Nest(int type) { return mnl_attr_nest_start(header_, static_cast<uint16_t>(type)); }
  void EndNest(nlattr* nest) { mnl_attr_nest_end(header_, nest); }

 private:
  alignas(nlmsghdr) std::array<uint8_t, 1024> memory_{};
  nlmsghdr* header_;
  ifinfomsg* link_;
};

}  // namespace

std::unique_ptr<RouteSocket> RouteSocket::Open(std::string* error) {
  mnl_socket* socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
  if (socket == nullptr) {
    *error = SystemFailure("no rtnetlink socket", errno);
    return nullptr;
  }
  std::unique_ptr<RouteSocket> route(new RouteSocket(socket));
  if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) {
    *error = SystemFailure("binding an rtnetlink socket", errno);
    return nullptr;
  }
  return route;
}

RouteSocket::~RouteSocket() { mnl_socket_close(socket_); }

int RouteSocket::Talk(nlmsghdr* request) {
  request->nlmsg_seq = ++sequence_;
  if (mnl_socket_sendto(socket_, request, request->nlmsg_len) < 0) return errno;
  alignas(nlmsghdr) std::array<uint8_t, 8192> answer;
  // The kernel has answered a request with NLM_F_ACK before sendto(2) returns.
  const ssize_t size = mnl_socket_recvfrom(socket_, answer.data(), answer.size());
  if (size < 0) return errno;
  const unsigned port = mnl_socket_get_portid(socket_);
  const auto length = static_cast<size_t>(size);
  return mnl_cb_run(answer.data(), length, sequence_, port, nullptr, nullptr) < 0 ? errno : 0;
}

int RouteSocket::AddVethPair(const VethEnd& end, const VethEnd& peer, uint32_t queues) {
  LinkRequest request(NLM_F_CREATE | NLM_F_EXCL, end.index);
  request.PutEnd(end, queues);
  nlattr* info = request.Nest(IFLA_LINKINFO);
  mnl_attr_put_strz(request.header(), IFLA_INFO_KIND, "veth");
  nlattr* data = request.Nest(IFLA_INFO_DATA);
  nlattr* peer_info = request.Nest(VETH_INFO_PEER);
  request.PutLink(peer.index);
  request.PutEnd(peer, queues);
  request.EndNest(peer_info);
  request.EndNest(data);
  request.EndNest(info);
  return Talk(request.header());
}

int RouteSocket::SetUp(int index) {
  LinkRequest quiet(0, index);
  nlattr* families = quiet.Nest(IFLA_AF_SPEC);
  nlattr* ipv6 = quiet.Nest(AF_INET6);
  mnl_attr_put_u8(quiet.header(), IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
  quiet.EndNest(ipv6);
  quiet.EndNest(families);
  // A kernel without IPv6 is silent as it is.
  if (const int error = Talk(quiet.header()); error != 0 && error != EAFNOSUPPORT) return error;
  LinkRequest up(0, index);
  up.link()->ifi_flags = IFF_UP | IFF_NOARP;
  up.link()->ifi_change = IFF_UP | IFF_NOARP;
  return Talk(up.header());
}

int RouteSocket::SetXdpProgram(int index, int program_fd) {
  LinkRequest request(0, index);
  nlattr* xdp = request.Nest(IFLA_XDP);
  mnl_attr_put_u32(request.header(), IFLA_XDP_FD, static_cast<uint32_t>(program_fd));
  mnl_attr_put_u32(request.header(), IFLA_XDP_FLAGS, XDP_FLAGS_DRV_MODE);
  request.EndNest(xdp);
  return Talk(request.header());
}

}  // namespace mapspec
