// SPDX-License-Identifier: MIT
#include "oracle/hash_model.h"

#include <algorithm>
#include <string>
#include <vector>

#include "oracle/clauses.gen.h"
#include "oracle/limits.h"

namespace mapspec {

Expectation HashModel::ExpectCreate(const MapCreate& create, const Traits& traits,
                                    uint32_t possible_cpus) {
  const HashClauses& c = HashClausesOf(create.type);
  constexpr uint32_t kFlags = BPF_F_NO_PREALLOC | BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY |
                              BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG | BPF_F_ZERO_SEED;
  const bool lru = create.type == MapType::LRU_HASH || create.type == MapType::LRU_PERCPU_HASH;
  const bool own_lists = (create.map_flags & BPF_F_NO_COMMON_LRU) != 0;
  const uint64_t element = uint64_t{create.key_size} + create.value_size;
  const bool per_cpu = IsPerCpu(create.type);
  const bool slot_too_large = per_cpu && create.value_size > kPerCpuMaxSize;
  const bool too_large = element >= kKmallocMaxSize - kHashElementHeader ||
                         create.max_entries > kHashMaxEntries || slot_too_large;

  if ((create.map_flags & ~(lru ? kFlags | BPF_F_NO_COMMON_LRU : kFlags)) != 0) {
    return Expectation::Fails(Errno::kEINVAL, c.create_flags)
        .Also(c.create_invalid_before_too_large, too_large);
  }
  if (BothAccessFlags(create.map_flags)) {
    return Expectation::Fails(Errno::kEINVAL, clause::generic::create_rdonly_prog_wronly_prog);
  }
  if (lru && (create.map_flags & BPF_F_NO_PREALLOC) != 0) {
    return Expectation::Fails(Errno::kENOTSUPP, c.create_no_prealloc_refused);
  }
  if (per_cpu && AsksForNode(create)) return Expectation::Fails(Errno::kEINVAL, c.create_numa_node);
  if (own_lists && AsksForNode(create)) {
    return Expectation::Fails(Errno::kEINVAL, c.create_own_lists_numa);
  }
  if (create.max_entries == 0 || create.key_size == 0 || create.value_size == 0) {
    return Expectation::Fails(Errno::kEINVAL, c.create_zero_sizes)
        .Also(c.create_invalid_before_too_large, too_large);
  }
  if (!traits.hash_large_keys && create.key_size > kMaxBpfStack) {
    return Expectation::Fails(Errno::kE2BIG, c.create_large_key_refused);
  }
  if (element >= kKmallocMaxSize - kHashElementHeader) {
    return Expectation::Fails(Errno::kE2BIG, c.create_element_too_large);
  }
  if (slot_too_large) return Expectation::Fails(Errno::kE2BIG, c.create_value_too_large);
  if (create.max_entries > kHashMaxEntries) {
    return Expectation::Fails(Errno::kE2BIG, c.create_too_many_entries);
  }
  Expectation expected = Expectation::Succeeds(c.create_creates);
  const uint64_t values =
      per_cpu ? PerCpuStride(create.value_size) * possible_cpus : create.value_size;
  if (IsLarge((create.key_size + values + kHashElementHeader) * create.max_entries)) {
    expected.OrFails(Errno::kENOMEM, clause::generic::create_no_memory);
  }
  const bool at_limit = element == kKmallocMaxSize - kHashElementHeader - 1;
  return expected.Also(c.create_any_sizes)
      .Also(c.create_no_prealloc, (create.map_flags & BPF_F_NO_PREALLOC) != 0)
      .Also(c.create_zero_seed, (create.map_flags & BPF_F_ZERO_SEED) != 0)
      .Also(c.create_own_lists, own_lists)
      .Also(c.create_own_lists_numa, own_lists && (create.map_flags & BPF_F_NUMA_NODE) != 0)
      .Also(c.create_large_key, create.key_size > kMaxBpfStack)
      .Also(c.create_element_too_large, at_limit);
}

Expectation HashModel::ExpectLookup(const Bytes& key) const {
  const uint32_t index = elements_.Find(key);
  const bool full = certain() >= attributes_.max_entries;
  if (index == ElementTable::kNone) {
    return Expectation::Fails(Errno::kENOENT, c_->lookup_absent)
        .Also(c_->evict_never_more, full)
        .Also(c_->evict_only_updates, full)
        .Also(c_->evict_wholly, evicted_);
  }
  Expectation expected = Expectation::SucceedsWith(c_->lookup_present, elements_[index].value);
  if (!elements_[index].certain) expected.OrFails(Errno::kENOENT, c_->lookup_absent);
  return expected.Also(c_->evict_only_updates, full)
      .Also(c_->evict_approximate, !elements_[index].certain);
}

Expectation HashModel::ExpectProgramLookup(const Bytes& key, uint32_t cpu) {
  Expectation expected = ExpectLookup(key);
  if (!attributes_.per_cpu() || expected.output == nullptr) return expected;
  if (KnowsCpu(attributes_, cpu)) {
    scratch_ = attributes_.OfCpu(*expected.output, cpu);
    expected.output = &scratch_;
    expected.output_clause = c_->program_own_slot;
  } else {
    expected.output = nullptr;
  }
  return expected.Also(c_->lookup_present);
}

Expectation HashModel::ExpectUpdate(const Bytes& key, uint64_t flags, uint16_t cpu) const {
  if (lru_) return ExpectLruUpdate(key, flags, cpu);
  const uint64_t how = flags & ~BPF_F_LOCK;
  const bool locked = (flags & BPF_F_LOCK) != 0;
  const uint32_t index = elements_.Find(key);
  const bool present = index != ElementTable::kNone;
  const bool certainly = present && elements_[index].certain;
  const bool may_be_full = possible() >= attributes_.max_entries;
  const bool surely_full = certain() >= attributes_.max_entries;

  if (how > BPF_EXIST) {
    return Expectation::Fails(Errno::kEINVAL, c_->update_flags)
        .Also(c_->update_flags_first, certainly || surely_full)
        .Also(c_->update_failure_changes_nothing);
  }
  if (certainly && how == BPF_NOEXIST) {
    return Expectation::Fails(Errno::kEEXIST, c_->update_noexist_existing_key)
        .Also(c_->update_lock_exist_flags, locked)
        .Also(c_->update_failure_changes_nothing);
  }
  if (!present && how == BPF_EXIST) {
    return Expectation::Fails(Errno::kENOENT, c_->update_exist_absent_key)
        .Also(c_->update_lock_exist_flags, locked)
        .Also(c_->update_full_after_exist, surely_full);
  }
  if (!present && surely_full) {
    return Expectation::Fails(Errno::kE2BIG, c_->update_full)
        .Also(c_->update_capacity)
        .Also(c_->update_failure_changes_nothing);
  }

  Expectation expected = Expectation::Succeeds(
      certainly ? (how == BPF_EXIST ? c_->update_exist_replaces : c_->update_any_replaces)
                : (how == BPF_NOEXIST ? c_->update_noexist_creates : c_->update_any_creates));
  if (present && !certainly) {  // Doubtful: both what a present and what an absent key gives.
    if (how == BPF_NOEXIST) expected.OrFails(Errno::kEEXIST, c_->update_noexist_existing_key);
    if (how == BPF_EXIST) expected.OrFails(Errno::kENOENT, c_->update_exist_absent_key);
  }
  if (!certainly && may_be_full) {
    expected.OrFails(Errno::kE2BIG, c_->update_full);
  } else if ((attributes_.map_flags & BPF_F_NO_PREALLOC) != 0 &&
             (attributes_.per_cpu() ? !certainly : attributes_.traits.no_prealloc_enomem)) {
    expected.OrFails(Errno::kENOMEM, c_->update_no_prealloc_no_memory);
  }
  return expected.Also(c_->update_lock, locked && certainly)
      .Also(c_->update_lock_exist_flags, locked && !present)
      .Also(c_->update_full_existing_key, certainly && surely_full)
      .Also(c_->update_capacity, !present && certain() + 1 == attributes_.max_entries);
}

Expectation HashModel::ExpectDelete(const Bytes& key) const {
  const uint32_t index = elements_.Find(key);
  if (index == ElementTable::kNone) return Expectation::Fails(Errno::kENOENT, c_->delete_absent);
  Expectation expected = Expectation::Succeeds(c_->delete_present);
  if (!elements_[index].certain) expected.OrFails(Errno::kENOENT, c_->delete_absent);
  return expected;
}

Expectation HashModel::ExpectLookupAndDelete(const Bytes& key, uint64_t flags) const {
  if (!attributes_.traits.hash_lookup_and_delete || IsMapOfMaps(attributes_.type)) {
    return Expectation::Fails(Errno::kENOTSUPP, c_->lookup_and_delete_unsupported);
  }
  const uint32_t index = elements_.Find(key);
  if (index == ElementTable::kNone) {
    return Expectation::Fails(Errno::kENOENT, c_->lookup_and_delete_absent,
                              c_->lookup_and_delete_absent_errno);
  }
  Expectation expected =
      Expectation::SucceedsWith(c_->lookup_and_delete_takes, elements_[index].value);
  if (!elements_[index].certain) expected.OrFails(Errno::kENOENT, c_->lookup_and_delete_absent);
  return expected.Also(c_->lookup_and_delete_lock, (flags & BPF_F_LOCK) != 0);
}

Expectation HashModel::ExpectGetNextKey(const Bytes* key) const {
  if (possible() == 0) return Expectation::Fails(Errno::kENOENT, c_->get_next_key_empty);
  const uint32_t index = key == nullptr ? ElementTable::kNone : elements_.Find(*key);
  if (index == ElementTable::kNone) {
    Expectation expected = Expectation::Succeeds(key == nullptr ? c_->get_next_key_null_key
                                                                : c_->get_next_key_absent_key);
    if (certain() == 0) expected.OrFails(Errno::kENOENT, c_->get_next_key_empty);
    return expected.Also(c_->get_next_key_deleted_key, key != nullptr && *key == last_deleted_)
        .Also(c_->get_next_key_live_key);
  }
  if (elements_.size() == 1) {
    // The only key is the last one, unless it is gone: then the map is empty.
    return Expectation::Fails(Errno::kENOENT, c_->get_next_key_last_key)
        .Also(c_->get_next_key_walk);
  }
  return Expectation::Succeeds(c_->get_next_key_walk)
      .OrFails(Errno::kENOENT, c_->get_next_key_last_key)
      .Also(c_->get_next_key_live_key)
      .Also(c_->get_next_key_stable_order, order_.remembers_across_changes());
}

void HashModel::Update(const Bytes& key, const Bytes& value) {
  uint32_t index = elements_.Find(key);
  if (index == ElementTable::kNone) {
    index = elements_.Insert(key, value);
    elements_[index].cpu = adding_cpu_;
    if (lru_) census_.Put(index, elements_[index]);
    walk_.MarkBorn(&elements_[index]);
  } else {
    // Whether what replaces it, or what it was doubted for, comes from the other CPU's list is not
    // said.
    const bool in_place = attributes_.per_cpu() && elements_[index].certain;
    if (!in_place && elements_[index].cpu != adding_cpu_) SetList(index, kAnyCpu);
    if (!elements_[index].certain) {
      SetCertain(index, true);
      walk_.MarkBorn(&elements_[index]);
    }
  }
  SetValue(index, value);
  order_.Unsettle(&elements_, index);
  Changed();
  Narrow();
}

void HashModel::SetValue(uint32_t index, const Bytes& value) {
  Bytes& stored = elements_[index].value;
  stored = value;
  attributes_.HideLock(&stored);
  if (!HasPadding(attributes_)) return open_.Close(index);
  open_.Close(index);
  if (!attributes_.traits.percpu_padding_kept) ClearPadding(attributes_, &stored);
  for (uint32_t cpu = 0; cpu < attributes_.possible_cpus && !attributes_.observed; ++cpu) {
    open_.OpenPadding(index, attributes_, cpu);
  }
}

void HashModel::UpdateByProgram(const Bytes& key, const Bytes& value, uint32_t cpu) {
  if (!attributes_.per_cpu()) return Update(key, value);
  uint32_t index = elements_.Find(key);
  const bool doubtful = IsDoubtful(key);
  Bytes whole(attributes_.buffer_size());
  if (index != ElementTable::kNone) whole = elements_[index].value;
  if (index != ElementTable::kNone && !doubtful) {
    PutOfCpu(attributes_, cpu, value, &elements_[index].value);
    return Changed();
  }
  PutOfCpu(attributes_, cpu, value, &whole);
  Update(key, whole);
  index = elements_.Find(key);
  const uint64_t stride = PerCpuStride(attributes_.value_size);
  for (uint32_t other = 0; other < attributes_.possible_cpus; ++other) {
    // A new element may stand where another one stood: its padding is nobody's promise.
    if (attributes_.traits.percpu_padding_kept) open_.OpenPadding(index, attributes_, other);
    // Whether the element was there, and keeps what it had, is not known.
    if (doubtful && other != cpu) open_.Open(index, attributes_, stride * other, stride);
  }
}

void HashModel::Store(const Bytes& key, const Bytes& value, uint32_t cpu) {
  const uint32_t index = elements_.Find(key);
  if (index == ElementTable::kNone) return;
  if (attributes_.per_cpu()) return PutOfCpu(attributes_, cpu, value, &elements_[index].value);
  elements_[index].value = value;
  attributes_.HideLock(&elements_[index].value);
}

void HashModel::Learn(const Bytes& key, const Bytes& got) {
  if (!attributes_.per_cpu()) return;
  const uint32_t index = elements_.Find(key);
  if (index == ElementTable::kNone) return;
  open_.Learn(index, 0, got, &elements_[index].value);
  // Under `documented` nothing says that padding stays what it was.
  for (uint32_t cpu = 0; cpu < attributes_.possible_cpus && !attributes_.observed; ++cpu) {
    open_.OpenPadding(index, attributes_, cpu);
  }
}

void HashModel::LearnOfCpu(const Bytes& key, const Bytes& got, uint32_t cpu) {
  if (!attributes_.per_cpu() || !KnowsCpu(attributes_, cpu)) return;
  const uint32_t index = elements_.Find(key);
  if (index == ElementTable::kNone) return;
  open_.Learn(index, PerCpuStride(attributes_.value_size) * cpu, got, &elements_[index].value);
}

bool HashModel::IsDoubtful(const Bytes& key) const {
  const uint32_t index = elements_.Find(key);
  return index != ElementTable::kNone && !elements_[index].certain;
}

Mismatch HashModel::CheckForEach(uint32_t limit, uint64_t visited, const BatchOutput& noted,
                                 uint32_t cpu) {
  const auto at_most = [&](uint64_t n) { return limit == 0 ? n : std::min<uint64_t>(limit, n); };
  const uint64_t least = std::max(certain(), elements_.size() - may_be_missing_);
  if (visited < at_most(least) || visited > at_most(possible())) {
    return {limit == 0 ? c_->for_each_visits : c_->for_each_stops,
            std::to_string(at_most(least)) + " elements visited",
            std::to_string(visited) + " visited"};
  }
  if (!NotesFit(noted, visited, attributes_.key_size, attributes_.value_size)) {
    return {c_->for_each_visits, "the elements visited to be noted",
            std::to_string(noted.count) + " noted"};
  }
  std::vector<Bytes> seen;
  for (uint32_t n = 0; n < noted.count; ++n) {
    const Bytes key = noted.keys.Slice(size_t{n} * attributes_.key_size, attributes_.key_size);
    const Bytes value =
        noted.values.Slice(size_t{n} * attributes_.value_size, attributes_.value_size);
    const uint32_t index = elements_.Find(key);
    const bool again = std::find(seen.begin(), seen.end(), key) != seen.end();
    if (index == ElementTable::kNone || again) {
      return {c_->for_each_visits, "each key of the map once",
              key.ToHex() + (again ? " again" : ", which is not in it")};
    }
    seen.push_back(key);
    Present(key);
    if (!KnowsCpu(attributes_, cpu)) continue;
    LearnOfCpu(key, value, cpu);
    const Bytes expected = attributes_.OfCpu(elements_[index].value, cpu);
    if (!(expected == value)) {
      return {attributes_.per_cpu() ? c_->for_each_own_slot : c_->for_each_visits,
              key.ToHex() + " -> " + expected.ToHex(), key.ToHex() + " -> " + value.ToHex()};
    }
  }
  return {};
}

void HashModel::Delete(const Bytes& key) {
  const uint32_t index = elements_.Find(key);
  if (index == ElementTable::kNone) return;
  Erase(index);
  Narrow();
}

void HashModel::Absent(const Bytes& key) {
  const uint32_t index = elements_.Find(key);
  if (index == ElementTable::kNone || elements_[index].certain) return;
  if (may_be_missing_ != 0) --may_be_missing_;
  evicted_ = true;
  Erase(index);
  Narrow();
}

void HashModel::Present(const Bytes& key) {
  const uint32_t index = elements_.Find(key);
  if (index == ElementTable::kNone || elements_[index].certain) return;
  SetCertain(index, true);
  Narrow();
}

Mismatch HashModel::CheckNextKey(const Bytes* key, const Bytes* next) {
  uint32_t from = IterationOrder::kStart;
  if (key != nullptr) {
    // An absent key counts as none: the walk restarts. A doubtful one may be absent.
    from = elements_.Find(*key);
    if (from != ElementTable::kNone && !elements_[from].certain) return {};
  }
  uint32_t to = IterationOrder::kEnd;
  if (next != nullptr) {
    to = elements_.Find(*next);
    if (to == ElementTable::kNone)
      return {c_->get_next_key_live_key, "a key of the map", next->ToHex()};
    Present(*next);
  }
  switch (order_.Observe(&elements_, from, to)) {
    case IterationOrder::Finding::kPossible:
      return {};
    case IterationOrder::Finding::kOrderChanged:
      return {attributes_.observed ? c_->get_next_key_stable_order : c_->get_next_key_walk,
              "the key that earlier answers leave to follow here",
              next == nullptr ? "ENOENT, the end" : next->ToHex()};
    case IterationOrder::Finding::kMissedKeys:
      return {c_->get_next_key_walk, "the walk to visit every key before it ends",
              "ENOENT, the end"};
  }
  return {};
}

void HashModel::Erase(uint32_t index) {
  order_.Removed(&elements_, index);
  last_deleted_ = elements_[index].key;
  open_.Close(index);
  if (!elements_[index].certain) --uncertain_;
  if (lru_) census_.Take(elements_[index]);
  elements_.Erase(index);
  Changed();
}

// Under `documented` nothing is promised of a walk during which the map changes.
void HashModel::Changed() {
  if (!attributes_.observed) order_.Forget(&elements_);
}

void HashModel::SetCertain(uint32_t index, bool certain) {
  ElementTable::Element& element = elements_[index];
  if (element.certain == certain) return;
  if (lru_) census_.Take(element);
  element.certain = certain;
  uncertain_ += certain ? -1 : 1;
  if (lru_) census_.Put(index, element);
}

void HashModel::SetList(uint32_t index, uint16_t cpu) {
  ElementTable::Element& element = elements_[index];
  if (element.cpu == cpu) return;
  if (lru_) census_.Take(element);
  element.cpu = cpu;
  if (lru_) census_.Put(index, element);
}

void HashModel::Doubt(uint32_t index) {
  if (!elements_[index].certain) return;
  SetCertain(index, false);
  // Where it stood, its neighbours may or may not have closed up.
  order_.Unsettle(&elements_, index);
}

}  // namespace mapspec
