// SPDX-License-Identifier: MIT
//
// Reproducers: helpers, called by the programs of backends/program/, one program for each action.
#include <fmt/format.h>

#include <algorithm>

#include "backends/libbpf_api/btf_blob.h"
#include "backends/program/control_block.h"
#include "backends/program/helper_program.h"
#include "oracle/inner_map.h"
#include "runners/repro_writer.h"

namespace mapspec {
namespace {

constexpr int32_t kRedirectMap = 51;  // bpf_redirect_map().

std::string Instruction(const bpf_insn& insn, const std::string& immediate) {
  return fmt::format("{{ {:#04x}, {}, {}, {}, {} }},", insn.code, unsigned{insn.dst_reg},
                     unsigned{insn.src_reg}, insn.off, immediate);
}

// The instructions, four in a line where they are plain.
std::string Instructions(const Program& program) {
  std::string text;
  std::string line;
  for (uint32_t i = 0; i < program.instructions.size(); ++i) {
    bpf_insn insn = program.instructions[i];
    std::string immediate = std::to_string(insn.imm);
    for (const MapReference& map : program.maps) {
      if (map.instruction != i) continue;
      insn.src_reg = BPF_PSEUDO_MAP_FD;
      immediate = map.role == MapRole::kSubject ? "map" : "control";
    }
    if (program.callback != 0 && i == program.callback_reference) {
      insn.src_reg = BPF_PSEUDO_FUNC;
      immediate = std::to_string(program.callback - program.callback_reference - 1);
    }
    line += (line.empty() ? "\t\t" : " ") + Instruction(insn, immediate);
    if (line.size() > 70) {
      text += line + "\n";
      line.clear();
    }
  }
  return line.empty() ? text : text + line + "\n";
}

std::string Function(const std::string& name, const Program& program) {
  std::string text =
      fmt::format("static int {}(int map)\n{{\n\tconst struct bpf_insn insns[] = {{\n{}\t}};\n",
                  name, Instructions(program));
  if (program.callback == 0) {
    return text + "\n\treturn run_program(insns, sizeof(insns) / sizeof(insns[0]), NULL);\n}\n";
  }
  // Programs with a callback need to say where their functions are.
  constexpr uint32_t kMain = 3, kCallback = 4;
  const std::vector<uint8_t> blob = MakeCallbackBtf();
  text += fmt::format(
      "\tstatic const char btf[] =\n\t\t{};\n"
      "\tstruct bpf_func_info functions[] = {{ {{ 0, {} }}, {{ {}, {} }} }};\n"
      "\tint btf_fd = bpf_btf_load(btf, {}, NULL);\n"
      "\tLIBBPF_OPTS(bpf_prog_load_opts, load, .prog_btf_fd = (__u32)btf_fd, .func_info = "
      "functions,\n\t\t    .func_info_cnt = 2, .func_info_rec_size = sizeof(functions[0]));\n"
      "\tint err = run_program(insns, sizeof(insns) / sizeof(insns[0]), &load);\n\n"
      "\tclose(btf_fd);\n\treturn err;\n}}\n",
      CLiteral(Bytes(blob.data(), blob.size())), kMain, program.callback, kCallback, blob.size());
  return text;
}

std::string_view NameOf(HelperAction action) {
  switch (action) {
    case HelperAction::kLookup:
      return "lookup";
    case HelperAction::kLookupStore:
      return "lookup_and_store";
    case HelperAction::kLookupLock:
      return "lookup_locked";
    case HelperAction::kLookupStoreLock:
      return "lookup_and_store_locked";
    case HelperAction::kUpdate:
      return "update";
    case HelperAction::kUpdateHold:
      return "update_of_held";
    case HelperAction::kDelete:
      return "delete";
    case HelperAction::kDeleteHold:
      return "delete_of_held";
    case HelperAction::kPush:
      return "push";
    case HelperAction::kPop:
      return "pop";
    case HelperAction::kPeek:
      return "peek";
    case HelperAction::kLookupPercpu:
      return "lookup_percpu";
    case HelperAction::kForEach:
      return "for_each";
    case HelperAction::kLookupInner:
      return "lookup_inner";
    case HelperAction::kLookupInnerStore:
      return "lookup_inner_and_store";
    case HelperAction::kCount:
      break;
  }
  return "program";
}

// Lookups leave whether they got a pointer.
bool IsLookup(HelperAction action) {
  switch (action) {
    case HelperAction::kLookup:
    case HelperAction::kLookupStore:
    case HelperAction::kLookupLock:
    case HelperAction::kLookupStoreLock:
    case HelperAction::kLookupPercpu:
    case HelperAction::kLookupInner:
    case HelperAction::kLookupInnerStore:
      return true;
    default:
      return false;
  }
}

struct Arguments {
  Bytes key, inner_key, value;
  uint64_t flags = 0, argument = 0;
};

Arguments ArgumentsOf(const Call& call) {
  Arguments arguments;
  std::visit(
      [&](const auto& op) {
        const auto take = [](const auto& from, Bytes* to) {
          if constexpr (std::is_same_v<std::decay_t<decltype(from)>, Bytes>) *to = from;
        };
        if constexpr (requires { op.key; }) take(op.key, &arguments.key);
        if constexpr (requires { op.inner_key; }) take(op.inner_key, &arguments.inner_key);
        if constexpr (requires { op.value; }) take(op.value, &arguments.value);
        if constexpr (requires { op.flags; }) arguments.flags = op.flags;
        if constexpr (requires { op.of_cpu; }) arguments.argument = op.of_cpu;
        if constexpr (requires { op.limit; }) arguments.argument = op.limit;
      },
      call);
  return arguments;
}

}  // namespace

void ReproWriter::OnHelper(const Call& call, Handle map, Step* step) {
  if (!target_.library.empty()) {
    throw Refuse{"programs call helpers of the kernel: no library can be put in their way"};
  }
  const MapShape& shape = RecordOf(map).shape;
  const HelperAction action = *ActionOf(call);
  if (FormOf(action) == RecordForm::kInner && IsMapOfMaps(shape.type) &&
      shape.inner_type == MapType::UNSPEC) {
    throw Refuse{"the sizes of the inner maps are not known"};
  }
  const ControlLayout layout = LayOut(shape, FormOf(action));
  const Program program = MakeHelperProgram(shape, {&action, 1});
  const std::string key_text = Function("f", program);
  auto [known, is_new] = programs_.try_emplace(key_text);
  if (is_new) {
    known->second = fmt::format("{}{}", NameOf(action),
                                programs_.size() == 1 ? "" : fmt::format("_{}", programs_.size()));
    source_.Function(Function(known->second, program));
  }

  const Arguments arguments = ArgumentsOf(call);
  const auto base = static_cast<uint32_t>(sizeof(ControlHeader));
  source_.Global("static unsigned char *memory;");
  step->before.push_back(fmt::format("memory = new_record({});", layout.control_size));
  if (arguments.flags != 0) {
    step->before.push_back(fmt::format("record->flags = {};", CNumber(arguments.flags)));
  }
  if (arguments.argument != 0) {
    step->before.push_back(fmt::format("record->argument = {};", CNumber(arguments.argument)));
  }
  const bool inner = FormOf(action) == RecordForm::kInner;
  const auto put = [&](const Bytes& bytes, uint32_t at, uint32_t size, const char* name) {
    Bytes fitting = bytes;
    fitting.Resize(std::min<size_t>(bytes.size(), size));
    if (fitting.empty()) return;
    const std::string from = CBytes(fitting, name, &source_, &step->before);
    step->before.push_back(
        fmt::format("memcpy(memory + {}, {}, {});", base + at, from, fitting.size()));
  };
  put(arguments.key, layout.key, shape.key_size, "key");
  put(arguments.inner_key, layout.inner_key, inner ? shape.inner_key_size : 0, "inner_key");
  put(arguments.value, layout.value, inner ? shape.inner_value_size : shape.value_size, "value_in");
  step->before.push_back(
      fmt::format("poison(memory + {}, {});", base + layout.output, layout.output_size));
  const std::string run = fmt::format("{}({})", known->second, Fd(map, step));
  step->call = IsLookup(action) ? fmt::format("found({})", run) : run;
  step->output = fmt::format("memory + {}", base + layout.output);
  step->output_size = layout.output_size;
  if (!std::holds_alternative<HelperForEach>(call)) return;

  // The notes as one buffer of keys and one of values.
  source_.Global("static unsigned count;");
  source_.Buffer("keys", size_t{layout.note_count} * shape.key_size);
  source_.Buffer("values", size_t{layout.note_count} * shape.value_size);
  step->after.push_back(fmt::format(
      "count = record->visited < {0} ? (unsigned)record->visited : {0};", layout.note_count));
  step->after.push_back(fmt::format(
      "for (unsigned i = 0; i < count; i++) {{\n\tunsigned char *note = memory + {} + i * "
      "{};\n\n\tmemcpy(keys + i * {}, note, {});\n\tmemcpy(values + i * {}, note + {}, {});\n}}",
      base + layout.output, layout.note_stride, shape.key_size, shape.key_size, shape.value_size,
      RoundUpTo8(shape.key_size), shape.value_size));
  step->output.clear();
  walks_ |= !RecordOf(map).ordered && index_ == verdict_.index;
}

void ReproWriter::On(const HelperRedirectMap& op, Step* step) {
  if (!target_.library.empty()) {
    throw Refuse{"programs call helpers of the kernel: no library can be put in their way"};
  }
  // r1 = map; r2 = key; r3 = flags; bpf_redirect_map(r1, r2, r3); exit.
  const std::string name = fmt::format("redirect_{}", index_);
  source_.Global("static int refused;");
  source_.Global("static int64_t returned;");
  source_.Function(fmt::format(
      "static int {}(int map)\n{{\n"
      "\tconst struct bpf_insn insns[] = {{\n"
      "\t\t{{ 0x18, 1, BPF_PSEUDO_MAP_FD, 0, map }}, {{ 0, 0, 0, 0, 0 }},\n"
      "\t\t{{ 0xb4, 2, 0, 0, {} }},\n"
      "\t\t{{ 0x18, 3, 0, 0, {} }}, {{ 0, 0, 0, 0, {} }},\n"
      "\t\t{{ 0x85, 0, 0, 0, {} }}, {{ 0x95, 0, 0, 0, 0 }},\n\t}};\n"
      "\tstatic const unsigned char packet[64];\n"
      "\tLIBBPF_OPTS(bpf_test_run_opts, run, .data_in = packet, .data_size_in = sizeof(packet),\n"
      "\t\t    .repeat = 1);\n"
      "\tint fd = bpf_prog_load(BPF_PROG_TYPE_XDP, \"repro\", \"MIT\", insns,\n"
      "\t\t\t       sizeof(insns) / sizeof(insns[0]), NULL);\n\n"
      "\trefused = fd < 0;\n\treturned = 0;\n"
      "\tif (fd < 0)\n\t\treturn errno;\n"
      "\twhile (bpf_prog_test_run_opts(fd, &run) != 0)\n"
      "\t\tif (errno != EINTR && errno != EAGAIN)\n\t\t\tunable(\"BPF_PROG_TEST_RUN\");\n"
      "\tclose(fd);\n\treturned = (int)run.retval;\n\treturn 0;\n}}\n",
      name, static_cast<int32_t>(op.key), static_cast<int32_t>(op.flags),
      static_cast<int32_t>(op.flags >> 32), kRedirectMap));
  step->call = fmt::format("{}({})", name, Fd(op.map, step));
}

}  // namespace mapspec
