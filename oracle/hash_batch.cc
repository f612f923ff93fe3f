// SPDX-License-Identifier: MIT
//
// BPF_MAP_LOOKUP_BATCH and BPF_MAP_LOOKUP_AND_DELETE_BATCH of the hash model.
//
// A hash returns its elements a bucket at a time, and which keys share a bucket is its own
// business. What can be said without knowing: a page holds only live elements that no earlier page
// of the walk held; a page that ends the walk (ENOENT) leaves nothing owed; a page that does not
// end it (0, or ENOSPC when it is empty) was cut because the next bucket did not fit, so more must
// remain than `count`.
#include "oracle/clauses.gen.h"
#include "oracle/cpu_flags.h"
#include "oracle/hash_model.h"
#include "oracle/limits.h"

namespace mapspec {

HashModel::Remaining HashModel::RemainingAfter(const Bytes* in_batch) const {
  Remaining remaining;
  remaining.followed = in_batch == nullptr || walk_.Continues(*in_batch);
  if (in_batch == nullptr) {
    remaining.owed = certain();
    remaining.possible = possible();
  } else if (remaining.followed) {
    elements_.ForEach([&](uint32_t i) {
      if (walk_.Owed(elements_[i])) ++remaining.owed;
      if (!walk_.Returned(elements_[i])) ++remaining.possible;
    });
  } else {
    remaining.possible = possible();
  }
  return remaining;
}

Expectation HashModel::ExpectLookupBatch(const LookupBatch& batch, const Bytes* in_batch) const {
  const bool cpu_flags =
      !batch.and_delete && TakesCpuFlags(attributes_) && (batch.elem_flags & kCpuFlags) != 0;
  if (cpu_flags) {
    Expectation flags =
        ExpectCpuElemFlags(attributes_, batch.elem_flags, false, *c_, c_->lookup_batch_elem_flags);
    if (!flags.AllowsSuccess()) return flags;
  } else if ((batch.elem_flags & ~BPF_F_LOCK) != 0 ||
             ((batch.elem_flags & BPF_F_LOCK) != 0 && !attributes_.has_lock())) {
    return Expectation::Fails(Errno::kEINVAL, c_->lookup_batch_elem_flags);
  }
  if (batch.flags != 0) return Expectation::Fails(Errno::kEINVAL, c_->lookup_batch_flags);
  if (batch.count == 0) return Expectation::Succeeds(c_->lookup_batch_count_zero);
  const ClauseId fault = c_->lookup_batch_bad_pointer;
  const ClauseId no_room = batch.and_delete ? c_->lookup_and_delete_batch_bucket_too_large
                                            : c_->lookup_batch_bucket_too_large;
  if (batch.start == LookupBatch::Start::kBad) return Expectation::Fails(Errno::kEFAULT, fault);

  const Remaining remaining = RemainingAfter(in_batch);
  const bool cannot_write_elements =
      batch.keys != Pointer::kValid || batch.values != Pointer::kValid;
  const bool cannot_write_token = batch.out_batch != Pointer::kValid;
  const bool may_be_cut = remaining.possible > batch.count;
  Expectation expected;
  if (!remaining.followed) {
    // A token from elsewhere: behind the last bucket, or any bucket.
    expected = Expectation::Fails(Errno::kENOENT, c_->lookup_batch_end);
    if (TokenOutside(*in_batch)) return expected.Also(c_->lookup_batch_token_outside);
    if (cannot_write_elements || cannot_write_token) expected.OrFails(Errno::kEFAULT, fault);
    if (may_be_cut) {
      if (cannot_write_elements || cannot_write_token)
        return expected.OrFails(Errno::kENOSPC, no_room);
      expected.OrSucceeds(c_->lookup_batch_success_means_more).OrFails(Errno::kENOSPC, no_room);
    }
    return expected;
  }
  if (cannot_write_token) {
    // Whatever a page ends with, its token cannot be written.
    return Expectation::Fails(Errno::kEFAULT, fault)
        .Also(c_->lookup_and_delete_batch_bad_pointer_loses, batch.and_delete);
  }
  if (remaining.possible == 0) return Expectation::Fails(Errno::kENOENT, c_->lookup_batch_end);
  if (cannot_write_elements) {
    expected = Expectation::Fails(Errno::kEFAULT, fault);
    if (may_be_cut) expected.OrFails(Errno::kENOSPC, no_room);
    if (remaining.owed == 0) expected.OrFails(Errno::kENOENT, c_->lookup_batch_end);
    return expected.Also(c_->lookup_and_delete_batch_bad_pointer_loses, batch.and_delete);
  }
  if (may_be_cut) {
    expected =
        Expectation::Succeeds(c_->lookup_batch_success_means_more).OrFails(Errno::kENOSPC, no_room);
    if (remaining.owed <= batch.count) expected.OrFails(Errno::kENOENT, c_->lookup_batch_end);
  } else {
    expected = Expectation::Fails(Errno::kENOENT, c_->lookup_batch_end);
  }
  return expected.Also(c_->evict_never_more, elements_.size() > attributes_.max_entries)
      .Also(c_->lookup_batch_walk)
      .Also(batch.and_delete ? c_->lookup_and_delete_batch_takes : c_->lookup_batch_keeps_elements)
      .Also(c_->lookup_batch_lock, (batch.elem_flags & BPF_F_LOCK) != 0)
      .Also(c_->lookup_batch_one_cpu, cpu_flags)
      .Also(c_->lookup_batch_end_count)
      .Also(c_->lookup_batch_rest_untouched)
      .Also(c_->lookup_batch_token);
}

// Buckets are max_entries rounded up to a power of two, and tokens count them.
bool HashModel::TokenOutside(const Bytes& token) const {
  uint64_t buckets = 1;
  while (buckets < attributes_.max_entries) buckets *= 2;
  return (token.ToNumber() & 0xffffffff) >= buckets;
}

Mismatch HashModel::CheckLookupBatch(const LookupBatch& batch, const Bytes* in_batch,
                                     const Outcome& outcome, const BatchOutput& output) {
  if (batch.count == 0) return {};
  const ClauseId fault = c_->lookup_batch_bad_pointer;
  const auto count_is = [&](ClauseId clause, std::string wanted) {
    return Mismatch{clause, std::move(wanted), "count " + std::to_string(output.count)};
  };
  if (outcome.error == Errno::kEFAULT) {
    if (batch.and_delete) {
      elements_.ForEach([&](uint32_t i) { Doubt(i); });
      may_be_missing_ = uncertain_;
      Changed();
    }
    walk_.Close();
    if (output.count != 0) return count_is(fault, "count 0");
    if (batch.start != LookupBatch::Start::kBad || Untouched(output)) return {};
    return {fault, "buffers untouched", "bytes were written"};
  }
  const Remaining remaining = RemainingAfter(in_batch);
  if (outcome.error == Errno::kENOENT && !remaining.followed && TokenOutside(*in_batch)) {
    if (output.count != 0) return count_is(c_->lookup_batch_token_outside, "count 0");
    if (Untouched(output)) return {};
    return {c_->lookup_batch_token_outside, "buffers untouched", "bytes were written"};
  }
  if (output.count > batch.count ||
      uint64_t{output.count} * attributes_.key_size > output.keys.size() ||
      output.count * ValueSizeWith(attributes_, batch.elem_flags) > output.values.size()) {
    return count_is(c_->lookup_batch_end_count, "count at most " + std::to_string(batch.count));
  }
  if (outcome.error == Errno::kNone && output.count == 0) {
    return count_is(c_->lookup_batch_success_means_more, "at least one element");
  }
  if (outcome.error == Errno::kENOSPC && output.count != 0) {
    return count_is(c_->lookup_batch_bucket_too_large, "count 0");
  }
  // A walk that is not followed is begun anew, only to notice an element that one page gives twice.
  if (in_batch == nullptr || !remaining.followed) walk_.Begin();
  for (uint32_t n = 0; n < output.count; ++n) {
    const Bytes key = output.keys.Slice(uint64_t{n} * attributes_.key_size, attributes_.key_size);
    const size_t size = ValueSizeWith(attributes_, batch.elem_flags);
    const Bytes value = output.values.Slice(n * size, size);
    const std::string place = "element " + std::to_string(n) + ": ";
    const uint32_t index = elements_.Find(key);
    if (index == ElementTable::kNone) {
      return {c_->lookup_batch_walk, place + "a key of the map", key.ToHex()};
    }
    ElementTable::Element& element = elements_[index];
    if (walk_.Returned(element)) {
      return {c_->lookup_batch_walk, place + "a key that was not given before", key.ToHex()};
    }
    if (NamesCpu(attributes_, batch.elem_flags)) {
      LearnOfCpu(key, value, CpuIn(batch.elem_flags));
      const Bytes expected = ValueWith(attributes_, batch.elem_flags, element.value);
      if (!(expected == value)) {
        return {c_->lookup_batch_one_cpu, place + "value " + expected.ToHex(), value.ToHex()};
      }
    } else {
      Learn(key, value);
    }
    if (!NamesCpu(attributes_, batch.elem_flags) && !(element.value == value)) {
      const bool padding = OnlyPaddingDiffers(attributes_, element.value, value);
      return {padding ? PaddingClause(*c_, attributes_.traits) : c_->lookup_batch_walk,
              place + "value " + element.value.ToHex(), value.ToHex()};
    }
    Present(key);
    walk_.MarkReturned(&element);
    if (batch.and_delete) Erase(index);
  }
  if (!UntouchedFrom(output.keys, uint64_t{output.count} * attributes_.key_size) ||
      !UntouchedFrom(output.values, output.count * ValueSizeWith(attributes_, batch.elem_flags))) {
    return {c_->lookup_batch_rest_untouched, "buffers untouched behind the elements given",
            "bytes were written there"};
  }
  if (outcome.error == Errno::kENOENT && remaining.followed && output.count < remaining.owed) {
    return count_is(c_->lookup_batch_walk, "all " + std::to_string(remaining.owed) +
                                               " elements that are left before the walk ends");
  }
  if (!UntouchedFrom(output.out_batch, 4)) {
    return {c_->lookup_batch_token, "a token of four bytes", output.out_batch.ToHex()};
  }
  if (remaining.followed && outcome.error != Errno::kENOENT) {
    walk_.Open(output.out_batch);
  } else {
    walk_.Close();
  }
  return {};
}

}  // namespace mapspec
