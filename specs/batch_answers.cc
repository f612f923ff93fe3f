// SPDX-License-Identifier: MIT
//
// The part of Answers for what gives many elements at once: lookups of batches, and the walk of a
// program.
#include <algorithm>

#include "specs/answer_parts.h"
#include "specs/answers.h"

namespace mapspec {

Answers::Page Answers::Present(Handle map, const Checker& checker) const {
  Page present;
  std::set<Bytes> candidates = keys_;
  // The elements of an array are there without having been written.
  const KnownMap* known = MapAt(map);
  for (uint32_t i = 0; known != nullptr && i < std::min(known->create.max_entries, 16u); ++i) {
    candidates.insert(Bytes::LittleEndian(i, KeySize(map)));
  }
  for (const Bytes& key : KnownBytes(candidates, KeySize(map))) {
    const Operation lookup{Lookup{map, {Pointer::kValid, key}, Pointer::kValid, 0},
                           Caller::kPrivileged};
    if (const std::optional<Bytes> id = InnerId(map, key)) {
      // An id that nobody told yet may be any: there is nothing that the oracle would name.
      Outcome found;
      found.output = *id;
      Checker copy = checker;
      const auto judged = copy.Step(lookup, found).kind;
      if (judged == Judgement::Kind::kConforms) present.emplace_back(key, *id);
    } else if (const std::optional<Bytes> value = Asked(lookup, BufferSize(map), checker)) {
      present.emplace_back(key, *value);
    }
  }
  return present;
}

// Elements that might have been handed out: as stated, else a run of those that are there.
std::vector<Answers::Page> Answers::Pages(const StatedOutcome& stated, const Page& present,
                                          std::initializer_list<size_t> starts, size_t most) {
  std::vector<Page> pages;
  const auto& listed = stated.keys ? stated.keys : stated.values;
  if (listed) {
    Page page(listed->size());
    for (size_t i = 0; i < page.size(); ++i) {
      if (stated.keys) page[i].first = (*stated.keys)[i];
      if (stated.values) page[i].second = (*stated.values)[i];
      for (const Element& element : present) {
        if (!stated.values && element.first == page[i].first) page[i].second = element.second;
        const bool used = std::any_of(page.begin(), page.end(), [&](const Element& other) {
          return other.first == element.first;
        });
        if (!stated.keys && element.second == page[i].second && !used)
          page[i].first = element.first;
      }
    }
    pages.push_back(std::move(page));
    return pages;
  }
  for (const size_t start : starts) {
    const size_t first = std::min(start, present.size());
    for (size_t size = std::min(most, present.size() - first) + 1; size-- > 0;) {
      pages.emplace_back(present.begin() + static_cast<std::ptrdiff_t>(first),
                         present.begin() + static_cast<std::ptrdiff_t>(first + size));
    }
  }
  return pages;
}

std::vector<Outcome> Answers::ForBatch(const StatedOutcome& stated, const Operation& operation,
                                       const LookupBatch& batch, const Checker& checker) const {
  const KnownMap* map = MapAt(batch.map);
  const size_t key_size = KeySize(batch.map), value_size = BufferSize(batch.map);
  const auto buffer = [&](Pointer pointer, size_t size, size_t count) {
    if (pointer != Pointer::kValid) return Bytes();
    const bool fits = size == 0 || count <= kMaxBuffer / size;
    return Poison(fits ? size * count : kMaxBuffer);
  };
  BatchOutput blank;
  blank.count = batch.count;
  blank.out_batch = buffer(batch.out_batch, std::max<size_t>(key_size, 4), 1);
  blank.keys = buffer(batch.keys, key_size, batch.count);
  blank.values = buffer(batch.values, value_size, batch.count);

  const Page present = Present(batch.map, checker);
  const size_t start =
      batch.start == LookupBatch::Start::kNull || map == nullptr ? 0 : map->emitted;
  const size_t most = stated.count.value_or(batch.count);
  const std::vector<Page> pages = Pages(stated, present, {start, 0}, most);

  std::vector<Outcome> outcomes;
  for (const Outcome& ending : Endings(stated, operation)) {
    for (const Page& page : pages) {
      BatchOutput output = blank;
      std::vector<Bytes> keys, values;
      for (const Element& element : page) {
        keys.push_back(element.first);
        values.push_back(element.second);
      }
      if (stated.keys || !stated.untouched.keys) output.keys = Overlaid(output.keys, keys);
      if (stated.values || !stated.untouched.values)
        output.values = Overlaid(output.values, values);
      std::vector<uint32_t> counts = {static_cast<uint32_t>(page.size())};
      if (stated.count) counts = {*stated.count};
      if (!stated.count && page.empty()) counts.push_back(batch.count);
      const auto next = static_cast<uint32_t>(start + page.size());
      std::vector<Bytes> tokens = {blank.out_batch};
      if (stated.out_batch) {
        tokens = {Overlaid(blank.out_batch, {*stated.out_batch})};
      } else if (!stated.untouched.out_batch && !blank.out_batch.empty()) {
        const size_t size = blank.out_batch.size();
        AddOnce(Overlaid(blank.out_batch, {Bytes::LittleEndian(next, 4)}), &tokens);
        AddOnce(Bytes::LittleEndian(next, size), &tokens);
        AddOnce(Bytes::LittleEndian(next - 1, size), &tokens);
        if (!page.empty()) AddOnce(Overlaid(blank.out_batch, {page.back().first}), &tokens);
        // An implementation that goes on has written a token: try that first.
        std::rotate(tokens.begin(), tokens.begin() + 1, tokens.end());
      }
      for (const uint32_t count : counts) {
        for (const Bytes& token : tokens) {
          output.count = count;
          output.out_batch = token;
          Outcome outcome = ending;
          outcome.output = Boxed<BatchOutput>(output);
          outcomes.push_back(std::move(outcome));
        }
      }
    }
  }
  return outcomes;
}

std::vector<Outcome> Answers::ForWalk(const StatedOutcome& stated, const Operation& operation,
                                      const HelperForEach& walk, const Checker& checker) const {
  Page present = Present(walk.map, checker);
  // The callback sees what the CPU of the program has.
  const size_t size = ValueSize(walk.map);
  const size_t at = operation.cpu == kAnyCpu ? 0 : PerCpuStride(size) * operation.cpu;
  for (Element& element : present) {
    if (element.second.size() >= at + size) element.second = element.second.Slice(at, size);
  }
  const size_t visited =
      walk.limit == 0 ? present.size() : std::min<size_t>(walk.limit, present.size());
  const size_t most = stated.count.value_or(kMaxForEachNoted);
  std::vector<Outcome> outcomes;
  for (Outcome ending : Endings(stated, operation)) {
    const bool fails = ending.error != Errno::kNone || ending.result != 0;
    for (const Page& page : Pages(stated, present, {0}, std::min(most, visited))) {
      BatchOutput output;
      for (const Element& element : page) {
        output.keys.Append(element.first);
        output.values.Append(element.second);
      }
      output.count = stated.count.value_or(static_cast<uint32_t>(page.size()));
      ending.output = Boxed<BatchOutput>(output);
      if (!fails) ending.result = stated.returned.value_or(static_cast<int64_t>(visited));
      outcomes.push_back(ending);
    }
    if (!fails) continue;
    ending.output = Boxed<BatchOutput>();
    outcomes.push_back(ending);
  }
  return outcomes;
}

}  // namespace mapspec
