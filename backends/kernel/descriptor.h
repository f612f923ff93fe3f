// SPDX-License-Identifier: MIT
//
// Descriptor: owns a file descriptor, or none (-1), and closes it. Thread-safety: that of a plain
// value. Errors: none; whoever opened it looked.
#ifndef BACKENDS_KERNEL_DESCRIPTOR_H_
#define BACKENDS_KERNEL_DESCRIPTOR_H_

#include <unistd.h>

#include <utility>

namespace mapspec {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int get() const { return fd_; }
  // Hands it over.
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

}  // namespace mapspec

#endif  // BACKENDS_KERNEL_DESCRIPTOR_H_
