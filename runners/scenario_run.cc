// SPDX-License-Identifier: MIT
#include "runners/scenario_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "backends/capability.h"
#include "backends/offered_types.h"
#include "runners/backport.h"

namespace mapspec {
namespace {

bool TraitHolds(std::string_view trait, const Traits& traits) {
  if (trait.empty()) return true;
  const bool negated = trait.front() == '!';
  if (negated) trait.remove_prefix(1);
  return TraitValue(traits, trait).value_or(false) != negated;
}

// A step whose outcome is not what the scenario says.
struct Mismatch {
  size_t index;
  MatchResult match;
};

std::optional<Mismatch> FirstMismatch(const Scenario& scenario, const Trace& trace) {
  for (size_t i = 0; i < scenario.steps.size() && i < trace.outcomes.size(); ++i) {
    const Step& step = scenario.steps[i];
    MatchResult match = Match(step.expected, step.operation, trace.outcomes[i]);
    if (!match.matches) return Mismatch{i, std::move(match)};
  }
  return std::nullopt;
}

// Whether the step is about a program that must not be loaded: what does not look at programs
// before it runs them cannot be asked that.
bool IsAlwaysRefused(const Step& step) {
  const auto& alternatives = step.expected.alternatives;
  return std::all_of(alternatives.begin(), alternatives.end(),
                     [](const StatedOutcome& stated) { return stated.refused; });
}

// The bytes that the one alternative wants in the output buffer, for marking what differs.
Bytes StatedOutput(const StatedOutcomes& stated) {
  if (stated.alternatives.size() != 1) return {};
  return stated.alternatives[0].output.value_or(Bytes());
}

void SetViolation(ScenarioRun* run, Violation violation) {
  run->result.status = Status::kFail;
  run->result.violated = violation.clauses;
  run->result.reason = fmt::format("operation {}: expected {}, got {}", violation.index,
                                   violation.expected, violation.got);
  if (!violation.hint.empty()) run->result.reason += "; " + violation.hint;
  std::replace(run->result.reason.begin(), run->result.reason.end(), '\n', ' ');
  run->violation = std::move(violation);
}

// What a scenario expects stands in it, and under another profile it may not be asked at all.
std::string BackportNoteOf(const Scenario& scenario, const Profile& profile,
                           const std::optional<Mismatch>& mismatch, const Violation& violation) {
  return BackportNote(violation.trace, violation.index, profile, [&](const Profile& other) {
    return !mismatch || !TraitHolds(scenario.trait, other.traits);
  });
}

}  // namespace

void JudgeScenario(const Scenario& scenario, Level level, const Profile& profile,
                   ScenarioRun* run) {
  const Trace& trace = run->trace;
  TestResult& result = run->result;
  const Verdict verdict = Judge(trace, profile);
  result.operations = trace.outcomes.size();
  result.unjudged = verdict.unjudged;
  const std::optional<Mismatch> mismatch = FirstMismatch(scenario, trace);

  for (size_t i = 0; i < trace.outcomes.size(); ++i) {
    if (trace.outcomes[i].completion != Completion::kNotRun) continue;
    if (verdict.violation && verdict.index < i) break;
    if (mismatch && mismatch->index < i) break;
    result.status = Status::kSkip;
    result.reason = trace.outcomes[i].detail;
    return;
  }

  if (verdict.violation && (!mismatch || verdict.index <= mismatch->index)) {
    Violation violation = ViolationOf(verdict, trace, profile.name, result.id);
    // The same outcome of the same operation may break the scenario's clause too: both are told. A
    // death or a hang is no clause's own; the scenario's is the one that could not be kept.
    const bool same = mismatch && mismatch->index == verdict.index &&
                      !scenario.steps[mismatch->index].implicit &&
                      (profile.observed || level == Level::kDocumented);
    if ((same || violation.clauses.empty()) &&
        std::find(violation.clauses.begin(), violation.clauses.end(), scenario.clause) ==
            violation.clauses.end()) {
      violation.clauses.push_back(scenario.clause);
    }
    run->oracle_objects = true;
    violation.hint = BackportNoteOf(scenario, profile, mismatch, violation);
    SetViolation(run, std::move(violation));
    return;
  }
  if (mismatch) {
    const Step& step = scenario.steps[mismatch->index];
    if (step.implicit) {
      result.status = Status::kUndecided;
      result.reason = fmt::format("the scenario's map was not made: {}", mismatch->match.got);
      return;
    }
    if (!profile.observed && level == Level::kObserved) {
      result.status = Status::kSkip;
      result.reason = "observed only: profile documented does not promise it";
      return;
    }
    Violation violation;
    violation.found_by = result.id;
    violation.profile = profile.name;
    violation.clauses = {scenario.clause};
    violation.index = mismatch->index;
    violation.expected = mismatch->match.expected;
    violation.got = mismatch->match.got;
    violation.expected_bytes = StatedOutput(step.expected);
    violation.trace = trace;
    violation.hint = BackportNoteOf(scenario, profile, mismatch, violation);
    SetViolation(run, std::move(violation));
    return;
  }
  if (trace.outcomes.size() < trace.operations.size()) {
    result.status = Status::kDied;
    result.reason = fmt::format("the backend stopped after {} of {} operations",
                                trace.outcomes.size(), trace.operations.size());
    return;
  }
  result.status = Status::kPass;
}

// The first map type that the scenario makes and the backend lacks; UNSPEC when there is none.
MapType MissingMapType(const Scenario& scenario, Backend& backend) {
  for (const Step& step : scenario.steps) {
    const auto* create = std::get_if<MapCreate>(&step.operation.call);
    if (create != nullptr && !OffersMapType(backend, create->type)) return create->type;
  }
  return MapType::UNSPEC;
}

// What the backend itself says of why it lacks what the operation needs.
std::string WhyLacking(const Operation& operation, Backend& backend) {
  std::string error;
  const Trace trace = Execute(backend, {"probe", {operation}}, &error);
  if (trace.outcomes.empty() || trace.outcomes[0].completion != Completion::kNotRun) return {};
  return trace.outcomes[0].detail;
}

ScenarioRun RunScenario(const Scenario& scenario, Level level, const Profile& profile,
                        Backend& backend) {
  const auto start = std::chrono::steady_clock::now();
  ScenarioRun run;
  TestResult& result = run.result;
  result.id = scenario.id;
  result.clause = scenario.clause;
  if (!TraitHolds(scenario.trait, profile.traits)) {
    result.status = Status::kSkip;
    result.reason = fmt::format("does not hold for {}", profile.name);
    return run;
  }
  const CapabilitySet promised = PromisedBy(profile.name);
  Capability lacking = Capability::kCount;
  const Step* at = nullptr;
  for (const Step& step : scenario.steps) {
    CapabilitySet needed = Required(step.operation);
    if (IsAlwaysRefused(step)) Add(&needed, Capability::kVerifier);
    const Capability broken = FirstMissing(needed & promised, backend.capabilities());
    if (broken != Capability::kCount) {
      result.status = Status::kFail;
      result.violated = {scenario.clause};
      result.reason = fmt::format("the backend lacks {}, which {} promises", CapabilityName(broken),
                                  profile.name);
      return run;
    }
    if (lacking != Capability::kCount) continue;
    lacking = FirstMissing(needed, backend.capabilities());
    at = &step;
  }
  if (lacking != Capability::kCount) {
    result.status = Status::kSkip;
    result.reason = fmt::format("the backend lacks {}", CapabilityName(lacking));
    const std::string why = WhyLacking(at->operation, backend);
    // "no af-xdp: why", or the name alone.
    const size_t colon = why.find(": ");
    if (colon != std::string::npos) result.reason += why.substr(colon);
    return run;
  }
  if (const MapType missing = MissingMapType(scenario, backend); missing != MapType::UNSPEC) {
    result.status = Status::kSkip;
    result.reason = fmt::format("the backend has no {}", MapTypeName(missing));
    return run;
  }
  std::string error;
  run.trace = Execute(backend, ToScript(scenario), &error);
  run.trace.profile = profile.name;
  if (!error.empty()) {
    result.status = Status::kDied;
    result.reason = error;
  } else {
    JudgeScenario(scenario, level, profile, &run);
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return run;
}

}  // namespace mapspec
