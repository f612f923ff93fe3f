// SPDX-License-Identifier: MIT
//
// Lines from a descriptor, with a time limit and a limit of length. Does not own the descriptor.
// Thread-safety: one thread at a time.
#ifndef BACKENDS_AGENT_LINE_READER_H_
#define BACKENDS_AGENT_LINE_READER_H_

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace mapspec {

class LineReader {
 public:
  // A hostile peer may not make us hold more than this.
  static constexpr size_t kMaxLine = size_t{512} << 20;

  enum class Status { kLine, kTimeout, kEnd, kTooLong };

  explicit LineReader(int fd) : fd_(fd) {}

  // The next line, without its newline, valid until the next call. A deadline of time_point::max()
  // waits for ever. A last line without newline is not a line: its writer died in the middle.
  Status Next(std::chrono::steady_clock::time_point deadline, std::string_view* line);
  // A line that has arrived already; never waits.
  bool Buffered(std::string_view* line);
  // Takes in what can be read without waiting. kLine: there was something; kTimeout: nothing yet.
  Status Fill();

 private:
  int fd_;
  std::string buffer_;
  size_t begin_ = 0;     // Of what has not been handed out.
  size_t searched_ = 0;  // Up to here there is no newline.
};

// Writes all of it, waiting as long as it takes; false when the other side is gone.
bool WriteAll(int fd, std::string_view text);

}  // namespace mapspec

#endif  // BACKENDS_AGENT_LINE_READER_H_
