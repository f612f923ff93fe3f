// SPDX-License-Identifier: MIT
//
// Helpers called by programs.
#include <variant>

#include "backends/libbpf_api/api_session.h"

namespace mapspec {
namespace {

Handle MapOf(const Call& call) {
  return std::visit(
      [](const auto& op) {
        if constexpr (requires { Handle(op.map); }) return op.map;
        return kBadFd;
      },
      call);
}

}  // namespace

size_t ApiSession::EndOfPrograms(std::span<const Operation> operations, size_t begin) {
  const Operation& first = operations[begin];
  size_t end = begin + 1;
  for (; end < operations.size(); ++end) {
    const Operation& next = operations[end];
    if (!IsProgramPath(next.call) || std::holds_alternative<HelperRedirectMap>(next.call) ||
        MapOf(next.call) != MapOf(first.call) || next.cpu != first.cpu ||
        next.thread != first.thread || next.caller != first.caller) {
      break;
    }
  }
  return end;
}

void ApiSession::RunPrograms(std::span<const Operation> operations, std::span<Outcome> outcomes) {
  const auto refuse = [&outcomes](const std::string& reason) {
    for (Outcome& outcome : outcomes) NotRun(reason, &outcome);
  };
  if (operations[0].caller == Caller::kUnprivileged) {
    return refuse("programs are loaded by a privileged caller only");
  }
  // Those that need what is not there part the others.
  for (size_t i = 0; i < operations.size(); ++i) {
    if (Able(operations[i], Required(operations[i]).to_ullong(), &outcomes[i])) continue;
    if (i > 0) RunPrograms(operations.first(i), outcomes.first(i));
    if (i + 1 < operations.size()) {
      RunPrograms(operations.subspan(i + 1), outcomes.subspan(i + 1));
    }
    return;
  }
  if (programs_ == nullptr) {
    if (!setup_->make_program_engine) return refuse("no programs");
    programs_ = std::make_unique<ProgramRunner>(setup_->make_program_engine());
  }
  const Handle map = MapOf(operations[0].call);
  const auto run = [&] { RunProgramsHere(map, operations, outcomes); };
  if (!threads_.Run(operations[0].thread, operations[0].cpu, run, &problem_)) refuse(problem_);
}

void ApiSession::RunProgramsHere(Handle map, std::span<const Operation> operations,
                                 std::span<Outcome> outcomes) {
  programs_->Run({Fd(map), map.slot, RecordOf(map).shape}, operations, outcomes);
}

}  // namespace mapspec
