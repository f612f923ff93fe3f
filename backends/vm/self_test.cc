// SPDX-License-Identifier: MIT
#include "backends/vm/self_test.h"

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <cstring>

namespace mapspec {
namespace {

constexpr uint8_t kMov = BPF_MOV;
constexpr uint8_t kFrame = 10;

bpf_insn Instruction(int code, uint8_t to, uint8_t from, int offset, int32_t immediate) {
  bpf_insn instruction{};
  instruction.code = static_cast<uint8_t>(code);
  instruction.dst_reg = to & 0xf;
  instruction.src_reg = from & 0xf;
  instruction.off = static_cast<int16_t>(offset);
  instruction.imm = immediate;
  return instruction;
}
bpf_insn AluK(int operation, uint8_t to, int32_t immediate) {
  return Instruction(BPF_ALU64 | operation | BPF_K, to, 0, 0, immediate);
}
bpf_insn AluX(int operation, uint8_t to, uint8_t from) {
  return Instruction(BPF_ALU64 | operation | BPF_X, to, from, 0, 0);
}
bpf_insn Load(int size, uint8_t to, uint8_t from, int offset) {
  return Instruction(BPF_LDX | BPF_MEM | size, to, from, offset, 0);
}
bpf_insn Store(int size, uint8_t to, int offset, uint8_t from) {
  return Instruction(BPF_STX | BPF_MEM | size, to, from, offset, 0);
}
bpf_insn StoreK(int size, uint8_t to, int offset, int32_t immediate) {
  return Instruction(BPF_ST | BPF_MEM | size, to, 0, offset, immediate);
}
bpf_insn JumpK(int operation, uint8_t left, int32_t right, int offset) {
  return Instruction(BPF_JMP | operation | BPF_K, left, 0, offset, right);
}
bpf_insn JumpX(int operation, uint8_t left, uint8_t right, int offset) {
  return Instruction(BPF_JMP | operation | BPF_X, left, right, offset, 0);
}
bpf_insn CallIndex(int32_t index) { return Instruction(BPF_JMP | BPF_CALL, 0, 0, 0, index); }
bpf_insn Exit() { return Instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0); }

using Instructions = std::vector<bpf_insn>;
Instructions Wide(uint8_t to, uint64_t value) {
  return {Instruction(BPF_LD | BPF_IMM | BPF_DW, to, 0, 0, static_cast<int32_t>(value)),
          Instruction(0, 0, 0, 0, static_cast<int32_t>(value >> 32))};
}
// Instructions of all parts, one behind the other.
Instructions Join(std::initializer_list<Instructions> parts) {
  Instructions all;
  for (const Instructions& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

// ---- What programs call.

constexpr uint32_t kScratchSize = 64;
alignas(8) thread_local std::array<uint8_t, kScratchSize> scratch;
thread_local VmProgram* running = nullptr;

bool MayAccessScratch(uint64_t address, uint64_t size) {
  const auto begin = reinterpret_cast<uint64_t>(scratch.data());
  return address >= begin && address + size <= begin + kScratchSize;
}
MAPSPEC_VM_FUNCTION Scratch(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t) {
  return reinterpret_cast<uint64_t>(scratch.data());
}
MAPSPEC_VM_FUNCTION Weigh(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e) {
  return a + 2 * b + 3 * c + 4 * d + 5 * e;
}
MAPSPEC_VM_FUNCTION Negative(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t) {
  return static_cast<uint64_t>(int64_t{-22});
}
MAPSPEC_VM_FUNCTION ReadTwoWords(uint64_t address, uint64_t, uint64_t, uint64_t, uint64_t) {
  uint64_t words[2];
  std::memcpy(words, reinterpret_cast<const void*>(address), sizeof(words));
  return words[0] - words[1];
}
MAPSPEC_VM_FUNCTION CallBackTwice(uint64_t a, uint64_t, uint64_t, uint64_t, uint64_t) {
  const uint64_t first = running->CallBack({a, 1, 2, 3, 0});
  return 10 * first + running->CallBack({a + 1, 1, 2, 3, 0});
}

VmCall TakesFive(VmFunction function) {
  VmCall call{function, {}, VmType::Number()};
  call.arguments.fill(VmType::Number());
  return call;
}
VmCall TakesNothing(VmFunction function, VmType result) { return {function, {}, result}; }
VmCall TakesOne(VmFunction function, VmType argument) {
  return {function, {argument}, VmType::Number()};
}

// ---- The cases.

VmSelfTestCase Case(std::string_view name, uint64_t answer, Instructions instructions,
                    std::vector<VmCall> calls = {}) {
  VmSelfTestCase made;
  made.name = name;
  made.answer = answer;
  made.code.instructions = std::move(instructions);
  made.code.calls = std::move(calls);
  made.code.may_access = &MayAccessScratch;
  return made;
}

constexpr uint64_t kPattern = 0x8899aabbccddeeff;

void AddAlu(std::vector<VmSelfTestCase>* cases) {
  const auto add = [cases](std::string_view name, uint64_t answer, Instructions instructions) {
    cases->push_back(Case(name, answer, std::move(instructions)));
  };
  add("LDDW", kPattern, Join({Wide(0, kPattern), {Exit()}}));
  add("mov of a negative immediate", UINT64_MAX, {AluK(kMov, 0, -1), Exit()});
  add("mov and add of registers", kPattern + 7,
      Join({Wide(6, kPattern), {AluK(kMov, 7, 7), AluX(kMov, 0, 6), AluX(BPF_ADD, 0, 7), Exit()}}));
  add("add of a negative immediate", kPattern - 8,
      Join({Wide(0, kPattern), {AluK(BPF_ADD, 0, -8), Exit()}}));
  add("sub, mul and neg", static_cast<uint64_t>(-(int64_t{40} * 1000003 - 5)),
      {AluK(kMov, 0, 40), AluK(BPF_MUL, 0, 1000003), AluK(BPF_SUB, 0, 5), AluK(BPF_NEG, 0, 0),
       Exit()});
  add("and, or, xor", (kPattern & 0xff0 & 0xfff) | 0x1005,
      Join({Wide(0, kPattern),
            {AluK(BPF_AND, 0, 0xff0), AluK(BPF_OR, 0, 0x1001), AluK(BPF_XOR, 0, 4), Exit()}}));
  add("lsh and rsh", kPattern << 8 >> 16,
      Join({Wide(0, kPattern), {AluK(BPF_LSH, 0, 8), AluK(BPF_RSH, 0, 16), Exit()}}));
  add("arsh", static_cast<uint64_t>(static_cast<int64_t>(kPattern) >> 12),
      Join({Wide(0, kPattern), {AluK(BPF_ARSH, 0, 12), Exit()}}));
}

void AddMemory(std::vector<VmSelfTestCase>* cases) {
  const VmCall memory = TakesNothing(&Scratch, VmType::Pointer(kScratchSize));
  struct Size {
    std::string_view load, store, immediate;
    int code;
    uint32_t bytes;
  };
  for (const Size& size :
       {Size{"load of 1 byte", "store of 1 byte", "immediate store of 1 byte", BPF_B, 1},
        Size{"load of 2 bytes", "store of 2 bytes", "immediate store of 2 bytes", BPF_H, 2},
        Size{"load of 4 bytes", "store of 4 bytes", "immediate store of 4 bytes", BPF_W, 4},
        Size{"load of 8 bytes", "store of 8 bytes", "immediate store of 8 bytes", BPF_DW, 8}}) {
    // Bytes 5 5 5 5 5 5 5 5 5 …, or those of kPattern, in the memory's first 24.
    const auto after = [&](uint64_t value) {
      uint8_t bytes[24];
      std::fill(std::begin(bytes), std::end(bytes), uint8_t{5});
      if (size.bytes == 1) bytes[8] = static_cast<uint8_t>(value);
      const auto half = static_cast<uint16_t>(value);
      if (size.bytes == 2) std::memcpy(bytes + 8, &half, 2);
      const auto word = static_cast<uint32_t>(value);
      if (size.bytes == 4) std::memcpy(bytes + 8, &word, 4);
      if (size.bytes == 8) std::memcpy(bytes + 8, &value, 8);
      std::array<uint64_t, 3> words{};
      std::memcpy(words.data(), bytes, sizeof(bytes));
      return words;
    };
    const Instructions begin =
        Join({{CallIndex(0), AluX(kMov, 6, 0)},
              Wide(1, 0x0505050505050505),
              {Store(BPF_DW, 6, 0, 1), Store(BPF_DW, 6, 8, 1), Store(BPF_DW, 6, 16, 1)}});
    // What stands there afterwards, the word itself and its neighbours.
    const Instructions end = {Load(BPF_DW, 0, 6, 8),  Load(BPF_DW, 1, 6, 0), AluX(BPF_XOR, 0, 1),
                              Load(BPF_DW, 1, 6, 16), AluX(BPF_XOR, 0, 1),   Exit()};
    const auto folded = [](const std::array<uint64_t, 3>& words) {
      return words[0] ^ words[1] ^ words[2];
    };
    cases->push_back(Case(size.store, folded(after(kPattern)),
                          Join({begin, Wide(2, kPattern), {Store(size.code, 6, 8, 2)}, end}),
                          {memory}));
    cases->push_back(Case(size.immediate, folded(after(static_cast<uint64_t>(int64_t{-2}))),
                          Join({begin, {StoreK(size.code, 6, 8, -2)}, end}), {memory}));
    const uint64_t loaded = size.bytes == 8 ? kPattern : kPattern & ((1ULL << 8 * size.bytes) - 1);
    const bool little = [] {
      const uint16_t one = 1;
      uint8_t first = 0;
      std::memcpy(&first, &one, 1);
      return first == 1;
    }();
    const uint64_t big = kPattern >> (64 - 8 * size.bytes);
    cases->push_back(Case(
        size.load, little ? loaded : big,
        Join(
            {begin, Wide(2, kPattern), {Store(BPF_DW, 6, 8, 2), Load(size.code, 0, 6, 8), Exit()}}),
        {memory}));
  }
}

void AddCalls(std::vector<VmSelfTestCase>* cases) {
  cases->push_back(Case("a call with five arguments", 1 + 2 * 20 + 3 * 300 + 4 * 4000 + 5 * 50000,
                        {AluK(kMov, 1, 1), AluK(kMov, 2, 20), AluK(kMov, 3, 300),
                         AluK(kMov, 4, 4000), AluK(kMov, 5, 50000), CallIndex(0), Exit()},
                        {TakesFive(&Weigh)}));
  cases->push_back(Case("arguments of 64 bits", kPattern * 2,
                        Join({Wide(2, kPattern),
                              {AluK(kMov, 1, 0), AluK(kMov, 3, 0), AluK(kMov, 4, 0),
                               AluK(kMov, 5, 0), CallIndex(0), Exit()}}),
                        {TakesFive(&Weigh)}));
  cases->push_back(Case("a negative result of 64 bits", static_cast<uint64_t>(int64_t{-22}),
                        {CallIndex(0), Exit()}, {TakesNothing(&Negative, VmType::Number())}));
  cases->push_back(Case(
      "registers 6 to 9 kept over a call", 6 + 70 + 800 + 9000 - 22,
      {AluK(kMov, 6, 6), AluK(kMov, 7, 70), AluK(kMov, 8, 800), AluK(kMov, 9, 9000), CallIndex(0),
       AluX(BPF_ADD, 0, 6), AluX(BPF_ADD, 0, 7), AluX(BPF_ADD, 0, 8), AluX(BPF_ADD, 0, 9), Exit()},
      {TakesNothing(&Negative, VmType::Number())}));
  cases->push_back(
      Case("a pointer to the stack as argument", kPattern - 3,
           Join({Wide(1, kPattern),
                 {Store(BPF_DW, kFrame, -16, 1), StoreK(BPF_DW, kFrame, -8, 3),
                  AluX(kMov, 1, kFrame), AluK(BPF_ADD, 1, -16), CallIndex(0), Exit()}}),
           {TakesOne(&ReadTwoWords, VmType::Pointer(16))}));
  cases->push_back(
      Case("several functions in one program", 3 * 7 - 22,
           {CallIndex(1), AluX(kMov, 6, 0), AluK(kMov, 1, 0), AluK(kMov, 2, 0), AluK(kMov, 3, 7),
            AluK(kMov, 4, 0), AluK(kMov, 5, 0), CallIndex(0), AluX(BPF_ADD, 0, 6), Exit()},
           {TakesFive(&Weigh), TakesNothing(&Negative, VmType::Number())}));
}

void AddJumps(std::vector<VmSelfTestCase>* cases) {
  struct Jump {
    std::string_view name;
    int operation;
    int32_t right;
    bool taken;
  };
  constexpr uint64_t kLeft = UINT64_MAX - 9;  // -10
  for (const Jump& jump :
       {Jump{"jeq taken", BPF_JEQ, -10, true}, Jump{"jeq not taken", BPF_JEQ, 10, false},
        Jump{"jne taken", BPF_JNE, 0, true}, Jump{"jne not taken", BPF_JNE, -10, false},
        Jump{"jlt has no sign", BPF_JLT, 1, false}, Jump{"jlt taken", BPF_JLT, -1, true},
        Jump{"jge has no sign", BPF_JGE, 1, true}, Jump{"jgt not taken", BPF_JGT, -10, false},
        Jump{"jle taken", BPF_JLE, -10, true}, Jump{"jsgt has a sign", BPF_JSGT, 1, false},
        Jump{"jslt has a sign", BPF_JSLT, 1, true}}) {
    const uint64_t answer = jump.taken ? 2 : 1;
    cases->push_back(Case(jump.name, answer,
                          Join({Wide(6, kLeft),
                                {JumpK(jump.operation, 6, jump.right, 2), AluK(kMov, 0, 1), Exit(),
                                 AluK(kMov, 0, 2), Exit()}})));
    // The same with a register, and what is compared not known from the text of the program alone.
    cases->push_back(Case(jump.name, answer,
                          Join({{CallIndex(0), AluX(kMov, 7, 0), StoreK(BPF_DW, 7, 0, jump.right)},
                                Wide(6, kLeft),
                                {Load(BPF_DW, 8, 7, 0), JumpX(jump.operation, 6, 8, 2),
                                 AluK(kMov, 0, 1), Exit(), AluK(kMov, 0, 2), Exit()}}),
                          {TakesNothing(&Scratch, VmType::Pointer(kScratchSize))}));
  }
  cases->push_back(Case(
      "ja", 12,
      {CallIndex(0), Load(BPF_DW, 6, 0, 0), AluK(kMov, 0, 2), JumpK(BPF_JEQ, 6, 0, 2),
       AluK(kMov, 0, 1), Instruction(BPF_JMP | BPF_JA, 0, 0, 1, 0), AluK(BPF_ADD, 0, 10), Exit()},
      {TakesNothing(&Scratch, VmType::Pointer(kScratchSize))}));
}

void AddCallback(std::vector<VmSelfTestCase>* cases) {
  // Returns its first argument plus its fourth.
  const Instructions callback = {AluX(kMov, 0, 1), AluX(BPF_ADD, 0, 4), Exit()};
  VmSelfTestCase made =
      Case("a callback", (5 + 3) * 10 + (6 + 3),
           Join({{AluK(kMov, 1, 5)}, Wide(2, 0), {CallIndex(0), Exit()}, callback}),
           {{&CallBackTwice, {VmType::Number(), VmType::Number()}, VmType::Number()}});
  made.code.callback_reference = 1;
  made.code.callback = 5;
  made.needs_callbacks = true;
  cases->push_back(std::move(made));
}

std::string Hex(uint64_t number) {
  char text[24];
  std::snprintf(text, sizeof(text), "0x%" PRIx64, number);
  return text;
}

// "" or what went wrong.
std::string RunCase(VmEngine& engine, const VmSelfTestCase& test) {
  std::string problem;
  const auto program = engine.Load(test.code, &problem);
  if (program == nullptr) return "does not load: " + problem;
  for (int round = 0; round < 2; ++round) {
    scratch.fill(0);
    uint64_t result = 0;
    running = program.get();
    const bool ended = program->Run(&result, &problem);
    running = nullptr;
    if (!ended) return problem;
    if (result != test.answer) return "gives " + Hex(result) + " instead of " + Hex(test.answer);
  }
  return {};
}

}  // namespace

const std::vector<VmSelfTestCase>& VmSelfTestCases() {
  static const std::vector<VmSelfTestCase> cases = [] {
    std::vector<VmSelfTestCase> made;
    AddAlu(&made);
    AddMemory(&made);
    AddCalls(&made);
    AddJumps(&made);
    AddCallback(&made);
    return made;
  }();
  return cases;
}

std::string TestVm(VmEngine& engine) {
  for (const VmSelfTestCase& test : VmSelfTestCases()) {
    if (test.needs_callbacks && !engine.has_callbacks()) continue;
    if (const std::string wrong = RunCase(engine, test); !wrong.empty()) {
      return "the VM itself (" + engine.description() + ") fails its self-test, \"" +
             std::string(test.name) + "\": " + wrong;
    }
  }
  return {};
}

}  // namespace mapspec
