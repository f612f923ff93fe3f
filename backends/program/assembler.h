// SPDX-License-Identifier: MIT
//
// Assembler: BPF instructions written one behind the other, for helper_program.cc. It knows the
// encoding and nothing of what is computed. Ownership: plain values. Thread-safety: none.
// Source: Documentation/bpf/standardization/instruction-set.rst.
#ifndef BACKENDS_PROGRAM_ASSEMBLER_H_
#define BACKENDS_PROGRAM_ASSEMBLER_H_

#include <cstddef>
#include <cstdint>
#include <utility>

#include "backends/program/program.h"

namespace mapspec {

enum Register : uint8_t { kR0, kR1, kR2, kR3, kR4, kR5, kR6, kR7, kR8, kR9, kFrame };

class Assembler {
 public:
  void MoveImmediate(Register to, int32_t value) {
    Emit(BPF_ALU64 | BPF_MOV | BPF_K, to, 0, value);
  }
  void Move(Register to, Register from) { Emit(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0); }
  void Add(Register to, Register from) { Emit(BPF_ALU64 | BPF_ADD | BPF_X, to, from, 0); }
  void AddImmediate(Register to, uint32_t value) {
    if (value != 0) Emit(BPF_ALU64 | BPF_ADD | BPF_K, to, 0, static_cast<int32_t>(value));
  }
  void MultiplyImmediate(Register to, uint32_t value) {
    Emit(BPF_ALU64 | BPF_MUL | BPF_K, to, 0, static_cast<int32_t>(value));
  }
  void AndImmediate(Register to, uint32_t value) {
    Emit(BPF_ALU64 | BPF_AND | BPF_K, to, 0, static_cast<int32_t>(value));
  }
  // `width` is 1, 2, 4 or 8 bytes; offsets have 16 bits.
  void Load(uint32_t width, Register to, Register from, int32_t offset) {
    Emit(BPF_LDX | BPF_MEM | Size(width), to, from, 0, offset);
  }
  void Store(uint32_t width, Register to, int32_t offset, Register from) {
    Emit(BPF_STX | BPF_MEM | Size(width), to, from, 0, offset);
  }
  void StoreImmediate(uint32_t width, Register to, int32_t offset, int32_t value) {
    Emit(BPF_ST | BPF_MEM | Size(width), to, 0, value, offset);
  }
  void LoadMap(Register to, MapRole role) {
    program_.maps.push_back({Here(), role});
    LoadWide(to);
  }
  void LoadCallback(Register to) {
    program_.callback_reference = Here();
    LoadWide(to);
  }
  void Call(HelperId helper, MapRole map) {
    program_.calls.push_back({Here(), helper, map});
    Emit(BPF_JMP | BPF_CALL, 0, 0, static_cast<int32_t>(helper));
  }
  void Exit() { Emit(BPF_JMP | BPF_EXIT, 0, 0, 0); }

  // Forward jumps: they end where Bind is called with what they returned. `operation` is BPF_JEQ,
  // BPF_JNE, BPF_JLT, …; comparisons have no sign.
  [[nodiscard]] uint32_t JumpIf(uint8_t operation, Register left, uint32_t right) {
    Emit(static_cast<uint8_t>(BPF_JMP | operation | BPF_K), left, 0, static_cast<int32_t>(right));
    return Here() - 1;
  }
  [[nodiscard]] uint32_t JumpIfRegisters(uint8_t operation, Register left, Register right) {
    Emit(static_cast<uint8_t>(BPF_JMP | operation | BPF_X), left, right, 0);
    return Here() - 1;
  }
  void Bind(uint32_t jump) {
    program_.instructions[jump].off = static_cast<int16_t>(Here() - jump - 1);
  }

  uint32_t Here() const { return static_cast<uint32_t>(program_.instructions.size()); }
  Program& program() { return program_; }
  Program Take() { return std::move(program_); }

 private:
  static int Size(uint32_t width) {
    return width == 8 ? BPF_DW : width == 4 ? BPF_W : width == 2 ? BPF_H : BPF_B;
  }
  void Emit(int code, uint8_t to, uint8_t from, int32_t immediate, int32_t offset = 0) {
    bpf_insn instruction{};
    instruction.code = static_cast<uint8_t>(code);
    instruction.dst_reg = to & 0xF;
    instruction.src_reg = from & 0xF;
    instruction.off = static_cast<int16_t>(offset);
    instruction.imm = immediate;
    program_.instructions.push_back(instruction);
  }
  void LoadWide(Register to) {
    Emit(BPF_LD | BPF_IMM | BPF_DW, to, 0, 0);
    Emit(0, 0, 0, 0);
  }

  Program program_;
};

}  // namespace mapspec

#endif  // BACKENDS_PROGRAM_ASSEMBLER_H_
