// SPDX-License-Identifier: MIT
#include "backends/kernel/redirect_program.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include "backends/program/assembler.h"
#include "oracle/frame.h"

namespace mapspec {
namespace {

constexpr auto kRedirectMapHelper = static_cast<HelperId>(BPF_FUNC_redirect_map);
constexpr auto kTailCallHelper = static_cast<HelperId>(BPF_FUNC_tail_call);

// Into the register, all 64 bits.
void LoadConstant(Assembler* code, Register to, uint64_t value) {
  bpf_insn low{}, high{};
  low.code = BPF_LD | BPF_IMM | BPF_DW;
  low.dst_reg = to & 0xF;
  low.imm = static_cast<int32_t>(value);
  high.imm = static_cast<int32_t>(value >> 32);
  code->program().instructions.insert(code->program().instructions.end(), {low, high});
}

std::vector<bpf_insn> Assemble(int map_fd, int counters_fd, uint32_t key, uint64_t flags) {
  Assembler code;
  code.Load(4, kR6, kR1, offsetof(xdp_md, data));
  code.Load(4, kR7, kR1, offsetof(xdp_md, data_end));
  code.Move(kR2, kR6);
  code.AddImmediate(kR2, ETH_HLEN);
  const uint32_t too_short = code.JumpIfRegisters(BPF_JGT, kR2, kR7);
  code.Load(2, kR2, kR6, offsetof(ethhdr, h_proto));
  const uint32_t foreign = code.JumpIf(BPF_JNE, kR2, htons(kOurEtherType));

  code.LoadMap(kR1, MapRole::kSubject);
  LoadConstant(&code, kR2, key);
  LoadConstant(&code, kR3, flags);
  code.Call(kRedirectMapHelper, MapRole::kSubject);
  code.Move(kR6, kR0);
  // No atomic addition: one queue is served by one CPU at a time, and frames are sent to one queue
  // at a time.
  code.Move(kR1, kR0);
  const uint32_t known = code.JumpIf(BPF_JLT, kR1, kXdpActions - 1);
  code.MoveImmediate(kR1, kXdpActions - 1);
  code.Bind(known);
  code.MultiplyImmediate(kR1, sizeof(uint64_t));
  code.LoadMap(kR2, MapRole::kControl);
  code.Add(kR2, kR1);
  code.Load(8, kR3, kR2, 0);
  code.AddImmediate(kR3, 1);
  code.Store(8, kR2, 0, kR3);
  code.Move(kR0, kR6);
  code.Exit();

  code.Bind(too_short);
  code.Bind(foreign);
  code.MoveImmediate(kR0, XDP_PASS);
  code.Exit();

  Program program = code.Take();
  for (const MapReference& map : program.maps) {
    bpf_insn& load = program.instructions[map.instruction];
    const bool subject = map.role == MapRole::kSubject;
    // The address of the counters' first byte; the second half of the instruction is the offset.
    load.src_reg = subject ? BPF_PSEUDO_MAP_FD : BPF_PSEUDO_MAP_VALUE;
    load.imm = subject ? map_fd : counters_fd;
  }
  return std::move(program.instructions);
}

// 0 when the descriptor is not a map's.
uint32_t MapIdOf(int map_fd) {
  ::bpf_map_info info{};
  uint32_t size = sizeof(info);
  return ::bpf_obj_get_info_by_fd(map_fd, &info, &size) == 0 ? info.id : 0;
}

}  // namespace

RedirectPrograms::~RedirectPrograms() {
  if (counters_ != nullptr) munmap(counters_, counters_size_);
}

bool RedirectPrograms::MakeCounters(std::string* error) {
  if (counters_ != nullptr) return true;
  const long page = sysconf(_SC_PAGESIZE);  // Whole pages are what can be mapped.
  ::bpf_map_create_opts options{};
  options.sz = sizeof(options);
  options.map_flags = BPF_F_MMAPABLE;
  Descriptor fd(::bpf_map_create(::BPF_MAP_TYPE_ARRAY, "mapspec", 4, static_cast<uint32_t>(page), 1,
                                 &options));
  if (fd.get() < 0) {
    *error = SystemFailure("creating the map of counters", errno);
    return false;
  }
  const auto size = static_cast<size_t>(page);
  void* address = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (address == MAP_FAILED) {
    *error = SystemFailure("mapping the map of counters", errno);
    return false;
  }
  counters_fd_ = std::move(fd);
  counters_ = static_cast<uint64_t*>(address);
  counters_size_ = size;
  return true;
}

const ProgramLoad& RedirectPrograms::For(int map_fd, uint32_t key, uint64_t flags) {
  const uint32_t id = MapIdOf(map_fd);
  const auto found = std::find_if(kept_.begin(), kept_.end(), [&](const Kept& kept) {
    return kept.map_id == id && kept.key == key && kept.flags == flags;
  });
  if (found != kept_.end()) return found->load;
  failure_ = {};
  if (!MakeCounters(&failure_.log)) return failure_;
  const auto instructions = Assemble(map_fd, counters_fd_.get(), key, flags);
  ::bpf_prog_load_opts options{};
  options.sz = sizeof(options);
  ProgramLoad load = LoadProgram(::BPF_PROG_TYPE_XDP, instructions, options);
  if (load.fd.get() < 0) return failure_ = std::move(load);
  if (kept_.size() == kMaxKept) kept_.clear();
  return kept_.emplace_back(Kept{id, key, flags, std::move(load)}).load;
}

void RedirectPrograms::ResetCounts() {
  if (counters_ == nullptr) return;
  for (size_t i = 0; i < kXdpActions; ++i) std::atomic_ref<uint64_t>(counters_[i]).store(0);
}

XdpActionCounts RedirectPrograms::Counts() const {
  XdpActionCounts counts{};
  if (counters_ == nullptr) return counts;
  for (size_t i = 0; i < kXdpActions; ++i) {
    counts[i] = std::atomic_ref<uint64_t>(counters_[i]).load();
  }
  return counts;
}

bool XdpDispatcher::Load(uint32_t queues, std::string* error) {
  Descriptor chosen(::bpf_map_create(::BPF_MAP_TYPE_PROG_ARRAY, "mapspec", 4, 4, queues, nullptr));
  if (chosen.get() < 0) {
    *error = SystemFailure("creating a map of programs", errno);
    return false;
  }
  Assembler code;
  // A constant would become a jump, and changing the program a change of code: milliseconds.
  code.Load(4, kR3, kR1, offsetof(xdp_md, rx_queue_index));
  code.LoadMap(kR2, MapRole::kControl);
  code.Call(kTailCallHelper, MapRole::kControl);
  code.MoveImmediate(kR0, XDP_PASS);
  code.Exit();
  Program program = code.Take();
  bpf_insn& load = program.instructions[program.maps.front().instruction];
  load.src_reg = BPF_PSEUDO_MAP_FD;
  load.imm = chosen.get();
  ::bpf_prog_load_opts options{};
  options.sz = sizeof(options);
  ProgramLoad loaded = LoadProgram(::BPF_PROG_TYPE_XDP, program.instructions, options);
  if (loaded.fd.get() < 0) {
    *error = loaded.log;
    return false;
  }
  chosen_ = std::move(chosen);
  program_ = std::move(loaded.fd);
  return true;
}

int XdpDispatcher::Choose(uint32_t queue, int program_fd) {
  return program_fd < 0 ? -::bpf_map_delete_elem(chosen_.get(), &queue)
                        : -::bpf_map_update_elem(chosen_.get(), &queue, &program_fd, BPF_ANY);
}

int RunOnFrame(int program_fd, uint32_t* action) {
  std::array<uint8_t, ETH_ZLEN> frame{};
  const uint16_t type = htons(kOurEtherType);
  std::memcpy(frame.data() + offsetof(ethhdr, h_proto), &type, sizeof(type));
  ::bpf_test_run_opts options{};
  options.sz = sizeof(options);
  options.data_in = frame.data();
  options.data_size_in = static_cast<uint32_t>(frame.size());
  options.repeat = 1;
  if (const int result = ::bpf_prog_test_run_opts(program_fd, &options); result != 0) {
    return -result;
  }
  *action = options.retval;
  return 0;
}

}  // namespace mapspec
