// SPDX-License-Identifier: MIT
#include "oracle/checker.h"

#include <algorithm>

#include "oracle/checker_state.h"

namespace mapspec {

Checker::Checker(const Profile& profile, const Environment& environment)
    : state_(std::make_unique<State>(profile, environment)) {}
Checker::Checker(const Checker& other) : state_(std::make_unique<State>(*other.state_)) {}
Checker& Checker::operator=(const Checker& other) {
  if (this != &other) state_ = std::make_unique<State>(*other.state_);
  return *this;
}
Checker::Checker(Checker&&) noexcept = default;
Checker& Checker::operator=(Checker&&) noexcept = default;
Checker::~Checker() = default;

const Judgement& Checker::Step(const Operation& operation, const Outcome& outcome) {
  Judgement& judgement = state_->judgement;
  if (judgement.kind == Judgement::Kind::kViolation) {
    judgement = Judgement{};
  } else {
    judgement.kind = Judgement::Kind::kConforms;
    judgement.cited.fill(kNoClause);
  }
  state_->caller = operation.caller;
  state_->cpu = operation.cpu;
  if (!state_->RefusedToUnprivileged(operation.call, outcome)) {
    // Else no id stands for a map, and no map is held by another.
    const bool of_maps = state_->world.has_map_of_maps();
    const bool named_by_id = of_maps && state_->TranslateIds(operation.call, outcome);
    const Outcome& judged = named_by_id ? state_->translated : outcome;
    if (of_maps) state_->NoteInner(operation.call);
    std::visit([&](const auto& call) { state_->On(call, judged); }, operation.call);
    if (named_by_id) state_->NameId(outcome);
    if (of_maps) state_->FollowInnerMaps(operation.call, outcome);
  }
  if (outcome.completion == Completion::kReturned && judgement.kind != Judgement::Kind::kUnjudged) {
    state_->Cite(clause::generic::call_returns);
  }
  return judgement;
}

Verdict Judge(const Trace& trace, const Profile& profile) {
  Verdict verdict;
  verdict.citations.assign(AllClauses().size(), 0);
  Checker checker(profile, trace.environment);
  const size_t count = std::min(trace.operations.size(), trace.outcomes.size());
  for (size_t i = 0; i < count; ++i) {
    const Judgement& judgement = checker.Step(trace.operations[i], trace.outcomes[i]);
    for (const ClauseId clause : judgement.cited) {
      if (clause != kNoClause) ++verdict.citations[static_cast<uint16_t>(clause)];
    }
    if (judgement.kind == Judgement::Kind::kUnjudged) {
      ++verdict.unjudged;
      continue;
    }
    ++verdict.judged;
    if (judgement.kind == Judgement::Kind::kViolation) {
      verdict.violation = true;
      verdict.index = i;
      verdict.judgement = judgement;
      break;
    }
  }
  return verdict;
}

// ---- The parts of the rules

using Settled = Checker::State::Settled;

namespace {

// How the call ended, for reports.
std::string AnswerOf(const Outcome& outcome) {
  if (outcome.completion == Completion::kRefused) {
    return "the program is refused at load: " + std::string(ErrnoName(outcome.error)) +
           (outcome.detail.empty() ? "" : ", " + outcome.detail);
  }
  if (outcome.result != 0) return "the return value " + std::to_string(outcome.result);
  return outcome.error == Errno::kNone ? "success" : ErrnoName(outcome.error);
}

}  // namespace

void Checker::State::Cite(ClauseId clause) {
  if (clause == kNoClause) return;
  for (ClauseId& place : judgement.cited) {
    if (place == clause) return;
    if (place == kNoClause) {
      place = clause;
      return;
    }
  }
}

void Checker::State::Violation(ClauseId clause, std::string expected, std::string got) {
  judgement.kind = Judgement::Kind::kViolation;
  judgement.violated = clause;
  judgement.expected = std::move(expected);
  judgement.got = std::move(got);
}

void Checker::State::Unjudged(MapState* map) {
  judgement.kind = Judgement::Kind::kUnjudged;
  if (map != nullptr) Lose(map);
}

bool Checker::State::NoAnswer(const Outcome& outcome) {
  switch (outcome.completion) {
    case Completion::kReturned:
    case Completion::kRefused:
      return false;
    case Completion::kNotRun:  // Nothing happened.
      Unjudged(nullptr);
      return true;
    case Completion::kOverran:
      Violation(clause::generic::call_returns, "nothing written outside the output buffers",
                outcome.detail);
      return true;
    case Completion::kCrashed:
      Violation(clause::generic::call_returns, "the call to return", "crashed: " + outcome.detail);
      return true;
    case Completion::kHung:
      Violation(clause::generic::call_returns, "the call to return", "hung: " + outcome.detail);
      return true;
  }
  return false;
}

bool Checker::State::RefusedToUnprivileged(const Call& call, const Outcome& outcome) {
  if (caller != Caller::kUnprivileged || profile.traits.unprivileged_descriptors ||
      environment.unprivileged_bpf_disabled == 0 || !OperationName(call).starts_with("BPF_") ||
      std::holds_alternative<MapCreate>(call)) {
    return false;
  }
  Settle(
      Expectation::Fails(Errno::kEPERM, clause::generic::permission_unprivileged_nothing)
          .Also(clause::generic::permission_unprivileged_refused)
          .Also(clause::generic::freeze_unprivileged_refused, std::holds_alternative<Freeze>(call)),
      outcome, nullptr);
  if (outcome.completion == Completion::kNotRun) return true;
  if (const auto* by_id = std::get_if<GetFdById>(&call)) world.Fill(by_id->result, std::nullopt);
  if (const auto* pin = std::get_if<ObjGet>(&call)) world.Fill(pin->result, std::nullopt);
  if (const auto* btf = std::get_if<BtfLoad>(&call)) world.FillBtf(btf->result, std::nullopt);
  return true;
}

Settled Checker::State::Settle(const Expectation& expected, const Outcome& outcome, MapState* map) {
  if (NoAnswer(outcome)) return Settled::kStop;
  if (expected.anything || (map != nullptr && map->unspecified)) {
    Unjudged(map);
    return Settled::kStop;
  }
  const bool refused = outcome.completion == Completion::kRefused;
  for (uint8_t i = 0; i < expected.count; ++i) {
    const Expectation::Alternative& alternative = expected.alternatives[i];
    if (alternative.error != outcome.error || expected.at_load != refused || outcome.result != 0) {
      continue;
    }
    Cite(alternative.clause);
    Cite(alternative.exact);
    for (const ClauseId clause : expected.also) {
      if (clause == kNoClause) break;
      Cite(clause);
    }
    return outcome.error == Errno::kNone ? Settled::kSucceeded : Settled::kFailed;
  }
  // Which promise is broken: of two refusals that differ in their errno only the exact one.
  const Expectation::Alternative& first = expected.alternatives[0];
  const bool errno_only = first.error != Errno::kNone && outcome.error != Errno::kNone &&
                          expected.at_load == refused && outcome.result == 0;
  const ClauseId broken = errno_only ? first.exact : first.clause;
  Cite(first.clause);
  Cite(broken);
  if (profile.Enforces(broken)) {
    Violation(broken, expected.ToString(), AnswerOf(outcome));
    return Settled::kStop;
  }
  if (errno_only && profile.Enforces(first.clause)) return Settled::kFailed;
  Unjudged(map);
  return Settled::kStop;
}

void Checker::State::Compare(const Mismatch& mismatch, MapState* map) {
  if (!mismatch) return;
  Cite(mismatch.clause);
  if (profile.Enforces(mismatch.clause)) {
    Violation(mismatch.clause, mismatch.expected, mismatch.got);
  } else {
    Unjudged(map);
  }
}

void Checker::State::CompareOutput(const Expectation& expected, const Outcome& outcome,
                                   MapState* map) {
  if (expected.output == nullptr) return;
  Cite(expected.output_clause);
  const Bytes& got = OutputBytes(outcome);
  if (got == *expected.output) return;
  ClauseId clause = expected.output_clause;
  if (map != nullptr && OnlyPaddingDiffers(map->attributes, got, *expected.output)) {
    if (const auto* hash = std::get_if<HashModel>(&map->model)) {
      clause = PaddingClause(hash->clauses(), profile.traits);
    } else if (const auto* array = std::get_if<ArrayModel>(&map->model)) {
      clause = PaddingClause(array->clauses(), profile.traits);
    }
  }
  Compare({clause, expected.output->ToHex(),
           IsPoison(got) ? "the buffer was left untouched" : got.ToHex()},
          map);
  if (judgement.kind == Judgement::Kind::kViolation) judgement.expected_bytes = *expected.output;
}

void Checker::State::CompareUntouched(const Outcome& outcome, MapState* map) {
  constexpr ClauseId kUntouched = clause::generic::call_failure_leaves_outputs;
  Cite(kUntouched);
  const Bytes& got = OutputBytes(outcome);
  if (IsPoison(got)) return;
  Compare({kUntouched, "the output buffer untouched, as the call failed", got.ToHex()}, map);
}

Expectation Checker::State::ExpectMapFd(const HandleState& handle, bool more_wrong) const {
  using G = clause::generic;
  switch (handle.kind) {
    case HandleState::Kind::kClosed:
      return Expectation::Fails(Errno::kEBADF, G::call_bad_descriptor)
          .Also(G::permission_before_arguments, more_wrong);
    case HandleState::Kind::kOther:
      return Expectation::Fails(Errno::kEINVAL, G::call_not_a_map)
          .Also(G::permission_before_arguments, more_wrong);
    case HandleState::Kind::kMap:
      break;
  }
  return Expectation::Succeeds(G::call_returns);
}

Expectation Checker::State::RefusedFrozen(bool more_wrong) {
  using G = clause::generic;
  return Expectation::Fails(Errno::kEPERM, G::freeze_no_syscall_writes,
                            G::freeze_no_syscall_writes_errno)
      .Also(G::permission_before_arguments, more_wrong);
}

Expectation Checker::State::RefusedWrite(const HandleState& handle, bool more_wrong) {
  using G = clause::generic;
  if (world.MapOf(handle).frozen) return RefusedFrozen(more_wrong);
  return Expectation::Fails(Errno::kEPERM, G::permission_rdonly_refuses_writes)
      .Also(G::permission_before_arguments, more_wrong);
}

void Checker::State::CiteRead(const HandleState& handle, const MapState& map) {
  using G = clause::generic;
  if (!handle.can_write) Cite(G::permission_other_right_stays);
  if (map.frozen) Cite(G::freeze_still_readable);
  if (caller == Caller::kUnprivileged) Cite(G::permission_unprivileged_descriptor);
}

void Checker::State::CiteWrite(const HandleState& handle) {
  using G = clause::generic;
  if (!handle.can_read) Cite(G::permission_other_right_stays);
  if (caller == Caller::kUnprivileged) Cite(G::permission_unprivileged_descriptor);
}

const Bytes& OutputBytes(const Outcome& outcome) {
  static const Bytes kNothing;
  const Bytes* bytes = std::get_if<Bytes>(&outcome.output);
  return bytes != nullptr ? *bytes : kNothing;
}

const BatchOutput& OutputBatch(const Outcome& outcome) {
  static const BatchOutput kNothing;
  const auto* batch = std::get_if<Boxed<BatchOutput>>(&outcome.output);
  return batch != nullptr ? **batch : kNothing;
}

}  // namespace mapspec
