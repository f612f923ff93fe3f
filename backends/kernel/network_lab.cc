// SPDX-License-Identifier: MIT
#include "backends/kernel/network_lab.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <numeric>
#include <thread>
#include <vector>

#include "backends/kernel/program_load.h"
#include "backends/libbpf_api/call_threads.h"
#include "oracle/frame.h"

namespace mapspec {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPatience = std::chrono::seconds(2);

static_assert(kSocketFrames == kXdpFrames);
static_assert(kFrameHeader + kMaxPayload <= kXdpFrameRoom - 256);
static_assert(kFrameHeader == ETH_HLEN + sizeof(uint32_t));

int ReceiverIndex(uint32_t device) { return static_cast<int>(100 + device); }
int SenderIndex(uint32_t device) { return static_cast<int>(200 + device); }

std::vector<std::vector<uint8_t>> MakeFrames(uint32_t device, uint32_t count,
                                             std::span<const uint8_t> payload) {
  const Bytes content(payload.data(), payload.size());
  std::vector<std::vector<uint8_t>> frames;
  for (uint32_t i = 0; i < count; ++i) {
    const Bytes frame = MakeFrame(device, i, content);
    frames.emplace_back(frame.data(), frame.data() + frame.size());
  }
  return frames;
}

// Calls `done` until it is true or the deadline has passed: first at once, for what the kernel did
// in the system call, then leaving the CPU to whom the kernel gave the rest.
template <typename Function>
bool Await(Clock::time_point deadline, Function done) {
  for (uint32_t tries = 0; !done(); ++tries) {
    if (Clock::now() > deadline) return false;
    if (tries < 64) {
      sched_yield();
    } else {
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
  }
  return true;
}

bool RealTimeKernel() {
  utsname name{};
  return uname(&name) == 0 && std::strstr(name.version, "PREEMPT_RT") != nullptr;
}

bool OutOfRange(uint32_t device, uint32_t queue) {
  return device >= kNetDevices || queue >= kNetQueues;
}

}  // namespace

NetworkLab::~NetworkLab() = default;

bool NetworkLab::HaveNetwork(std::string* error) {
  if (namespace_ == nullptr && no_network_.empty() && !MakeNetwork(&no_network_)) {
    witness_ = Descriptor();
    route_.reset();
    namespace_.reset();
  }
  if (no_network_.empty()) return true;
  *error = no_network_;
  return false;
}

bool NetworkLab::MakeNetwork(std::string* error) {
  namespace_ = NetworkNamespace::Make(error);
  if (namespace_ == nullptr) return false;
  if (!namespace_->Run([&] { route_ = RouteSocket::Open(error); }, error)) return false;
  if (route_ == nullptr) return false;
  for (uint32_t device = 0; device < kNetDevices; ++device) {
    const std::string number = std::to_string(device);
    const VethEnd receiver{ReceiverIndex(device), "device" + number, ReceiverAddress(device)};
    const VethEnd sender{SenderIndex(device), "sender" + number, SenderAddress(device)};
    if (const int failure = route_->AddVethPair(receiver, sender, kNetQueues); failure != 0) {
      *error = SystemFailure("no veth devices", failure);
      return false;
    }
    for (const int index : {receiver.index, sender.index}) {
      if (const int failure = route_->SetUp(index); failure != 0) {
        *error = SystemFailure("a veth device does not come up", failure);
        return false;
      }
    }
  }
  witness_ = Descriptor(OpenSocket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, true, error));
  if (witness_.get() < 0) return false;
  constexpr int kRoom = 4 << 20;  // More than kMaxFrames of them take.
  setsockopt(witness_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kRoom, sizeof(kRoom));
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(kOurEtherType);
  if (bind(witness_.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) {
    return true;
  }
  *error = SystemFailure("binding an AF_PACKET socket", errno);
  return false;
}

int NetworkLab::OpenSocket(int family, int type, bool inside, std::string* error) {
  int fd = -1;
  int failure = 0;
  const auto open = [&] {
    fd = socket(family, type | SOCK_CLOEXEC, 0);
    failure = errno;
  };
  if (inside) {
    if (!namespace_->Run(open, error)) return -1;
  } else {
    open();
  }
  if (fd < 0) {
    const std::string what = "no " +
                             std::string(family == AF_XDP      ? "AF_XDP"
                                         : family == AF_PACKET ? "AF_PACKET"
                                                               : "AF_INET") +
                             " socket";
    *error = SystemFailure(what.c_str(), failure);
  }
  return fd;
}

int NetworkLab::Open(SocketOpen::Kind kind, uint32_t device, uint32_t queue, std::string* error) {
  using Kind = SocketOpen::Kind;
  if (kind == Kind::kUdp) return OpenSocket(AF_INET, SOCK_DGRAM, false, error);
  if (kind == Kind::kTcp) return OpenSocket(AF_INET, SOCK_STREAM, false, error);
  const bool bound = kind == Kind::kXdp;
  if (bound && OutOfRange(device, queue)) {
    *error = "no such device or queue";
    return -1;
  }
  if (bound && !HaveNetwork(error)) return -1;
  Descriptor fd(OpenSocket(AF_XDP, SOCK_RAW, bound, error));
  if (fd.get() < 0 || kind == Kind::kXdpBare) return fd.Release();
  Receiver receiver{XdpReceiver::Make(fd.get(), error), bound, device, queue};
  if (receiver.rings == nullptr) return -1;
  if (bound && !Bind(fd.get(), device, queue, error)) return -1;
  receivers_[fd.get()] = std::move(receiver);
  return fd.Release();
}

bool NetworkLab::Bind(int fd, uint32_t device, uint32_t queue, std::string* error) {
  const bool taken = std::any_of(receivers_.begin(), receivers_.end(), [&](const auto& entry) {
    const Receiver& other = entry.second;
    return other.bound && other.device == device && other.queue == queue;
  });
  // A socket that was closed gives its queue back a little later; one that is open never will.
  int failure = 0;
  Await(taken ? Clock::now() : Clock::now() + kPatience, [&] {
    failure = BindXdpSocket(fd, ReceiverIndex(device), queue);
    return failure != EBUSY || taken;
  });
  if (failure == 0) return true;
  *error = SystemFailure("binding an AF_XDP socket", failure);
  return false;
}

void NetworkLab::Forget(int fd) {
  receivers_.erase(fd);
  programs_.ForgetAll();
}

bool NetworkLab::Receive(int fd, Bytes* frames, uint32_t* count, std::string* error) {
  *frames = Bytes();
  *count = 0;
  const auto found = receivers_.find(fd);
  if (found == receivers_.end()) return true;
  std::vector<std::vector<uint8_t>> received;
  if (!found->second.rings->Receive(&received, error)) return false;
  std::vector<uint8_t> all;
  for (const auto& frame : received) all.insert(all.end(), frame.begin(), frame.end());
  frames->Assign(all.data(), all.size());
  *count = static_cast<uint32_t>(received.size());
  return true;
}

bool NetworkLab::Statistics(int fd, XdpSocketStatistics* statistics, std::string* error) {
  return ReadXdpStatistics(fd, statistics, error);
}

XdpSender* NetworkLab::SenderOf(uint32_t device, uint32_t queue, std::string* error) {
  auto& sender = senders_[device][queue];
  if (sender == nullptr) {
    Descriptor fd(OpenSocket(AF_XDP, SOCK_RAW, true, error));
    if (fd.get() < 0) return nullptr;
    sender = XdpSender::Make(std::move(fd), SenderIndex(device), queue, error);
  }
  return sender.get();
}

bool NetworkLab::SendAll(XdpSender* sender, std::span<const std::vector<uint8_t>> frames,
                         std::string* error) {
  programs_.ResetCounts();
  const auto deadline = Clock::now() + kPatience;
  if (!sender->Send(frames, deadline, error)) return false;
  const auto handled = [&] {
    const XdpActionCounts counts = programs_.Counts();
    return std::accumulate(counts.begin(), counts.end(), uint64_t{0}) == frames.size();
  };
  if (Await(deadline, handled)) return true;
  *error = "not all frames that were sent came to the program in time";
  return false;
}

uint32_t NetworkLab::TakeWitnessed(uint32_t device) {
  uint32_t count = 0;
  std::array<uint8_t, 1> head{};
  sockaddr_ll from{};
  socklen_t length = sizeof(from);
  while (recvfrom(witness_.get(), head.data(), head.size(), 0, reinterpret_cast<sockaddr*>(&from),
                  &length) >= 0) {
    if (from.sll_ifindex == ReceiverIndex(device)) ++count;
    length = sizeof(from);
  }
  return count;
}

bool NetworkLab::StartProgram(uint32_t device, uint32_t queue, int program_fd, std::string* error) {
  if (dispatcher_.fd() < 0 && !dispatcher_.Load(kNetQueues, error)) return false;
  if (!attached_[device]) {
    const int failure = route_->SetXdpProgram(ReceiverIndex(device), dispatcher_.fd());
    if (failure != 0) {
      *error = SystemFailure("attaching an XDP program", failure);
      return false;
    }
    attached_[device] = true;
  }
  const int failure = dispatcher_.Choose(queue, program_fd);
  if (failure != 0) *error = SystemFailure("choosing an XDP program", failure);
  return failure == 0;
}

bool NetworkLab::StopProgram(uint32_t device, uint32_t queue, bool pinned, std::string* error) {
  // The program counts a frame before the driver has carried out what it returned; when the poll of
  // the queue ends, all is done. The poll is a soft interrupt of the CPU that sent, and as that CPU
  // is back at this thread, it has ended. Soft interrupts of a real-time kernel are threads like
  // this one; there the dispatcher is taken away, which makes the driver wait for polls.
  if (!pinned || RealTimeKernel()) {
    attached_[device] = false;
    if (const int failure = route_->SetXdpProgram(ReceiverIndex(device), -1); failure != 0) {
      *error = SystemFailure("detaching an XDP program", failure);
      return false;
    }
  }
  const int failure = dispatcher_.Choose(queue, -1);
  if (failure != 0) *error = SystemFailure("dropping an XDP program", failure);
  return failure == 0;
}

RedirectResult NetworkLab::Send(int map_fd, uint32_t key, uint64_t flags, uint32_t device,
                                uint32_t queue, uint32_t count, std::span<const uint8_t> payload) {
  RedirectResult result;
  if (OutOfRange(device, queue) || count > kMaxFrames || payload.size() > kMaxPayload) {
    result.unable = "no such device or queue, or more frames or payload than the lab can send";
    return result;
  }
  if (!HaveNetwork(&result.unable)) return result;
  const ProgramLoad& program = programs_.For(map_fd, key, flags);
  if (program.fd.get() < 0) {
    result.refused = program.refused;
    (program.refused == Errno::kNone ? result.unable : result.log) = program.log;
    return result;
  }
  XdpSender* sender = SenderOf(device, queue, &result.unable);
  if (sender == nullptr) return result;
  if (!StartProgram(device, queue, program.fd.get(), &result.unable)) return result;
  CpuPin pin;
  std::string not_pinned;
  const bool pinned = pin.Set(static_cast<uint16_t>(sched_getcpu()), &not_pinned);
  if (!SendAll(sender, MakeFrames(device, count, payload), &result.unable)) {
    senders_[device][queue] = nullptr;  // Its rings may still hold some of them.
  }
  StopProgram(device, queue, pinned, &result.unable);
  result.actions = programs_.Counts();
  result.stack = TakeWitnessed(device);
  return result;
}

RedirectResult NetworkLab::Run(int map_fd, uint32_t key, uint64_t flags) {
  RedirectResult result;
  const ProgramLoad& program = programs_.For(map_fd, key, flags);
  if (program.fd.get() < 0) {
    result.refused = program.refused;
    (program.refused == Errno::kNone ? result.unable : result.log) = program.log;
    return result;
  }
  if (const int failure = RunOnFrame(program.fd.get(), &result.action); failure != 0) {
    result.unable = SystemFailure("BPF_PROG_TEST_RUN", failure);
  }
  return result;
}

}  // namespace mapspec
