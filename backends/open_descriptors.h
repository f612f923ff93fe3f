// SPDX-License-Identifier: MIT
//
// How many descriptors this process has open: what is left behind shows in the difference. Counts
// the one that it opens to look. Throws std::filesystem::filesystem_error where there is no /proc.
#ifndef BACKENDS_OPEN_DESCRIPTORS_H_
#define BACKENDS_OPEN_DESCRIPTORS_H_

#include <cstddef>
#include <filesystem>
#include <iterator>

namespace mapspec {

inline ptrdiff_t OpenDescriptors() {
  const std::filesystem::directory_iterator entries("/proc/self/fd");
  return std::distance(begin(entries), end(entries));
}

}  // namespace mapspec

#endif  // BACKENDS_OPEN_DESCRIPTORS_H_
