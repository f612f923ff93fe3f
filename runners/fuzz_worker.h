// SPDX-License-Identifier: MIT
//
// The loop of the fuzzer: makes one script after the other, carries each out on every backend,
// judges each trace against its backend's profile, and compares those that conform. Buffers are
// used again from script to script, long scripts go through in pieces; nothing is allocated for an
// operation in the steady state.
//
// Thread-safety: one thread at a time for each object; a worker has its own instances of the
// backends. Errors: a backend that cannot be used any more is End::kUnusable with `error`.
#ifndef RUNNERS_FUZZ_WORKER_H_
#define RUNNERS_FUZZ_WORKER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "oracle/checker.h"
#include "oracle/profile.h"
#include "properties/coverage.h"
#include "properties/script_shapes.h"
#include "runners/fuzz_differences.h"

namespace mapspec {

// One implementation under test.
struct FuzzBackend {
  std::string selector;
  const Profile* profile = nullptr;
  // A new instance; nullptr after filling *error.
  std::function<std::unique_ptr<Backend>(std::string* error)> make;
};

// What a script must keep to, so that all backends can run it: capabilities and map types that all
// have.
ScriptShapes::Options CommonGround(const std::vector<Backend*>& backends, uint64_t seed);

// A violation as it was met.
struct RawFinding {
  uint64_t script = 0;   // Index in the run.
  uint64_t planned = 0;  // Operations of the script, where it was cut.
  size_t backend = 0;
  uint64_t operation = 0;  // Index in the script.
  ClauseId clause = kNoClause;
  // Clause, map type, operation and outcome: violations of one kind are likely to have one cause.
  std::string kind;
  // Where the backend gave no session after the script: why.
  std::string no_session;
  // Up to the violation; of a script in pieces only the last piece, `skipped` operations are
  // missing.
  Trace trace;
  uint64_t skipped = 0;
};

struct FuzzCounts {
  uint64_t scripts = 0;
  uint64_t operations = 0;  // Of scripts.
  uint64_t judged = 0;      // On all backends together.
  uint64_t unjudged = 0;
  uint64_t violations = 0;
  FuzzCounts& operator+=(const FuzzCounts& more);
};

class FuzzWorker {
 public:
  // Both must outlive it.
  FuzzWorker(const std::vector<FuzzBackend>& backends, const ScriptShapes& shapes);

  // Makes the backends. False after filling error().
  bool Open();
  enum class End : uint8_t {
    kDone,
    kStopped,   // By `stop`, between two pieces: the script is not done.
    kUnusable,  // A backend gives no session; error() says why.
  };
  // Carries out a script. `wants` tells whether the trace of a finding of this kind is still of
  // interest; without a trace it is only counted.
  End Run(const ScriptPlan& plan, const std::atomic<bool>* stop,
          const std::function<bool(const std::string& kind)>& wants);

  // Since the last Clear().
  const FuzzCounts& counts() const { return counts_; }
  const Coverage& coverage() const { return coverage_; }
  const Differences& differences() const { return differences_; }
  std::vector<RawFinding>& findings() { return findings_; }
  void Clear();

  const std::string& error() const { return error_; }
  Backend& backend(size_t index) { return *lanes_[index].backend; }

 private:
  // One backend in one script.
  struct Lane {
    std::unique_ptr<Backend> backend;
    std::unique_ptr<Session> session;
    std::optional<Checker> checker;
    CellFinder cells;
    std::vector<Outcome> outcomes;
    bool ended = false;  // Broke a clause, or died.
  };
  // What the comparison needs of the first backend's judgement, for each operation of the piece
  // that it was asked and kept its promises in.
  struct Judged {
    Cell cell;
    ClauseId clause = kNoClause;
    bool judged = false;
  };

  bool OpenSession(size_t index);
  void RunPiece(size_t index, const ScriptPlan& plan, uint64_t before,
                const std::function<bool(const std::string&)>& wants);
  void Found(size_t index, const ScriptPlan& plan, uint64_t before, size_t at, const Cell& cell,
             ClauseId clause, const std::function<bool(const std::string&)>& wants);

  const std::vector<FuzzBackend>& backends_;
  const ScriptShapes& shapes_;
  std::vector<Lane> lanes_;
  Script script_;
  std::vector<Judged> first_;
  std::optional<ScriptPlan> last_plan_;
  FuzzCounts counts_;
  Coverage coverage_;
  Differences differences_;
  std::vector<RawFinding> findings_;
  std::string error_;
};

}  // namespace mapspec

#endif  // RUNNERS_FUZZ_WORKER_H_
