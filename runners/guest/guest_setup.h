// SPDX-License-Identifier: MIT
//
// What the first process of a guest makes of the bare machine. For a process that owns its machine
// only: everything here changes the whole system.
#ifndef RUNNERS_GUEST_GUEST_SETUP_H_
#define RUNNERS_GUEST_GUEST_SETUP_H_

#include <string>

namespace mapspec {

// proc, sysfs, devtmpfs, tmpfs, bpffs, cgroup2. What failed, one "PATH: why; " each, or "".
std::string MountFileSystems();
// "" or what failed. A module that is there already is no failure.
std::string LoadModule(const std::string& path);
void BringUpLoopback();

}  // namespace mapspec

#endif  // RUNNERS_GUEST_GUEST_SETUP_H_
