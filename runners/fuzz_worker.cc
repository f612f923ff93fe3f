// SPDX-License-Identifier: MIT
#include "runners/fuzz_worker.h"

#include <fmt/format.h>

#include <algorithm>

#include "backends/offered_types.h"
#include "properties/map_kinds.h"

namespace mapspec {
namespace {

std::string KindOf(ClauseId clause, const Cell& cell, const Outcome& outcome) {
  // A cell's name has the outcome too, but not how the call ended.
  const std::string_view id = clause == kNoClause ? "no clause" : GetClause(clause).id;
  return fmt::format("{} {} {}", id, CellName(cell), static_cast<int>(outcome.completion));
}

}  // namespace

FuzzCounts& FuzzCounts::operator+=(const FuzzCounts& more) {
  scripts += more.scripts;
  operations += more.operations;
  judged += more.judged;
  unjudged += more.unjudged;
  violations += more.violations;
  return *this;
}

ScriptShapes::Options CommonGround(const std::vector<Backend*>& backends, uint64_t seed) {
  ScriptShapes::Options options;
  options.seed = seed;
  options.page_size = backends[0]->environment().page_size;
  options.possible_cpus = backends[0]->environment().possible_cpus;
  options.kernel = false;
  for (Backend* backend : backends) {
    options.capabilities &= backend->capabilities();
    options.kernel |= backend->environment().backend == "kernel";
    for (const MapKind& kind : MapKinds()) {
      const auto& lacking = options.lacking;
      const bool known = std::find(lacking.begin(), lacking.end(), kind.type) != lacking.end();
      if (!known && !OffersMapType(*backend, kind.type)) options.lacking.push_back(kind.type);
    }
  }
  return options;
}

FuzzWorker::FuzzWorker(const std::vector<FuzzBackend>& backends, const ScriptShapes& shapes)
    : backends_(backends), shapes_(shapes), lanes_(backends.size()) {}

bool FuzzWorker::Open() {
  for (size_t i = 0; i < lanes_.size(); ++i) {
    lanes_[i].backend = backends_[i].make(&error_);
    if (lanes_[i].backend == nullptr) return false;
  }
  return true;
}

void FuzzWorker::Clear() {
  counts_ = FuzzCounts();
  coverage_.Clear();
  differences_.Clear();
  findings_.clear();
}

bool FuzzWorker::OpenSession(size_t index) {
  Lane& lane = lanes_[index];
  lane.ended = false;
  lane.cells.Restart();
  lane.session = lane.backend->NewSession(&error_);
  if (lane.session == nullptr) {
    // The script before may have broken it: a new instance may do.
    if (last_plan_) {
      RawFinding& finding = findings_.emplace_back();
      finding.script = last_plan_->index;
      finding.planned = last_plan_->operations;
      finding.backend = index;
      finding.operation = last_plan_->operations;
      finding.no_session = error_;
      finding.kind = "no session afterwards";
      ++counts_.violations;
    }
    auto fresh = backends_[index].make(&error_);
    if (fresh == nullptr) return false;
    lane.backend = std::move(fresh);
    lane.session = lane.backend->NewSession(&error_);
    if (lane.session == nullptr) return false;
  }
  lane.checker.emplace(*backends_[index].profile, lane.backend->environment());
  return true;
}

void FuzzWorker::Found(size_t index, const ScriptPlan& plan, uint64_t before, size_t at,
                       const Cell& cell, ClauseId clause,
                       const std::function<bool(const std::string&)>& wants) {
  Lane& lane = lanes_[index];
  lane.ended = true;
  ++counts_.violations;
  std::string kind = KindOf(clause, cell, lane.outcomes[at]);
  if (lanes_.size() > 1) kind = backends_[index].selector + " " + kind;
  RawFinding& finding = findings_.emplace_back();
  finding.script = plan.index;
  finding.planned = plan.operations;
  finding.backend = index;
  finding.operation = before + at;
  finding.clause = clause;
  const bool wanted = wants(kind);
  finding.kind = std::move(kind);
  finding.skipped = before;
  if (!wanted) return;
  const auto end = static_cast<ptrdiff_t>(at + 1);
  finding.trace.profile = backends_[index].profile->name;
  finding.trace.environment = lane.backend->environment();
  finding.trace.operations.assign(script_.operations.begin(), script_.operations.begin() + end);
  finding.trace.outcomes.assign(lane.outcomes.begin(), lane.outcomes.begin() + end);
}

void FuzzWorker::RunPiece(size_t index, const ScriptPlan& plan, uint64_t before,
                          const std::function<bool(const std::string&)>& wants) {
  Lane& lane = lanes_[index];
  const std::vector<Operation>& operations = script_.operations;
  lane.outcomes.clear();
  lane.session->Run(operations, &lane.outcomes);
  const size_t size = std::min(operations.size(), lane.outcomes.size());
  const bool compares = lanes_.size() > 1;
  for (size_t i = 0; i < size; ++i) {
    const Outcome& outcome = lane.outcomes[i];
    const Judgement& judgement = lane.checker->Step(operations[i], outcome);
    ++counts_.judged;
    const bool unjudged = judgement.kind == Judgement::Kind::kUnjudged;
    counts_.unjudged += unjudged;
    Cell cell;
    if (outcome.completion != Completion::kNotRun) {
      cell = lane.cells.Next(operations[i], outcome);
      coverage_.Add(cell);
    }
    if (judgement.kind == Judgement::Kind::kViolation) {
      return Found(index, plan, before, i, cell, judgement.violated, wants);
    }
    if (!compares) continue;
    if (index == 0) {
      first_.push_back({cell, judgement.cited[0], !unjudged});
      continue;
    }
    if (i >= first_.size()) continue;
    const Outcome& other = lanes_[0].outcomes[i];
    if (outcome.completion == Completion::kNotRun || other.completion == Completion::kNotRun) {
      continue;
    }
    const MapKind* kind =
        first_[i].cell.type == 0 ? nullptr : &MapKinds()[first_[i].cell.type - 1u];
    Difference how = Compare(operations[i], kind != nullptr && kind->of_maps, other, outcome);
    if (how == Difference::kNone) continue;
    if (how != Difference::kIds && (unjudged || !first_[i].judged)) how = Difference::kUnpromised;
    differences_.Add({index, first_[i].cell, first_[i].clause, how}, plan.index, before + i,
                     operations[i], other, outcome);
  }
  if (size == operations.size()) return;
  // It went away without a word: as good as a call that does not return.
  Outcome& gone = lane.outcomes.emplace_back();
  gone.completion = Completion::kCrashed;
  gone.detail = "the backend stopped answering";
  const Judgement& judgement = lane.checker->Step(operations[size], gone);
  Found(index, plan, before, size, lane.cells.Next(operations[size], gone), judgement.violated,
        wants);
}

FuzzWorker::End FuzzWorker::Run(const ScriptPlan& plan, const std::atomic<bool>* stop,
                                const std::function<bool(const std::string&)>& wants) {
  for (size_t i = 0; i < lanes_.size(); ++i) {
    if (!OpenSession(i)) return End::kUnusable;
  }
  last_plan_ = plan;
  uint64_t before = 0;
  End end = End::kDone;
  ShapedScript pieces(shapes_, plan);
  while (pieces.Next(&script_)) {
    bool any = false;
    first_.clear();
    for (size_t i = 0; i < lanes_.size(); ++i) {
      if (lanes_[i].ended) continue;
      RunPiece(i, plan, before, wants);
      any |= !lanes_[i].ended;
    }
    before += script_.operations.size();
    if (!any) break;
    if (stop != nullptr && stop->load(std::memory_order_relaxed)) {
      end = End::kStopped;
      break;
    }
  }
  if (end == End::kDone) {
    ++counts_.scripts;
    counts_.operations += before;
  }
  for (Lane& lane : lanes_) lane.session.reset();
  return end;
}

}  // namespace mapspec
