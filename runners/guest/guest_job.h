// SPDX-License-Identifier: MIT
//
// What a guest is asked to do: a file in its initramfs, written by the mapspec that boots it and
// read by the same program inside. Plain values.
#ifndef RUNNERS_GUEST_GUEST_JOB_H_
#define RUNNERS_GUEST_GUEST_JOB_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mapspec {

inline constexpr std::string_view kGuestJobPath = "/mapspec/job.json";
inline constexpr std::string_view kGuestModules = "/mapspec/modules";

struct GuestJob {
  std::string selector;  // As the user typed it: "qemu:bzImage".
  std::string profile;
  std::vector<std::string> tests;  // Ids.
  uint64_t seed = 0;
  std::string effort = "normal";
  unsigned jobs = 1;  // Worker processes.
  std::string out;    // Where artefacts of failures go, here and there: "mapspec-out".
  bool shrink = true;
  std::vector<std::string> specs;  // Paths as given; the files lie in the guest under the same.
  std::vector<std::string> gtest_flags;
  std::string message_line;          // "/dev/ttyS1"
  std::vector<std::string> modules;  // Names, in the order to load them: NAME.ko in kGuestModules.
  friend bool operator==(const GuestJob&, const GuestJob&) = default;
};

std::string EncodeGuestJob(const GuestJob& job);
// nullopt for what is damaged.
std::optional<GuestJob> DecodeGuestJob(std::string_view text);

}  // namespace mapspec

#endif  // RUNNERS_GUEST_GUEST_JOB_H_
