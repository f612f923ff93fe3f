// SPDX-License-Identifier: MIT
#include "backends/program/test_interpreter.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace mapspec {
namespace {

class TestControlMap : public ControlMap {
 public:
  explicit TestControlMap(uint32_t size) : memory_(size) {}
  std::span<uint8_t> memory() override { return memory_; }

 private:
  std::vector<uint8_t> memory_;
};

uint64_t Address(const void* pointer) { return reinterpret_cast<uint64_t>(pointer); }

class TestProgram : public LoadedProgram {
 public:
  TestProgram(const Program& program, ControlMap& control, TestMap* map)
      : program_(program), control_(control.memory()), map_(map) {
    if (program.control_size > control_.size()) Fault("the control map is too small");
    // No more than the program says it needs.
    control_ = control_.first(std::min<size_t>(control_.size(), program.control_size));
  }
  ~TestProgram() override { ++map_->unloads; }

  bool Run(uint32_t repeat, std::string* problem) override {
    ++map_->runs;
    for (uint32_t i = 0; i < repeat; ++i) {
      if (i == map_->runs_before_interrupt) {
        *problem = "EINTR";
        return false;
      }
      steps_ = 0;
      std::array<uint64_t, 11> registers{};
      Execute(0, &registers);
      map_->longest_run = std::max(map_->longest_run, steps_);
    }
    return true;
  }

 private:
  static constexpr uint64_t kSubject = 0x5B, kControl = 0xC0;

  void Fault(std::string what) { map_->faults.push_back(std::move(what)); }

  bool InRange(uint64_t address, uint64_t size) const {
    const auto inside = [&](std::span<const uint8_t> memory) {
      return address >= Address(memory.data()) &&
             address + size <= Address(memory.data()) + memory.size();
    };
    return inside(control_) || inside(stack_) ||
           std::any_of(map_->elements.begin(), map_->elements.end(), inside);
  }

  static uint32_t WidthOf(const bpf_insn& in) {
    switch (BPF_SIZE(in.code)) {
      case BPF_DW:
        return 8;
      case BPF_W:
        return 4;
      case BPF_H:
        return 2;
      default:
        return 1;
    }
  }
  // The memory of an access; nullptr after a fault.
  uint8_t* Access(uint64_t base, const bpf_insn& in) {
    const uint64_t address = base + static_cast<uint64_t>(int64_t{in.off});
    if (address % WidthOf(in) != 0) {
      Fault("an access is not aligned");
      return nullptr;
    }
    if (!InRange(address, WidthOf(in))) {
      Fault("an access is out of range");
      return nullptr;
    }
    return reinterpret_cast<uint8_t*>(address);
  }

  uint64_t Call(uint32_t at, std::array<uint64_t, 11>* r) {
    const auto site = std::find_if(program_.calls.begin(), program_.calls.end(),
                                   [at](const HelperCallSite& s) { return s.instruction == at; });
    if (site == program_.calls.end() ||
        static_cast<int32_t>(site->helper) != program_.instructions[at].imm) {
      Fault("a call that the list does not name");
      return 0;
    }
    if (site->map == MapRole::kControl) {
      uint32_t key = 1;
      if ((*r)[1] != kControl || !InRange((*r)[2], 8))
        Fault("the control map is looked up wrongly");
      std::memcpy(&key, reinterpret_cast<const void*>((*r)[2]), sizeof(key));
      return key == 0 ? Address(control_.data()) : 0;
    }
    map_->calls.push_back(site->helper);
    const bool lock = site->helper == HelperId::kSpinLock || site->helper == HelperId::kSpinUnlock;
    const uint64_t named = site->map == MapRole::kInner ? looked_up_ : kSubject;
    if (!lock && (*r)[1] != named) Fault("the first argument is not the map");
    if (site->helper == HelperId::kForEachMapElem) {
      callback_context_ = (*r)[3];
      if ((*r)[2] != program_.callback) Fault("the second argument is not the callback");
    }
    const uint64_t result = map_->helper(site->helper, r->data() + 1);
    looked_up_ = result;
    return result;
  }

 public:
  // For helpers that call back: key and value of an element.
  uint64_t CallBack(const void* key, const void* value) {
    std::array<uint64_t, 11> r{};
    r[1] = kSubject;
    r[2] = Address(key);
    r[3] = Address(value);
    r[4] = callback_context_;
    return Execute(program_.callback, &r);
  }

 private:
  uint64_t Execute(uint32_t pc, std::array<uint64_t, 11>* registers) {
    auto& r = *registers;
    r[10] = Address(stack_.data() + stack_.size());
    for (; pc < program_.instructions.size(); ++pc) {
      const bpf_insn& in = program_.instructions[pc];
      ++steps_;
      const bool by_register = BPF_SRC(in.code) == BPF_X;
      const uint64_t operand = by_register ? r[in.src_reg] : static_cast<uint64_t>(int64_t{in.imm});
      switch (BPF_CLASS(in.code)) {
        case BPF_ALU64:
          switch (BPF_OP(in.code)) {
            case BPF_MOV:
              r[in.dst_reg] = operand;
              continue;
            case BPF_ADD:
              r[in.dst_reg] += operand;
              continue;
            case BPF_MUL:
              r[in.dst_reg] *= operand;
              continue;
            case BPF_AND:
              r[in.dst_reg] &= operand;
              continue;
            default:
              Fault("an operation outside the subset");
              return 0;
          }
        case BPF_LDX:
          if (const uint8_t* from = Access(r[in.src_reg], in)) {
            r[in.dst_reg] = 0;
            std::memcpy(&r[in.dst_reg], from, WidthOf(in));
            continue;
          }
          return 0;
        case BPF_STX:
        case BPF_ST:
          if (uint8_t* to = Access(r[in.dst_reg], in)) {
            const uint64_t word = BPF_CLASS(in.code) == BPF_STX
                                      ? r[in.src_reg]
                                      : static_cast<uint64_t>(int64_t{in.imm});
            std::memcpy(to, &word, WidthOf(in));
            continue;
          }
          return 0;
        case BPF_LD: {
          const auto named =
              std::find_if(program_.maps.begin(), program_.maps.end(),
                           [pc](const MapReference& m) { return m.instruction == pc; });
          if (named != program_.maps.end()) {
            r[in.dst_reg] = named->role == MapRole::kSubject ? kSubject : kControl;
          } else if (program_.callback != 0 && pc == program_.callback_reference) {
            r[in.dst_reg] = program_.callback;
          } else {
            Fault("a wide immediate that stands for nothing");
            return 0;
          }
          ++pc;
          continue;
        }
        case BPF_JMP:
          if (BPF_OP(in.code) == BPF_EXIT) return r[0];
          if (BPF_OP(in.code) == BPF_CALL) {
            r[0] = Call(pc, registers);
            // Helpers need not keep these.
            std::fill(r.begin() + 1, r.begin() + 6, 0xDEAD);
            continue;
          }
          if (in.off < 0) {
            Fault("a jump backwards");
            return 0;
          }
          if ((BPF_OP(in.code) == BPF_JNE && r[in.dst_reg] != operand) ||
              (BPF_OP(in.code) == BPF_JLT && r[in.dst_reg] < operand)) {
            pc += static_cast<uint32_t>(in.off);
          } else if (BPF_OP(in.code) != BPF_JNE && BPF_OP(in.code) != BPF_JLT) {
            Fault("a jump outside the subset");
            return 0;
          }
          continue;
        default:
          Fault("a class outside the subset");
          return 0;
      }
    }
    Fault("the program runs off its end");
    return 0;
  }

  const Program program_;
  std::span<uint8_t> control_;
  TestMap* map_;
  alignas(8) std::array<uint8_t, 512> stack_{};
  uint64_t callback_context_ = 0;
  uint64_t looked_up_ = 0;  // What the last helper returned.
  uint32_t steps_ = 0;
};

class TestEngine : public ProgramEngine {
 public:
  explicit TestEngine(TestMap* map) : map_(map) {}
  std::unique_ptr<ControlMap> MakeControlMap(uint32_t size, std::string*) override {
    ++map_->control_maps;
    return std::make_unique<TestControlMap>(size);
  }
  LoadResult Load(const Program& program, int map_fd, ControlMap& control) override {
    ++map_->loads;
    map_->fds.push_back(map_fd);
    LoadResult result;
    result.refused = map_->refused(program);
    result.log = result.refused != Errno::kNone ? "refused" : map_->unable;
    if (result.log.empty()) {
      auto loaded = std::make_unique<TestProgram>(program, control, map_);
      map_->call_back = [self = loaded.get()](const void* key, const void* value) {
        return self->CallBack(key, value);
      };
      result.program = std::move(loaded);
    }
    return result;
  }

 private:
  TestMap* map_;
};

}  // namespace

std::unique_ptr<ProgramEngine> MakeTestInterpreter(TestMap* map) {
  return std::make_unique<TestEngine>(map);
}

}  // namespace mapspec
