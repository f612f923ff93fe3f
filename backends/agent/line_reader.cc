// SPDX-License-Identifier: MIT
#include "backends/agent/line_reader.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace mapspec {
namespace {

using Clock = std::chrono::steady_clock;

// For poll(2): -1 for ever, else milliseconds, rounded up so that a wait is not cut short.
int WaitMilliseconds(Clock::time_point deadline) {
  if (deadline == Clock::time_point::max()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return static_cast<int>(std::clamp<long long>(left, 0, INT_MAX));
}

}  // namespace

bool LineReader::Buffered(std::string_view* line) {
  const size_t newline = buffer_.find('\n', std::max(searched_, begin_));
  if (newline == std::string::npos) {
    searched_ = buffer_.size();
    return false;
  }
  *line = std::string_view(buffer_).substr(begin_, newline - begin_);
  begin_ = searched_ = newline + 1;
  return true;
}

LineReader::Status LineReader::Fill() {
  // Whoever holds a line from Buffered() has used it by now.
  buffer_.erase(0, begin_);
  searched_ -= std::min(searched_, begin_);
  begin_ = 0;
  if (buffer_.size() > kMaxLine) return Status::kTooLong;
  constexpr size_t kChunk = 65536;
  const size_t before = buffer_.size();
  buffer_.resize(before + kChunk);
  const ssize_t got = read(fd_, buffer_.data() + before, kChunk);
  buffer_.resize(before + static_cast<size_t>(std::max<ssize_t>(got, 0)));
  if (got > 0) return Status::kLine;
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return Status::kTimeout;
  return Status::kEnd;
}

LineReader::Status LineReader::Next(Clock::time_point deadline, std::string_view* line) {
  while (!Buffered(line)) {
    pollfd polled{fd_, POLLIN, 0};
    const int ready = poll(&polled, 1, WaitMilliseconds(deadline));
    if (ready == 0) return Status::kTimeout;
    if (ready < 0) continue;  // A signal; what time is left is computed anew.
    const Status status = Fill();
    if (status == Status::kEnd || status == Status::kTooLong) return status;
  }
  return Status::kLine;
}

bool WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = write(fd, text.data(), text.size());
    if (wrote >= 0) {
      text.remove_prefix(static_cast<size_t>(wrote));
    } else if (errno == EAGAIN) {
      pollfd polled{fd, POLLOUT, 0};
      poll(&polled, 1, -1);
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

}  // namespace mapspec
