// SPDX-License-Identifier: MIT
#include "runners/eviction.h"

#include <algorithm>
#include <cmath>
#include <list>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "properties/entropy.h"

namespace mapspec {
namespace {

constexpr uint32_t kKeySize = 4;
constexpr uint32_t kValueSize = 8;
constexpr Handle kMap{0};
constexpr uint32_t kKeysPerEntry = 4;  // Keys of the skewed workload, for each entry of the map.

Bytes KeyOf(uint32_t key) { return Bytes::LittleEndian(key, kKeySize); }

// One map and the calls on it.
class LruMap {
 public:
  LruMap(Backend& backend, const EvictionSetup& setup) : setup_(setup) {
    session_ = backend.NewSession(&why_);
    if (session_ == nullptr) return;
    MapCreate create;
    create.result = kMap;
    create.type = setup.type;
    create.key_size = kKeySize;
    create.value_size = kValueSize;
    create.max_entries = setup.max_entries;
    create.map_flags = setup.own_lists ? BPF_F_NO_COMMON_LRU : 0;
    if (!Succeeded(Do(create, kAnyCpu))) return;
    const Outcome info = Do(GetInfo{kMap}, kAnyCpu);
    if (!Succeeded(info)) return;
    max_entries_ = (*std::get_if<Boxed<MapInfo>>(&info.output))->max_entries;
    cpus_ = backend.environment().possible_cpus;
    if (max_entries_ == 0) why_ = "a map that says it holds nothing";
  }

  // Everything that was asked for has been answered as expected so far.
  bool ok() const { return why_.empty(); }
  const std::string& why() const { return why_; }
  uint32_t max_entries() const { return max_entries_; }

  void Add(uint32_t key, uint16_t cpu) {
    const Bytes value(setup_.by_program ? kValueSize : ValueBytes());
    Succeeded(
        setup_.by_program
            ? Do(HelperUpdate{kMap, KeyOf(key), value, BPF_ANY, false}, cpu)
            : Do(Update{kMap, {Pointer::kValid, KeyOf(key)}, {Pointer::kValid, value}, BPF_ANY},
                 cpu));
  }
  // Whether the key was found.
  bool Use(uint32_t key, uint16_t cpu) {
    Lookup lookup;
    lookup.map = kMap;
    lookup.key = {Pointer::kValid, KeyOf(key)};
    const Outcome outcome = setup_.by_program
                                ? Do(HelperLookup{kMap, KeyOf(key), false, Bytes(), false}, cpu)
                                : Do(lookup, cpu);
    if (outcome.completion == Completion::kReturned && outcome.error == Errno::kENOENT)
      return false;
    return Succeeded(outcome);
  }
  // The keys in the map. A batch does not count as a use.
  std::vector<uint32_t> Keys() {
    LookupBatch batch;
    batch.map = kMap;
    batch.count = 2 * max_entries_;
    const Outcome outcome = Do(batch, kAnyCpu);
    std::vector<uint32_t> keys;
    const auto* output = std::get_if<Boxed<BatchOutput>>(&outcome.output);
    if (outcome.completion != Completion::kReturned || output == nullptr ||
        (outcome.error != Errno::kNone && outcome.error != Errno::kENOENT) ||
        (*output)->count > batch.count) {
      Succeeded(outcome);
      return keys;
    }
    for (uint32_t i = 0; i < (*output)->count; ++i) {
      keys.push_back(
          static_cast<uint32_t>((*output)->keys.Slice(size_t{i} * kKeySize, kKeySize).ToNumber()));
    }
    return keys;
  }

 private:
  size_t ValueBytes() const {
    return IsPerCpu(setup_.type) ? PerCpuStride(kValueSize) * cpus_ : kValueSize;
  }
  Outcome Do(Call call, uint16_t cpu) {
    Outcome failed;
    failed.completion = Completion::kNotRun;
    if (!ok()) return failed;
    const Operation operation{std::move(call), Caller::kPrivileged, cpu, 0};
    outcomes_.clear();
    session_->Run({&operation, 1}, &outcomes_);
    if (outcomes_.empty()) return failed;
    name_ = OperationName(operation.call);
    return std::move(outcomes_[0]);
  }
  bool Succeeded(const Outcome& outcome) {
    if (outcome.ok()) return true;
    if (ok()) {
      why_ = std::string(name_) + ": " +
             (outcome.detail.empty() ? ErrnoName(outcome.error) : outcome.detail);
    }
    return false;
  }

  const EvictionSetup& setup_;
  std::string why_;
  std::unique_ptr<Session> session_;
  std::vector<Outcome> outcomes_;
  std::string_view name_ = "the session";
  uint32_t max_entries_ = 0;
  uint32_t cpus_ = 1;
};

// Which keys are in a map, by their last use.
class LastUses {
 public:
  void Use(uint32_t key) { uses_[key] = ++now_; }
  bool Has(uint32_t key) const { return uses_.contains(key); }
  size_t size() const { return uses_.size(); }
  // Forgets all keys but these; the places, by last use, of those that were forgotten.
  std::vector<double> Keep(const std::vector<uint32_t>& keys) {
    if (keys.size() >= uses_.size()) return {};
    std::vector<std::pair<uint64_t, uint32_t>> by_use;
    by_use.reserve(uses_.size());
    for (const auto& [key, use] : uses_) by_use.emplace_back(use, key);
    std::sort(by_use.begin(), by_use.end());
    std::unordered_map<uint32_t, uint64_t> kept;
    for (const uint32_t key : keys) {
      if (const auto found = uses_.find(key); found != uses_.end()) kept.insert(*found);
    }
    const double newest = std::max(1.0, static_cast<double>(by_use.size()) - 1);
    std::vector<double> places;
    for (size_t i = 0; i < by_use.size(); ++i) {
      if (!kept.contains(by_use[i].second)) places.push_back(static_cast<double>(i) / newest);
    }
    uses_ = std::move(kept);
    return places;
  }

 private:
  std::unordered_map<uint32_t, uint64_t> uses_;
  uint64_t now_ = 0;
};

// An exact LRU cache.
class ExactLru {
 public:
  explicit ExactLru(size_t capacity) : capacity_(capacity) {}
  // Whether the key was there; it is now.
  bool Use(uint32_t key) {
    const auto found = places_.find(key);
    const bool hit = found != places_.end();
    if (hit) {
      order_.erase(found->second);
    } else if (places_.size() == capacity_) {
      places_.erase(order_.back());
      order_.pop_back();
    }
    order_.push_front(key);
    places_[key] = order_.begin();
    return hit;
  }

 private:
  size_t capacity_;
  std::list<uint32_t> order_;  // The newest first.
  std::unordered_map<uint32_t, std::list<uint32_t>::iterator> places_;
};

// Key k (from 0) comes in proportion to 1 / (k + 1).
class ZipfKeys {
 public:
  explicit ZipfKeys(uint32_t keys) {
    double sum = 0;
    for (uint32_t k = 0; k < keys; ++k) sums_.push_back(sum += 1.0 / (k + 1));
  }
  uint32_t Draw(Entropy& entropy) const {
    const double at =
        static_cast<double>(entropy.Bits() >> 11) / (uint64_t{1} << 53) * sums_.back();
    return static_cast<uint32_t>(std::upper_bound(sums_.begin(), sums_.end(), at) - sums_.begin());
  }

 private:
  std::vector<double> sums_;
};

// Adds new keys in turn on each CPU until one has to go.
double FirstEviction(LruMap& map, const EvictionSetup& setup) {
  for (uint32_t key = 0; map.ok(); ++key) {
    map.Add(key, static_cast<uint16_t>(key % setup.cpus));
    if (map.Keys().size() <= key) return static_cast<double>(key) / map.max_entries();
  }
  return 0;
}

void MeasureVictims(LruMap& map, const EvictionSetup& setup, EvictionFigures* figures) {
  SeededEntropy entropy(setup.seed);
  LastUses uses;
  std::vector<uint32_t> keys;
  std::vector<double> places;
  const uint32_t new_keys = 4 * map.max_entries();
  for (uint32_t key = 0; key < new_keys && map.ok(); ++key) {
    const auto cpu = static_cast<uint16_t>(entropy.Below(setup.cpus));
    if (!keys.empty()) {
      const uint32_t used = keys[entropy.Below(keys.size())];
      if (map.Use(used, static_cast<uint16_t>(entropy.Below(setup.cpus)))) uses.Use(used);
    }
    map.Add(key, cpu);
    keys = map.Keys();
    // The new element is none that could have gone.
    std::vector<uint32_t> others = keys;
    std::erase(others, key);
    const std::vector<double> gone = uses.Keep(others);
    figures->at_once = std::max(figures->at_once, static_cast<uint32_t>(gone.size()));
    places.insert(places.end(), gone.begin(), gone.end());
    uses.Use(key);
  }
  if (places.empty()) return;
  std::sort(places.begin(), places.end());
  double sum = 0;
  for (const double place : places) sum += place;
  figures->victims = places.size();
  figures->rank_mean = sum / static_cast<double>(places.size());
  figures->rank_median = places[places.size() / 2];
  figures->rank_95 = places[std::min(places.size() - 1, places.size() * 95 / 100)];
  figures->rank_worst = places.back();
}

void MeasureHits(LruMap& map, const EvictionSetup& setup, EvictionFigures* figures) {
  SeededEntropy entropy(setup.seed);
  const ZipfKeys zipf(kKeysPerEntry * map.max_entries());
  ExactLru exact(map.max_entries());
  uint64_t hits = 0, exact_hits = 0;
  for (uint32_t i = 0; i < setup.requests && map.ok(); ++i) {
    const uint32_t key = zipf.Draw(entropy);
    const auto cpu = static_cast<uint16_t>(entropy.Below(setup.cpus));
    const bool hit = map.Use(key, cpu);
    if (!hit) map.Add(key, cpu);
    hits += hit ? 1 : 0;
    exact_hits += exact.Use(key) ? 1 : 0;
  }
  figures->hits = static_cast<double>(hits) / setup.requests;
  figures->lru_hits = static_cast<double>(exact_hits) / setup.requests;
}

}  // namespace

bool MeasureEviction(Backend& backend, const EvictionSetup& setup, EvictionFigures* figures,
                     std::string* why) {
  // Each on an empty map.
  LruMap filled(backend, setup);
  figures->max_entries = filled.max_entries();
  figures->first_eviction = FirstEviction(filled, setup);
  LruMap used(backend, setup);
  MeasureVictims(used, setup, figures);
  LruMap skewed(backend, setup);
  MeasureHits(skewed, setup, figures);
  for (const LruMap* map : {&filled, &used, &skewed}) {
    if (map->ok()) continue;
    *why = map->why();
    return false;
  }
  return true;
}

}  // namespace mapspec
