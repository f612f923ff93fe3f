// SPDX-License-Identifier: MIT
#include "backends/kernel/xdp_socket.h"

#include <linux/if_xdp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <initializer_list>

#include "backends/kernel/program_load.h"

namespace mapspec {
namespace {

// What tells one kind of ring from another.
struct RingTraits {
  int option;
  off_t page_offset;
  xdp_ring_offset xdp_mmap_offsets::*offsets;
  size_t entry_size;
};

RingTraits TraitsOf(XdpRing::Kind kind) {
  switch (kind) {
    case XdpRing::Kind::kFill:
      return {XDP_UMEM_FILL_RING, static_cast<off_t>(XDP_UMEM_PGOFF_FILL_RING),
              &xdp_mmap_offsets::fr, sizeof(uint64_t)};
    case XdpRing::Kind::kCompletion:
      return {XDP_UMEM_COMPLETION_RING, static_cast<off_t>(XDP_UMEM_PGOFF_COMPLETION_RING),
              &xdp_mmap_offsets::cr, sizeof(uint64_t)};
    case XdpRing::Kind::kReceive:
      return {XDP_RX_RING, XDP_PGOFF_RX_RING, &xdp_mmap_offsets::rx, sizeof(xdp_desc)};
    case XdpRing::Kind::kTransmit:
      break;
  }
  return {XDP_TX_RING, static_cast<off_t>(XDP_PGOFF_TX_RING), &xdp_mmap_offsets::tx,
          sizeof(xdp_desc)};
}

bool CreateRings(int fd, std::initializer_list<XdpRing::Kind> kinds, std::string* error) {
  return std::all_of(kinds.begin(), kinds.end(),
                     [&](XdpRing::Kind kind) { return XdpRing::Create(fd, kind, error); });
}

}  // namespace

XdpMemory::~XdpMemory() {
  if (address_ != nullptr) munmap(address_, size_);
}

bool XdpMemory::Register(int fd, std::string* error) {
  const size_t size = size_t{kXdpFrames} * kXdpFrameRoom;
  void* address = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (address == MAP_FAILED) {
    *error = SystemFailure("memory for frames", errno);
    return false;
  }
  address_ = address;
  size_ = size;
  xdp_umem_reg registration{};
  registration.addr = reinterpret_cast<uint64_t>(address);
  registration.len = size;
  registration.chunk_size = kXdpFrameRoom;
  if (setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &registration, sizeof(registration)) != 0) {
    *error = SystemFailure("XDP_UMEM_REG", errno);
    return false;
  }
  return true;
}

XdpRing::~XdpRing() {
  if (address_ != nullptr) munmap(address_, size_);
}

bool XdpRing::Create(int fd, Kind kind, std::string* error) {
  if (setsockopt(fd, SOL_XDP, TraitsOf(kind).option, &kXdpFrames, sizeof(kXdpFrames)) == 0) {
    return true;
  }
  *error = SystemFailure("an AF_XDP ring", errno);
  return false;
}

bool XdpRing::Map(int fd, Kind kind, std::string* error) {
  xdp_mmap_offsets all{};
  socklen_t length = sizeof(all);
  if (getsockopt(fd, SOL_XDP, XDP_MMAP_OFFSETS, &all, &length) != 0) {
    *error = SystemFailure("XDP_MMAP_OFFSETS", errno);
    return false;
  }
  const RingTraits traits = TraitsOf(kind);
  const xdp_ring_offset offsets = all.*traits.offsets;
  const size_t size = offsets.desc + kXdpFrames * traits.entry_size;
  void* address = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, traits.page_offset);
  if (address == MAP_FAILED) {
    *error = SystemFailure("mapping an AF_XDP ring", errno);
    return false;
  }
  address_ = address;
  size_ = size;
  auto* bytes = static_cast<uint8_t*>(address);
  producer_ = reinterpret_cast<uint32_t*>(bytes + offsets.producer);
  consumer_ = reinterpret_cast<uint32_t*>(bytes + offsets.consumer);
  entries_ = bytes + offsets.desc;
  return true;
}

uint32_t XdpRing::Filled() const {
  const uint32_t produced = std::atomic_ref<uint32_t>(*producer_).load(std::memory_order_acquire);
  return produced - std::atomic_ref<uint32_t>(*consumer_).load(std::memory_order_acquire);
}

void XdpRing::Consume(uint32_t count) {
  std::atomic_ref<uint32_t>(*consumer_).fetch_add(count, std::memory_order_release);
}

void XdpRing::Produce(uint32_t count) {
  std::atomic_ref<uint32_t>(*producer_).fetch_add(count, std::memory_order_release);
}

int BindXdpSocket(int fd, int device, uint32_t queue) {
  sockaddr_xdp address{};
  address.sxdp_family = AF_XDP;
  address.sxdp_flags = XDP_COPY;
  address.sxdp_ifindex = static_cast<uint32_t>(device);
  address.sxdp_queue_id = queue;
  return bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 ? 0 : errno;
}

bool ReadXdpStatistics(int fd, XdpSocketStatistics* statistics, std::string* error) {
  xdp_statistics counted{};
  socklen_t length = sizeof(counted);
  if (getsockopt(fd, SOL_XDP, XDP_STATISTICS, &counted, &length) != 0) {
    *error = SystemFailure("XDP_STATISTICS", errno);
    return false;
  }
  statistics->rx_dropped = counted.rx_dropped;
  statistics->rx_invalid_descriptors = counted.rx_invalid_descs;
  statistics->tx_invalid_descriptors = counted.tx_invalid_descs;
  statistics->rx_ring_full = counted.rx_ring_full;
  statistics->rx_fill_ring_empty = counted.rx_fill_ring_empty_descs;
  statistics->tx_ring_empty = counted.tx_ring_empty_descs;
  return true;
}

std::unique_ptr<XdpReceiver> XdpReceiver::Make(int fd, std::string* error) {
  std::unique_ptr<XdpReceiver> receiver(new XdpReceiver);
  using Kind = XdpRing::Kind;
  if (!receiver->memory_.Register(fd, error) ||
      !CreateRings(fd, {Kind::kFill, Kind::kCompletion, Kind::kReceive}, error) ||
      !receiver->fill_.Map(fd, Kind::kFill, error) ||
      !receiver->received_.Map(fd, Kind::kReceive, error)) {
    return nullptr;
  }
  for (uint32_t i = 0; i < kXdpFrames; ++i) {
    receiver->fill_.ToProduce<uint64_t>(i) = uint64_t{i} * kXdpFrameRoom;
  }
  receiver->fill_.Produce(kXdpFrames);
  return receiver;
}

bool XdpReceiver::Receive(std::vector<std::vector<uint8_t>>* frames, std::string* error) {
  const uint32_t count = received_.Filled();
  const auto memory = memory_.bytes();
  for (uint32_t i = 0; i < count; ++i) {
    const auto& frame = received_.ToConsume<xdp_desc>(i);
    if (frame.addr > memory.size() || frame.len > memory.size() - frame.addr) {
      *error = "an AF_XDP socket received a frame outside of its memory";
      return false;
    }
    const auto bytes = memory.subspan(frame.addr, frame.len);
    frames->emplace_back(bytes.begin(), bytes.end());
    fill_.ToProduce<uint64_t>(i) = frame.addr / kXdpFrameRoom * kXdpFrameRoom;
  }
  received_.Consume(count);
  fill_.Produce(count);
  return true;
}

std::unique_ptr<XdpSender> XdpSender::Make(Descriptor fd, int device, uint32_t queue,
                                           std::string* error) {
  std::unique_ptr<XdpSender> sender(new XdpSender(std::move(fd)));
  const int socket = sender->fd_.get();
  using Kind = XdpRing::Kind;
  if (!sender->memory_.Register(socket, error) ||
      !CreateRings(socket, {Kind::kFill, Kind::kCompletion, Kind::kTransmit}, error) ||
      !sender->transmit_.Map(socket, Kind::kTransmit, error) ||
      !sender->completion_.Map(socket, Kind::kCompletion, error)) {
    return nullptr;
  }
  if (const int failure = BindXdpSocket(socket, device, queue); failure != 0) {
    *error = SystemFailure("binding the sending AF_XDP socket", failure);
    return nullptr;
  }
  return sender;
}

bool XdpSender::Send(std::span<const std::vector<uint8_t>> frames, Deadline deadline,
                     std::string* error) {
  const auto count = static_cast<uint32_t>(frames.size());
  for (uint32_t i = 0; i < count; ++i) {
    const size_t place = size_t{i} * kXdpFrameRoom;
    std::copy(frames[i].begin(), frames[i].end(), memory_.bytes().subspan(place).begin());
    transmit_.ToProduce<xdp_desc>(i) = {place, static_cast<uint32_t>(frames[i].size()), 0};
  }
  transmit_.Produce(count);
  // One call sends a few; a frame's place is ours again when its completion is there.
  while (transmit_.Filled() != 0 || completion_.Filled() != count) {
    if (sendto(fd_.get(), nullptr, 0, MSG_DONTWAIT, nullptr, 0) < 0 && errno != EAGAIN &&
        errno != EBUSY && errno != ENOBUFS && errno != EINTR) {
      *error = SystemFailure("sending frames", errno);
      return false;
    }
    if (std::chrono::steady_clock::now() > deadline) {
      *error = "the device did not take all frames in time";
      return false;
    }
    sched_yield();
  }
  completion_.Consume(count);
  return true;
}

}  // namespace mapspec
