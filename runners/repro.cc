// SPDX-License-Identifier: MIT
#include "runners/repro.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "backends/program/control_block.h"
#include "runners/repro_writer.h"
#include "runners/text.h"

namespace mapspec {
namespace {

// The library beside the command: bin/mapspec, lib/libusermaps.so.
std::string EmbeddedLibrary() {
  std::error_code code;
  const auto command = std::filesystem::read_symlink("/proc/self/exe", code);
  const auto library = command.parent_path().parent_path() / "lib" / "libusermaps.so";
  return std::filesystem::exists(library, code) ? library.string() : "libusermaps.so";
}

std::string Absolute(const std::string& path) {
  std::error_code code;
  const auto absolute = std::filesystem::canonical(path, code);
  return code ? path : absolute.string();
}

}  // namespace

ReproTarget TargetOf(const Trace& trace) {
  const std::string& backend = trace.environment.backend;
  constexpr std::string_view kLibrary = "library:", kPreload = "preload:";
  if (backend == "userspace") return {EmbeddedLibrary(), true};
  for (const std::string_view prefix : {kLibrary, kPreload}) {
    if (backend.starts_with(prefix)) return {Absolute(backend.substr(prefix.size())), false};
  }
  if (backend.starts_with("vm")) {
    throw Refuse{"a VM answered (" + backend + "), which libbpf does not reach"};
  }
  return {};
}

ReproWriter::ReproWriter(const Trace& trace, const Profile& profile, const Verdict& verdict,
                         const ReproTarget& target)
    : trace_(trace), profile_(profile), verdict_(verdict), target_(target) {}

void ReproWriter::WriteOperation(size_t i) {
  index_ = i;
  operation_ = &trace_.operations[i];
  outcome_ = &trace_.outcomes[i];
  const bool judged = i == verdict_.index;
  const std::string name(OperationName(operation_->call));
  if (outcome_->completion == Completion::kNotRun) {
    return source_.Line(fmt::format("\n/* {}: {} was not run. */", i, name));
  }
  Step step;
  std::visit([&](const auto& op) { On(op, &step); }, operation_->call);
  const bool program = IsProgramPath(operation_->call);
  if (step.call.empty()) {
    source_.Line(fmt::format("\n/* {}: {}: there is nothing there. */", i, name));
    if (judged) throw Refuse{"the last operation is none that a C program could make"};
    return;
  }

  // Where and by whom it is made.
  std::vector<std::string> place;
  if (operation_->thread != 0) {
    place.push_back(fmt::format(
        "pin_to({});", operation_->cpu == kAnyCpu ? "-1" : std::to_string(operation_->cpu)));
  } else if (operation_->cpu != cpu_) {
    place.push_back(fmt::format(
        "pin_to({});", operation_->cpu == kAnyCpu ? "-1" : std::to_string(operation_->cpu)));
    cpu_ = operation_->cpu;
  }
  const bool unprivileged = operation_->caller == Caller::kUnprivileged;
  if (unprivileged && !target_.library.empty()) {
    throw Refuse{"a library knows no unprivileged callers"};
  }
  std::string call = step.call;
  if (unprivileged) {
    place.push_back("set_capabilities(0);");
    source_.Global("static int err_;");
  }
  // Descriptors and arguments are made by the one who calls.
  std::vector<std::string> made = step.before;
  made.insert(made.begin(), place.begin(), place.end());

  source_.Line(judged ? fmt::format("\n/* {}: {}, the one that is judged. */", i, name)
                      : fmt::format("\n/* {}: {} */", i, name));
  if (operation_->thread != 0) {
    std::string function = fmt::format("static int call_{}(void)\n{{\n", i);
    for (const std::string& line : made) function += "\t" + line + "\n";
    function +=
        unprivileged
            ? fmt::format("\terr_ = {};\n\tset_capabilities(1);\n\treturn err_;\n}}\n", call)
            : fmt::format("\treturn {};\n}}\n", call);
    source_.Function(function);
    call = fmt::format("on_thread({}, call_{})", operation_->thread, i);
    made.clear();
  }
  const bool block = step.declares && !made.empty();
  if (block) source_.Line("{");
  const std::string indent = block ? "\t" : "";
  const auto put = [&](const std::string& text) {
    size_t at = 0;
    while (at <= text.size()) {
      const size_t end = std::min(text.find('\n', at), text.size());
      source_.Line(indent + text.substr(at, end - at));
      at = end + 1;
    }
  };
  for (const std::string& line : made) put(line);
  if (unprivileged && operation_->thread == 0) {
    put(fmt::format("err_ = {};", call));
    put("set_capabilities(1);");
    call = "err_";
  }
  if (judged) {
    put(fmt::format("err = {};", call));
    if (block) source_.Line("}");
    return Judge(step);
  }
  const bool refused = outcome_->completion == Completion::kRefused;
  if (call != "0") {
    put(fmt::format("must_{}({}, {});", outcome_->error == Errno::kNone ? "succeed" : "fail", i,
                    call));
  }
  if (program) {
    put(fmt::format("if ({}refused)\n\tnothing_follows({}, \"{}\");", refused ? "!" : "", i,
                    refused ? "loads its program, which was refused"
                            : "does not load its program, which was loaded"));
  }
  for (const std::string& line : step.after) put(line);
  if (block) source_.Line("}");
}

std::string ReproWriter::Write() {
  const std::set<int> known = named_by_id_;
  const Completion end = trace_.outcomes[verdict_.index].completion;
  const bool answered = end == Completion::kReturned || end == Completion::kRefused;
  source_.Line(answered ? "int err, allowed;" : "int err;");
  for (const Operation& operation : trace_.operations) {
    const auto* create = std::get_if<MapCreate>(&operation.call);
    if (create == nullptr || !IsPerCpu(create->type)) continue;
    source_.Line(fmt::format("\nneed_cpus({});", trace_.environment.possible_cpus));
    break;
  }
  for (size_t i = 0; i <= verdict_.index; ++i) WriteOperation(i);
  if (named_by_id_ != known) {
    // Now that it is known whose ids are needed.
    ReproWriter again(trace_, profile_, verdict_, target_);
    again.named_by_id_ = named_by_id_;
    return again.Write();
  }
  return source_.Finish(Comment(), Main());
}

bool WriteReproducer(const Trace& trace, const Profile& profile, std::ostream& out,
                     std::string* why_not) {
  const Verdict verdict = Judge(trace, profile);
  if (!verdict.violation) {
    *why_not = "the trace conforms to " + std::string(profile.name);
    return false;
  }
  if (verdict.index >= kMaxReproducerOperations) {
    *why_not = fmt::format("the violation comes after {} operations; shrink the trace first",
                           verdict.index);
    return false;
  }
  try {
    const ReproTarget target = TargetOf(trace);
    out << ReproWriter(trace, profile, verdict, target).Write();
    return true;
  } catch (const Refuse& refuse) {
    *why_not = refuse.why;
    return false;
  }
}

}  // namespace mapspec
