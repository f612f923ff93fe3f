// SPDX-License-Identifier: MIT
#include "specs/contradictions.h"

#include <algorithm>
#include <utility>

namespace mapspec {
namespace {

class Maker {
 public:
  explicit Maker(const Outcome& agreeing) : agreeing_(agreeing) {}

  template <typename Change>
  void Add(Change change) {
    Outcome changed = agreeing_;
    change(changed);
    made_.push_back(std::move(changed));
  }
  // One bit in the first and one in the last of the bytes in [from, to).
  template <typename Select>
  void Flip(size_t from, size_t to, Select select) {
    if (from >= to) return;
    Add([&](Outcome& outcome) { select(outcome)[from] ^= 0x01; });
    Add([&](Outcome& outcome) { select(outcome)[to - 1] ^= 0x80; });
  }
  std::vector<Outcome> Take() { return std::move(made_); }

 private:
  const Outcome& agreeing_;
  std::vector<Outcome> made_;
};

void ChangeEnding(const Operation& operation, const Outcome& agreeing, Maker* maker) {
  const auto fail_with = [&](Errno error) {
    maker->Add([&](Outcome& outcome) {
      outcome.error = error;
      outcome.result = 0;
      if (agreeing.error != Errno::kNone) return;
      if (auto* bytes = std::get_if<Bytes>(&outcome.output)) *bytes = Poison(bytes->size());
    });
  };
  // The kernel answers ENXIO to none of these calls; EINVAL and EPERM are the errnos that come
  // easiest.
  fail_with(Errno::kENXIO);
  fail_with(Errno::kEINVAL);
  fail_with(Errno::kEPERM);
  if (agreeing.error == Errno::kNone) return;
  maker->Add([&](Outcome& outcome) {
    outcome.completion = Completion::kReturned;
    outcome.error = Errno::kNone;
    // A poll and GET_NEXT_ID that succeed tell a number.
    if (std::holds_alternative<Poll>(operation.call) ||
        std::holds_alternative<GetNextId>(operation.call)) {
      outcome.output = uint32_t{0};
    }
  });
}

// A program that runs though it should be refused and the reverse, a number where there is none.
void ChangeProgram(const StatedOutcome& stated, const Operation& operation, const Outcome& agreeing,
                   Maker* maker) {
  if (!IsProgramPath(operation.call)) return;
  maker->Add([&](Outcome& outcome) {
    outcome.completion = stated.refused ? Completion::kReturned : Completion::kRefused;
    if (outcome.error == Errno::kNone) outcome.error = Errno::kEACCES;
    outcome.result = 0;
  });
  if (stated.refused) return;
  if (agreeing.error != Errno::kNone) {
    // The low 32 bits of the negative errno, which only the number tells from the whole.
    maker->Add([&](Outcome& outcome) {
      outcome.error = Errno::kNone;
      outcome.result = (int64_t{1} << 32) - static_cast<int64_t>(agreeing.error);
    });
  } else if (stated.returned || !std::holds_alternative<HelperForEach>(operation.call)) {
    maker->Add([](Outcome& outcome) { ++outcome.result; });
  }
}

void ChangeBatch(const StatedOutcome& stated, const Operation& operation, const BatchOutput& batch,
                 Maker* maker) {
  const auto of = [](Outcome& outcome) -> BatchOutput& {
    return *std::get<Boxed<BatchOutput>>(outcome.output);
  };
  if (stated.count) {
    maker->Add([&](Outcome& outcome) { ++of(outcome).count; });
    // Of the elements that a program visits, it may have room for fewer.
    const bool fewer = batch.count != 0 && !std::holds_alternative<HelperForEach>(operation.call);
    if (fewer) maker->Add([&](Outcome& outcome) { --of(outcome).count; });
  }
  // What is stated, and behind it what must be untouched.
  const auto flip = [&](size_t size, bool untouched, Bytes BatchOutput::*member) {
    const size_t whole = (batch.*member).size();
    const size_t split = std::min(size, whole);
    const auto select = [&, member](Outcome& outcome) -> Bytes& { return of(outcome).*member; };
    maker->Flip(0, split, select);
    if (untouched) maker->Flip(split, whole, select);
  };
  flip(StatedSize(stated.keys), stated.untouched.keys, &BatchOutput::keys);
  flip(StatedSize(stated.values), stated.untouched.values, &BatchOutput::values);
  flip(stated.out_batch ? stated.out_batch->size() : 0, stated.untouched.out_batch,
       &BatchOutput::out_batch);
}

void ChangeInfo(const StatedOutcome& stated, const MapInfo& info, Maker* maker) {
  const auto of = [](Outcome& outcome) -> MapInfo& {
    return *std::get<Boxed<MapInfo>>(outcome.output);
  };
  const auto count_up = [&](bool is_stated, auto MapInfo::*member) {
    if (is_stated) maker->Add([&, member](Outcome& outcome) { ++(of(outcome).*member); });
  };
  const StatedInfo& said = stated.info;
  count_up(said.type.has_value(), &MapInfo::type);
  count_up(said.key_size.has_value(), &MapInfo::key_size);
  count_up(said.value_size.has_value(), &MapInfo::value_size);
  count_up(said.max_entries.has_value(), &MapInfo::max_entries);
  count_up(said.map_flags.has_value(), &MapInfo::map_flags);
  count_up(said.btf_key_type_id.has_value(), &MapInfo::btf_key_type_id);
  count_up(said.btf_value_type_id.has_value(), &MapInfo::btf_value_type_id);
  count_up(said.map_extra.has_value(), &MapInfo::map_extra);
  count_up(said.info_len.has_value(), &MapInfo::info_len);
  count_up(stated.number.has_value(), &MapInfo::id);
  if (stated.nonzero_id) maker->Add([&](Outcome& outcome) { of(outcome).id = 0; });
  if (said.has_btf) {
    maker->Add([&](Outcome& outcome) { of(outcome).has_btf = !info.has_btf; });
  }
  if (!said.name) return;
  maker->Add([&](Outcome& outcome) {
    std::string& name = of(outcome).name;
    name.empty() ? name.push_back('x') : name.pop_back();
  });
}

}  // namespace

std::vector<Outcome> Contradictions(const Step& step, const Outcome& agreeing) {
  Maker maker(agreeing);
  ChangeEnding(step.operation, agreeing, &maker);
  for (const StatedOutcome& stated : step.expected.alternatives) {
    if (!Matches(stated, step.operation, agreeing)) continue;
    ChangeProgram(stated, step.operation, agreeing, &maker);
    if (const auto* bytes = std::get_if<Bytes>(&agreeing.output)) {
      if (stated.output || stated.untouched.output) {
        maker.Flip(0, bytes->size(),
                   [](Outcome& outcome) -> Bytes& { return std::get<Bytes>(outcome.output); });
      }
    }
    if (std::holds_alternative<uint32_t>(agreeing.output)) {
      if (stated.number) {
        maker.Add([](Outcome& outcome) { std::get<uint32_t>(outcome.output) ^= 1; });
      }
      if (stated.nonzero_id) maker.Add([](Outcome& outcome) { outcome.output = uint32_t{0}; });
    }
    if (const auto* batch = std::get_if<Boxed<BatchOutput>>(&agreeing.output)) {
      ChangeBatch(stated, step.operation, **batch, &maker);
    }
    const auto* info = std::get_if<Boxed<MapInfo>>(&agreeing.output);
    if (info != nullptr && agreeing.error == Errno::kNone) ChangeInfo(stated, **info, &maker);
  }
  std::vector<Outcome> made = maker.Take();
  std::erase_if(made, [&](const Outcome& outcome) {
    return Match(step.expected, step.operation, outcome).matches;
  });
  return made;
}

}  // namespace mapspec
