// SPDX-License-Identifier: MIT
//
// The machine a guest runs on: QEMU, or a User-Mode Linux program, as a child process whose two
// lines (console and messages) are pipes. Its first file system is a file in memory: nothing is
// written to disk, and the process dies with the thread that started it, however that ends.
#ifndef RUNNERS_GUEST_MACHINE_H_
#define RUNNERS_GUEST_MACHINE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runners/guest/boot_image.h"

namespace mapspec {

// What carries out the guest's instructions: KVM, or QEMU's translator (TCG). kAuto tries KVM where
// /dev/kvm may be used, and the translator when nothing comes of it.
enum class Accelerator : uint8_t { kAuto, kKvm, kTcg };

// "auto", "kvm", "tcg".
std::optional<Accelerator> ParseAccelerator(std::string_view word);

struct MachineOptions {
  unsigned cpus = 2;  // Of QEMU; User-Mode Linux has one.
  unsigned memory_mib = 1024;
  Accelerator accelerator = Accelerator::kAuto;
};

// In the environment of the guest's first process when no KVM carries it out.
inline constexpr const char* kEmulatedVariable = "MAPSPEC_EMULATED";

// Where the messages come out in the guest.
std::string_view MessageLine(GuestKind kind);
unsigned CpusOf(GuestKind kind, const MachineOptions& options);

// "" when the program that runs guests of this kind can be used; else why not and what to install.
std::string WhyNoMachine(GuestKind kind);
// Whether this user may open /dev/kvm. (That says nothing about whether guests run.)
bool MayUseKvm();

struct MachineFiles {
  int console = -1, messages = -1;  // Write ends of pipes.
  int initramfs = -1;               // A file in memory.
};

// The command that starts the machine. `library_path` is the guest program's LD_LIBRARY_PATH.
std::vector<std::string> MachineCommand(const BootImage& image, const MachineOptions& options,
                                        bool kvm, const MachineFiles& files,
                                        const std::string& library_path);

// How long the machine's hungriest thread has waited for a CPU of ours, in seconds; 0 where the
// kernel does not tell (proc(5), schedstat).
double SecondsWithoutCpu(int pid);

struct Machine {
  int pid = -1;
  int console = -1, messages = -1;  // Read ends, non-blocking, the caller's to close.
  bool kvm = false;
  std::string directory;  // To be removed when the process has ended; "" for none.
};

// pid -1 after filling *error. `initramfs`: the archive.
Machine StartMachine(const BootImage& image, const MachineOptions& options, bool kvm,
                     const std::string& initramfs, const std::string& library_path,
                     std::string* error);

}  // namespace mapspec

#endif  // RUNNERS_GUEST_MACHINE_H_
