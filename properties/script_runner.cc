// SPDX-License-Identifier: MIT
#include "properties/script_runner.h"

#include <algorithm>

#include "properties/entropy.h"

namespace mapspec {

const ScriptRunner::Last& ScriptRunner::Run(std::span<const Operation> operations) {
  last_.end = End::kConforms;
  last_.violated = kNoClause;
  last_.judged = last_.unjudged = last_.index = 0;
  last_.outcomes.clear();
  const std::unique_ptr<Session> session = backend_.NewSession(&last_.error);
  if (session == nullptr) {
    last_.end = End::kNoSession;
    return last_;
  }
  session->Run(operations, &last_.outcomes);
  Checker checker(profile_, backend_.environment());
  const size_t size = std::min(operations.size(), last_.outcomes.size());
  for (size_t i = 0; i < size; ++i) {
    const Judgement& judgement = checker.Step(operations[i], last_.outcomes[i]);
    ++last_.judged;
    if (judgement.kind == Judgement::Kind::kUnjudged) ++last_.unjudged;
    if (judgement.kind != Judgement::Kind::kViolation) continue;
    last_.end = End::kViolation;
    last_.index = i;
    last_.violated = judgement.violated;
    break;
  }
  return last_;
}

Trace ScriptRunner::TraceOf(std::string name, std::span<const Operation> operations) const {
  Trace trace;
  trace.name = std::move(name);
  trace.profile = profile_.name;
  trace.environment = backend_.environment();
  size_t size = std::min(operations.size(), last_.outcomes.size());
  if (last_.end == End::kViolation) size = std::min(size, last_.index + 1);
  trace.operations.assign(operations.begin(), operations.begin() + static_cast<ptrdiff_t>(size));
  trace.outcomes.assign(last_.outcomes.begin(),
                        last_.outcomes.begin() + static_cast<ptrdiff_t>(size));
  return trace;
}

uint64_t DeriveSeed(uint64_t seed, std::string_view id) {
  // FNV-1a over the id, mixed with the seed: stable on every machine.
  uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : id) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3u;
  hash ^= SplitMix(&seed);
  return SplitMix(&hash);
}

void SetCounterexample(Trace trace, const Profile& profile, PropertyResult* result) {
  result->passed = false;
  result->verdict = Judge(trace, profile);
  const Judgement& judgement = result->verdict.judgement;
  const std::string clause = judgement.violated == kNoClause
                                 ? std::string("no clause")
                                 : std::string(GetClause(judgement.violated).id);
  result->reason = clause + ": expected " + judgement.expected + ", got " + judgement.got;
  result->counterexample = std::move(trace);
}

}  // namespace mapspec
