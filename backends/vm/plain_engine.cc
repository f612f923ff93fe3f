// SPDX-License-Identifier: MIT
//
// The plain interpreter: the subset of program/program.h, one instruction at a time, every access
// checked. Not for speed.
#include <algorithm>
#include <cstring>
#include <string>

#include "backends/vm/engines.h"

namespace mapspec {
namespace {

constexpr uint8_t kWide = BPF_LD | BPF_IMM | BPF_DW;
constexpr uint32_t kStackSize = 512;
constexpr uint32_t kRegisters = 11;
constexpr uint32_t kFrameRegister = 10;

std::string At(size_t instruction, const std::string& what) {
  return "instruction " + std::to_string(instruction) + ": " + what;
}

uint32_t Width(uint8_t code) {
  switch (BPF_SIZE(code)) {
    case BPF_B:
      return 1;
    case BPF_H:
      return 2;
    case BPF_W:
      return 4;
    default:
      return 8;
  }
}

bool IsMemory(uint8_t code) {
  const uint8_t kind = BPF_CLASS(code);
  return (kind == BPF_LDX || kind == BPF_ST || kind == BPF_STX) && (code & 0xe0) == BPF_MEM;
}

template <typename Word>
uint64_t LoadAs(const void* memory) {
  Word word;
  std::memcpy(&word, memory, sizeof(word));
  return word;
}
uint64_t LoadWidth(uint32_t width, const void* memory) {
  switch (width) {
    case 1:
      return LoadAs<uint8_t>(memory);
    case 2:
      return LoadAs<uint16_t>(memory);
    case 4:
      return LoadAs<uint32_t>(memory);
    default:
      return LoadAs<uint64_t>(memory);
  }
}
template <typename Word>
void StoreAs(void* memory, uint64_t value) {
  const auto word = static_cast<Word>(value);
  std::memcpy(memory, &word, sizeof(word));
}
void StoreWidth(uint32_t width, void* memory, uint64_t value) {
  switch (width) {
    case 1:
      return StoreAs<uint8_t>(memory, value);
    case 2:
      return StoreAs<uint16_t>(memory, value);
    case 4:
      return StoreAs<uint32_t>(memory, value);
    default:
      return StoreAs<uint64_t>(memory, value);
  }
}

uint64_t Sign(int32_t immediate) { return static_cast<uint64_t>(int64_t{immediate}); }

// False: there is no such operation.
bool Alu(uint8_t operation, uint64_t* to, uint64_t from) {
  const uint64_t left = *to;
  switch (operation) {
    case BPF_ADD:
      return *to = left + from, true;
    case BPF_SUB:
      return *to = left - from, true;
    case BPF_MUL:
      return *to = left * from, true;
    case BPF_DIV:
      return *to = from == 0 ? 0 : left / from, true;
    case BPF_MOD:
      return *to = from == 0 ? left : left % from, true;
    case BPF_OR:
      return *to = left | from, true;
    case BPF_AND:
      return *to = left & from, true;
    case BPF_XOR:
      return *to = left ^ from, true;
    case BPF_LSH:
      return *to = left << (from & 63), true;
    case BPF_RSH:
      return *to = left >> (from & 63), true;
    case BPF_ARSH:
      return *to = static_cast<uint64_t>(static_cast<int64_t>(left) >> (from & 63)), true;
    case BPF_NEG:
      return *to = -left, true;
    case BPF_MOV:
      return *to = from, true;
    default:
      return false;
  }
}

// False: there is no such operation.
bool Compare(uint8_t operation, uint64_t left, uint64_t right, bool* holds) {
  const auto a = static_cast<int64_t>(left);
  const auto b = static_cast<int64_t>(right);
  switch (operation) {
    case BPF_JA:
      return *holds = true, true;
    case BPF_JEQ:
      return *holds = left == right, true;
    case BPF_JNE:
      return *holds = left != right, true;
    case BPF_JGT:
      return *holds = left > right, true;
    case BPF_JGE:
      return *holds = left >= right, true;
    case BPF_JLT:
      return *holds = left < right, true;
    case BPF_JLE:
      return *holds = left <= right, true;
    case BPF_JSET:
      return *holds = (left & right) != 0, true;
    case BPF_JSGT:
      return *holds = a > b, true;
    case BPF_JSGE:
      return *holds = a >= b, true;
    case BPF_JSLT:
      return *holds = a < b, true;
    case BPF_JSLE:
      return *holds = a <= b, true;
    default:
      return false;
  }
}

class PlainProgram : public VmProgram {
 public:
  explicit PlainProgram(const VmCode& code) : code_(code) {
    if (code_.callback == 0) return;
    // The address of the callback is never looked at: there is one.
    code_.instructions[code_.callback_reference].src_reg = 0;
  }

  // Whether everything is there that the program refers to.
  bool Check(std::string* error) const {
    const size_t size = code_.instructions.size();
    for (size_t i = 0; i < size; ++i) {
      if (const std::string wrong = WrongWith(i); !wrong.empty()) {
        *error = At(i, wrong);
        return false;
      }
      if (code_.instructions[i].code == kWide) ++i;
    }
    if (size != 0 && code_.instructions.back().code == (BPF_JMP | BPF_EXIT)) return true;
    *error = "it does not end by exit";
    return false;
  }

  bool Run(uint64_t* result, std::string* problem) override {
    problem_.clear();
    *result = RunFrom(0, {});
    *problem = problem_;
    return problem_.empty();
  }
  uint64_t CallBack(const std::array<uint64_t, kVmArguments>& arguments) override {
    return RunFrom(code_.callback, arguments);
  }

 private:
  std::string WrongWith(size_t i) const {
    const size_t size = code_.instructions.size();
    const bpf_insn& in = code_.instructions[i];
    if (in.dst_reg >= kRegisters || in.src_reg >= kRegisters) return "no such register";
    if (in.code == kWide) return i + 1 < size && in.src_reg == 0 ? "" : "half of an LDDW";
    if (IsMemory(in.code)) return "";
    uint64_t number = 0;
    bool holds = false;
    switch (BPF_CLASS(in.code)) {
      case BPF_ALU64:
        return Alu(BPF_OP(in.code), &number, 1) ? "" : "no such operation";
      case BPF_JMP:
        if (in.code == (BPF_JMP | BPF_EXIT)) return "";
        if (in.code == (BPF_JMP | BPF_CALL)) {
          const bool there = in.imm >= 0 && static_cast<size_t>(in.imm) < code_.calls.size();
          return there ? "" : "no such function";
        }
        if (!Compare(BPF_OP(in.code), 0, 0, &holds)) return "no such jump";
        return in.off >= 0 && i + 1 + static_cast<size_t>(in.off) < size ? "" : "jumps too far";
      default:
        return "not in the subset";
    }
  }

  // 0 after a problem, which is noted. Jumps go forward only: it comes to an end.
  uint64_t RunFrom(size_t i, const std::array<uint64_t, kVmArguments>& arguments) {
    uint8_t stack[kStackSize] = {};
    uint64_t registers[kRegisters] = {};
    std::copy(arguments.begin(), arguments.end(), registers + 1);
    registers[kFrameRegister] = reinterpret_cast<uint64_t>(stack + kStackSize);
    for (;; ++i) {
      const bpf_insn& in = code_.instructions[i];
      uint64_t& to = registers[in.dst_reg];
      const uint64_t operand = BPF_SRC(in.code) == BPF_X ? registers[in.src_reg] : Sign(in.imm);
      if (in.code == kWide) {
        to = static_cast<uint32_t>(in.imm) |
             static_cast<uint64_t>(static_cast<uint32_t>(code_.instructions[++i].imm)) << 32;
      } else if (IsMemory(in.code)) {
        if (!Access(in, registers, stack, i)) return 0;
      } else if (BPF_CLASS(in.code) == BPF_ALU64) {
        Alu(BPF_OP(in.code), &to, operand);
      } else if (in.code == (BPF_JMP | BPF_EXIT)) {
        return registers[0];
      } else if (in.code == (BPF_JMP | BPF_CALL)) {
        const VmFunction function = code_.calls[static_cast<size_t>(in.imm)].function;
        registers[0] =
            function(registers[1], registers[2], registers[3], registers[4], registers[5]);
        if (!problem_.empty()) return 0;  // In a callback.
      } else {
        bool holds = false;
        Compare(BPF_OP(in.code), to, operand, &holds);
        if (holds) i += static_cast<size_t>(in.off);
      }
    }
  }

  bool Access(const bpf_insn& in, uint64_t* registers, const uint8_t* stack, size_t instruction) {
    const bool load = BPF_CLASS(in.code) == BPF_LDX;
    const uint32_t width = Width(in.code);
    const uint64_t address = registers[load ? in.src_reg : in.dst_reg] + Sign(in.off);
    const auto bottom = reinterpret_cast<uint64_t>(stack);
    const bool on_stack = address >= bottom && address + width <= bottom + kStackSize;
    if (!on_stack && (code_.may_access == nullptr || !code_.may_access(address, width))) {
      problem_ = At(instruction, "an access outside of all that it was given");
      return false;
    }
    auto* memory = reinterpret_cast<void*>(address);
    if (load) {
      registers[in.dst_reg] = LoadWidth(width, memory);
    } else {
      const bool immediate = BPF_CLASS(in.code) == BPF_ST;
      StoreWidth(width, memory, immediate ? Sign(in.imm) : registers[in.src_reg]);
    }
    return true;
  }

  VmCode code_;
  std::string problem_;
};

class PlainEngine : public VmEngine {
 public:
  std::string description() const override { return "the plain interpreter"; }
  bool has_callbacks() const override { return true; }
  std::unique_ptr<VmProgram> Load(const VmCode& code, std::string* error) override {
    auto program = std::make_unique<PlainProgram>(code);
    if (!program->Check(error)) return nullptr;
    return program;
  }
};

}  // namespace

std::unique_ptr<VmEngine> MakePlainEngine(bool jit, std::string* error) {
  if (jit) {
    *error = "the plain interpreter has no JIT";
    return nullptr;
  }
  return std::make_unique<PlainEngine>();
}

}  // namespace mapspec
