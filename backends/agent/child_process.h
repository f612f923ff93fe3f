// SPDX-License-Identifier: MIT
//
// ChildProcess: a program with one end of a socket as its stdin and stdout. It gets a session (and
// process group) of its own, so that a ^C meant for us does not reach it, and is killed when the
// thread that started it ends: use it from that thread alone. The destructor kills and reaps the
// whole group and removes the scratch directory.
#ifndef BACKENDS_AGENT_CHILD_PROCESS_H_
#define BACKENDS_AGENT_CHILD_PROCESS_H_

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace mapspec {

class ChildProcess {
 public:
  // nullptr after filling *error. arguments[0] is the path of the program. The child finds the path
  // of a directory in MAPSPEC_SCRATCH that is removed after it.
  static std::unique_ptr<ChildProcess> Start(const std::vector<std::string>& arguments,
                                             std::string* error);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Our end of the socket; never blocks.
  int socket() const { return socket_; }
  // Whether the calling thread started it.
  bool IsOurs() const;
  // Whether it has neither ended nor sent or closed anything while nobody listened.
  bool IsIdle() const;
  bool IsAlive() { return !Reap(kDoNotWait); }
  // Waits for its end up to `patience`, then kills it. How it ended: "signal 11 (SIGSEGV)", "exit
  // status 3", or "it closed the connection" when it had to be killed.
  std::string WaitForEnd(std::chrono::milliseconds patience);
  void Kill();

 private:
  ChildProcess(pid_t pid, int socket, std::string scratch);
  // Whether it has ended; then its group is killed, too.
  enum Patience { kDoNotWait, kWait };
  bool Reap(Patience patience);

  pid_t pid_;
  pid_t owner_thread_;
  int socket_;
  std::string scratch_;
  bool reaped_ = false;
  int status_ = 0;
};

}  // namespace mapspec

#endif  // BACKENDS_AGENT_CHILD_PROCESS_H_
