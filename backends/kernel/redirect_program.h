// SPDX-License-Identifier: MIT
//
// RedirectPrograms: XDP programs that answer each frame of ours with
//     return bpf_redirect_map(&map, key, flags);
// and count what they return. Frames of another EtherType than kOurEtherType pass uncounted.
//
// Programs are kept for the next time, at most kMaxKept; a kept program keeps its map alive until
// ForgetAll(). The kernel frees a program, and what it refers to, a little after its last use.
//
// Ownership: owns programs and counters. Thread-safety: one thread at a time. Errors: in the
// results. Source: Documentation/bpf/map_xskmap.rst, redirect.rst.
#ifndef BACKENDS_KERNEL_REDIRECT_PROGRAM_H_
#define BACKENDS_KERNEL_REDIRECT_PROGRAM_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "backends/kernel/descriptor.h"
#include "backends/kernel/program_load.h"

namespace mapspec {

// XDP_ABORTED, XDP_DROP, XDP_PASS, XDP_TX, XDP_REDIRECT, and any other number.
inline constexpr size_t kXdpActions = 6;
using XdpActionCounts = std::array<uint64_t, kXdpActions>;

class RedirectPrograms {
 public:
  static constexpr size_t kMaxKept = 16;

  RedirectPrograms() = default;
  ~RedirectPrograms();
  RedirectPrograms(const RedirectPrograms&) = delete;
  RedirectPrograms& operator=(const RedirectPrograms&) = delete;

  // The program, or why there is none; valid until the next call.
  const ProgramLoad& For(int map_fd, uint32_t key, uint64_t flags);
  void ForgetAll() { kept_.clear(); }

  // What the programs returned since the counters were reset; of use once For gave a program.
  void ResetCounts();
  XdpActionCounts Counts() const;

 private:
  struct Kept {
    uint32_t map_id = 0;
    uint32_t key = 0;
    uint64_t flags = 0;
    ProgramLoad load;
  };
  // False after filling *error.
  bool MakeCounters(std::string* error);

  std::vector<Kept> kept_;
  ProgramLoad failure_;  // What is not kept.
  Descriptor counters_fd_;
  uint64_t* counters_ = nullptr;
  size_t counters_size_ = 0;
};

// A program that goes on to another, by the queue on which the frame came. The other can be changed
// while this is attached, which is a thousand times faster than attaching. Where there is no other,
// frames pass.
class XdpDispatcher {
 public:
  // For so many queues. False after filling *error.
  bool Load(uint32_t queues, std::string* error);
  int fd() const { return program_.get(); }  // -1 before Load.
  // -1: none. 0 or errno.
  int Choose(uint32_t queue, int program_fd);

 private:
  Descriptor chosen_;  // A map of programs.
  Descriptor program_;
};

// One run of a program on a frame of ours that no device received (BPF_PROG_TEST_RUN): the
// action in *action; 0 or errno.
int RunOnFrame(int program_fd, uint32_t* action);

}  // namespace mapspec

#endif  // BACKENDS_KERNEL_REDIRECT_PROGRAM_H_
