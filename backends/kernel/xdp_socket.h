// SPDX-License-Identifier: MIT
//
// The user's side of AF_XDP sockets: UMEM, rings, and frames in and out.
//
// A mapping of a ring keeps its socket open: the end of a socket is its last close(2) and the end
// of its XdpReceiver, whichever comes last. (To map the rings only while looking at them would not
// do: Linux 6.1 and older kernels map no rings of a bound socket.)
//
// Ownership: an XdpReceiver owns the memory (UMEM), not the descriptor; an XdpSender owns both.
// Thread-safety: none. Errors: a sentence; *error is only written then.
// Source: Documentation/networking/af_xdp.rst, uapi/linux/if_xdp.h.
#ifndef BACKENDS_KERNEL_XDP_SOCKET_H_
#define BACKENDS_KERNEL_XDP_SOCKET_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "backends/kernel/descriptor.h"

namespace mapspec {

// Frames that a socket takes before it must be asked for them; also the sizes of its rings.
inline constexpr uint32_t kXdpFrames = 64;
// Bytes of one frame's place in the UMEM. The kernel keeps 256 in front of what it received.
inline constexpr uint32_t kXdpFrameRoom = 2048;

// What the kernel counted for a socket (struct xdp_statistics); kernels before 5.9 have the first
// three only, and the rest stays 0.
struct XdpSocketStatistics {
  uint64_t rx_dropped = 0;
  uint64_t rx_invalid_descriptors = 0;
  uint64_t tx_invalid_descriptors = 0;
  uint64_t rx_ring_full = 0;
  uint64_t rx_fill_ring_empty = 0;
  uint64_t tx_ring_empty = 0;
};

// kXdpFrames frames of memory.
class XdpMemory {
 public:
  XdpMemory() = default;
  ~XdpMemory();
  XdpMemory(const XdpMemory&) = delete;
  XdpMemory& operator=(const XdpMemory&) = delete;
  // Allocates it and registers it as the socket's UMEM.
  bool Register(int fd, std::string* error);
  std::span<uint8_t> bytes() { return {static_cast<uint8_t*>(address_), size_}; }

 private:
  void* address_ = nullptr;
  size_t size_ = 0;
};

// A mapped ring.
class XdpRing {
 public:
  enum class Kind : uint8_t { kFill, kCompletion, kReceive, kTransmit };
  XdpRing() = default;
  ~XdpRing();
  XdpRing(const XdpRing&) = delete;
  XdpRing& operator=(const XdpRing&) = delete;

  // Gives the socket a ring of kXdpFrames entries.
  static bool Create(int fd, Kind kind, std::string* error);
  bool Map(int fd, Kind kind, std::string* error);

  // Entries that are there to be consumed.
  uint32_t Filled() const;
  // The entry so many places behind the first that is not yet consumed, or produced.
  template <typename Entry>
  Entry& ToConsume(uint32_t i) const {
    return static_cast<Entry*>(entries_)[(*consumer_ + i) % kXdpFrames];
  }
  template <typename Entry>
  Entry& ToProduce(uint32_t i) const {
    return static_cast<Entry*>(entries_)[(*producer_ + i) % kXdpFrames];
  }
  void Consume(uint32_t count);
  void Produce(uint32_t count);

 private:
  void* address_ = nullptr;
  size_t size_ = 0;
  uint32_t* producer_ = nullptr;
  uint32_t* consumer_ = nullptr;
  void* entries_ = nullptr;
};

// Binds the socket to a queue of a device, in copy mode. 0 or errno.
int BindXdpSocket(int fd, int device, uint32_t queue);
bool ReadXdpStatistics(int fd, XdpSocketStatistics* statistics, std::string* error);

class XdpReceiver {
 public:
  // Gives the socket a UMEM and an RX ring, with all frames in the fill ring, and the completion
  // ring without which nothing can be bound.
  static std::unique_ptr<XdpReceiver> Make(int fd, std::string* error);
  // Appends the frames that arrived since the last time, in order, and gives their room back.
  bool Receive(std::vector<std::vector<uint8_t>>* frames, std::string* error);

 private:
  XdpReceiver() = default;
  XdpMemory memory_;
  XdpRing fill_, received_;
};

// Sends frames from a certain transmit queue of a device: an AF_XDP socket sends from the queue
// that it is bound to, where other sockets have the kernel choose.
class XdpSender {
 public:
  using Deadline = std::chrono::steady_clock::time_point;
  // The socket must have been opened in the device's namespace.
  static std::unique_ptr<XdpSender> Make(Descriptor fd, int device, uint32_t queue,
                                         std::string* error);
  // Returns when the driver has taken them all; at most kXdpFrames frames of at most kXdpFrameRoom
  // bytes.
  bool Send(std::span<const std::vector<uint8_t>> frames, Deadline deadline, std::string* error);

 private:
  explicit XdpSender(Descriptor fd) : fd_(std::move(fd)) {}
  Descriptor fd_;
  XdpMemory memory_;
  XdpRing transmit_, completion_;
};

}  // namespace mapspec

#endif  // BACKENDS_KERNEL_XDP_SOCKET_H_
