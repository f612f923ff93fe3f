// SPDX-License-Identifier: MIT
//
// GuardedBuffer: memory for one output of a call, with kGuard known bytes in front of and behind
// it, so that a write outside the buffer is seen. The memory is reused from call to call; it grows
// only when a call needs more than any before. Units: bytes. Thread-safety: one thread at a time.
#ifndef BACKENDS_LIBBPF_API_GUARDED_BUFFER_H_
#define BACKENDS_LIBBPF_API_GUARDED_BUFFER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace mapspec {

class GuardedBuffer {
 public:
  static constexpr size_t kGuard = 64;

  // Lays out a buffer of `size` bytes holding poison (oracle/bytes.h); valid until the next Prepare
  // call.
  uint8_t* Poisoned(size_t size);
  // The same with the given content.
  uint8_t* Filled(const void* content, size_t size);
  uint8_t* Zeroed(size_t size);

  const uint8_t* data() const { return memory_.get() + kGuard; }
  uint8_t* data() { return memory_.get() + kGuard; }
  size_t size() const { return size_; }

  // Whether both guards are as they were laid.
  bool Intact() const;
  // Where they are not: "byte 2 behind the buffer of 8 bytes was changed".
  std::string Damage() const;

 private:
  void LayOut(size_t size);

  std::unique_ptr<uint8_t[]> memory_;
  size_t capacity_ = 0;  // Of the buffer itself, without the guards.
  size_t size_ = 0;
};

// Writes PoisonByte(0), PoisonByte(1), … to `size` bytes.
}  // namespace mapspec

#endif  // BACKENDS_LIBBPF_API_GUARDED_BUFFER_H_
