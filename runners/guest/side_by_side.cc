// SPDX-License-Identifier: MIT
//
// Several guests at a time, told in a line now and then: what one of them is at says nothing when
// four are running.
#include <fmt/format.h>

#include "runners/guest/guest_run.h"
#include "runners/kernels/kernel_matrix.h"

namespace mapspec {
namespace {

using Clock = GuestRun::Clock;
constexpr std::chrono::seconds kBetweenLines{10};

class Board {
 public:
  Board(const std::vector<std::unique_ptr<GuestRun>>& runs, Progress* progress)
      : runs_(runs), progress_(progress), told_(runs.size()) {}

  void Tell() {
    for (size_t i = 0; i < runs_.size(); ++i) TellOf(*runs_[i], &told_[i]);
    if (Clock::now() - last_ < kBetweenLines) return;
    last_ = Clock::now();
    std::string line;
    for (const auto& run : runs_) {
      if (run->Done() || !run->booted()) continue;
      line += fmt::format("{}{} {}/{}", line.empty() ? "" : ", ", run->image().release,
                          run->finished_tests(), run->planned_tests());
    }
    if (!line.empty()) progress_->Note(line);
  }

 private:
  struct Told {
    bool boot = false, end = false;
  };

  void TellOf(GuestRun& run, Told* told) {
    const std::string& release = run.image().release;
    for (const std::string& note : run.TakeNotes()) progress_->Note(release + ": " + note);
    if (run.booted() && !told->boot) {
      told->boot = true;
      progress_->Note(fmt::format("{}: up after {:.1f} s{}", release, run.results().boot_seconds,
                                  run.kvm() ? " with KVM" : ""));
    }
    if (!run.Done() || told->end) return;
    told->end = true;
    for (const TestResult& test : run.results().tests) {
      if (test.status == Status::kFail && !test.report.empty()) {
        progress_->Note("\n" + test.report);
      }
    }
    progress_->Note(fmt::format("{}: {} after {:.1f} s", release, VerdictWord(run.results()),
                                run.results().seconds));
  }

  const std::vector<std::unique_ptr<GuestRun>>& runs_;
  Progress* progress_;
  std::vector<Told> told_;
  Clock::time_point last_ = Clock::now();
};

}  // namespace

std::vector<BackendResults> RunSideBySide(const std::vector<std::unique_ptr<GuestRun>>& runs,
                                          size_t parallel, Progress* progress) {
  Board board(runs, progress);
  RunGuests(runs, parallel, [&] { board.Tell(); });
  std::vector<BackendResults> results;
  for (const auto& run : runs) results.push_back(run->TakeResults());
  return results;
}

}  // namespace mapspec
