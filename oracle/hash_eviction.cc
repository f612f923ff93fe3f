// SPDX-License-Identifier: MIT
//
// What LRU_HASH and LRU_PERCPU_HASH evict, in the hash model.
//
// Which element goes is the map's own business, so after an update that may have evicted, the
// elements that it may have taken are doubtful: the model keeps how many of them may be missing at
// most, and every answer narrows that. What can be said for sure: only updates evict; the element
// just added is there; a map that is far from full loses nothing; one call takes a few elements at
// most; never are there more than max_entries.
//
// Elements are handed out in two ways. By default all CPUs share them: a CPU sets a number of them
// aside (SetAside) and serves its updates from these, so that an update may find nothing left
// although others' are unused. With BPF_F_NO_COMMON_LRU each CPU has max_entries / possible CPUs of
// its own, exactly.
#include <algorithm>
#include <vector>

#include "oracle/hash_model.h"

namespace mapspec {
namespace {

constexpr uint64_t kMostSetAside = 128;
// What an update takes at most from a list of its CPU's own.
constexpr uint64_t kOwnListTakes = 4;

}  // namespace

uint64_t HashModel::SetAside() const {
  if (!attributes_.traits.lru_scaled_free_lists) return kMostSetAside;
  return std::clamp<uint64_t>(attributes_.max_entries / attributes_.possible_cpus / 2, 1,
                              kMostSetAside);
}

bool HashModel::NeedsElement(uint64_t flags) const {
  // An element of a per-CPU map is changed where it is; for the others a new one takes its place.
  return lru_ && !(attributes_.per_cpu() && flags == BPF_EXIST);
}

bool HashModel::IsAlone(uint16_t cpu) const {
  return cpu != kAnyCpu && (taken_ == 0 || taken_by_ == cpu);
}

template <typename F>
void HashModel::ForEachListOf(uint16_t cpu, F f) const {
  const bool all = !own_lists_ || cpu == kAnyCpu;
  for (size_t list = 0; list < census_.size(); ++list) {
    if (all || list == census_.ListOf(cpu) || list == census_.size() - 1) f(list);
  }
}

bool HashModel::MayEvict(uint64_t flags, uint16_t cpu) const {
  if (!NeedsElement(flags)) return false;
  if (own_lists_) {
    uint64_t of_cpu = 0;
    ForEachListOf(
        cpu, [&](size_t list) { of_cpu += census_.At(list).certain + census_.At(list).uncertain; });
    return of_cpu >= attributes_.max_entries / attributes_.possible_cpus;
  }
  const uint64_t most = attributes_.max_entries;
  // The second taker does not lack what only one other has taken of.
  if (taken_ < std::min<uint64_t>(most, 2)) return false;
  if (IsAlone(cpu)) {
    // Its first helpings are of what nobody has used yet; the last of them may be too small.
    const uint64_t unused = most <= SetAside() ? most : most - most % SetAside();
    if (taken_ < unused) return false;
  }
  return possible() + SetAside() * (IsAlone(cpu) ? 1 : attributes_.possible_cpus) > most;
}

bool HashModel::MayBelongTo(const ElementTable::Element& element, uint16_t cpu) const {
  return !own_lists_ || cpu == kAnyCpu || element.cpu == kAnyCpu || element.cpu == cpu;
}

void HashModel::MakeRoom(uint64_t flags, uint16_t cpu) {
  if (!NeedsElement(flags)) return;
  const bool evicts = MayEvict(flags, cpu);
  taken_by_ = taken_ == 0 || taken_by_ == cpu ? cpu : kAnyCpu;
  ++taken_;
  adding_cpu_ = cpu;
  if (!evicts) return census_.Compact(elements_);
  ForEachListOf(cpu, [&](size_t list) {
    census_.ForEachCertain(list, elements_, [&](uint32_t i) { Doubt(i); });
  });
  // Under `documented` an eviction may take any number.
  const uint64_t takes = !attributes_.observed ? uncertain_
                         : own_lists_          ? kOwnListTakes
                                               : SetAside();
  may_be_missing_ = std::min(may_be_missing_ + takes, uncertain_);
  Changed();
}

void HashModel::Narrow() {
  may_be_missing_ = std::min(may_be_missing_, uncertain_);
  if (uncertain_ == 0) return;
  if (may_be_missing_ == 0) {  // Every one that was evicted has been found out.
    elements_.ForEach([&](uint32_t i) { SetCertain(i, true); });
    return;
  }
  // Where there is no room beside those that are surely there, the doubtful ones cannot be.
  const bool full = certain() >= attributes_.max_entries;
  const uint64_t share = attributes_.max_entries / attributes_.possible_cpus;
  const auto no_room = [&](size_t list) {
    return full || (own_lists_ && list + 1 < census_.size() && census_.At(list).certain >= share);
  };
  bool any = full;
  for (size_t list = 0; !any && list < census_.size(); ++list) {
    any = no_room(list) && census_.At(list).uncertain != 0;
  }
  if (!any) return;
  std::vector<uint32_t> absent;
  elements_.ForEach([&](uint32_t i) {
    if (!elements_[i].certain && no_room(census_.ListOf(elements_[i].cpu))) absent.push_back(i);
  });
  for (const uint32_t index : absent) Erase(index);
  evicted_ |= !absent.empty();
  may_be_missing_ -= std::min<uint64_t>(may_be_missing_, absent.size());
}

Expectation HashModel::ExpectLruUpdate(const Bytes& key, uint64_t flags, uint16_t cpu) const {
  const uint32_t index = elements_.Find(key);
  const bool present = index != ElementTable::kNone;
  const bool may_evict = MayEvict(flags, cpu);
  const bool certainly = present && elements_[index].certain;
  // The element may itself be what goes: the key is then absent for the rest of the call.
  const bool may_lose_key = certainly && may_evict && MayBelongTo(elements_[index], cpu);
  const bool stays = certainly && !may_lose_key;

  if (flags > BPF_EXIST) {
    return Expectation::Fails(Errno::kEINVAL, c_->update_flags)
        .Also(c_->update_flags_first, certainly)
        .Also(c_->update_failure_changes_nothing);
  }
  if (stays && flags == BPF_NOEXIST) {
    return Expectation::Fails(Errno::kEEXIST, c_->update_noexist_existing_key)
        .Also(c_->update_failure_changes_nothing)
        .Also(c_->evict_failing_update, may_evict);
  }
  if (!present && flags == BPF_EXIST) {
    return Expectation::Fails(Errno::kENOENT, c_->update_exist_absent_key)
        .Also(c_->evict_failing_update, may_evict);
  }
  Expectation expected = Expectation::Succeeds(flags == BPF_NOEXIST ? c_->update_noexist_creates
                                               : flags == BPF_EXIST ? c_->update_exist_replaces
                                               : certainly          ? c_->update_any_replaces
                                                                    : c_->update_any_creates);
  if (present && !stays) {
    if (flags == BPF_NOEXIST) expected.OrFails(Errno::kEEXIST, c_->update_noexist_existing_key);
    if (flags == BPF_EXIST) expected.OrFails(Errno::kENOENT, c_->update_exist_absent_key);
  }
  return expected.Also(c_->evict_makes_room, may_evict)
      .Also(c_->evict_exist_in_place, attributes_.per_cpu() && flags == BPF_EXIST)
      .Also(c_->evict_not_the_new, may_evict)
      .Also(own_lists_     ? c_->evict_own_share
            : IsAlone(cpu) ? c_->evict_at_capacity
                           : c_->evict_half_full,
            !may_evict)
      .Also(c_->evict_few, may_evict && attributes_.traits.lru_scaled_free_lists)
      .Also(c_->evict_failing_update, may_evict && flags != BPF_ANY)
      .Also(c_->evict_own_key, may_lose_key && flags != BPF_ANY);
}

}  // namespace mapspec
