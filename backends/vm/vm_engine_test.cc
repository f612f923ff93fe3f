// SPDX-License-Identifier: MIT
//
// The VMs of this build, and the self-test that stands between a VM and the maps.
#include "backends/vm/vm_engine.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>

#include "backends/vm/dpdk_jit_jumps.h"
#include "backends/vm/engines.h"
#include "backends/vm/self_test.h"
#include "backends/vm/vm_selector.h"

namespace mapspec {
namespace {

// A VM that is wrong in one way.
class BrokenProgram : public VmProgram {
 public:
  BrokenProgram(std::unique_ptr<VmProgram> program, uint64_t mask)
      : program_(std::move(program)), mask_(mask) {}
  bool Run(uint64_t* result, std::string* problem) override {
    if (mask_ == 0) {
      *problem = "it gave up";
      return false;
    }
    const bool ended = program_->Run(result, problem);
    *result &= mask_;
    return ended;
  }

 private:
  std::unique_ptr<VmProgram> program_;
  const uint64_t mask_;
};
class BrokenEngine : public VmEngine {
 public:
  // What becomes of the instructions, and of the result.
  BrokenEngine(uint8_t replaced, uint8_t replacement, uint64_t mask)
      : replaced_(replaced), replacement_(replacement), mask_(mask) {}
  std::string description() const override { return "Broken 1.0"; }
  std::unique_ptr<VmProgram> Load(const VmCode& code, std::string* error) override {
    VmCode changed = code;
    for (bpf_insn& in : changed.instructions) {
      if (in.code == replaced_) in.code = replacement_;
    }
    auto program = MakePlainEngine(false, error)->Load(changed, error);
    if (program == nullptr) return nullptr;
    return std::make_unique<BrokenProgram>(std::move(program), mask_);
  }

 private:
  const uint8_t replaced_, replacement_;
  const uint64_t mask_;
};

TEST(VmEngines, AllOfThisBuildPassTheirSelfTest) {
  size_t tested = 0;
  for (const VmEngineInfo& info : VmEngines()) {
    if (!info.built) continue;
    for (const bool jit : {false, true}) {
      if (jit && !info.has_jit) continue;
      std::string error;
      const auto engine = MakeVmEngine(info.word, jit, &error);
      ASSERT_NE(engine, nullptr) << error;
      EXPECT_FALSE(engine->description().empty());
      EXPECT_EQ(TestVm(*engine), "");
      ++tested;
    }
  }
  EXPECT_GE(tested, 1u);
}

TEST(VmEngines, OneThatIsNotBuiltSaysSo) {
  for (const VmEngineInfo& info : VmEngines()) {
    if (info.built) continue;
    std::string error;
    EXPECT_EQ(MakeVmEngine(info.word, false, &error), nullptr);
    EXPECT_FALSE(error.empty());
    EXPECT_FALSE(info.to_get_it.empty());
  }
}

TEST(VmSelfTest, NamesTheVmAndWhatFailed) {
  // Loads of two bytes load one.
  BrokenEngine loads(BPF_LDX | BPF_MEM | BPF_H, BPF_LDX | BPF_MEM | BPF_B, UINT64_MAX);
  EXPECT_EQ(TestVm(loads),
            "the VM itself (Broken 1.0) fails its self-test, \"load of 2 bytes\": gives 0xff "
            "instead of 0xeeff");
  BrokenEngine silent(0, 0, 0);
  EXPECT_EQ(TestVm(silent), "the VM itself (Broken 1.0) fails its self-test, \"LDDW\": it gave up");
}

// Each of these must be noticed by some case.
TEST(VmSelfTest, NoticesWhatAVmMayGetWrong) {
  EXPECT_EQ(TestVm(*MakePlainEngine(false, nullptr)), "");
  struct Wrong {
    uint8_t replaced, replacement;
  };
  const uint8_t k = BPF_ALU64 | BPF_K;
  const uint8_t x = BPF_ALU64 | BPF_X;
  const uint8_t jk = BPF_JMP | BPF_K;
  const uint8_t jx = BPF_JMP | BPF_X;
  for (const Wrong& wrong : {Wrong{k | BPF_ADD, k | BPF_SUB},
                             {x | BPF_ADD, x | BPF_SUB},
                             {k | BPF_MUL, k | BPF_ADD},
                             {k | BPF_AND, k | BPF_OR},
                             {k | BPF_ARSH, k | BPF_RSH},
                             {k | BPF_MOV, k | BPF_ADD},
                             {BPF_STX | BPF_MEM | BPF_B, BPF_STX | BPF_MEM | BPF_H},
                             {BPF_STX | BPF_MEM | BPF_W, BPF_STX | BPF_MEM | BPF_DW},
                             {BPF_ST | BPF_MEM | BPF_DW, BPF_ST | BPF_MEM | BPF_W},
                             {BPF_ST | BPF_MEM | BPF_B, BPF_ST | BPF_MEM | BPF_H},
                             {BPF_LDX | BPF_MEM | BPF_W, BPF_LDX | BPF_MEM | BPF_DW},
                             {jk | BPF_JEQ, jk | BPF_JNE},
                             {jk | BPF_JLT, jk | BPF_JSLT},
                             {jx | BPF_JLT, jx | BPF_JSLT},
                             {jx | BPF_JNE, jx | BPF_JEQ},
                             {jk | BPF_JLE, jk | BPF_JLT}}) {
    BrokenEngine engine(wrong.replaced, wrong.replacement, UINT64_MAX);
    EXPECT_NE(TestVm(engine), "") << "instruction " << int{wrong.replaced};
  }
  BrokenEngine narrow(0, 0, UINT32_MAX);
  EXPECT_NE(TestVm(narrow), "");
}

TEST(PlainEngine, RefusesWhatItDoesNotKnow) {
  std::string error;
  const auto engine = MakePlainEngine(false, &error);
  VmCode code;
  code.instructions = {{BPF_ALU | BPF_MOV | BPF_K, 0, 0, 0, 1}, {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
  EXPECT_EQ(engine->Load(code, &error), nullptr);
  EXPECT_EQ(error, "instruction 0: not in the subset");
  code.instructions = {{BPF_JMP | BPF_CALL, 0, 0, 0, 0}, {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
  EXPECT_EQ(engine->Load(code, &error), nullptr);
  EXPECT_EQ(error, "instruction 0: no such function");
  code.instructions = {{BPF_JMP | BPF_JA, 0, 0, -1, 0}, {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
  EXPECT_EQ(engine->Load(code, &error), nullptr);
  code.instructions = {};
  EXPECT_EQ(engine->Load(code, &error), nullptr);
  EXPECT_EQ(MakePlainEngine(true, &error), nullptr) << "no JIT";
}

TEST(PlainEngine, StopsAtAnAccessToWhatIsNotItsOwn) {
  std::string error;
  VmCode code;
  code.instructions = {{BPF_LDX | BPF_MEM | BPF_DW, 0, 10, 0, 0}, {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
  const auto program = MakePlainEngine(false, &error)->Load(code, &error);
  ASSERT_NE(program, nullptr) << error;
  uint64_t result = 0;
  EXPECT_FALSE(program->Run(&result, &error)) << "behind the stack";
  EXPECT_NE(error.find("instruction 0"), std::string::npos) << error;
}

std::vector<bpf_insn> JumpOver(size_t loads) {
  std::vector<bpf_insn> code = {
      {BPF_JMP | BPF_JEQ | BPF_K, 1, 0, static_cast<int16_t>(2 * loads), 0}};
  for (size_t i = 0; i < loads; ++i) {
    code.push_back({BPF_LD | BPF_IMM | BPF_DW, 0, 0, 0, 0});
    code.push_back({0, 0, 0, 0, 0});
  }
  code.push_back({BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0});
  code.push_back({BPF_JMP | BPF_EXIT, 0, 0, 0, 0});
  return code;
}

TEST(DpdkJitJumps, OnlyThoseOfAboutTheLimitAreDangerous) {
  EXPECT_FALSE(MayBeMiscompiled(JumpOver(1)));
  EXPECT_FALSE(MayBeMiscompiled(JumpOver(10))) << "at most 100 bytes";
  EXPECT_TRUE(MayBeMiscompiled(JumpOver(13))) << "between 65 and 130";
  EXPECT_TRUE(MayBeMiscompiled(JumpOver(25))) << "between 125 and 250";
  EXPECT_FALSE(MayBeMiscompiled(JumpOver(26))) << "at least 130";
}

TEST(VmSelector, NamesEngineJitAndLibrary) {
  std::string error;
  const auto parse = [&error](std::string_view selector) {
    EXPECT_TRUE(IsVmSelector(selector));
    return ParseVmSelector(selector, &error);
  };
  const auto plain = parse("vm");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->engine->word, "");
  EXPECT_FALSE(plain->jit);
  const auto compiled = parse("vm:jit:library:./a:b.so");
  ASSERT_TRUE(compiled);
  EXPECT_TRUE(compiled->jit);
  EXPECT_EQ(compiled->library, "./a:b.so");
  const auto other = parse("vm:ubpf:jit");
  ASSERT_TRUE(other);
  EXPECT_EQ(other->engine->word, "ubpf");
  EXPECT_TRUE(other->jit);
  const auto faulty = parse("faulty-vm:drops-flags");
  ASSERT_TRUE(faulty);
  EXPECT_EQ(faulty->fault, "drops-flags");
  for (const char* wrong : {"vm:qemu", "vm:library:", "vm:plain:jit", "vm:jit:ubpf", "faulty-vm",
                            "vm:library", "vm:jit:jit"}) {
    EXPECT_FALSE(parse(wrong)) << wrong;
    EXPECT_FALSE(error.empty());
  }
  EXPECT_FALSE(IsVmSelector("vmware"));
  EXPECT_FALSE(IsVmSelector("library:vm"));
}

}  // namespace
}  // namespace mapspec
