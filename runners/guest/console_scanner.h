// SPDX-License-Identifier: MIT
//
// Reads a kernel's console as it comes and finds what a kernel says when something is wrong with
// it: panics, oopses, BUG and WARN, hung tasks, stalls, and the reports of lockdep, KASAN, KMSAN,
// KCSAN, KFENCE and UBSAN. One object for each console; no I/O.
#ifndef RUNNERS_GUEST_CONSOLE_SCANNER_H_
#define RUNNERS_GUEST_CONSOLE_SCANNER_H_

#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace mapspec {

struct ConsoleFinding {
  std::string id;                  // Of its kind: "console.panic", "console.kasan", …
  std::vector<std::string> lines;  // The report, without times; the first line says what it is.
};

class ConsoleScanner {
 public:
  // A line without its newline. Control characters are dropped.
  void AddLine(std::string_view line);
  const std::vector<ConsoleFinding>& findings() const { return findings_; }
  // The last lines, whatever they were.
  std::vector<std::string> LastLines() const { return {last_.begin(), last_.end()}; }
  // Whether the kernel itself has said anything.
  bool kernel_spoke() const { return kernel_spoke_; }

 private:
  std::vector<ConsoleFinding> findings_;
  std::deque<std::string> last_;
  bool open_ = false;  // The last finding may have more lines.
  bool kernel_spoke_ = false;
};

// Whether this kind tells of time that went by rather than of something wrong that was seen: then a
// machine that stood still looks the same as a kernel that did.
bool IsAboutTime(std::string_view id);

// The kind of finding that starts with this line (without time), "" for a harmless one.
std::string_view ConsoleFindingId(std::string_view line);

}  // namespace mapspec

#endif  // RUNNERS_GUEST_CONSOLE_SCANNER_H_
