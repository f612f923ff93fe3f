// SPDX-License-Identifier: MIT
#include "properties/exhaustive.h"

#include <algorithm>

#include "properties/map_kinds.h"
#include "properties/script_generator.h"
#include "properties/script_runner.h"
#include "properties/shrink.h"

namespace mapspec {
namespace {

using Clock = std::chrono::steady_clock;

// Sequences in one session: enough to make the session's cost small, few enough to look at the
// clock and the stop flag often.
constexpr size_t kSequencesPerSession = 256;

size_t LengthOf(const Alphabet& alphabet, const PropertyOptions& options) {
  const size_t length = alphabet.Length(options.effort);
  const bool shorter = options.emulated && options.effort == Effort::kQuick && length > 2;
  return shorter ? length - 1 : length;
}

class ExhaustiveRun {
 public:
  ExhaustiveRun(std::string_view id, const Alphabet& alphabet, Backend& backend,
                const Profile& profile, const PropertyOptions& options)
      : alphabet_(alphabet.Restricted(backend.capabilities())),
        profile_(profile),
        options_(options),
        runner_(backend, profile),
        length_(LengthOf(alphabet_, options)),
        stride_(length_ + (alphabet_.reset.empty() ? 2 : alphabet_.reset.size())),
        start_(Clock::now()),
        next_progress_(start_) {
    result_.id = id;
    for (const Operation& operation : alphabet_.operations) {
      programs_.push_back(IsProgramPath(operation.call));
      mixed_ |= programs_.back();
    }
    operations_.reserve(kSequencesPerSession * stride_ + 2 + alphabet_.setup.size());
  }

  PropertyResult Run() {
    const MapKind* kind = FindMapKind(alphabet_.type);
    for (const MapCreate& map : alphabet_.maps) {
      ForEachWord(alphabet_.letters, alphabet_.keys_interchangeable, length_,
                  [&](std::span<const uint8_t> word) {
                    // Those of system calls alone belong to the other alphabet.
                    if (mixed_ && !HasProgram(word)) return true;
                    Append(map, word);
                    return operations_.size() < kSequencesPerSession * stride_ || Flush();
                  });
      if (!Going() || !Flush()) break;
    }
    if (!result_.counterexample && !result_.backend_failed) result_.passed = true;
    if (!result_.complete && result_.passed) {
      result_.reason += " after " + std::to_string(result_.cases) + " sequences";
    }
    result_.detail = std::string(kind->name) + ": " + std::to_string(result_.cases) +
                     " sequences of " + std::to_string(length_) + " operations out of " +
                     std::to_string(alphabet_.letters.size()) + ", on " +
                     std::to_string(alphabet_.maps.size()) + " maps";
    return std::move(result_);
  }

 private:
  bool Going() const {
    return result_.complete && !result_.counterexample && !result_.backend_failed;
  }

  bool HasProgram(std::span<const uint8_t> word) const {
    return std::any_of(word.begin(), word.end(), [&](uint8_t letter) { return programs_[letter]; });
  }

  // Where the sequence that holds the operation begins, its map's creation left out. With `reset`
  // the one creation comes before all sequences.
  size_t BeginOf(size_t index) const {
    const size_t prefix = alphabet_.setup.size();
    if (index <= prefix) return prefix + 1;
    const size_t place = index - prefix;
    return alphabet_.reset.empty() ? index - place % stride_ + 1 : index - (place - 1) % stride_;
  }

  void Append(const MapCreate& map, std::span<const uint8_t> word) {
    const bool begins = operations_.empty();
    if (begins) operations_ = alphabet_.setup;
    if (alphabet_.reset.empty() || begins) {
      operations_.push_back({map, Caller::kPrivileged});
    }
    for (size_t place = 0; place < word.size(); ++place) {
      operations_.push_back(alphabet_.operations[word[place]]);
      SetValues(place, &operations_.back());
    }
    if (alphabet_.reset.empty()) {
      operations_.push_back({Close{map.result}, Caller::kPrivileged});
    } else {
      operations_.insert(operations_.end(), alphabet_.reset.begin(), alphabet_.reset.end());
    }
  }

  // Executes what has been gathered. False when the enumeration should end.
  bool Flush() {
    if (operations_.empty()) return Going();
    const ScriptRunner::Last& last = runner_.Run(operations_);
    if (last.end == ScriptRunner::End::kNoSession) {
      result_.backend_failed = true;
      result_.complete = false;
      result_.reason = last.error;
      return false;
    }
    result_.operations += last.judged;
    result_.unjudged += last.unjudged;
    result_.cases += last.judged / stride_;
    if (options_.coverage != nullptr) options_.coverage->Add(operations_, last.outcomes);
    if (last.end == ScriptRunner::End::kViolation) {
      Explain(last.index);
      return false;
    }
    operations_.clear();
    if (options_.progress && Clock::now() >= next_progress_) {
      next_progress_ = Clock::now() + std::chrono::milliseconds(250);
      options_.progress({result_.operations, 0, false});
    }
    if (options_.stop != nullptr && options_.stop->load(std::memory_order_relaxed)) {
      result_.reason = "stopped";
      result_.complete = false;
    } else if (options_.time_limit.count() != 0 && Clock::now() - start_ > options_.time_limit) {
      result_.reason = "time limit";
      result_.complete = false;
    }
    return result_.complete;
  }

  // The sequence alone shows it, as a rule; where it does not, the ones before it matter, and
  // shrinking finds out which.
  void Explain(size_t index) {
    const ClauseId clause = runner_.last().violated;
    Trace trace = runner_.TraceOf(result_.id, operations_);
    // Every map of a session is made alike.
    const auto made = operations_.begin() + static_cast<ptrdiff_t>(alphabet_.setup.size());
    std::vector<Operation> sequence(operations_.begin(), made + 1);
    sequence.insert(
        sequence.end(), operations_.begin() + static_cast<ptrdiff_t>(BeginOf(index)),
        operations_.begin() + static_cast<ptrdiff_t>(std::max(index + 1, BeginOf(index))));
    const auto breaks = [&](std::span<const Operation> operations) {
      ++result_.shrink_executions;
      const ScriptRunner::Last& last = runner_.Run(operations);
      if (last.end != ScriptRunner::End::kViolation || last.violated != clause) return false;
      trace = runner_.TraceOf(result_.id, operations);
      return true;
    };
    if (options_.shrink) {
      Script script;
      if (breaks(sequence)) {
        script.operations = std::move(sequence);
      } else {
        script.operations = trace.operations;
      }
      ShrinkBudget budget;
      budget.time = options_.shrink_time;
      Shrink(
          script, [&](const Script& candidate) { return breaks(candidate.operations); }, budget,
          nullptr, options_.stop);
    }
    SetCounterexample(std::move(trace), profile_, &result_);
  }

  const Alphabet alphabet_;
  const Profile& profile_;
  const PropertyOptions& options_;
  ScriptRunner runner_;
  const size_t length_;
  // Operations of one sequence, with what makes its map or empties it.
  const size_t stride_;
  const Clock::time_point start_;
  Clock::time_point next_progress_;
  std::vector<Operation> operations_;
  std::vector<bool> programs_;  // Of the letters: those that are helper calls.
  bool mixed_ = false;
  PropertyResult result_;
};

}  // namespace

PropertyResult RunExhaustive(std::string_view id, const Alphabet* alphabet, Backend& backend,
                             const Profile& profile, const PropertyOptions& options) {
  PropertyResult skipped;
  skipped.id = id;
  skipped.skipped = true;
  if (alphabet == nullptr) {
    skipped.reason = "no alphabet for this type";
    return skipped;
  }
  if (!Has(backend.capabilities(), Capability::kMapCreate)) {
    skipped.reason = "the backend lacks bpf_map_create";
    return skipped;
  }
  const auto calls_helper = [](const Operation& operation) {
    return IsProgramPath(operation.call);
  };
  const auto any = [&](const Alphabet& letters) {
    return std::any_of(letters.operations.begin(), letters.operations.end(), calls_helper);
  };
  if (any(*alphabet) && !any(alphabet->Restricted(backend.capabilities()))) {
    skipped.reason = std::string(kNoProgramPath);
    return skipped;
  }
  return ExhaustiveRun(id, *alphabet, backend, profile, options).Run();
}

}  // namespace mapspec
