// SPDX-License-Identifier: MIT
#include "runners/fuzz_schedule.h"

#include <algorithm>

namespace mapspec {

void ScriptSet::Add(uint64_t index) { AddRange(index, index + 1); }

void ScriptSet::AddRange(uint64_t first, uint64_t end) {
  if (first >= end) return;
  auto place = ranges_.upper_bound(first);
  if (place != ranges_.begin() && std::prev(place)->second >= first) {
    --place;
    first = place->first;
    end = std::max(end, place->second);
  }
  while (place != ranges_.end() && place->first <= end) {
    end = std::max(end, place->second);
    place = ranges_.erase(place);
  }
  ranges_[first] = end;
}

void ScriptSet::Remove(uint64_t index) {
  auto place = ranges_.upper_bound(index);
  if (place == ranges_.begin()) return;
  const auto [first, end] = *--place;
  if (index >= end) return;
  ranges_.erase(place);
  AddRange(first, index);
  AddRange(index + 1, end);
}

bool ScriptSet::Has(uint64_t index) const { return MissingFrom(index) != index; }

uint64_t ScriptSet::FirstMissing() const { return MissingFrom(0); }

uint64_t ScriptSet::MissingFrom(uint64_t from) const {
  auto place = ranges_.upper_bound(from);
  if (place == ranges_.begin()) return from;
  return std::max(from, std::prev(place)->second);
}

FuzzSchedule::FuzzSchedule(const ScriptShapes& shapes, std::optional<uint64_t> operations,
                           ScriptSet done)
    : shapes_(shapes), left_(operations), done_(std::move(done)) {
  if (!left_) return;
  for (const auto& [first, end] : done_.ranges()) {
    for (uint64_t index = first; index < end; ++index) {
      *left_ -= std::min(*left_, shapes_.Plan(index).operations);
    }
  }
}

std::optional<ScriptPlan> FuzzSchedule::Next() {
  const std::lock_guard lock(mutex_);
  if (left_ && *left_ == 0) return std::nullopt;
  next_ = done_.MissingFrom(next_);
  ScriptPlan plan = shapes_.Plan(next_++);
  if (left_) {
    if (plan.operations > *left_) {
      plan.operations = *left_;
      cut_.Add(plan.index);
    }
    *left_ -= plan.operations;
  }
  at_work_.push_back(plan.index);
  return plan;
}

void FuzzSchedule::Done(const ScriptPlan& plan, bool to_its_end,
                        std::vector<RawFinding>* findings) {
  const std::lock_guard lock(mutex_);
  std::erase(at_work_, plan.index);
  if (to_its_end) done_.Add(plan.index);
  for (RawFinding& finding : *findings) {
    Kind& kind = kinds_[finding.kind];
    ++kind.seen;
    // Those that come too late are only counted; which come too late does not depend on when they
    // were met.
    auto& waiting = kind.waiting;
    waiting.insert(std::upper_bound(waiting.begin(), waiting.end(), finding,
                                    [](const RawFinding& a, const RawFinding& b) {
                                      return a.script < b.script;
                                    }),
                   std::move(finding));
    while (waiting.size() + kind.looked_into > kPerKind) waiting.pop_back();
  }
  findings->clear();
}

bool FuzzSchedule::Wants(const std::string& kind) const {
  const std::lock_guard lock(mutex_);
  const auto known = kinds_.find(kind);
  return known == kinds_.end() || known->second.looked_into < kPerKind;
}

uint64_t FuzzSchedule::Watermark() const {
  uint64_t least = next_;
  for (const uint64_t index : at_work_) least = std::min(least, index);
  return least;
}

std::optional<RawFinding> FuzzSchedule::TakeFinding(bool at_end) {
  const std::lock_guard lock(mutex_);
  if (looking_) return std::nullopt;
  while (true) {
    Kind* first = nullptr;
    for (auto& [name, kind] : kinds_) {
      if (kind.waiting.empty()) continue;
      if (first == nullptr || kind.waiting[0].script < first->waiting[0].script) first = &kind;
    }
    if (first == nullptr) return std::nullopt;
    if (!at_end && first->waiting[0].script >= Watermark()) return std::nullopt;
    RawFinding finding = std::move(first->waiting[0]);
    first->waiting.erase(first->waiting.begin());
    ++first->looked_into;
    if (++per_clause_[finding.clause] > kPerClause) continue;
    looking_ = true;
    looking_at_ = finding.script;
    return finding;
  }
}

void FuzzSchedule::LookedInto() {
  const std::lock_guard lock(mutex_);
  looking_ = false;
}

bool FuzzSchedule::HasFindings() const {
  const std::lock_guard lock(mutex_);
  return looking_ || std::any_of(kinds_.begin(), kinds_.end(),
                                 [](const auto& entry) { return !entry.second.waiting.empty(); });
}

ScriptSet FuzzSchedule::Settled() const {
  const std::lock_guard lock(mutex_);
  ScriptSet settled = done_;
  if (looking_) settled.Remove(looking_at_);
  for (const auto& [name, kind] : kinds_) {
    for (const RawFinding& finding : kind.waiting) settled.Remove(finding.script);
  }
  for (const auto& [first, end] : cut_.ranges()) {
    for (uint64_t index = first; index < end; ++index) settled.Remove(index);
  }
  return settled;
}

void FuzzSchedule::Restore(const std::string& kind, uint64_t seen, uint64_t looked_into) {
  const std::lock_guard lock(mutex_);
  kinds_[kind].seen = seen;
  kinds_[kind].looked_into = looked_into;
}

std::map<std::string, FuzzSchedule::KindCount> FuzzSchedule::Kinds() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, KindCount> counts;
  for (const auto& [name, kind] : kinds_) counts[name] = {kind.seen, kind.looked_into};
  return counts;
}

}  // namespace mapspec
