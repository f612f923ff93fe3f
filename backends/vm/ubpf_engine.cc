// SPDX-License-Identifier: MIT
//
// uBPF. What is particular about it:
//  - helpers go through one dispatcher, which is given the call's immediate (the index in VmCode)
//    and a cookie: the first argument of ubpf_exec(), the program here;
//  - the interpreter checks every access; what is neither stack nor the program's memory is asked
//    of a bounds check that the embedder registers. Compiled code is not checked;
//  - there are no addresses of functions, so no callbacks.
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "backends/vm/engines.h"

// Its header declares a C API and nothing else.
#include <ubpf.h>

namespace mapspec {
namespace {

// Why the last run on this thread ended early, as uBPF says it; "" if it did not.
thread_local std::string last_words;

int NoteError(FILE* /*stream*/, const char* format, ...) {
  char text[256];
  va_list arguments;
  va_start(arguments, format);
  const int length = std::vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  last_words += text;
  return length;
}

// A message that uBPF allocated.
std::string Take(char* message) {
  std::string text = message != nullptr ? message : "no reason given";
  std::free(message);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

class UbpfProgram : public VmProgram {
 public:
  explicit UbpfProgram(const VmCode& code)
      : vm_(ubpf_create()), calls_(code.calls), may_access_(code.may_access) {}
  ~UbpfProgram() override {
    if (vm_ != nullptr) ubpf_destroy(vm_);
  }
  UbpfProgram(const UbpfProgram&) = delete;
  UbpfProgram& operator=(const UbpfProgram&) = delete;

  bool Load(const VmCode& code, bool jit, std::string* error) {
    if (vm_ == nullptr) {
      *error = "ubpf_create: out of memory";
      return false;
    }
    ubpf_set_error_print(vm_, &NoteError);
    ubpf_register_external_dispatcher(vm_, &Dispatch, &IsHelper);
    ubpf_register_data_bounds_check(vm_, this, &InBounds);
    char* message = nullptr;
    const auto size = static_cast<uint32_t>(code.instructions.size() * sizeof(bpf_insn));
    if (ubpf_load(vm_, code.instructions.data(), size, &message) != 0) {
      *error = "ubpf_load: " + Take(message);
      return false;
    }
    if (!jit) return true;
    compiled_ = ubpf_compile(vm_, &message);
    if (compiled_ == nullptr) *error = "ubpf_compile: " + Take(message);
    return compiled_ != nullptr;
  }

  bool Run(uint64_t* result, std::string* problem) override {
    if (compiled_ != nullptr) {
      *result = compiled_(this, 0);
      return true;
    }
    last_words.clear();
    if (ubpf_exec(vm_, this, 0, result) == 0) return true;
    *problem = "ubpf_exec: " + last_words;
    return false;
  }

 private:
  static uint64_t Dispatch(uint64_t r1, uint64_t r2, uint64_t r3, uint64_t r4, uint64_t r5,
                           unsigned index, void* cookie) {
    return static_cast<UbpfProgram*>(cookie)->calls_[index].function(r1, r2, r3, r4, r5);
  }
  // The call table has no more entries than there are calls, all of them in it.
  static bool IsHelper(unsigned, const ubpf_vm*) { return true; }
  static bool InBounds(void* program, uint64_t address, uint64_t size) {
    return static_cast<UbpfProgram*>(program)->may_access_(address, size);
  }

  ubpf_vm* const vm_;
  const std::vector<VmCall> calls_;
  bool (*const may_access_)(uint64_t address, uint64_t size);
  ubpf_jit_fn compiled_ = nullptr;
};

class UbpfEngine : public VmEngine {
 public:
  explicit UbpfEngine(bool jit) : jit_(jit) {}

  std::string description() const override {
    return std::string("uBPF, ") + (jit_ ? "JIT" : "interpreter");
  }
  std::unique_ptr<VmProgram> Load(const VmCode& code, std::string* error) override {
    if (code.callback != 0) {
      *error = "uBPF has no callbacks";
      return nullptr;
    }
    auto program = std::make_unique<UbpfProgram>(code);
    if (!program->Load(code, jit_, error)) return nullptr;
    return program;
  }

 private:
  const bool jit_;
};

}  // namespace

std::unique_ptr<VmEngine> MakeUbpfEngine(bool jit, std::string*) {
  return std::make_unique<UbpfEngine>(jit);
}

}  // namespace mapspec
