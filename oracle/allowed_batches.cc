// SPDX-License-Identifier: MIT
//
// Of AllowedProber: outcomes of batches and of walks over the elements.
#include <algorithm>
#include <type_traits>

#include "oracle/allowed_prober.h"

namespace mapspec {
namespace {

constexpr uint32_t kMaxCounts = 64;

BytePattern Exactly(Bytes bytes) { return {std::move(bytes), {}}; }

// The first elements, and poison behind them.
BatchOutput OutputOf(std::span<const AllowedElement> elements, const BatchOutput& shape) {
  BatchOutput output;
  output.count = static_cast<uint32_t>(elements.size());
  output.out_batch = Poison(shape.out_batch.size());
  output.keys = Poison(shape.keys.size());
  output.values = Poison(shape.values.size());
  size_t key = 0, value = 0;
  for (const AllowedElement& element : elements) {
    for (size_t i = 0; i < element.key.size() && key < output.keys.size(); ++i) {
      output.keys[key++] = element.key[i];
    }
    for (size_t i = 0; i < element.value.bytes.size() && value < output.values.size(); ++i) {
      output.values[value++] = element.value.bytes[i];
    }
  }
  return output;
}

}  // namespace

void AllowedProber::AddBatches(Errno error, std::vector<AllowedOutcome>* found) {
  const BatchOutput& shape = *std::get<Boxed<BatchOutput>>(question_.seen.output);
  uint32_t asked = 0;
  std::visit(
      [&](const auto& op) {
        if constexpr (requires { op.count; }) asked = op.count;
      },
      question_.operation.call);
  std::set<uint32_t> counts = {asked, shape.count};
  for (uint32_t i = 0; i <= std::min(asked, kMaxCounts); ++i) counts.insert(i);
  Outcome outcome;
  outcome.error = error;
  for (const uint32_t count : counts) {
    BatchOutput output = OutputOf({}, shape);
    output.count = count;
    outcome.output = Boxed<BatchOutput>(output);
    if (!Takes(outcome)) continue;
    AllowedOutcome allowed;
    allowed.errors = {error};
    allowed.count = count;
    // Whether anything may stand in the buffers.
    BatchOutput garbage = output;
    for (Bytes* bytes : {&garbage.out_batch, &garbage.keys, &garbage.values}) {
      *bytes = Flipped(*bytes);
    }
    outcome.output = Boxed<BatchOutput>(garbage);
    const bool written = !shape.out_batch.empty() || !shape.keys.empty() || !shape.values.empty();
    if (written && !Takes(outcome)) {
      allowed.buffers = AllowedOutcome::Buffers{Exactly(output.out_batch), Exactly(output.keys),
                                                Exactly(output.values)};
      // A token of four bytes may stand there all the same.
      BatchOutput token = output;
      for (size_t i = 0; i < std::min<size_t>(4, token.out_batch.size()); ++i) {
        token.out_batch[i] = kFlip;
      }
      outcome.output = Boxed<BatchOutput>(token);
      if (!token.out_batch.empty() && Takes(outcome)) {
        Bytes& mask = allowed.buffers->out_batch.mask;
        mask = Bytes(token.out_batch.size(), 0xff);
        for (size_t i = 0; i < std::min<size_t>(4, mask.size()); ++i) mask[i] = 0;
      }
    }
    Put(std::move(allowed), found);
  }
}

std::vector<AllowedElement> AllowedProber::Elements(Handle map) {
  std::vector<AllowedElement> elements;
  std::vector<Bytes> keys = Pieces(buffers_, question_.key_size);
  for (uint32_t i = 0; question_.key_size == 4 && i < kMaxCounts; ++i) {
    keys.push_back(Bytes::LittleEndian(i, 4));
  }
  std::sort(keys.begin(), keys.end(), [](const Bytes& a, const Bytes& b) {
    return a.size() == 4 ? a.ToNumber() < b.ToNumber() : a < b;
  });
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  Operation look = question_.operation;
  for (const Bytes& key : keys) {
    if (std::holds_alternative<HelperForEach>(question_.operation.call)) {
      look.call = HelperLookup{map, key, false, {}, false};
    } else {
      look.call = Lookup{.map = map, .key = {Pointer::kValid, key}};
    }
    Outcome absent;
    absent.error = Errno::kENOENT;
    absent.output = Poison(question_.value_size);
    const bool surely = Ask(look, absent).kind == Judgement::Kind::kViolation;
    Outcome there;
    there.output = Poison(question_.value_size);
    Judgement judgement = Ask(look, there);
    if (judgement.expected_bytes.size() == question_.value_size) {
      there.output = judgement.expected_bytes;
    }
    if (Ask(look, there).kind != Judgement::Kind::kConforms) continue;
    if (!surely) {
      incomplete_ = true;  // It may have been evicted.
      continue;
    }
    elements.push_back({key, Masked(look, there, std::get<Bytes>(there.output))});
  }
  return elements;
}

void AllowedProber::AddElementBatches(const LookupBatch& op, std::vector<AllowedOutcome>* found) {
  const auto* boxed = std::get_if<Boxed<BatchOutput>>(&question_.seen.output);
  if (boxed == nullptr || op.elem_flags > BPF_F_LOCK) return;
  const BatchOutput& shape = **boxed;
  std::vector<AllowedElement> elements = Elements(op.map);
  // What earlier pages of this walk gave.
  std::set<Bytes> given;
  for (size_t i = 0; i < question_.outcomes.size(); ++i) {
    const auto* earlier = std::get_if<LookupBatch>(&question_.operations[i].call);
    const auto* page = std::get_if<Boxed<BatchOutput>>(&question_.outcomes[i].output);
    if (earlier == nullptr || page == nullptr || !(earlier->map == op.map)) continue;
    if (earlier->start == LookupBatch::Start::kNull) given.clear();
    for (size_t n = 0; n < (*page)->count && (n + 1) * question_.key_size <= (*page)->keys.size();
         ++n) {
      given.insert((*page)->keys.Slice(n * question_.key_size, question_.key_size));
    }
  }
  std::vector<AllowedElement> rest = elements;
  if (op.start == LookupBatch::Start::kLast) {
    std::erase_if(rest, [&](const AllowedElement& e) { return given.count(e.key) != 0; });
  }

  Outcome outcome;
  const auto ask = [&](std::span<const AllowedElement> page, const Bytes& token) {
    BatchOutput output = OutputOf(page, shape);
    output.out_batch = token;
    outcome.output = Boxed<BatchOutput>(output);
    return Takes(outcome);
  };
  // A token that no array gives: four bytes, and nothing behind them.
  Bytes some_token = Poison(shape.out_batch.size());
  for (size_t i = 0; i < std::min<size_t>(4, some_token.size()); ++i) some_token[i] = kFlip;
  for (const Errno error : {Errno::kNone, Errno::kENOENT}) {
    outcome.error = error;
    for (uint32_t count = 1; count <= std::min<size_t>(op.count, rest.size()); ++count) {
      // In any order: the reverse is as good.
      std::vector<AllowedElement> page(rest.begin(), rest.begin() + count);
      std::vector<AllowedElement> reverse(page.rbegin(), page.rend());
      if (!ask(page, some_token) || !ask(reverse, some_token)) continue;
      AllowedOutcome allowed;
      allowed.errors = {error};
      allowed.count = count;
      allowed.elements = rest;
      Put(std::move(allowed), found);
    }
    // In order, from any place on, and with a token that says how far: arrays.
    for (size_t first = 0; first < elements.size(); ++first) {
      const size_t count = std::min<size_t>(op.count, elements.size() - first);
      const auto page = std::span(elements).subspan(first, count);
      for (const size_t last : {first + count - 1, first + count}) {
        const Bytes token = Bytes::LittleEndian(last, shape.out_batch.size());
        if (count == 0 || ask(page, some_token) || !ask(page, token)) continue;
        AllowedOutcome allowed;
        allowed.errors = {error};
        allowed.count = static_cast<uint32_t>(count);
        const BatchOutput output = OutputOf(page, shape);
        AllowedOutcome::Buffers buffers{Exactly(token), Exactly(output.keys),
                                        Exactly(output.values)};
        if (std::any_of(page.begin(), page.end(),
                        [](const auto& e) { return !e.value.mask.empty(); })) {
          buffers.values.mask = Bytes(output.values.size(), 0xff);
          size_t at = 0;
          for (const AllowedElement& e : page) {
            for (size_t i = 0; i < e.value.bytes.size(); ++i, ++at) {
              buffers.values.mask[at] = e.value.mask.empty() ? 0xff : e.value.mask[i];
            }
          }
        }
        allowed.buffers = std::move(buffers);
        Put(std::move(allowed), found);
      }
    }
  }
}

void AllowedProber::AddWalks(const HelperForEach& op, std::vector<AllowedOutcome>* found) {
  if (!std::holds_alternative<Boxed<BatchOutput>>(question_.seen.output)) return;
  const std::vector<AllowedElement> elements = Elements(op.map);
  const size_t count = std::min<size_t>(elements.size(), kMaxForEachNoted);
  BatchOutput shape;
  shape.keys = Bytes(count * question_.key_size);
  shape.values = Bytes(count * question_.value_size);
  for (size_t visited = 0; visited <= elements.size(); ++visited) {
    const size_t noted = std::min(visited, count);
    shape.keys.Resize(noted * question_.key_size);
    shape.values.Resize(noted * question_.value_size);
    std::vector<AllowedElement> page(elements.begin(),
                                     elements.begin() + static_cast<ptrdiff_t>(noted));
    Outcome outcome;
    outcome.result = static_cast<int64_t>(visited);
    outcome.output = Boxed<BatchOutput>(OutputOf(page, shape));
    if (!Takes(outcome)) continue;
    AllowedOutcome allowed;
    allowed.errors = {Errno::kNone};
    if (visited != 0) allowed.result = outcome.result;
    allowed.count = static_cast<uint32_t>(noted);
    const std::vector<AllowedElement> reverse(page.rbegin(), page.rend());
    outcome.output = Boxed<BatchOutput>(OutputOf(reverse, shape));
    if (noted > 1 && !Takes(outcome)) {
      const BatchOutput output = OutputOf(page, shape);
      allowed.buffers =
          AllowedOutcome::Buffers{Exactly({}), Exactly(output.keys), Exactly(output.values)};
    } else {
      allowed.elements = elements;
    }
    Put(std::move(allowed), found);
  }
}

}  // namespace mapspec
