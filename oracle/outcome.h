// SPDX-License-Identifier: MIT
//
// Outcomes: what came back from an operation. Output buffers are recorded as they were after the
// call, whole; a buffer that still holds the poison (oracle/bytes.h) was left untouched.
#ifndef ORACLE_OUTCOME_H_
#define ORACLE_OUTCOME_H_

#include <cstdint>
#include <memory>
#include <string>
#include <variant>

#include "oracle/bytes.h"
#include "oracle/uapi.h"

namespace mapspec {

// How a call ended.
enum class Completion : uint8_t {
  kReturned,
  kNotRun,   // The backend lacks the capability; the rest of the outcome says nothing.
  kOverran,  // Returned, but bytes outside its output buffers were changed.
  kCrashed,  // The process that carried it out died (detail: the signal or exit status).
  kHung,     // It did not return within the time limit.
  kRefused,  // The program that was to call the helper was not loaded (error: the errno of
             // BPF_PROG_LOAD; detail: what the verifier said last).
};

// Outputs of the batch commands, of bpf_for_each_map_elem() and of a socket's frames; buffers that
// there are not are empty.
struct BatchOutput {
  uint32_t count = 0;  // `count` after the call.
  Bytes out_batch;     // key_size bytes, at least 4.
  Bytes keys;          // count-before × key_size bytes.
  Bytes values;        // count-before × value size bytes.
  friend bool operator==(const BatchOutput&, const BatchOutput&) = default;
};

// struct bpf_map_info, as far as maps of every kind fill it.
struct MapInfo {
  uint32_t type = 0;
  uint32_t id = 0;
  uint32_t key_size = 0;
  uint32_t value_size = 0;
  uint32_t max_entries = 0;
  uint32_t map_flags = 0;
  std::string name;
  bool has_btf = false;  // btf_id != 0; the id itself is the system's.
  uint32_t btf_key_type_id = 0;
  uint32_t btf_value_type_id = 0;
  uint64_t map_extra = 0;
  uint32_t info_len = 0;  // As set by the call.
  friend bool operator==(const MapInfo&, const MapInfo&) = default;
};

// Copyable owner of a value that lives on the heap because it is large and rare.
template <typename T>
class Boxed {
 public:
  Boxed() : value_(std::make_unique<T>()) {}
  explicit Boxed(T value) : value_(std::make_unique<T>(std::move(value))) {}
  Boxed(const Boxed& other) : value_(std::make_unique<T>(*other.value_)) {}
  Boxed(Boxed&&) noexcept = default;
  Boxed& operator=(const Boxed& other) {
    if (this != &other) value_ = std::make_unique<T>(*other.value_);
    return *this;
  }
  Boxed& operator=(Boxed&&) noexcept = default;
  const T& operator*() const { return *value_; }
  T& operator*() { return *value_; }
  const T* operator->() const { return value_.get(); }
  T* operator->() { return value_.get(); }
  friend bool operator==(const Boxed& a, const Boxed& b) { return *a == *b; }

 private:
  std::unique_ptr<T> value_;
};

// Bytes: the value of LOOKUP and LOOKUP_AND_DELETE, the key of GET_NEXT_KEY, what a load read, the
// name of a signal is never here; of helpers what a program read through a pointer, or the buffer
// of a pop or peek. uint32_t: the id of GET_NEXT_ID, the revents of
// poll, the frames that reached the stack. Nothing for the rest.
using Output = std::variant<std::monostate, Bytes, uint32_t, Boxed<BatchOutput>, Boxed<MapInfo>>;

struct Outcome {
  Completion completion = Completion::kReturned;
  Errno error = Errno::kNone;  // kNone: the call succeeded.
  Output output;
  std::string detail;  // For all but kReturned: one clause of explanation.
  // What a helper returned, where that is neither 0 nor a negative errno: the number of elements
  // that bpf_for_each_map_elem() visited, the XDP action of bpf_redirect_map(), or something that
  // no helper should return.
  int64_t result = 0;

  bool ok() const { return completion == Completion::kReturned && error == Errno::kNone; }
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

}  // namespace mapspec

#endif  // ORACLE_OUTCOME_H_
