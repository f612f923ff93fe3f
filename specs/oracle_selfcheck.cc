// SPDX-License-Identifier: MIT
#include "specs/oracle_selfcheck.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "oracle/checker.h"
#include "oracle/clause.h"
#include "specs/answers.h"
#include "specs/contradictions.h"

namespace mapspec {
namespace {

constexpr uint32_t kCpus = 2;  // For which Specification() writes its scenarios.

// Outcomes that one search tries at most; enough for every order of the few elements a scenario
// has.
constexpr size_t kMaxTries = 20'000;

std::vector<Outcome> CandidatesFor(const StatedOutcome& stated, const Step& step,
                                   const Checker& before, const Answers& answers) {
  std::vector<Outcome> candidates = answers.For(stated, step.operation, before);
  std::erase_if(candidates, [&](const Outcome& candidate) {
    return !Matches(stated, step.operation, candidate);
  });
  return candidates;
}

bool Cites(const Judgement& judgement, ClauseId clause) {
  return judgement.kind != Judgement::Kind::kViolation &&
         std::find(std::begin(judgement.cited), std::end(judgement.cited), clause) !=
             std::end(judgement.cited);
}

// Whether the oracle cites the clause for an outcome that any alternative of the step allows: a
// clause may be about an outcome that not every run has.
bool CitedByAny(const Step& step, const Checker& before, const Answers& answers, ClauseId clause) {
  for (const StatedOutcome& stated : step.expected.alternatives) {
    for (const Outcome& candidate : CandidatesFor(stated, step, before, answers)) {
      Checker copy = before;
      if (Cites(copy.Step(step.operation, candidate), clause)) return true;
    }
  }
  return false;
}

// Depth-first: an outcome that was accepted (the first key of a hash, say) may turn out to leave no
// outcome for a later step, and is then taken back.
class Search {
 public:
  Search(const Scenario& scenario, const Profile& profile)
      : scenario_(scenario), start_(profile, SelfCheckEnvironment()) {}

  bool Solve() { return SolveFrom(0, start_, Answers(kCpus)); }

  const std::vector<Outcome>& outcomes() const { return outcomes_; }
  const Checker& start() const { return start_; }
  // Of a failed search: the furthest step that no outcome was accepted for, and why.
  size_t stuck_at() const { return stuck_at_; }
  const std::string& reason() const { return reason_; }

 private:
  bool SolveFrom(size_t index, const Checker& before, const Answers& answers) {
    if (index == scenario_.steps.size()) return true;
    const Step& step = scenario_.steps[index];
    if (outcomes_.size() < index + 1) outcomes_.resize(index + 1);
    if (reason_.empty() || index > stuck_at_) {
      stuck_at_ = index;
      reason_ = "no outcome was tried";
      first_reason_ = true;
    }
    // Outcomes that the oracle promises nothing about are accepted too, but come last.
    std::vector<Accepted> conforming, unjudged;
    for (const StatedOutcome& stated : step.expected.alternatives) {
      for (Outcome& candidate : CandidatesFor(stated, step, before, answers)) {
        if (++tries_ > kMaxTries) return false;
        Checker after = before;
        const Judgement& judgement = after.Step(step.operation, candidate);
        if (judgement.kind != Judgement::Kind::kViolation) {
          const bool conforms = judgement.kind == Judgement::Kind::kConforms;
          (conforms ? conforming : unjudged).push_back({std::move(candidate), std::move(after)});
        } else if (index == stuck_at_ && first_reason_) {
          reason_ = "for " + DescribeOutcome(step.operation, candidate) + " the oracle expects " +
                    judgement.expected + " (" + Name(judgement.violated) + ")";
          first_reason_ = false;
        }
      }
    }
    return TryEach(index, conforming, answers) || TryEach(index, unjudged, answers);
  }

  struct Accepted {
    Outcome outcome;
    Checker after;
  };
  bool TryEach(size_t index, std::vector<Accepted>& accepted, const Answers& answers) {
    for (Accepted& each : accepted) {
      if (tries_ > kMaxTries) return false;
      Answers next = answers;
      next.Note(scenario_.steps[index].operation, each.outcome);
      outcomes_.resize(index + 1);
      outcomes_[index] = std::move(each.outcome);
      if (SolveFrom(index + 1, each.after, next)) return true;
    }
    return false;
  }

  static std::string Name(ClauseId id) {
    return id == kNoClause ? "no clause" : std::string(GetClause(id).id);
  }

  const Scenario& scenario_;
  const Checker start_;
  std::vector<Outcome> outcomes_;
  size_t tries_ = 0;
  size_t stuck_at_ = 0;
  std::string reason_;
  bool first_reason_ = true;
};

}  // namespace

bool InForce(const Scenario& scenario, const Profile& profile) {
  if (scenario.trait.empty()) return true;
  const bool wanted = !scenario.trait.starts_with('!');
  const std::optional<bool> value =
      TraitValue(profile.traits, wanted ? scenario.trait : scenario.trait.substr(1));
  return value.has_value() && *value == wanted;
}

Environment SelfCheckEnvironment() {
  Environment environment;
  environment.backend = "oracle";
  environment.implementation = "the oracle itself";
  environment.machine = "x86_64";
  environment.possible_cpus = kCpus;
  environment.page_size = 4096;
  return environment;
}

SelfCheckResult SelfCheck(const Scenario& scenario, const Profile& profile) {
  SelfCheckResult result;
  const auto problem = [&](size_t index, const std::string& message) {
    const bool inside = index < scenario.steps.size();
    std::string where = "`" + scenario.id + "` under " + profile.name;
    if (inside) {
      const Operation& operation = scenario.steps[index].operation;
      where += ", operation " + std::to_string(index) + " (" +
               std::string(OperationName(operation.call)) + ")";
    }
    result.problems.push_back({scenario.file,
                               inside ? scenario.steps[index].position : scenario.position,
                               where + ": " + message});
  };
  Search search(scenario, profile);
  const bool solved = search.Solve();
  result.trace.name = scenario.id;
  result.trace.profile = profile.name;
  result.trace.environment = SelfCheckEnvironment();
  result.trace.operations = ToScript(scenario).operations;
  result.trace.outcomes = search.outcomes();
  if (!solved) {
    const Step& step = scenario.steps[search.stuck_at()];
    problem(search.stuck_at(), "the scenario expects " + Describe(step.expected, step.operation) +
                                   ", but " + search.reason());
    return result;
  }

  const ClauseId clause = FindClause(scenario.clause);
  bool cited = false;
  Checker checker = search.start();
  Answers answers(kCpus);
  for (size_t i = 0; i < scenario.steps.size(); ++i) {
    const Step& step = scenario.steps[i];
    if (profile.observed) {
      // One message for a step, however many of its contradictions go through.
      std::string accepted;
      size_t more = 0;
      for (const Outcome& wrong : Contradictions(step, result.trace.outcomes[i])) {
        ++result.contradictions;
        Checker copy = checker;
        if (copy.Step(step.operation, wrong).kind == Judgement::Kind::kViolation) continue;
        if (!accepted.empty()) ++more;
        if (accepted.empty()) accepted = DescribeOutcome(step.operation, wrong);
      }
      if (!accepted.empty()) {
        const std::string others = more == 0 ? "" : ", nor to " + std::to_string(more) + " others";
        problem(i, "the scenario expects " + Describe(step.expected, step.operation) +
                       ", but the oracle does not object to " + accepted + others);
      }
    }
    if (clause != kNoClause && !cited) cited = CitedByAny(step, checker, answers, clause);
    const Outcome& outcome = result.trace.outcomes[i];
    checker.Step(step.operation, outcome);
    answers.Note(step.operation, outcome);
  }
  if (clause == kNoClause) {
    problem(scenario.steps.size(), "this build knows no clause `" + scenario.clause + "`");
  } else if (!cited) {
    problem(scenario.steps.size(), "the oracle never cites the clause");
  }
  return result;
}

}  // namespace mapspec
