// SPDX-License-Identifier: MIT
//
// Frames on the running kernel, from a NetworkLab's senders to AF_XDP sockets; skipped, with the
// reason, where the kernel does not let us.
#include "backends/kernel/network_lab.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <libmnl/libmnl.h>
#include <linux/bpf.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "backends/kernel/descriptor.h"
#include "backends/open_descriptors.h"

namespace mapspec {
namespace {

using Kind = SocketOpen::Kind;
constexpr std::array<uint8_t, 5> kPayload = {'h', 'e', 'l', 'l', 'o'};

Descriptor MakeXskMap(uint32_t max_entries = 4) {
  return Descriptor(::bpf_map_create(::BPF_MAP_TYPE_XSKMAP, "mapspec", 4, 4, max_entries, nullptr));
}
int Put(const Descriptor& map, uint32_t key, int socket, uint64_t flags = BPF_ANY) {
  return ::bpf_map_update_elem(map.get(), &key, &socket, flags);
}
std::set<std::string> HostDevices() {
  std::set<std::string> names;
  struct if_nameindex* all = if_nameindex();
  for (const struct if_nameindex* one = all; one->if_index != 0; ++one) names.insert(one->if_name);
  if_freenameindex(all);
  return names;
}

class NetworkLabTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string reason;
    const Descriptor socket(lab_.Open(Kind::kXdp, 0, 0, &reason));
    if (socket.get() < 0) GTEST_SKIP() << reason;
    lab_.Forget(socket.get());
    map_ = MakeXskMap();
    ASSERT_GE(map_.get(), 0) << errno;
  }
  Descriptor Open(Kind kind, uint32_t device = 0, uint32_t queue = 0) {
    std::string error;
    Descriptor fd(lab_.Open(kind, device, queue, &error));
    EXPECT_GE(fd.get(), 0) << error;
    return fd;
  }
  void Close(Descriptor socket) { lab_.Forget(socket.get()); }
  RedirectResult Send(uint32_t key, uint64_t flags, uint32_t count, uint32_t device = 0,
                      uint32_t queue = 0) {
    RedirectResult result = lab_.Send(map_.get(), key, flags, device, queue, count, kPayload);
    EXPECT_EQ(result.unable, "");
    EXPECT_EQ(result.refused, Errno::kNone) << result.log;
    return result;
  }
  uint32_t CountOf(const Descriptor& socket) {
    uint32_t count = 0;
    std::string error;
    EXPECT_TRUE(lab_.Receive(socket.get(), &last_, &count, &error)) << error;
    return count;
  }
  static XdpActionCounts Only(xdp_action action, uint32_t count) {
    XdpActionCounts counts{};
    counts[action] = count;
    return counts;
  }

  NetworkLab lab_;
  Descriptor map_;
  Bytes last_;
};

TEST_F(NetworkLabTest, FramesReachTheSocketAtTheKeyInOrder) {
  for (const uint32_t device : {0u, 1u}) {
    for (const uint32_t queue : {0u, 1u}) {
      SCOPED_TRACE(testing::Message() << "device " << device << " queue " << queue);
      Descriptor socket = Open(Kind::kXdp, device, queue);
      ASSERT_EQ(Put(map_, 3, socket.get()), 0);
      const RedirectResult sent = Send(3, 0, 5, device, queue);
      EXPECT_EQ(sent.actions, Only(XDP_REDIRECT, 5));
      EXPECT_EQ(sent.stack, 0u);
      ASSERT_EQ(CountOf(socket), 5u);
      ASSERT_EQ(last_.size(), 5 * (kFrameHeader + kPayload.size()));
      for (uint8_t i = 0; i < 5; ++i) {
        const auto number = static_cast<uint8_t>(device);
        const Bytes expected = {2,    0,    0, 0, number, 1, 2,   0,   0,   0,   number, 2,
                                0x88, 0xB5, i, 0, 0,      0, 'h', 'e', 'l', 'l', 'o'};
        EXPECT_EQ(Bytes(last_.data() + i * expected.size(), expected.size()), expected);
      }
      EXPECT_EQ(CountOf(socket), 0u);
      Close(std::move(socket));
    }
  }
}

TEST_F(NetworkLabTest, FramesForAnEmptySlotGoWhereTheFlagsSay) {
  Descriptor socket = Open(Kind::kXdp);
  ASSERT_EQ(Put(map_, 0, socket.get()), 0);
  RedirectResult sent = Send(1, XDP_ABORTED, 7);
  EXPECT_EQ(sent.actions, Only(XDP_ABORTED, 7));
  EXPECT_EQ(sent.stack, 0u);
  sent = Send(1, XDP_DROP, 7);
  EXPECT_EQ(sent.actions, Only(XDP_DROP, 7));
  EXPECT_EQ(sent.stack, 0u);
  sent = Send(1, XDP_PASS, 7);
  EXPECT_EQ(sent.actions, Only(XDP_PASS, 7));
  EXPECT_EQ(sent.stack, 7u);
  sent = Send(1, XDP_TX, 7);
  EXPECT_EQ(sent.actions, Only(XDP_TX, 7));
  EXPECT_EQ(sent.stack, 0u);
  EXPECT_EQ(CountOf(socket), 0u);
}

TEST_F(NetworkLabTest, ASocketGetsOnlyWhatComesOnItsDeviceAndQueue) {
  Descriptor queue1 = Open(Kind::kXdp, 0, 1), device1 = Open(Kind::kXdp, 1, 0);
  ASSERT_EQ(Put(map_, 0, queue1.get()), 0);
  ASSERT_EQ(Put(map_, 1, device1.get()), 0);
  for (const uint32_t key : {0u, 1u}) {
    const RedirectResult sent = Send(key, XDP_PASS, 6);
    EXPECT_EQ(sent.actions, Only(XDP_REDIRECT, 6));  // The program cannot know.
    EXPECT_EQ(sent.stack, 0u);
  }
  EXPECT_EQ(CountOf(queue1), 0u);
  EXPECT_EQ(CountOf(device1), 0u);
  // The same sockets and slots, with frames that are theirs.
  Send(0, XDP_PASS, 6, 0, 1);
  Send(1, XDP_PASS, 4, 1, 0);
  EXPECT_EQ(CountOf(queue1), 6u);
  EXPECT_EQ(CountOf(device1), 4u);
}

TEST_F(NetworkLabTest, AClosedSocketLeavesItsSlots) {
  Descriptor socket = Open(Kind::kXdp);
  ASSERT_EQ(Put(map_, 0, socket.get()), 0);
  ASSERT_EQ(Put(map_, 2, socket.get()), 0);
  for (const uint32_t key : {0u, 2u}) {
    EXPECT_EQ(lab_.Run(map_.get(), key, XDP_PASS).action, uint32_t{XDP_REDIRECT});
  }
  Close(std::move(socket));
  for (const uint32_t key : {0u, 2u}) {
    EXPECT_EQ(lab_.Run(map_.get(), key, XDP_PASS).action, uint32_t{XDP_PASS});
    EXPECT_EQ(Send(key, XDP_PASS, 3).stack, 3u);
  }
  // Its queue is free for another.
  socket = Open(Kind::kXdp);
  ASSERT_EQ(Put(map_, 0, socket.get()), 0);
  Send(0, 0, 3);
  EXPECT_EQ(CountOf(socket), 3u);
}

TEST_F(NetworkLabTest, AQueueTakesOneSocketAtATime) {
  Descriptor socket = Open(Kind::kXdp);
  std::string error;
  const Descriptor second(lab_.Open(Kind::kXdp, 0, 0, &error));
  EXPECT_LT(second.get(), 0);
  EXPECT_EQ(error, "binding an AF_XDP socket: EBUSY");
}

TEST_F(NetworkLabTest, SocketsThatAreNotBoundReceiveNothing) {
  for (const Kind kind : {Kind::kXdpBare, Kind::kXdpUnbound}) {
    Descriptor socket = Open(kind);
    if (Put(map_, 0, socket.get()) != 0) continue;  // From 7.x on a socket needs an RX ring.
    EXPECT_EQ(Send(0, 0, 4).actions, Only(XDP_REDIRECT, 4));
    EXPECT_EQ(CountOf(socket), 0u);
    Close(std::move(socket));
  }
}

TEST_F(NetworkLabTest, SocketsOfOtherFamiliesAreNoneForTheMap) {
  for (const Kind kind : {Kind::kUdp, Kind::kTcp}) {
    const Descriptor socket = Open(kind);
    EXPECT_EQ(Put(map_, 0, socket.get()), -EOPNOTSUPP);
  }
}

TEST_F(NetworkLabTest, AsManyFramesAsRingsHoldComeAgainAndAgain) {
  Descriptor socket = Open(Kind::kXdp);
  ASSERT_EQ(Put(map_, 0, socket.get()), 0);
  const std::vector<uint8_t> payload(kMaxPayload, 0xA5);
  for (int round = 0; round < 20; ++round) {
    const RedirectResult sent = lab_.Send(map_.get(), 0, 0, 0, 0, kMaxFrames, payload);
    EXPECT_EQ(sent.unable, "");
    ASSERT_EQ(CountOf(socket), kMaxFrames);
    EXPECT_EQ(last_.size(), kMaxFrames * (kFrameHeader + kMaxPayload));
  }
  EXPECT_EQ(Send(1, XDP_PASS, kMaxFrames).stack, kMaxFrames);
  // One too many: there is no room for it, and the kernel counts that.
  Send(0, 0, kMaxFrames);
  Send(0, 0, 1);
  XdpSocketStatistics counted;
  std::string error;
  ASSERT_TRUE(lab_.Statistics(socket.get(), &counted, &error)) << error;
  EXPECT_EQ(CountOf(socket), kMaxFrames);
  EXPECT_EQ(counted.rx_ring_full + counted.rx_fill_ring_empty, 1u);
}

TEST_F(NetworkLabTest, TheVerifierRefusesOtherMaps) {
  const Descriptor hash(::bpf_map_create(::BPF_MAP_TYPE_HASH, "mapspec", 4, 4, 4, nullptr));
  for (const RedirectResult& result :
       {lab_.Run(hash.get(), 0, 0), lab_.Send(hash.get(), 0, 0, 0, 0, 1, kPayload)}) {
    EXPECT_EQ(result.unable, "");
    EXPECT_EQ(result.refused, Errno::kEINVAL);
    EXPECT_NE(result.log, "");
  }
  EXPECT_EQ(lab_.Run(-1, 0, 0).refused, Errno::kEBADF);
}

TEST_F(NetworkLabTest, WhatTheLabCannotSendIsSaid) {
  const std::vector<uint8_t> payload(kMaxPayload + 1);
  EXPECT_NE(lab_.Send(map_.get(), 0, 0, kNetDevices, 0, 1, {}).unable, "");
  EXPECT_NE(lab_.Send(map_.get(), 0, 0, 0, kNetQueues, 1, {}).unable, "");
  EXPECT_NE(lab_.Send(map_.get(), 0, 0, 0, 0, kMaxFrames + 1, {}).unable, "");
  EXPECT_NE(lab_.Send(map_.get(), 0, 0, 0, 0, 1, payload).unable, "");
  std::string error;
  EXPECT_EQ(lab_.Open(Kind::kXdp, 0, kNetQueues, &error), -1);
}

TEST_F(NetworkLabTest, MapsGoWhenProgramsAreForgotten) {
  ::bpf_map_info info{};
  uint32_t size = sizeof(info);
  ASSERT_EQ(::bpf_obj_get_info_by_fd(map_.get(), &info, &size), 0);
  // More than are kept, each another program.
  for (uint32_t key = 0; key < 2 * RedirectPrograms::kMaxKept; ++key) {
    EXPECT_EQ(lab_.Run(map_.get(), key, XDP_DROP).action, uint32_t{XDP_DROP});
  }
  map_ = Descriptor();
  lab_.ForgetPrograms();
  // The kernel frees programs, and with them the map, after a grace period.
  for (int tries = 0; tries < 1000; ++tries) {
    const Descriptor still(::bpf_map_get_fd_by_id(info.id));
    if (still.get() < 0) break;
    usleep(10'000);
  }
  EXPECT_EQ(::bpf_map_get_fd_by_id(info.id), -ENOENT);
}

TEST_F(NetworkLabTest, TheHostSeesNothingOfIt) {
  const auto self = std::filesystem::read_symlink("/proc/thread-self/ns/net");
  const ptrdiff_t descriptors = OpenDescriptors();
  const auto devices = HostDevices();
  {
    NetworkLab lab;
    std::string error;
    const Descriptor socket(lab.Open(Kind::kXdp, 1, 1, &error));
    ASSERT_GE(socket.get(), 0) << error;
    ASSERT_EQ(Put(map_, 0, socket.get()), 0);
    EXPECT_EQ(lab.Send(map_.get(), 0, 0, 1, 1, 2, kPayload).actions, Only(XDP_REDIRECT, 2));
    EXPECT_EQ(HostDevices(), devices);
    EXPECT_EQ(std::filesystem::read_symlink("/proc/thread-self/ns/net"), self);
    EXPECT_GT(OpenDescriptors(), descriptors);
  }
  EXPECT_EQ(OpenDescriptors(), descriptors);
  EXPECT_EQ(HostDevices(), devices);
}

// Gives a namespace a number here, and waits for the kernel to say that the number is free again,
// which it does when the namespace is gone.
class NamespaceWatch {
 public:
  explicit NamespaceWatch(int namespace_fd) : socket_(mnl_socket_open(NETLINK_ROUTE)) {
    constexpr timeval kLimit{20, 0};
    const int group = RTNLGRP_NSID;
    const int socket = mnl_socket_get_fd(socket_);
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &kLimit, sizeof(kLimit));
    mnl_socket_bind(socket_, 0, MNL_SOCKET_AUTOPID);
    mnl_socket_setsockopt(socket_, NETLINK_ADD_MEMBERSHIP, const_cast<int*>(&group), sizeof(group));
    alignas(nlmsghdr) std::array<uint8_t, 256> memory{};
    nlmsghdr* request = mnl_nlmsg_put_header(memory.data());
    request->nlmsg_type = RTM_NEWNSID;
    request->nlmsg_flags = NLM_F_REQUEST;
    static_cast<rtgenmsg*>(mnl_nlmsg_put_extra_header(request, sizeof(rtgenmsg)))->rtgen_family =
        AF_UNSPEC;
    mnl_attr_put_u32(request, NETNSA_FD, static_cast<uint32_t>(namespace_fd));
    mnl_attr_put_u32(request, NETNSA_NSID, static_cast<uint32_t>(-1));  // Any.
    mnl_socket_sendto(socket_, request, request->nlmsg_len);
    id_ = Next(RTM_NEWNSID);
  }
  ~NamespaceWatch() { mnl_socket_close(socket_); }
  NamespaceWatch(const NamespaceWatch&) = delete;
  NamespaceWatch& operator=(const NamespaceWatch&) = delete;

  bool Works() const { return id_ >= 0; }
  bool WaitUntilGone() {
    int id = -1;
    while ((id = Next(RTM_DELNSID)) >= 0 && id != id_) {
    }
    return id == id_;
  }

 private:
  // The number in the next message of the type; -1: none came.
  int Next(int type) {
    alignas(nlmsghdr) std::array<uint8_t, 8192> memory{};
    while (mnl_socket_recvfrom(socket_, memory.data(), memory.size()) > 0) {
      const auto* message = reinterpret_cast<const nlmsghdr*>(memory.data());
      if (message->nlmsg_type != type) continue;
      int id = -1;
      mnl_attr_parse(message, sizeof(rtgenmsg), &TakeId, &id);
      return id;
    }
    return -1;
  }

  static int TakeId(const nlattr* attribute, void* id) {
    if (mnl_attr_get_type(attribute) == NETNSA_NSID) {
      *static_cast<int*>(id) = static_cast<int>(mnl_attr_get_u32(attribute));
    }
    return MNL_CB_OK;
  }

  mnl_socket* socket_;
  int id_ = -1;
};

TEST_F(NetworkLabTest, TheNamespaceGoesWithTheLab) {
  auto lab = std::make_unique<NetworkLab>();
  std::string error;
  Descriptor socket(lab->Open(Kind::kXdp, 0, 0, &error));
  ASSERT_GE(socket.get(), 0) << error;
  NamespaceWatch watch(lab->NamespaceFd());
  ASSERT_TRUE(watch.Works());
  lab.reset();
  socket = Descriptor();
  EXPECT_TRUE(watch.WaitUntilGone());
}

TEST_F(NetworkLabTest, TheNamespaceGoesWithAProcessThatIsKilled) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  const Descriptor from(ends[0]);
  Descriptor to(ends[1]);
  const pid_t child = fork();
  if (child == 0) {
    NetworkLab lab;
    std::string error;
    const int socket = lab.Open(Kind::kXdp, 0, 0, &error);
    if (socket < 0 || Put(map_, 0, socket) != 0) _exit(1);
    lab.Send(map_.get(), 0, 0, 0, 0, 2, kPayload);
    const int fd = lab.NamespaceFd();
    if (write(to.get(), &fd, sizeof(fd)) != sizeof(fd)) _exit(1);
    for (;;) pause();
  }
  ASSERT_GT(child, 0);
  to = Descriptor();  // So that a child that fails is the end of the pipe.
  int fd = -1;
  const bool told = read(from.get(), &fd, sizeof(fd)) == sizeof(fd);
  const std::string path = "/proc/" + std::to_string(child) + "/fd/" + std::to_string(fd);
  Descriptor inside(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  NamespaceWatch watch(inside.get());
  inside = Descriptor();
  kill(child, SIGKILL);
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(told && watch.Works());
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  EXPECT_TRUE(watch.WaitUntilGone());
}

}  // namespace
}  // namespace mapspec
