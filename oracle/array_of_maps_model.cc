// SPDX-License-Identifier: MIT
#include "oracle/array_of_maps_model.h"

#include <string>

#include "oracle/clauses.gen.h"
#include "oracle/limits.h"

namespace mapspec {

using C = clause::array_of_maps;

Expectation ArrayOfMapsModel::ExpectCreate(const MapCreate& create) {
  constexpr uint32_t kFlags = BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY;
  if (create.key_size != 4) return Expectation::Fails(Errno::kEINVAL, C::create_key_size);
  if (create.value_size != 4) return Expectation::Fails(Errno::kEINVAL, C::create_value_size);
  if (create.max_entries == 0) return Expectation::Fails(Errno::kEINVAL, C::create_zero_sizes);
  if ((create.map_flags & ~kFlags) != 0) return Expectation::Fails(Errno::kEINVAL, C::create_flags);
  Expectation expected = Expectation::Succeeds(C::create_creates);
  if (IsLarge(uint64_t{8} * create.max_entries)) {
    expected.OrFails(Errno::kENOMEM, clause::generic::create_no_memory);
  }
  return expected;
}

Expectation ArrayOfMapsModel::ExpectLookup(const Bytes& key) const {
  if (key.ToNumber() >= attributes_.max_entries) {
    return Expectation::Fails(Errno::kENOENT, C::lookup_out_of_range);
  }
  const auto slot = slots_.find(key.ToNumber());
  if (slot == slots_.end()) return Expectation::Fails(Errno::kENOENT, C::lookup_absent);
  return Expectation::SucceedsWith(C::lookup_present, slot->second);
}

Expectation ArrayOfMapsModel::ExpectUpdate(const Bytes& key, uint64_t flags) const {
  const bool out_of_range = key.ToNumber() >= attributes_.max_entries;
  if (flags != BPF_ANY) {
    return Expectation::Fails(Errno::kEINVAL, C::update_flags)
        .Also(C::update_flags_first, out_of_range);
  }
  if (out_of_range) return Expectation::Fails(Errno::kE2BIG, C::update_out_of_range);
  return Expectation::Succeeds(slots_.contains(key.ToNumber()) ? C::update_any_replaces
                                                               : C::update_any_creates);
}

Expectation ArrayOfMapsModel::ExpectDelete(const Bytes& key) const {
  if (key.ToNumber() >= attributes_.max_entries) {
    return Expectation::Fails(Errno::kE2BIG, C::delete_out_of_range);
  }
  return slots_.contains(key.ToNumber()) ? Expectation::Succeeds(C::delete_present)
                                         : Expectation::Fails(Errno::kENOENT, C::delete_absent);
}

Expectation ArrayOfMapsModel::ExpectLookupAndDelete() const {
  return Expectation::Fails(Errno::kENOTSUPP, C::lookup_and_delete_unsupported);
}

uint64_t ArrayOfMapsModel::After(const Bytes* key) const {
  if (key == nullptr || key->ToNumber() >= attributes_.max_entries) return 0;
  return key->ToNumber() + 1;
}

Expectation ArrayOfMapsModel::ExpectGetNextKey(const Bytes* key) {
  const uint64_t next = After(key);
  if (next == attributes_.max_entries) {
    return Expectation::Fails(Errno::kENOENT, C::get_next_key_last_key);
  }
  scratch_ = Bytes::LittleEndian(next, 4);
  return Expectation::SucceedsWith(key == nullptr ? C::get_next_key_null_key
                                   : next == 0    ? C::get_next_key_out_of_range
                                                  : C::get_next_key_successor,
                                   scratch_)
      .Also(C::get_next_key_empty_slots, !slots_.contains(next));
}

ArrayOfMapsModel::Page ArrayOfMapsModel::PageAfter(const Bytes* in_batch, uint32_t count) const {
  Page page;
  page.first = After(in_batch);
  page.end = true;
  page.last = uint64_t{attributes_.max_entries} - 1;
  for (auto slot = slots_.lower_bound(page.first); slot != slots_.end(); ++slot) {
    if (++page.count < count) continue;
    page.end = false;
    page.last = slot->first;
    break;
  }
  return page;
}

Expectation ArrayOfMapsModel::ExpectLookupBatch(const LookupBatch& batch,
                                                const Bytes* in_batch) const {
  if (batch.elem_flags != 0) return Expectation::Fails(Errno::kEINVAL, C::lookup_batch_elem_flags);
  if (batch.count == 0) return Expectation::Succeeds(C::lookup_batch_count_zero);
  if (batch.start == LookupBatch::Start::kBad) {
    return Expectation::Fails(Errno::kEFAULT, C::lookup_batch_bad_pointer);
  }
  const Page page = PageAfter(in_batch, batch.count);
  if (page.count != 0 && (batch.keys != Pointer::kValid || batch.values != Pointer::kValid)) {
    return Expectation::Fails(Errno::kEFAULT, C::lookup_batch_bad_pointer);
  }
  if (page.count != 0 && batch.out_batch != Pointer::kValid) {
    return Expectation::Fails(Errno::kEFAULT, C::lookup_batch_bad_out_batch);
  }
  return (page.end ? Expectation::Fails(Errno::kENOENT, C::lookup_batch_end)
                   : Expectation::Succeeds(C::lookup_batch_walk))
      .Also(C::lookup_batch_walk)
      .Also(C::lookup_batch_skips_empty, page.count != page.last - page.first + 1)
      .Also(C::lookup_batch_flags_ignored, batch.flags != 0)
      .Also(C::lookup_batch_rest_untouched)
      .Also(C::lookup_batch_token);
}

Mismatch ArrayOfMapsModel::CheckLookupBatch(const LookupBatch& batch, const Bytes* in_batch,
                                            const Outcome& outcome,
                                            const BatchOutput& output) const {
  if (batch.count == 0) return {};
  const Page page = PageAfter(in_batch, batch.count);
  const auto count_is = [&](ClauseId clause, uint64_t count) {
    return Mismatch{clause, "count " + std::to_string(count),
                    "count " + std::to_string(output.count)};
  };
  if (outcome.error == Errno::kEFAULT) {
    const bool only_token = batch.start != LookupBatch::Start::kBad &&
                            batch.keys == Pointer::kValid && batch.values == Pointer::kValid;
    if (!only_token && output.count != 0) return count_is(C::lookup_batch_bad_pointer, 0);
    if (batch.start == LookupBatch::Start::kBad && !Untouched(output)) {
      return {C::lookup_batch_bad_pointer, "buffers untouched", "bytes were written"};
    }
    if (!only_token) return {};
    // The elements are given and counted before the token cannot be written.
    if (output.count != page.count) return count_is(C::lookup_batch_bad_out_batch, page.count);
  }
  if (page.count == 0) {
    if (output.count != 0) return count_is(C::lookup_batch_end, 0);
    if (Untouched(output)) return {};
    return {C::lookup_batch_token, "buffers untouched, as there is nothing to give",
            "bytes were written"};
  }
  if (output.count != page.count || page.count * 4 > output.keys.size() ||
      page.count * 4 > output.values.size()) {
    return count_is(page.end ? C::lookup_batch_end : C::lookup_batch_walk, page.count);
  }
  auto slot = slots_.lower_bound(page.first);
  for (uint64_t n = 0; n < page.count; ++n, ++slot) {
    const Bytes key = Bytes::LittleEndian(slot->first, 4);
    const Bytes got_key = output.keys.Slice(n * 4, 4);
    const std::string place = "element " + std::to_string(n) + ": ";
    if (!(got_key == key)) return {C::lookup_batch_walk, place + key.ToHex(), got_key.ToHex()};
    if (!(output.values.Slice(n * 4, 4) == slot->second)) {
      return {C::lookup_batch_walk, place + "the id of the map that is in slot " + key.ToHex(),
              "another number"};
    }
  }
  if (!UntouchedFrom(output.keys, page.count * 4) ||
      !UntouchedFrom(output.values, page.count * 4)) {
    return {C::lookup_batch_rest_untouched, "buffers untouched behind the elements given",
            "bytes were written there"};
  }
  if (batch.out_batch != Pointer::kValid) return {};
  const Bytes token = Bytes::LittleEndian(page.last, 4);
  if (output.out_batch == token) return {};
  return {C::lookup_batch_token, token.ToHex(), output.out_batch.ToHex()};
}

void ArrayOfMapsModel::Update(const Bytes& key, const Bytes& value) {
  slots_[key.ToNumber()] = value;
}

void ArrayOfMapsModel::Delete(const Bytes& key) { slots_.erase(key.ToNumber()); }

}  // namespace mapspec
