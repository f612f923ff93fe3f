// SPDX-License-Identifier: MIT
#include "oracle/array_model.h"

#include <algorithm>
#include <cstring>

#include "oracle/clauses.gen.h"
#include "oracle/cpu_flags.h"
#include "oracle/limits.h"

namespace mapspec {

Expectation ArrayModel::ExpectCreate(const MapCreate& create, const Traits& traits,
                                     uint32_t possible_cpus) {
  const ArrayClauses& c = ArrayClausesOf(create.type);
  const bool per_cpu = IsPerCpu(create.type);
  uint32_t flags =
      BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY | BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG;
  if (!per_cpu) flags |= BPF_F_MMAPABLE | BPF_F_INNER_MAP;
  if (create.max_entries == 0) return Expectation::Fails(Errno::kEINVAL, c.create_zero_sizes);
  if (create.key_size != 4) return Expectation::Fails(Errno::kEINVAL, c.create_key_size);
  if (create.value_size == 0) return Expectation::Fails(Errno::kEINVAL, c.create_zero_sizes);
  if ((create.map_flags & ~flags) != 0) return Expectation::Fails(Errno::kEINVAL, c.create_flags);
  if (BothAccessFlags(create.map_flags)) {
    return Expectation::Fails(Errno::kEINVAL, clause::generic::create_rdonly_prog_wronly_prog);
  }
  if (per_cpu && AsksForNode(create)) return Expectation::Fails(Errno::kEINVAL, c.create_numa_node);
  const bool slot_too_large = per_cpu && create.value_size > kPerCpuMaxSize;
  if (create.value_size > kIntMax || slot_too_large)
    return Expectation::Fails(Errno::kE2BIG, c.create_value_too_large);
  if (!traits.array_large_values && create.value_size > kKmallocMaxSize) {
    return Expectation::Fails(Errno::kE2BIG, c.create_large_values_refused);
  }
  const uint64_t bytes =
      PerCpuStride(create.value_size) * (per_cpu ? possible_cpus : 1) * create.max_entries;
  Expectation expected = bytes > kImpossibleAllocation
                             ? Expectation::Fails(Errno::kENOMEM, clause::generic::create_no_memory)
                             : Expectation::Succeeds(c.create_any_value_size);
  if (IsLarge(bytes)) {
    expected.OrFails(Errno::kENOMEM, clause::generic::create_no_memory)
        .OrFails(Errno::kE2BIG, clause::generic::create_no_memory);
  }
  return expected.Also(c.create_inner_map_flag, (create.map_flags & BPF_F_INNER_MAP) != 0)
      .Also(c.create_mmapable, (create.map_flags & BPF_F_MMAPABLE) != 0)
      .Also(c.create_large_values, create.value_size > kKmallocMaxSize);
}

Expectation ArrayModel::ExpectLookup(const Bytes& key, uint64_t flags) {
  const uint64_t index = key.ToNumber();
  if (index >= attributes_.max_entries)
    return Expectation::Fails(Errno::kENOENT, c_->lookup_out_of_range);
  const uint64_t offset = index * stride();
  const bool never_written = offset / kChunk >= memory_.size() || memory_[offset / kChunk].empty();
  scratch_ = Load(offset, attributes_.buffer_size());
  return Expectation::SucceedsWith(never_written ? c_->create_zero_initialised : c_->lookup_present,
                                   scratch_)
      .Also(c_->lookup_present)
      .Also(c_->lookup_lock, (flags & BPF_F_LOCK) != 0);
}

Expectation ArrayModel::ExpectProgramLookup(const Bytes& key, uint32_t cpu) {
  Expectation expected = ExpectLookup(key, 0);
  if (!attributes_.per_cpu() || expected.output == nullptr) return expected;
  if (KnowsCpu(attributes_, cpu)) {
    scratch_ = attributes_.OfCpu(scratch_, cpu);
    expected.output_clause = c_->program_own_slot;
  } else {
    expected.output = nullptr;
  }
  return expected;
}

Expectation ArrayModel::ExpectUpdate(const Bytes& key, uint64_t flags) const {
  const uint64_t how = flags & ~BPF_F_LOCK;
  const bool out_of_range = key.ToNumber() >= attributes_.max_entries;
  if (how > BPF_EXIST) {
    return Expectation::Fails(Errno::kEINVAL, c_->update_flags)
        .Also(c_->update_flags_first, out_of_range);
  }
  if (out_of_range) return Expectation::Fails(Errno::kE2BIG, c_->update_out_of_range);
  if (how == BPF_NOEXIST) {
    return Expectation::Fails(Errno::kEEXIST, c_->update_noexist)
        .Also(c_->update_lock_noexist, (flags & BPF_F_LOCK) != 0);
  }
  return Expectation::Succeeds(c_->update_replaces)
      .Also(c_->update_lock, (flags & BPF_F_LOCK) != 0);
}

Expectation ArrayModel::ExpectDelete() const {
  return Expectation::Fails(Errno::kEINVAL, c_->delete_refused);
}

Expectation ArrayModel::ExpectLookupAndDelete() const {
  return Expectation::Fails(Errno::kENOTSUPP, c_->lookup_and_delete_unsupported,
                            c_->lookup_and_delete_unsupported_errno);
}

uint64_t ArrayModel::After(const Bytes* key) const {
  if (key == nullptr || key->ToNumber() >= attributes_.max_entries) return 0;
  return key->ToNumber() + 1;
}

Expectation ArrayModel::ExpectGetNextKey(const Bytes* key) {
  const uint64_t next = After(key);
  if (next == attributes_.max_entries) {
    return Expectation::Fails(Errno::kENOENT, c_->get_next_key_last_key);
  }
  scratch_ = Bytes::LittleEndian(next, 4);
  return Expectation::SucceedsWith(key == nullptr ? c_->get_next_key_null_key
                                   : next == 0    ? c_->get_next_key_out_of_range
                                                  : c_->get_next_key_successor,
                                   scratch_);
}

Expectation ArrayModel::ExpectLookupBatch(const LookupBatch& batch, const Bytes* in_batch) {
  const bool cpu_flags = TakesCpuFlags(attributes_) && (batch.elem_flags & kCpuFlags) != 0;
  if (cpu_flags) {
    Expectation flags =
        ExpectCpuElemFlags(attributes_, batch.elem_flags, false, *c_, c_->lookup_batch_elem_flags);
    if (!flags.AllowsSuccess()) return flags;
  } else if ((batch.elem_flags & ~BPF_F_LOCK) != 0 ||
             ((batch.elem_flags & BPF_F_LOCK) != 0 && !attributes_.has_lock())) {
    return Expectation::Fails(Errno::kEINVAL, c_->lookup_batch_elem_flags);
  }
  if (batch.count == 0) return Expectation::Succeeds(c_->lookup_batch_count_zero);
  if (batch.start == LookupBatch::Start::kBad) {
    return Expectation::Fails(Errno::kEFAULT, c_->lookup_batch_bad_pointer);
  }
  const uint64_t first = After(in_batch);
  const uint64_t left = attributes_.max_entries - first;
  if (left == 0) {
    return Expectation::Fails(Errno::kENOENT, c_->lookup_batch_end)
        .Also(c_->lookup_batch_end_not_foreseen)
        .Also(c_->lookup_batch_walk);
  }
  if (batch.keys != Pointer::kValid || batch.values != Pointer::kValid) {
    return Expectation::Fails(Errno::kEFAULT, c_->lookup_batch_bad_pointer);
  }
  if (batch.out_batch != Pointer::kValid) {
    return Expectation::Fails(Errno::kEFAULT, c_->lookup_batch_bad_out_batch);
  }
  Expectation expected = batch.count > left
                             ? Expectation::Fails(Errno::kENOENT, c_->lookup_batch_end)
                             : Expectation::Succeeds(c_->lookup_batch_walk);
  return expected.Also(c_->lookup_batch_flags_ignored, batch.flags != 0)
      .Also(c_->lookup_batch_lock, (batch.elem_flags & BPF_F_LOCK) != 0)
      .Also(c_->lookup_batch_one_cpu, cpu_flags)
      .Also(c_->lookup_batch_end_not_foreseen, batch.count == left)
      .Also(c_->lookup_batch_walk)
      .Also(c_->lookup_batch_ascending)
      .Also(c_->lookup_batch_rest_untouched)
      .Also(c_->lookup_batch_token);
}

Mismatch ArrayModel::CheckLookupBatch(const LookupBatch& batch, const Bytes* in_batch,
                                      const Outcome& outcome, const BatchOutput& output) {
  if (batch.count == 0) return {};
  const uint64_t first = After(in_batch);
  const uint64_t wanted = std::min<uint64_t>(batch.count, attributes_.max_entries - first);
  const auto count_is = [&](ClauseId clause, uint64_t count) {
    return Mismatch{clause, "count " + std::to_string(count),
                    "count " + std::to_string(output.count)};
  };
  if (outcome.error == Errno::kEFAULT) {
    const bool only_token = batch.start != LookupBatch::Start::kBad &&
                            batch.keys == Pointer::kValid && batch.values == Pointer::kValid;
    if (!only_token && output.count != 0) return count_is(c_->lookup_batch_bad_pointer, 0);
    if (batch.start == LookupBatch::Start::kBad && !Untouched(output)) {
      return {c_->lookup_batch_bad_pointer, "buffers untouched", "bytes were written"};
    }
    if (!only_token) return {};
    // The elements are given and counted before the token cannot be written.
    if (output.count != wanted) return count_is(c_->lookup_batch_bad_out_batch, wanted);
  }
  const size_t size = ValueSizeWith(attributes_, batch.elem_flags);
  if (output.count != wanted || wanted * 4 > output.keys.size() ||
      wanted * size > output.values.size()) {
    return count_is(
        outcome.error == Errno::kENOENT ? c_->lookup_batch_end : c_->lookup_batch_ascending,
        wanted);
  }
  for (uint64_t n = 0; n < wanted; ++n) {
    const Bytes key = Bytes::LittleEndian(first + n, 4);
    const Bytes got_key = output.keys.Slice(n * 4, 4);
    const Bytes got_value = output.values.Slice(n * size, size);
    if (!NamesCpu(attributes_, batch.elem_flags)) Learn(key, got_value);
    const Bytes value = ValueWith(attributes_, batch.elem_flags,
                                  Load((first + n) * stride(), attributes_.buffer_size()));
    if (got_key == key && got_value == value) continue;
    const bool padding = got_key == key && OnlyPaddingDiffers(attributes_, got_value, value);
    return {padding          ? PaddingClause(*c_, attributes_.traits)
            : got_key == key ? c_->lookup_batch_walk
                             : c_->lookup_batch_ascending,
            "element " + std::to_string(n) + ": " + key.ToHex() + " -> " + value.ToHex(),
            got_key.ToHex() + " -> " + got_value.ToHex()};
  }
  if (!UntouchedFrom(output.keys, wanted * 4) || !UntouchedFrom(output.values, wanted * size)) {
    return {c_->lookup_batch_rest_untouched, "buffers untouched behind the elements given",
            "bytes were written there"};
  }
  if (batch.out_batch != Pointer::kValid) return {};
  const Bytes token = wanted == 0 ? Poison(4) : Bytes::LittleEndian(first + wanted - 1, 4);
  if (!(output.out_batch == token)) {
    return {c_->lookup_batch_token, wanted == 0 ? "out_batch untouched" : token.ToHex(),
            output.out_batch.ToHex()};
  }
  return {};
}

Mismatch ArrayModel::CheckForEach(uint32_t limit, uint64_t visited, const BatchOutput& noted,
                                  uint32_t cpu) const {
  const uint64_t wanted =
      limit == 0 ? attributes_.max_entries : std::min(limit, attributes_.max_entries);
  if (visited != wanted) {
    return {limit == 0 ? c_->for_each_visits : c_->for_each_stops,
            std::to_string(wanted) + " elements visited", std::to_string(visited) + " visited"};
  }
  if (!NotesFit(noted, visited, 4, attributes_.value_size)) {
    return {c_->for_each_visits, "the elements visited to be noted",
            std::to_string(noted.count) + " noted"};
  }
  for (uint32_t n = 0; n < noted.count; ++n) {
    const Bytes got_key = noted.keys.Slice(size_t{n} * 4, 4);
    const Bytes got_value =
        noted.values.Slice(size_t{n} * attributes_.value_size, attributes_.value_size);
    const Bytes key = Bytes::LittleEndian(n, 4);
    const bool known = KnowsCpu(attributes_, cpu);
    const Bytes value =
        known ? attributes_.OfCpu(Load(n * stride(), attributes_.buffer_size()), cpu) : got_value;
    if (got_key == key && got_value == value) continue;
    return {got_key != key          ? c_->for_each_ascending
            : attributes_.per_cpu() ? c_->for_each_own_slot
                                    : c_->for_each_visits,
            key.ToHex() + " -> " + value.ToHex(), got_key.ToHex() + " -> " + got_value.ToHex()};
  }
  return {};
}

void ArrayModel::Update(const Bytes& key, const Bytes& value) {
  Bytes stored = value;
  attributes_.HideLock(&stored);
  if (!attributes_.traits.percpu_padding_kept) ClearPadding(attributes_, &stored);
  Store(key.ToNumber() * stride(), stored);
}

void ArrayModel::UpdateByProgram(const Bytes& key, const Bytes& value, uint32_t cpu) {
  if (!attributes_.per_cpu()) return Update(key, value);
  Store(key.ToNumber() * stride() + PerCpuStride(attributes_.value_size) * cpu, value);
}

void ArrayModel::Learn(const Bytes& key, const Bytes& got) {
  // Under `documented` nothing is said of padding.
  if (attributes_.observed || !HasPadding(attributes_)) return;
  const uint64_t index = key.ToNumber();
  if (index >= attributes_.max_entries) return;
  Bytes value = Load(index * stride(), attributes_.buffer_size());
  CopyPadding(attributes_, got, &value);
  Store(index * stride(), value);
  if (scratch_.size() == value.size()) scratch_ = value;
}

uint64_t ArrayModel::mapped_size() const {
  const uint64_t page = attributes_.page_size;
  return (stride() * attributes_.max_entries + page - 1) / page * page;
}

Bytes ArrayModel::Load(uint64_t offset, uint64_t length) const {
  Bytes bytes(length);
  for (uint64_t done = 0; done < length;) {
    const uint64_t chunk = (offset + done) / kChunk;
    const uint64_t at = (offset + done) % kChunk;
    const uint64_t part = std::min(length - done, kChunk - at);
    if (chunk < memory_.size() && !memory_[chunk].empty()) {
      std::memcpy(bytes.data() + done, memory_[chunk].data() + at, part);
    }
    done += part;
  }
  return bytes;
}

void ArrayModel::Store(uint64_t offset, const Bytes& bytes) {
  for (uint64_t done = 0; done < bytes.size();) {
    const uint64_t chunk = (offset + done) / kChunk;
    const uint64_t at = (offset + done) % kChunk;
    const uint64_t part = std::min<uint64_t>(bytes.size() - done, kChunk - at);
    if (chunk >= memory_.size()) memory_.resize(chunk + 1);
    if (memory_[chunk].empty()) memory_[chunk].resize(kChunk);
    std::memcpy(memory_[chunk].data() + at, bytes.data() + done, part);
    done += part;
  }
}

}  // namespace mapspec
