// SPDX-License-Identifier: MIT
//
// librte_bpf. What is particular about it (22.11):
//  - a call's immediate is an index of the table of external symbols, as VmCode has it;
//  - its validator wants the size of what a pointer argument points to, and of what a returned
//    pointer does; the latter may then be dereferenced without a look whether it is NULL;
//  - it takes LDDW with a plain immediate only, neither calls between functions nor addresses of
//    functions, and no 32-bit jumps;
//  - its JIT miscompiles some programs by the length of their jumps (dpdk_jit_jumps.h);
//  - the reason why it refuses a program goes to the log, which is global.
#include <rte_bpf.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <rte_version.h>

#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <utility>
#include <vector>

#include "backends/vm/dpdk_jit_jumps.h"
#include "backends/vm/engines.h"

namespace mapspec {
namespace {

static_assert(sizeof(ebpf_insn) == sizeof(bpf_insn));
static_assert(EBPF_FUNC_MAX_ARGS == kVmArguments);

rte_bpf_arg ToArgument(const VmType& type) {
  rte_bpf_arg argument{};
  switch (type.kind) {
    case VmType::Kind::kNone:
      argument.type = RTE_BPF_ARG_UNDEF;
      break;
    case VmType::Kind::kNumber:
      argument.type = RTE_BPF_ARG_RAW;
      break;
    case VmType::Kind::kPointer:
      argument.type = RTE_BPF_ARG_PTR;
      break;
  }
  argument.size = type.size;
  return argument;
}

rte_bpf_xsym ToSymbol(const VmCall& call) {
  rte_bpf_xsym symbol{};
  symbol.name = "helper";
  symbol.type = RTE_BPF_XTYPE_FUNC;
  symbol.func.val = call.function;
  for (const VmType& type : call.arguments) {
    if (type.kind == VmType::Kind::kNone) break;
    symbol.func.args[symbol.func.nb_args++] = ToArgument(type);
  }
  symbol.func.ret = ToArgument(call.result);
  return symbol;
}

// DPDK's log goes here as long as it lives.
class LogCapture {
 public:
  LogCapture() : lock_(mutex_), stream_(open_memstream(&text_, &size_)) {
    if (stream_ != nullptr) rte_openlog_stream(stream_);
  }
  ~LogCapture() {
    rte_openlog_stream(nullptr);
    if (stream_ != nullptr) std::fclose(stream_);
    std::free(text_);
  }
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;

  // All lines, joined; without the addresses in them, which differ from run to run.
  std::string Words() {
    if (stream_ == nullptr || std::fflush(stream_) != 0 || text_ == nullptr) return {};
    std::string words(text_, size_);
    while (!words.empty() && words.back() == '\n') words.pop_back();
    for (char& letter : words) {
      if (letter == '\n') letter = ' ';
    }
    for (size_t begin; (begin = words.find("(0x")) != std::string::npos;) {
      words.erase(begin, words.find(')', begin) - begin + 1);
    }
    return words;
  }

 private:
  static inline std::mutex mutex_;
  const std::lock_guard<std::mutex> lock_;
  char* text_ = nullptr;
  size_t size_ = 0;
  FILE* stream_;
};

class DpdkProgram : public VmProgram {
 public:
  DpdkProgram(rte_bpf* bpf, uint64_t (*compiled)(void*)) : bpf_(bpf), compiled_(compiled) {}
  ~DpdkProgram() override { rte_bpf_destroy(bpf_); }
  DpdkProgram(const DpdkProgram&) = delete;
  DpdkProgram& operator=(const DpdkProgram&) = delete;

  bool Run(uint64_t* result, std::string*) override {
    *result = compiled_ != nullptr ? compiled_(nullptr) : rte_bpf_exec(bpf_, nullptr);
    return true;
  }

 private:
  rte_bpf* const bpf_;
  uint64_t (*const compiled_)(void*);
};

class DpdkEngine : public VmEngine {
 public:
  explicit DpdkEngine(bool jit) : jit_(jit) {}

  std::string description() const override {
    return std::string("librte_bpf of ") + rte_version() + (jit_ ? ", JIT" : ", interpreter");
  }

  std::unique_ptr<VmProgram> Load(const VmCode& code, std::string* error) override {
    if (code.callback != 0) {
      *error = "librte_bpf has no callbacks";
      return nullptr;
    }
    if (jit_ && MayBeMiscompiled(code.instructions)) {
      *error = "librte_bpf's JIT may miscompile jumps as long as this program's";
      return nullptr;
    }
    std::vector<rte_bpf_xsym> symbols;
    symbols.reserve(code.calls.size());
    for (const VmCall& call : code.calls) symbols.push_back(ToSymbol(call));
    rte_bpf_prm parameters{};
    parameters.ins = reinterpret_cast<const ebpf_insn*>(code.instructions.data());
    parameters.nb_ins = static_cast<uint32_t>(code.instructions.size());
    parameters.xsym = symbols.data();
    parameters.nb_xsym = static_cast<uint32_t>(symbols.size());
    parameters.prog_arg.type = RTE_BPF_ARG_RAW;
    parameters.prog_arg.size = sizeof(uint64_t);

    LogCapture log;
    rte_bpf* bpf = rte_bpf_load(&parameters);
    if (bpf == nullptr) {
      *error = "rte_bpf_load: " + std::string(rte_strerror(rte_errno));
      if (const std::string words = log.Words(); !words.empty()) *error += ": " + words;
      return nullptr;
    }
    if (!jit_) return std::make_unique<DpdkProgram>(bpf, nullptr);
    rte_bpf_jit compiled{};
    if (rte_bpf_get_jit(bpf, &compiled) != 0 || compiled.func == nullptr) {
      rte_bpf_destroy(bpf);
      *error = "librte_bpf has no JIT for this machine";
      return nullptr;
    }
    return std::make_unique<DpdkProgram>(bpf, compiled.func);
  }

 private:
  const bool jit_;
};

}  // namespace

std::unique_ptr<VmEngine> MakeDpdkEngine(bool jit, std::string*) {
  return std::make_unique<DpdkEngine>(jit);
}

}  // namespace mapspec
