// SPDX-License-Identifier: MIT
//
// The selectors qemu:IMAGE and uml:IMAGE as `mapspec run` uses them: beside the worker pool, since
// the suite runs inside the guest. Only one run of guests at a time in a process.
#ifndef RUNNERS_GUEST_GUEST_BACKEND_H_
#define RUNNERS_GUEST_GUEST_BACKEND_H_

#include <string>
#include <vector>

#include "runners/guest/guest_run.h"

namespace mapspec {

// What is known of a guest before it is booted: the release and with it the profile, and its CPUs.
// False after filling *unusable: no such image (a fault of the user), or no program to boot it.
bool ProbeGuest(BootImage* image, const GuestOptions& options, HelloMessage* hello,
                UnusableMessage* unusable);

BackendResults RunInGuest(const BootImage& image, const GuestOptions& guest, const Profile& profile,
                          const std::vector<PlannedTest>& plan, const RunOptions& options,
                          Progress* progress);

}  // namespace mapspec

#endif  // RUNNERS_GUEST_GUEST_BACKEND_H_
