// SPDX-License-Identifier: MIT
#include "properties/exhaustive.h"

#include "properties/alphabets.h"
#include "properties/map_kinds.h"
#include "properties/script_runner.h"
#include "properties/shrink.h"

namespace mapspec {
namespace {

using Clock = std::chrono::steady_clock;

// Sequences in one session: enough to make the session's cost small, few enough to look at the
// clock and the stop flag often.
constexpr size_t kSequencesPerSession = 256;

class ExhaustiveRun {
 public:
  ExhaustiveRun(std::string_view id, const Alphabet& alphabet, Backend& backend,
                const Profile& profile, const PropertyOptions& options)
      : alphabet_(alphabet.Restricted(backend.capabilities())),
        profile_(profile),
        options_(options),
        runner_(backend, profile),
        length_(alphabet_.Length(options.effort)),
        start_(Clock::now()),
        next_progress_(start_) {
    result_.id = id;
    const size_t size = kSequencesPerSession * (length_ + 2);
    operations_.reserve(size);
  }

  PropertyResult Run() {
    const MapKind* kind = FindMapKind(alphabet_.type);
    for (const MapCreate& map : alphabet_.maps) {
      ForEachWord(alphabet_.letters, alphabet_.keys_interchangeable, length_,
                  [&](std::span<const uint8_t> word) {
                    Append(map, word);
                    return operations_.size() < kSequencesPerSession * (length_ + 2) || Flush();
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

  void Append(const MapCreate& map, std::span<const uint8_t> word) {
    operations_.push_back({map, Caller::kPrivileged});
    for (size_t place = 0; place < word.size(); ++place) {
      operations_.push_back(alphabet_.operations[word[place]]);
      SetValues(place, &operations_.back());
    }
    operations_.push_back({Close{map.result}, Caller::kPrivileged});
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
    result_.cases += last.judged / (length_ + 2);
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
    const size_t begin = index - index % (length_ + 2);
    const std::span<const Operation> sequence(operations_.data() + begin, index + 1 - begin);
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
        script.operations.assign(sequence.begin(), sequence.end());
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
  const Clock::time_point start_;
  Clock::time_point next_progress_;
  std::vector<Operation> operations_;
  PropertyResult result_;
};

}  // namespace

PropertyResult RunExhaustive(std::string_view id, MapType type, Backend& backend,
                             const Profile& profile, const PropertyOptions& options) {
  const Alphabet* alphabet = FindAlphabet(type);
  if (alphabet == nullptr || !Has(backend.capabilities(), Capability::kMapCreate)) {
    PropertyResult result;
    result.id = id;
    result.skipped = true;
    result.reason =
        alphabet == nullptr ? "no alphabet for this type" : "the backend lacks bpf_map_create";
    return result;
  }
  return ExhaustiveRun(id, *alphabet, backend, profile, options).Run();
}

}  // namespace mapspec
