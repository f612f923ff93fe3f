// SPDX-License-Identifier: MIT
//
// What the machine under a backend is like, as the header of a trace wants it. Thread-safe.
// Source: Documentation/ABI/stable/sysfs-devices-node, Documentation/admin-guide/cputopology.rst,
// Documentation/admin-guide/sysctl/kernel.rst (unprivileged_bpf_disabled).
#ifndef BACKENDS_HOST_ENVIRONMENT_H_
#define BACKENDS_HOST_ENVIRONMENT_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "oracle/trace.h"

namespace mapspec {

// Everything but `implementation` and `kernel_release`, which depend on who answers.
Environment HostEnvironment(std::string_view selector);

// Lets this process have as many descriptors as it may: a script has up to 1024 maps, and the usual
// limit, 1024, would answer EMFILE for the map.
void RaiseDescriptorLimit();

// uname -r.
std::string HostKernelRelease();

// How many numbers a list such as "0-3,8" names, counted from zero to the highest; 0 if it is no
// list.
uint32_t HighestOfList(std::string_view list);

// Whether a release such as "5.10.0-28-amd64" is before major.minor.
bool ReleaseBefore(std::string_view release, unsigned major, unsigned minor);

}  // namespace mapspec

#endif  // BACKENDS_HOST_ENVIRONMENT_H_
