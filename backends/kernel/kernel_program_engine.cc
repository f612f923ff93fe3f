// SPDX-License-Identifier: MIT
#include "backends/kernel/kernel_program_engine.h"

#include <bpf/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "backends/kernel/descriptor.h"
#include "backends/kernel/program_load.h"
#include "backends/libbpf_api/btf_blob.h"
#include "backends/program/control_block.h"
#include "backends/program/helper_program.h"

namespace mapspec {
namespace {

constexpr char kName[] = "mapspec";
constexpr size_t kPacketSize = 64;  // At least an Ethernet header.

class KernelControlMap : public ControlMap {
 public:
  KernelControlMap(Descriptor fd, void* address, size_t size)
      : fd_(std::move(fd)), memory_(static_cast<uint8_t*>(address), size) {}
  ~KernelControlMap() override { munmap(memory_.data(), memory_.size()); }
  std::span<uint8_t> memory() override { return memory_; }
  int fd() const { return fd_.get(); }

 private:
  Descriptor fd_;
  std::span<uint8_t> memory_;
};

class KernelProgram : public LoadedProgram {
 public:
  explicit KernelProgram(Descriptor fd) : fd_(std::move(fd)) {}

  bool Run(uint32_t repeat, std::string* problem) override {
    static constexpr std::array<uint8_t, kPacketSize> kPacket{};
    ::bpf_test_run_opts opts{};
    opts.sz = sizeof(opts);
    opts.data_in = kPacket.data();
    opts.data_size_in = kPacketSize;
    opts.repeat = static_cast<int>(repeat);
    const int result = ::bpf_prog_test_run_opts(fd_.get(), &opts);
    if (result == 0) return true;
    *problem = SystemFailure("BPF_PROG_TEST_RUN", -result);
    return false;
  }

 private:
  Descriptor fd_;
};

class KernelEngine : public ProgramEngine {
 public:
  std::unique_ptr<ControlMap> MakeControlMap(uint32_t size, std::string* error) override {
    // Whole pages are what can be mapped.
    const auto page = static_cast<uint32_t>(sysconf(_SC_PAGESIZE));
    size = (size + page - 1) / page * page;
    ::bpf_map_create_opts opts{};
    opts.sz = sizeof(opts);
    opts.map_flags = BPF_F_MMAPABLE;
    Descriptor fd(::bpf_map_create(::BPF_MAP_TYPE_ARRAY, kName, 4, size, 1, &opts));
    if (fd.get() < 0) {
      *error = SystemFailure("creating the control map", errno);
      return nullptr;
    }
    void* address = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
    if (address == MAP_FAILED) {
      *error = SystemFailure("mapping the control map", errno);
      return nullptr;
    }
    return std::make_unique<KernelControlMap>(std::move(fd), address, size);
  }

  LoadResult Load(const Program& program, int map_fd, ControlMap& control) override {
    const int control_fd = static_cast<KernelControlMap&>(control).fd();
    std::vector<bpf_insn> instructions = program.instructions;
    for (const MapReference& map : program.maps) {
      bpf_insn& load = instructions[map.instruction];
      load.src_reg = BPF_PSEUDO_MAP_FD;
      load.imm = map.role == MapRole::kSubject ? map_fd : control_fd;
    }
    ::bpf_prog_load_opts opts{};
    opts.sz = sizeof(opts);
    std::array<::bpf_func_info, 2> functions{};
    if (program.callback != 0) {
      bpf_insn& load = instructions[program.callback_reference];
      load.src_reg = BPF_PSEUDO_FUNC;
      load.imm = static_cast<int32_t>(program.callback - program.callback_reference - 1);
      if (callback_btf_.get() < 0) callback_btf_ = LoadCallbackBtf();
      // A kernel that does not take this BTF says the rest when it gets the program.
      if (callback_btf_.get() >= 0) {
        functions = {{{0, kBtfMainFunction}, {program.callback, kBtfCallbackFunction}}};
        opts.prog_btf_fd = static_cast<uint32_t>(callback_btf_.get());
        opts.func_info_rec_size = sizeof(::bpf_func_info);
        opts.func_info_cnt = functions.size();
        opts.func_info = functions.data();
      }
    }
    LoadResult result;
    ProgramLoad loaded = LoadProgram(::BPF_PROG_TYPE_SCHED_CLS, instructions, opts);
    if (loaded.fd.get() >= 0) {
      result.program = std::make_unique<KernelProgram>(std::move(loaded.fd));
    }
    result.refused = loaded.refused;
    result.log = std::move(loaded.log);
    return result;
  }

 private:
  static Descriptor LoadCallbackBtf() {
    const std::vector<uint8_t> blob = MakeCallbackBtf();
    return Descriptor(::bpf_btf_load(blob.data(), blob.size(), nullptr));
  }

  Descriptor callback_btf_;
};

// Loads a program and runs it. "" or what went wrong.
std::string Try(const Program& program, int map_fd) {
  KernelEngine engine;
  std::string error;
  const auto control = engine.MakeControlMap(kUsualControlSize, &error);
  if (control == nullptr) return error;
  const auto loaded = engine.Load(program, map_fd, *control);
  if (loaded.program == nullptr) {
    return loaded.refused == Errno::kNone
               ? loaded.log
               : SystemFailure("BPF_PROG_LOAD", static_cast<int>(loaded.refused));
  }
  return loaded.program->Run(1, &error) ? std::string() : error;
}

}  // namespace

std::unique_ptr<ProgramEngine> MakeKernelProgramEngine() {
  return std::make_unique<KernelEngine>();
}

std::string WhyNoPrograms() {
  // r0 = 0; exit.
  Program program;
  program.instructions = {{BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0},
                          {BPF_JMP | BPF_EXIT, 0, 0, 0, 0}};
  return Try(program, -1);
}

std::string WhyNoCallbacks() {
  const Descriptor map(::bpf_map_create(::BPF_MAP_TYPE_ARRAY, kName, 4, 4, 1, nullptr));
  if (map.get() < 0) return {};
  constexpr HelperAction kWalk[] = {HelperAction::kForEach};
  const std::string problem = Try(MakeHelperProgram({MapType::ARRAY, 4, 4, -1}, kWalk), map.get());
  return problem.find(kWithoutJit) != std::string::npos ? problem : std::string();
}

}  // namespace mapspec
