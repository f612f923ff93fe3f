// SPDX-License-Identifier: MIT
#include "properties/random_scripts.h"

#include <rapidcheck.h>
#include <rapidcheck/detail/TestListenerAdapter.h>

#include <memory>
#include <utility>

#include "backends/offered_types.h"
#include "properties/map_kinds.h"
#include "properties/script_generator.h"
#include "properties/script_runner.h"
#include "properties/shrink.h"

namespace mapspec {
namespace {

using Clock = std::chrono::steady_clock;

// RapidCheck's size runs from 0 to kMaxSize again and again.
constexpr int kMaxSize = 100;
constexpr size_t kShortest = 10;
constexpr size_t kPerSize = 10;
constexpr size_t kMeanLength = kShortest + kPerSize * kMaxSize / 2;

// A script, and where its shrinking goes on.
struct Candidate {
  std::shared_ptr<const Script> script;
  ShrinkCursor cursor;
};

// One run of one property. RapidCheck sees it through two closures: a generator of candidates and a
// function that judges one.
class RandomRun {
 public:
  RandomRun(std::string_view id, const std::vector<MapType>& types, Paths paths, Backend& backend,
            const Profile& profile, const PropertyOptions& options)
      : backend_(backend),
        profile_(profile),
        options_(options),
        generator_(MakeOptions(types, paths, backend)),
        runner_(backend, profile),
        wanted_(RandomOperations(types, options)),
        start_(Clock::now()),
        next_progress_(start_) {
    result_.id = id;
    result_.seed = DeriveSeed(options.seed, id);
  }

  PropertyResult Run() {
    rc::detail::TestParams params;
    params.seed = result_.seed;
    params.maxSize = kMaxSize;
    params.maxSuccess = static_cast<int>((wanted_ + kMeanLength - 1) / kMeanLength);
    params.disableShrinking = !options_.shrink;
    const rc::Gen<Candidate> scripts(
        [this](const rc::Random& random, int size) { return Draw(random, size); });
    // A rc::detail::Property made by hand: toProperty() would go through RapidCheck's implicit
    // parameters, which are one set for the whole process, and print every script.
    const rc::detail::Property property =
        rc::gen::map(scripts, [this](const Candidate& candidate) { return Describe(candidate); });
    rc::detail::TestListenerAdapter silent;
    // With an explicit (empty) list of cases to reproduce: RapidCheck would read its configuration
    // otherwise, and announce it on stderr.
    const rc::detail::TestResult outcome =
        rc::detail::checkProperty(property, rc::detail::TestMetadata(), params, silent, {});
    rc::detail::Error error;
    if (outcome.match(error)) {
      result_.complete = false;
      result_.backend_failed = true;
      result_.reason = "RapidCheck: " + error.description;
    }
    Finish();
    return std::move(result_);
  }

 private:
  static GeneratorOptions MakeOptions(const std::vector<MapType>& types, Paths paths,
                                      Backend& backend) {
    GeneratorOptions options;
    options.types = types;
    for (const MapKind& kind : MapKinds()) {
      if (!OffersMapType(backend, kind.type)) options.lacking.push_back(kind.type);
    }
    options.capabilities = backend.capabilities();
    options.page_size = backend.environment().page_size;
    options.possible_cpus = backend.environment().possible_cpus;
    if (paths == Paths::kMostlyPrograms) options.focus = Focus::kPrograms;
    return options;
  }

  bool Ended() {
    if (result_.backend_failed) return true;
    if (options_.stop != nullptr && options_.stop->load(std::memory_order_relaxed)) {
      if (result_.reason.empty()) result_.reason = "stopped";
      return true;
    }
    if (options_.time_limit.count() != 0 && Clock::now() - start_ > options_.time_limit) {
      if (result_.reason.empty()) result_.reason = "time limit";
      return true;
    }
    return false;
  }

  rc::Shrinkable<Candidate> Draw(const rc::Random& random, int size) {
    // RapidCheck's Random is cryptographic and slow; it seeds a faster sequence.
    SeededEntropy entropy(rc::Random(random).next());
    if (spare_ == nullptr || spare_.use_count() != 1) spare_ = std::make_shared<Script>();
    if (!Ended())
      generator_.Generate(entropy, kShortest + kPerSize * static_cast<size_t>(size), spare_.get());
    return rc::shrinkable::shrinkRecur(
        Candidate{spare_, ShrinkCursor()},
        [this](const Candidate& candidate) { return Shrinks(candidate); });
  }

  // The smaller candidates, lazily; nothing once the budget is used up.
  rc::Seq<Candidate> Shrinks(const Candidate& from) {
    struct Steps {
      RandomRun* run;
      Candidate from;
      bool cut = false;
      rc::Maybe<Candidate> operator()() {
        if (run->ShrinkingEnded()) return rc::Nothing;
        // What comes after the violation proves nothing.
        if (!std::exchange(cut, true) && run->violating_length_ < from.script->operations.size()) {
          auto prefix = std::make_shared<Script>();
          prefix->operations.assign(
              from.script->operations.begin(),
              from.script->operations.begin() + static_cast<ptrdiff_t>(run->violating_length_));
          return Candidate{std::move(prefix), from.cursor};
        }
        std::optional<ShrinkStep> step = NextShrinkStep(*from.script, &from.cursor);
        if (!step) return rc::Nothing;
        return Candidate{std::make_shared<const Script>(std::move(step->script)),
                         step->if_accepted};
      }
    };
    return rc::Seq<Candidate>(Steps{this, from});
  }

  bool ShrinkingEnded() {
    return result_.backend_failed || Clock::now() - violation_at_ > options_.shrink_time ||
           (options_.stop != nullptr && options_.stop->load(std::memory_order_relaxed));
  }

  rc::detail::CaseDescription Describe(const Candidate& candidate) {
    using Type = rc::detail::CaseResult::Type;
    rc::detail::CaseDescription description;
    description.example = [] { return rc::detail::Example(); };
    description.result.type = Holds(candidate) ? Type::Success : Type::Failure;
    return description;
  }

  bool Holds(const Candidate& candidate) {
    const bool shrinking = result_.counterexample.has_value();
    if (shrinking ? !options_.shrink || ShrinkingEnded() : Ended()) {
      if (!shrinking) result_.complete = false;
      // RapidCheck may ask again about the one that it holds for the best.
      return !shrinking || candidate.script != best_;
    }
    const std::vector<Operation>& operations = candidate.script->operations;
    const ScriptRunner::Last& last = runner_.Run(operations);
    if (last.end == ScriptRunner::End::kNoSession) {
      result_.backend_failed = true;
      result_.complete = false;
      result_.reason = last.error;
      return true;
    }
    if (shrinking) {
      ++result_.shrink_executions;
    } else {
      ++result_.cases;
      result_.operations += last.judged;
      result_.unjudged += last.unjudged;
      if (options_.coverage != nullptr) options_.coverage->Add(operations, last.outcomes);
    }
    Report(shrinking);
    if (last.end == ScriptRunner::End::kConforms) return true;
    if (shrinking && last.violated != clause_) return true;
    if (!shrinking) {
      clause_ = last.violated;
      violation_at_ = Clock::now();
    }
    violating_length_ = last.index + 1;
    best_ = candidate.script;
    result_.counterexample = runner_.TraceOf(result_.id, operations);
    return false;
  }

  void Report(bool shrinking) {
    if (!options_.progress) return;
    const Clock::time_point now = Clock::now();
    if (now < next_progress_) return;
    next_progress_ = now + std::chrono::milliseconds(250);
    options_.progress({result_.operations, wanted_, shrinking});
  }

  void Finish() {
    if (result_.counterexample) {
      Trace trace = std::move(*result_.counterexample);
      SetCounterexample(std::move(trace), profile_, &result_);
      return;
    }
    if (!result_.complete && !result_.backend_failed) {
      result_.reason += " after " + std::to_string(result_.operations) + " of " +
                        std::to_string(wanted_) + " operations";
    }
    result_.passed = !result_.backend_failed;
    result_.detail = std::to_string(result_.cases) + " scripts, " +
                     std::to_string(result_.operations) + " operations";
  }

  Backend& backend_;
  const Profile& profile_;
  const PropertyOptions& options_;
  const ScriptGenerator generator_;
  ScriptRunner runner_;
  const uint64_t wanted_;
  const Clock::time_point start_;
  Clock::time_point next_progress_;
  Clock::time_point violation_at_;
  PropertyResult result_;
  std::shared_ptr<Script> spare_;
  std::shared_ptr<const Script> best_;
  ClauseId clause_ = kNoClause;
  size_t violating_length_ = 0;
};

}  // namespace

uint64_t RandomOperations(const std::vector<MapType>& types, const PropertyOptions& options) {
  if (options.operations) return *options.operations;
  // A kernel waits for the programs that run before it lets go of an inner map: a millisecond for
  // each element that is replaced or deleted.
  const bool waits = types.size() == 1 &&
                     (types[0] == MapType::ARRAY_OF_MAPS || types[0] == MapType::HASH_OF_MAPS);
  const uint64_t part = waits ? 10 : 1;
  switch (options.effort) {
    case Effort::kQuick:
      return (options.emulated ? 10'000 : 20'000) / part;
    case Effort::kNormal:
      return 300'000 / part;
    case Effort::kThorough:
      break;
  }
  return 5'000'000 / part;
}

PropertyResult RunRandomScripts(std::string_view id, const std::vector<MapType>& types, Paths paths,
                                Backend& backend, const Profile& profile,
                                const PropertyOptions& options) {
  PropertyResult skipped;
  skipped.id = id;
  skipped.skipped = true;
  if (!Has(backend.capabilities(), Capability::kMapCreate)) {
    skipped.reason = "the backend lacks bpf_map_create";
    return skipped;
  }
  if (paths == Paths::kMostlyPrograms && !CallsHelpers(backend.capabilities())) {
    skipped.reason = std::string(kNoProgramPath);
    return skipped;
  }
  return RandomRun(id, types, paths, backend, profile, options).Run();
}

}  // namespace mapspec
