// SPDX-License-Identifier: MIT
#include "runners/guest/machine.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace mapspec {
namespace {

constexpr const char* kQemuProgram = "qemu-system-x86_64";

// Where execvp(3) would find it; "" for nowhere.
std::string FindInPath(const std::string& program) {
  const char* const path = getenv("PATH");
  std::istringstream directories(path != nullptr ? path : "/usr/bin:/bin");
  for (std::string directory; std::getline(directories, directory, ':');) {
    std::string candidate = (directory.empty() ? "." : directory) + "/" + program;
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return "";
}

std::string FdPath(int fd) { return fmt::format("/proc/self/fd/{}", fd); }

// What both kinds of kernels are told. Ours are the limits that must not be reached merely because
// the machine is slow: stalls are looked for in the console, and a translated CPU that has to share
// a busy host may well stand still for twenty seconds.
// Grace periods of RCU are hurried: updates of a map of maps wait for one each, and so do network
// devices that go; nothing that a program or a system call can see depends on how long that takes.
std::string KernelArguments(const std::string& library_path) {
  return "panic=-1 loglevel=7 rcupdate.rcu_expedited=1 rcupdate.rcu_cpu_stall_timeout=100 "
         "watchdog_thresh=50 "
         "sysctl.kernel.hung_task_timeout_secs=300 "
         "LD_LIBRARY_PATH=" +
         library_path;
}

bool OpenPipe(int ends[2], std::string* error) {
  if (pipe2(ends, O_CLOEXEC) == 0) return true;
  *error = fmt::format("pipe: {}", strerror(errno));
  return false;
}

int FileInMemory(const std::string& content, std::string* error) {
  const int fd = memfd_create("mapspec-initramfs", MFD_CLOEXEC);
  for (size_t written = 0; fd >= 0 && written < content.size();) {
    const ssize_t n = write(fd, content.data() + written, content.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      *error = fmt::format("writing the initramfs: {}", strerror(errno));
      close(fd);
      return -1;
    }
    written += static_cast<size_t>(n);
  }
  if (fd < 0) *error = fmt::format("memfd_create: {}", strerror(errno));
  return fd;
}

// Time on a CPU that is translated goes by jerks where the host is busy. Kernels then mistrust the
// TSC, and go over to a clock that takes a hundred times as long to read; or they panic ("IO-APIC +
// timer doesn't work"), because a timer did not tick within the first moments.
std::string ForTranslator() {
  return fmt::format(" tsc=reliable no_timer_check {}=1", kEmulatedVariable);
}

std::string TemporaryDirectory() { return std::filesystem::temp_directory_path().string(); }

// User-Mode Linux keeps a directory of this name while it runs.
std::string UmlName(const MachineFiles& files) {
  return fmt::format("mapspec-{}-{}", getpid(), files.messages);
}

[[noreturn]] void BecomeMachine(const std::vector<std::string>& command, const MachineFiles& files,
                                GuestKind kind, pid_t parent) {
  // User-Mode Linux has processes and a directory of its own to take away.
  prctl(PR_SET_PDEATHSIG, kind == GuestKind::kUml ? SIGTERM : SIGKILL);
  if (getppid() != parent) _exit(1);
  // Its own group: a Ctrl-C at the terminal is for us, and we end the guest.
  setpgid(0, 0);
  signal(SIGINT, SIG_DFL);
  signal(SIGTERM, SIG_DFL);
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  dup2(null, STDIN_FILENO);
  // What the machine's own program has to say belongs into the log of the console.
  dup2(files.console, STDOUT_FILENO);
  dup2(files.console, STDERR_FILENO);
  for (const int fd : {files.console, files.messages, files.initramfs}) fcntl(fd, F_SETFD, 0);
  std::vector<char*> argv;
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  execvp(argv[0], argv.data());
  dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
  _exit(127);
}

}  // namespace

std::optional<Accelerator> ParseAccelerator(std::string_view word) {
  if (word == "auto") return Accelerator::kAuto;
  if (word == "kvm") return Accelerator::kKvm;
  if (word == "tcg") return Accelerator::kTcg;
  return std::nullopt;
}

std::string_view MessageLine(GuestKind kind) {
  return kind == GuestKind::kQemu ? "/dev/ttyS1" : "/dev/ttyS0";
}

unsigned CpusOf(GuestKind kind, const MachineOptions& options) {
  return kind == GuestKind::kQemu ? options.cpus : 1;
}

std::string WhyNoMachine(GuestKind kind) {
  if (kind == GuestKind::kUml || !FindInPath(kQemuProgram).empty()) return "";
  return fmt::format("{} is not installed: apt-get install --no-install-recommends qemu-system-x86",
                     kQemuProgram);
}

bool MayUseKvm() { return access("/dev/kvm", R_OK | W_OK) == 0; }

double SecondsWithoutCpu(int pid) {
  double longest = 0;
  std::error_code code;
  const std::string tasks = fmt::format("/proc/{}/task", pid);
  for (std::filesystem::directory_iterator at(tasks, code), end; !code && at != end;
       at.increment(code)) {
    std::ifstream in(at->path() / "schedstat");
    double running = 0, waiting = 0;
    if (in >> running >> waiting) longest = std::max(longest, waiting / 1e9);
  }
  return longest;
}

std::vector<std::string> MachineCommand(const BootImage& image, const MachineOptions& options,
                                        bool kvm, const MachineFiles& files,
                                        const std::string& library_path) {
  const std::string kernel = KernelArguments(library_path);
  if (image.kind == GuestKind::kUml) {
    std::vector<std::string> command = {
        // A word with a slash, so that no directory of PATH is searched.
        image.path.find('/') == std::string::npos ? "./" + image.path : image.path,
        fmt::format("mem={}M", options.memory_mib),
        "initrd=" + FdPath(files.initramfs),
        "con=null",
        fmt::format("con0=null,fd:{}", files.console),
        fmt::format("ssl0=null,fd:{}", files.messages),
        "uml_dir=" + TemporaryDirectory() + "/",
        "umid=" + UmlName(files)};
    std::istringstream words(kernel);
    for (std::string word; words >> word;) command.push_back(word);
    command.insert(command.end(), {"--", "guest"});
    return command;
  }
  std::vector<std::string> command = {kQemuProgram, "-name", "mapspec-guest"};
  if (kvm) {
    command.insert(command.end(), {"-accel", "kvm", "-cpu", "host"});
  } else {
    // `-cpu max` of QEMU 7.2 has features that Linux 6.12 panics over.
    command.insert(command.end(), {"-accel", "tcg,thread=multi", "-cpu", "qemu64"});
  }
  command.insert(command.end(),
                 {"-smp",
                  std::to_string(options.cpus),
                  "-m",
                  fmt::format("{}M", options.memory_mib),
                  "-no-user-config",
                  "-nodefaults",
                  "-display",
                  "none",
                  "-no-reboot",
                  "-chardev",
                  fmt::format("file,id=console,path={}", FdPath(files.console)),
                  "-serial",
                  "chardev:console",
                  "-chardev",
                  fmt::format("file,id=messages,path={}", FdPath(files.messages)),
                  "-serial",
                  "chardev:messages",
                  "-kernel",
                  image.path,
                  "-initrd",
                  FdPath(files.initramfs),
                  "-append",
                  "console=ttyS0 " + kernel + (kvm ? "" : ForTranslator()) + " -- guest"});
  return command;
}

Machine StartMachine(const BootImage& image, const MachineOptions& options, bool kvm,
                     const std::string& initramfs, const std::string& library_path,
                     std::string* error) {
  int console[2], messages[2];
  MachineFiles files;
  files.initramfs = FileInMemory(initramfs, error);
  if (files.initramfs < 0) return {};
  if (!OpenPipe(console, error)) {
    close(files.initramfs);
    return {};
  }
  if (!OpenPipe(messages, error)) {
    for (const int fd : {files.initramfs, console[0], console[1]}) close(fd);
    return {};
  }
  files.console = console[1];
  files.messages = messages[1];
  const std::vector<std::string> command = MachineCommand(image, options, kvm, files, library_path);
  const pid_t parent = getpid();
  std::fflush(nullptr);
  const pid_t pid = fork();
  if (pid == 0) BecomeMachine(command, files, image.kind, parent);
  const int failure = errno;
  for (const int fd : {files.initramfs, files.console, files.messages}) close(fd);
  if (pid < 0) {
    *error = fmt::format("fork: {}", strerror(failure));
    close(console[0]);
    close(messages[0]);
    return {};
  }
  for (const int fd : {console[0], messages[0]}) fcntl(fd, F_SETFL, O_NONBLOCK);
  Machine machine{pid, console[0], messages[0], kvm, ""};
  if (image.kind == GuestKind::kUml) {
    machine.directory = TemporaryDirectory() + "/" + UmlName(files);
  }
  return machine;
}

}  // namespace mapspec
