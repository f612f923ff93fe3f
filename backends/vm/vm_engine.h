// SPDX-License-Identifier: MIT
//
// The interface to an eBPF virtual machine: load, run, and nothing of maps. What runs on it is made
// by vm_program_engine.h, which has replaced maps by plain 64-bit immediates and helpers by
// functions; an adapter (dpdk_engine.cc, ubpf_engine.cc) hands both to its VM. README.md says how
// to write one.
//
// Ownership: a VmProgram belongs to its maker and must be destroyed before the engine. Code that
// was loaded is the adapter's to copy where the VM does not. Thread-safety: Load by several threads
// at once; one program runs on one thread at a time. Errors: text for a person.
// Source: Documentation/bpf/standardization/instruction-set.rst.
#ifndef BACKENDS_VM_VM_ENGINE_H_
#define BACKENDS_VM_VM_ENGINE_H_

#include <linux/bpf.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace mapspec {

inline constexpr size_t kVmArguments = 5;  // r1 … r5.
using VmFunction = uint64_t (*)(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

// For definitions of VmFunctions: not every VM calls them with the stack aligned as the ABI of the
// machine wants it (librte_bpf's JIT does not), and what they call may rely on that.
#if defined(__x86_64__) || defined(__i386__)
#define MAPSPEC_VM_FUNCTION __attribute__((force_align_arg_pointer)) uint64_t
#else
#define MAPSPEC_VM_FUNCTION uint64_t
#endif

// What an argument or a result is, for VMs that want to know.
struct VmType {
  enum class Kind : uint8_t { kNone, kNumber, kPointer };
  Kind kind = Kind::kNone;
  uint32_t size = 0;  // Of the memory a pointer points to; bytes.

  static constexpr VmType Number() { return {Kind::kNumber, 8}; }
  static constexpr VmType Pointer(uint32_t size) { return {Kind::kPointer, size}; }
};

// What one call instruction calls. Every call has its own entry, since the sizes behind the
// pointers may differ.
struct VmCall {
  VmFunction function = nullptr;
  std::array<VmType, kVmArguments> arguments{};
  VmType result = VmType::Number();
};

// A program begins at its first instruction with nothing in r1 … r9, and ends by `exit`. The subset
// of instructions is that of program/program.h.
struct VmCode {
  std::vector<bpf_insn> instructions;
  std::vector<VmCall> calls;  // The immediate of a call instruction is an index here.
  // First instruction of a function that `calls` may call back through VmProgram::CallBack, and the
  // LDDW whose immediate would be its address; 0: there is none.
  uint32_t callback = 0;
  uint32_t callback_reference = 0;
  // Whether the running program may touch so much memory there, beside its stack. For VMs that ask.
  bool (*may_access)(uint64_t address, uint64_t size) = nullptr;
};

class VmProgram {
 public:
  virtual ~VmProgram() = default;
  // One run; *result becomes r0. False after filling *problem when it did not come to its end.
  virtual bool Run(uint64_t* result, std::string* problem) = 0;
  // While it runs, from a function that it called: its callback's r0. Only with callbacks.
  virtual uint64_t CallBack(const std::array<uint64_t, kVmArguments>& arguments);
};

class VmEngine {
 public:
  virtual ~VmEngine() = default;
  // "librte_bpf of DPDK 22.11.11, JIT": for reports.
  virtual std::string description() const = 0;
  // Whether VmCode::callback works.
  virtual bool has_callbacks() const { return false; }
  // nullptr after filling *error: the VM's own words where it has some.
  virtual std::unique_ptr<VmProgram> Load(const VmCode& code, std::string* error) = 0;
};

// The VM of a word of vm_selector.h. nullptr after filling *error.
std::unique_ptr<VmEngine> MakeVmEngine(std::string_view word, bool jit, std::string* error);

}  // namespace mapspec

#endif  // BACKENDS_VM_VM_ENGINE_H_
