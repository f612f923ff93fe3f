// SPDX-License-Identifier: MIT
//
// What a worker process tells the main one through a pipe: lines of JSON, each one message. A
// worker may die at any byte; a line that is cut off or damaged is dropped, and the death itself is
// what counts. Plain values; no state but LineBuffer's.
#ifndef RUNNERS_WORKER_PROTOCOL_H_
#define RUNNERS_WORKER_PROTOCOL_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "runners/results.h"

namespace mapspec {

// The backend is there.
struct HelloMessage {
  Environment environment;
  std::string default_profile;
};
// It is not.
struct UnusableMessage {
  std::string reason;
  bool usage = false;  // The selector itself was wrong.
};
// The ids which this worker is going to run, after all filters.
struct PlanMessage {
  std::vector<std::string> ids;
};
struct StartMessage {
  std::string id;
};
// Still at it, in a long test.
struct AliveMessage {};
struct ResultMessage {
  TestResult result;
  std::map<std::string, uint64_t> coverage;  // What this test added.
};
// Something for the person who watches.
struct NoteMessage {
  std::string text;
};
// The rest is said by guests alone (runners/guest/), which run many workers behind one line.
//
// GoogleTest's own filter took this test away.
struct LeftOutMessage {
  std::string id;
};
// A file that belongs to a failure, named as the guest named it.
struct FileMessage {
  std::string path;
  std::string content;
};
// Everything has been said.
struct EndMessage {};
using Message = std::variant<HelloMessage, UnusableMessage, PlanMessage, StartMessage, AliveMessage,
                             ResultMessage, NoteMessage, LeftOutMessage, FileMessage, EndMessage>;

// With the newline.
std::string EncodeMessage(const Message& message);
std::optional<Message> DecodeMessage(std::string_view line);

// Writes all of it, over interruptions by signals. False when nobody reads any more.
bool SendMessage(int fd, const Message& message);

// Cuts a stream into lines.
class LineBuffer {
 public:
  void Append(std::string_view bytes) { bytes_ += bytes; }
  // The next whole line without its newline.
  std::optional<std::string> NextLine();

 private:
  std::string bytes_;
  size_t used_ = 0;
};

}  // namespace mapspec

#endif  // RUNNERS_WORKER_PROTOCOL_H_
