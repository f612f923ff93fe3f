// SPDX-License-Identifier: MIT
#include "backends/kernel/program_load.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace mapspec {
namespace {

constexpr char kName[] = "mapspec";
// No helper on maps is kept for programs under the GPL.
constexpr char kLicense[] = "MIT";
constexpr size_t kLogSize = 64 << 10;

// The last line in which the verifier says something about the program.
std::string LastWords(std::string_view log) {
  std::string_view last;
  while (!log.empty()) {
    const size_t end = std::min(log.find('\n'), log.size());
    const std::string_view line = log.substr(0, end);
    log.remove_prefix(std::min(end + 1, log.size()));
    if (line.empty() || line.starts_with("processed ") || line.starts_with("verification time ") ||
        line.starts_with("stack depth ")) {
      continue;
    }
    last = line;
  }
  return std::string(last);
}

// What says nothing about the program.
bool Unable(int error) {
  return error == EPERM || error == ENOMEM || error == EMFILE || error == ENFILE ||
         error == EAGAIN || error == ENOSYS || error == EINTR;
}

// A descriptor or -errno. (libbpf writes to the options since 1.2.)
int Load(::bpf_prog_type type, std::span<const ::bpf_insn> instructions,
         ::bpf_prog_load_opts options) {
  const int fd =
      ::bpf_prog_load(type, kName, kLicense, instructions.data(), instructions.size(), &options);
  return fd >= 0 ? fd : -errno;
}

}  // namespace

ProgramLoad LoadProgram(::bpf_prog_type type, std::span<const ::bpf_insn> instructions,
                        const ::bpf_prog_load_opts& options) {
  ProgramLoad result;
  int fd = Load(type, instructions, options);
  if (fd >= 0) {
    result.fd = Descriptor(fd);
    return result;
  }
  if (Unable(-fd)) {
    result.log = SystemFailure("BPF_PROG_LOAD", -fd);
    return result;
  }
  result.refused = static_cast<Errno>(-fd);
  // Once more, now with a log. Kernels before 6.4 say ENOSPC when it is too small; then what came
  // first counts and the log is as good as it gets.
  std::vector<char> log(kLogSize);
  ::bpf_prog_load_opts with_log = options;
  with_log.log_level = 1;
  with_log.log_buf = log.data();
  with_log.log_size = static_cast<uint32_t>(log.size());
  fd = Load(type, instructions, with_log);
  if (fd >= 0) close(fd);
  result.log = LastWords({log.data(), strnlen(log.data(), log.size())});
  if (fd >= 0) result.log = "loaded when asked once more";
  if (result.log.find(kWithoutJit) != std::string::npos) result.refused = Errno::kNone;
  return result;
}

std::string SystemFailure(const char* what, int error) {
  return std::string(what) + ": " + ErrnoName(static_cast<Errno>(error));
}

}  // namespace mapspec
